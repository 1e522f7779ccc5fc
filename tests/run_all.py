"""Runs every test of the repository and prints one summary line, "N passed, N failed".

Parts: source (arrows, formatting, generated files), unit (cmocka programs), vectors, wire, flow, fault (pytest),
memory (valgrind, soak), model (Spin), instructions (of the hot paths, counted by valgrind), asan (units, flows and the
wire under the address and undefined-behaviour sanitizers), tsan (flows under the thread sanitizer), fuzz (each target
of tests/fuzz for COLLEGA_FUZZ_SECONDS, and what the corpora reach of proto/).
"""
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["source", "unit", "vectors", "wire", "flow", "fault", "memory", "model", "instructions", "asan", "tsan", "fuzz"]
# What is built for which part, and of it what; nothing: all of it.
BUILDS = {"debug": [], "release": ["bench_hot"], "asan": [], "tsan": ["collega", "collega-broker"],
          "fuzz": ["fuzz_targets"]}
BUILD_OF = {**dict.fromkeys(["source", "unit", "vectors", "wire", "flow", "fault", "memory"], "debug"),
            "instructions": "release", "asan": "asan", "tsan": "tsan", "fuzz": "fuzz"}
THREADED = ["first_deal", "apart", "ledger_import"]  # flows through every thread there is, for the thread sanitizer
UNIT_SECONDS = 300
WORKERS = 3
FUZZ_SECONDS, FUZZ_LONG_SECONDS = 15, 3600  # a target, two at a time
FUZZ_DICTIONARIES = {name: name for name in ("json", "csv", "words", "config", "http", "esco", "places", "tables", "kept")} | \
    {"identity": None, "tree": None}  # the others: wire
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) test", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] .*?(\d+) test", re.M)


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, passed, failed):
        self.passed += passed
        self.failed += failed


def say(text):
    print(text, flush=True)


def build(preset, niceness):
    directory = ROOT / "build" / preset
    log = []
    commands = [] if (directory / "build.ninja").exists() else [["cmake", "--preset", preset]]
    targets = BUILDS[preset]
    commands.append(["cmake", "--build", str(directory), *(["--target", *targets] if targets else [])])
    for command in commands:
        result = subprocess.run(["nice", "-n", str(niceness), *command], cwd=ROOT, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        log.append(result.stdout)
        if result.returncode != 0:
            say("".join(log)[-8000:])
            say(f"FAILED build {preset}")
            return False
    return True


class Builder:
    """Makes the builds that the parts need, one after another. The first is waited for; the others come into being while
    tests wait for timers and disks, and give way to them."""

    def __init__(self, parts):
        presets = sorted({BUILD_OF[part] for part in parts if part in BUILD_OF}, key=list(BUILDS).index)
        self.line = ThreadPoolExecutor(max_workers=1)
        self.made = {preset: self.line.submit(build, preset, 0 if preset == presets[0] else 15) for preset in presets}

    def ready(self, part):
        """False: what the part needs could not be built."""
        return part not in BUILD_OF or self.made[BUILD_OF[part]].result()


def unit_tests(preset):
    """(name, command) of every test that the build registers."""
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=ROOT / "build" / preset, stdout=subprocess.PIPE,
                            check=True, text=True)
    return [(test["name"], test["command"]) for test in json.loads(listed.stdout)["tests"]]


def run_unit(test):
    """Counts the tests inside a cmocka program; a script is one test."""
    name, command = test
    started = time.monotonic()
    try:
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=UNIT_SECONDS)
        output = result.stdout.decode("utf-8", "replace")
        code = result.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode("utf-8", "replace") + "\ntoo slow"
        code = 1
    passed = sum(int(n) for n in CMOCKA_PASSED.findall(output))
    failed = sum(int(n) for n in CMOCKA_FAILED.findall(output))
    script = not Path(command[0]).name.startswith("unit_")
    if script and code == 0:
        passed = 1
    if code != 0 and failed == 0:
        failed = 1  # crashed, or a sanitizer spoke
    if code == 0 and passed == 0 and not CMOCKA_SKIPPED.search(output):
        failed += 1  # a program that tests nothing is a failure
    return name, passed, failed, output, time.monotonic() - started


def units(preset, count):
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, passed, failed, output, seconds in pool.map(lambda t: run_unit(t), unit_tests(preset)):
            count.add(passed, failed)
            say(f"{'ok    ' if failed == 0 else 'FAILED'} {preset} {name}: {passed} passed, {failed} failed "
                f"({seconds:.1f} s)")
            if failed:
                say(output[-6000:])


def fuzz_one(name, seconds):
    """Fuzzes from the corpus; what is found stays in build/fuzz/found."""
    work, found = ROOT / "build/fuzz/work" / name, ROOT / "build/fuzz/found"
    work.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    dictionary = FUZZ_DICTIONARIES.get(name, "wire")
    options = [f"-dict={ROOT}/build/fuzz/fuzz/dictionaries/{dictionary}.dict"] if dictionary else []
    command = [ROOT / "build/fuzz/fuzz" / f"fuzz_{name}", f"-max_total_time={seconds}", "-max_len=65536", "-timeout=25",
               "-rss_limit_mb=3000", "-print_final_stats=1", f"-artifact_prefix={found}/{name}-", *options, work,
               ROOT / "tests/fuzz/corpus" / name]
    started = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode("utf-8", "replace")
    runs = re.search(r"number_of_executed_units: (\d+)", output)
    return name, result.returncode == 0 and runs is not None, runs and runs[1], output, time.monotonic() - started


def fuzz(long, count):
    """Every target, and the coverage of proto/ by the corpora in the repository."""
    seconds = int(os.environ.get("COLLEGA_FUZZ_SECONDS", FUZZ_LONG_SECONDS if long else FUZZ_SECONDS))
    names = sorted(path.name.removeprefix("fuzz_") for path in (ROOT / "build/fuzz/fuzz").glob("fuzz_*"))
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, good, runs, output, took in pool.map(lambda name: fuzz_one(name, seconds), names):
            count.add(int(good), int(not good))
            say(f"{'ok    ' if good else 'FAILED'} fuzz {name}: {runs} inputs in {took:.0f} s")
            if not good:
                say(output[-6000:])
    reached = subprocess.run([ROOT / "tests/fuzz/coverage"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    count.add(int(reached.returncode == 0), int(reached.returncode != 0))
    say(f"{'ok    ' if reached.returncode == 0 else 'FAILED'} fuzz coverage\n{reached.stdout[-4000:]}")


def pytest(name, paths, count, environment=None, workers=0):
    """workers: tests run side by side, each with homes and ports of its own. Most of their time they wait."""
    paths = [str(path) for path in paths if (ROOT / path).exists()]
    if not paths:
        return
    report = ROOT / "build" / f"pytest-{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}",
               *(["-n", str(workers)] if workers else []), *paths]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(environment or {})))
    try:
        suite = ElementTree.parse(report).getroot().find("testsuite")
        total, bad = int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
    except (OSError, AttributeError, ElementTree.ParseError):
        total, bad, skipped = 1, 1, 0
    count.add(total - bad - skipped, bad)
    say(f"{'ok    ' if bad == 0 else 'FAILED'} {name}: {total - bad - skipped} passed, {bad} failed, {skipped} skipped")


def sanitized(preset):
    """A sanitizer's shadow leaves little room for maps."""
    return {"COLLEGA_BIN": str(ROOT / "build" / preset), "COLLEGA_MAP_MIB": "1024", "COLLEGA_SANITIZED": "1"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS)
    options = parser.parse_args()
    wanted = options.only or PARTS
    if options.long:
        os.environ["COLLEGA_LONG"] = "1"
    count, builder, began = Count(), Builder(wanted), time.monotonic()
    for part in wanted:
        started = time.monotonic()
        if not builder.ready(part):
            count.add(0, 1)
        elif part == "source":
            pytest("source", ["tests/source"], count)
        elif part == "unit":
            units("debug", count)
        elif part == "vectors":
            pytest("vectors", ["tests/vectors/check_vectors.py"], count)
        elif part in ("wire", "flow", "fault", "memory"):
            pytest(part, [f"tests/{part}"], count, {"COLLEGA_BIN": str(ROOT / "build" / "debug")}, WORKERS)
        elif part == "model":
            pytest("model", ["tests/model"], count, workers=2)
        elif part == "instructions":
            pytest("instructions", ["tests/bench/test_instructions.py"], count)
        elif part == "asan":
            units("asan", count)
            pytest("asan-flow-wire", ["tests/flow", "tests/wire"], count, sanitized("asan"), WORKERS)
        elif part == "tsan":
            pytest("tsan-flow", [f"tests/flow/test_{name}.py" for name in THREADED], count,
                   sanitized("tsan") | {"TSAN_OPTIONS": f"halt_on_error=1 suppressions={ROOT}/tests/support/tsan.txt"},
                   WORKERS)
        elif part == "fuzz":
            fuzz(options.long, count)
        say(f"-- {part}: {time.monotonic() - started:.0f} s")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"-- all: {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time")
    say(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
