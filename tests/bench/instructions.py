#!/usr/bin/python3
"""Counts the instructions of the hot paths, and compares them with what tests/bench/instructions.json keeps.

  tests/bench/instructions.py                compares; exit status 1 when a path takes more than it may
  tests/bench/instructions.py --keep         writes what is counted now into the file
  tests/bench/instructions.py --bin DIR      a release build made with COLLEGA_BENCH=ON, instead of build/release

valgrind counts, so neither load nor clock matters, and a regression shows without a timer. Each path runs twice, for
different numbers of records: the difference is the path's own. libsodium and libc choose their code by the processor,
so their instructions are counted apart and not compared.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests/bench/instructions.json"
FEW, MANY = 1000, 3000
TOLERANCE = 0.06  # compilers of one version differ by less; what is slower by more is a change
OURS = re.compile(r"\.c:|\.h:")
# Of one path that cannot run without another, the other is taken off.
LESS = {"publish_commit": "publish_prepare", "node_board": "node_frames"}
PATHS = ["guard_and_check", "read_run", "publish_prepare", "publish_commit", "board_whole", "board_cut", "session_step",
         "node_frames", "node_board"]
SHOWN = [path for path in PATHS if path not in LESS.values()]


def build(directory):
    if not (directory / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", directory, "--target", "bench_hot"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)


def count(program, path, times, place):
    """(instructions of the repository's code, of everything)."""
    out = f"{place}/{path}-{times}"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet", program, path,
                    f"{out}.store", str(times)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, COLLEGA_MAP_MIB="1024"))  # valgrind has no room for the map of a node
    text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", out], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    ours = total = 0
    for line in text.splitlines():
        found = re.match(r"\s*([\d,]+) \([^)]*\)\s+(.*)$", line)
        if not found:
            continue
        number, what = int(found[1].replace(",", "")), found[2]
        if what.startswith("PROGRAM TOTALS"):
            total = number
        elif str(program) in what and OURS.search(what):
            ours += number
    return ours, total


def measure(program):
    counted = {}
    with tempfile.TemporaryDirectory() as place:
        for path in PATHS:
            few, many = (count(program, path, times, place) for times in (FEW, MANY))
            counted[path] = [(more - less) / (MANY - FEW) for more, less in zip(many, few)]
    return {path: {"ours": round(counted[path][0] - counted.get(LESS.get(path), [0, 0])[0]),
                   "all": round(counted[path][1] - counted.get(LESS.get(path), [0, 0])[1])} for path in SHOWN}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write the file")
    parser.add_argument("--bin", metavar="DIR", type=Path, default=ROOT / "build/release")
    options = parser.parse_args()
    build(options.bin.resolve())
    found = measure(options.bin.resolve() / "tests/bench/bench_hot")
    if options.keep:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
    kept = json.loads(FILE.read_text())
    worse = []
    print(f"{'instructions a record':<24} {'ours, kept':>12} {'ours, now':>12} {'with libraries':>15}")
    for path in SHOWN:
        now, before = found[path], kept.get(path, {"ours": 0})["ours"]
        more = now["ours"] > before * (1 + TOLERANCE)
        worse += [path] if more else []
        print(f"{path:<24} {before:>12,} {now['ours']:>12,} {now['all']:>15,}{'  MORE' if more else ''}")
    for path in SHOWN:
        if path in kept and found[path]["ours"] < kept[path]["ours"] * (1 - TOLERANCE):
            print(f"{path} takes less than before: keep it with --keep")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
