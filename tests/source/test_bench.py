"""The benchmark runs from end to end. What it finds is not judged: no test asserts a time."""
import csv
import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARIES = ROOT / "build" / "debug"
OFFERS, QUESTIONS, COLUMNS, BEST = 1000, 50, 18, 20


def table(arguments, report, seconds):
    """Runs the benchmark; its rows, all of which it printed too."""
    result = subprocess.run([ROOT / "tests/bench/run", "--rounds", "1", "--json", report, *arguments], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    assert result.returncode == 0, result.stdout[-4000:]
    rows = json.loads(report.read_text())["rows"]
    groups = [row["group"] for row in rows]
    for group in ("limits", "the broker", "matching among", "plans"):
        assert any(one.startswith(group) for one in groups), group
    for row in rows:
        assert row["what"].strip() in result.stdout, row
    return rows


def test_every_program_of_the_benchmark_runs(tmp_path):
    assert table(["--least", "--bin", BINARIES], tmp_path / "figures.json", 600)


@pytest.mark.skipif(not os.environ.get("COLLEGA_LONG"), reason="a long run only")
def test_the_quick_benchmark_fills_its_table(tmp_path):
    rows = table(["--quick", "--bin", BINARIES], tmp_path / "figures.json", 900)
    for row in rows:
        assert (row["figure"] or row["limit"]) > 0, row
    assert sum(row["goal"] is not None for row in rows) >= 5


def test_a_board_is_handed_on_as_files_that_a_database_takes(tmp_path):
    """By the keys that tests/bench/postgres.sql has them under: it refuses what is written twice."""
    subprocess.run([BINARIES / "tests/bench/bench_match", "--write", tmp_path, str(OFFERS), str(QUESTIONS)], check=True,
                   stdout=subprocess.PIPE, timeout=600)
    offers, asked, answers, closeness = (list(csv.reader((tmp_path / f"{name}.csv").read_text().splitlines()))
                                         for name in ("offers", "asked", "answers", "closeness"))
    ids = {row[0] for row in offers}
    assert len(offers) == len(ids) == OFFERS and {len(row) for row in offers} == {COLUMNS}
    assert [row[0] for row in asked] == [str(number) for number in range(1, QUESTIONS + 1)]
    assert {id for _, id in asked} <= ids
    assert len({(supply, demand) for supply, demand, _ in closeness}) == len(closeness) > 0
    occupations = {row[3] for row in offers}
    assert {occupation for row in closeness for occupation in row[:2]} <= occupations
    found = {number: list(rows) for number, rows in itertools.groupby(answers, key=lambda row: row[0])}
    assert found and set(found) <= {number for number, _ in asked}
    for rows in found.values():
        assert [row[1] for row in rows] == [str(rank) for rank in range(1, len(rows) + 1)] and len(rows) <= BEST
        assert len({row[2] for row in rows}) == len(rows) and {row[2] for row in rows} <= ids
        scores = [float(row[3]) for row in rows]
        assert scores == sorted(scores, reverse=True)
