"""The C sources are formatted by the .clang-format in the root."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("clang-format") is None, reason="clang-format is not installed")
def test_sources_are_formatted():
    sources = [str(path) for top in ("base", "proto", "client", "broker", "include", "examples", "tests")
               for path in sorted((ROOT / top).rglob("*.[ch]"))]
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], capture_output=True, text=True, cwd=ROOT)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "error:" in line})
    assert not wrong, wrong


MOST = 124  # code has 100 columns, which clang-format sees to; comments may go on a little


def test_lines_end():
    sources = [path for top in ("base", "proto", "client", "broker", "include", "examples", "tests")
               for path in sorted((ROOT / top).rglob("*.[ch]"))]
    long = [f"{path.relative_to(ROOT)}:{number}" for path in sources
            for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > MOST]
    assert sources and not long, long
