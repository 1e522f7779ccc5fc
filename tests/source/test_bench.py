"""The benchmark runs from end to end. What it finds is not judged: no test asserts a time."""
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not os.environ.get("COLLEGA_LONG"), reason="a long run only")
def test_the_quick_benchmark_runs_and_fills_its_table(tmp_path):
    report = tmp_path / "figures.json"
    result = subprocess.run([ROOT / "tests/bench/run", "--quick", "--rounds", "1", "--json", report], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert result.returncode == 0, result.stdout[-4000:]
    rows = json.loads(report.read_text())["rows"]
    for row in rows:
        assert (row["figure"] or row["limit"]) > 0, row
        assert row["what"].strip() in result.stdout, row
    groups = [row["group"] for row in rows]
    for group in ("limits", "the broker", "matching among", "plans"):
        assert any(one.startswith(group) for one in groups), group
    assert sum(row["goal"] is not None for row in rows) >= 5
