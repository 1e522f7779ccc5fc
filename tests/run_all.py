"""Runs every test of the repository and prints one summary line, "N passed, N failed".

Parts: source (arrows, formatting, generated files, each program of the benchmark run once), unit (cmocka programs),
vectors, wire, flow, fault (pytest), memory (valgrind, soak), model (Spin), instructions (of the hot paths, counted by
valgrind), asan (units, flows and the wire under the address and undefined-behaviour sanitizers; campaigns of random steps
run a tenth as long there), tsan (under the thread sanitizer, the flows that go through every thread there is, THREADED; with
--long all flows), fuzz (each target of tests/fuzz for as long as FUZZ says, and what the corpora reach of proto/), and with
--long conditions (all flows again, under each of what conditions() names).

Builds and fuzzers run beside the other parts and take what those leave of the processors; so a fuzzer's seconds are
seconds of processor time. What is left of them when its turn comes is waited for in the part fuzz.
"""
import argparse
import json
import os
import re
import resource
import secrets
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["source", "unit", "vectors", "wire", "flow", "fault", "memory", "model", "instructions", "asan", "tsan", "fuzz",
         "conditions"]
# What is built, in this order, and of it what; nothing: all of it. All flows need all of a build.
BUILDS = {"debug": [], "asan": [], "release": ["bench_hot"], "tsan": ["collega", "collega-broker"],
          "coverage": ["coverage_targets"]}
BUILDS_LONG = {**BUILDS, "tsan": []}
NEEDS = {**dict.fromkeys(["source", "unit", "vectors", "wire", "flow", "fault", "memory", "conditions"], ["debug"]),
         "instructions": ["release"], "asan": ["asan"], "tsan": ["tsan"], "fuzz": ["asan", "coverage"]}
THREADED = ["first_deal", "apart", "ledger_import"]
# Under what the flows run again with --long: tests/fault/conditions/conditions.c. Days of which one ends soon: a month and
# summer time begin, a year ends, a leap day, and one far away.
LATE = ["snijder", "versgoed", "havendok", "acewest", "collega-broker"]
DAYS = ["2027-03-28T00:59:20+00:00", "2027-12-31T22:59:20+00:00", "2028-02-29T22:59:20+00:00", "2035-06-30T21:59:20+00:00"]
UNIT_SECONDS = 300
WORKERS = 3
# Every target of tests/fuzz: its seconds of processor time, and its dictionary (tests/fuzz/dictionaries.py).
FUZZ = {
    "guard": (60, "wire"),
    "record": (60, "wire"),
    "check": (60, "wire"),
    "json": (60, "json"),
    "csv": (60, "csv"),
    "link_broker": (60, "wire"),
    "link_node": (60, "wire"),
    "invitation": (60, "wire"),
    "proof": (60, "wire"),
    "ledger_import": (60, "wire"),
    "http": (60, "http"),
    "commit": (10, "wire"),
    "config": (10, "config"),
    "esco": (10, "esco"),
    "identity": (10, None),
    "intake": (10, "wire"),
    "kept": (10, "kept"),
    "letter": (10, "wire"),
    "members": (10, "wire"),
    "places": (10, "places"),
    "tables": (10, "tables"),
    "tree": (10, None),
    "words": (10, "words"),
}
FUZZ_LONG_SECONDS = 3600  # of each, with --long; COLLEGA_FUZZ_SECONDS goes before both
# The same code is given the same inputs, so that what fails was brought by a change; --long draws a seed and searches on.
# COLLEGA_FUZZ_SEED goes before both.
FUZZ_SEED = 1
FUZZ_SIDE_BY_SIDE = 2
TICKS = os.sysconf("SC_CLK_TCK")
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


def build(preset, targets, niceness):
    directory = ROOT / "build" / preset
    log = []
    made = directory / "build.ninja"
    fresh = made.exists() and made.stat().st_mtime > (ROOT / "CMakePresets.json").stat().st_mtime
    commands = [] if fresh else [["cmake", "--fresh", "--preset", preset]]
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

    def __init__(self, parts, builds):
        presets = sorted({preset for part in parts for preset in NEEDS.get(part, [])}, key=list(builds).index)
        self.line = ThreadPoolExecutor(max_workers=1)
        self.made = {preset: self.line.submit(build, preset, builds[preset], 0 if preset == presets[0] else 15)
                     for preset in presets}

    def ready(self, part):
        """False: what the part needs could not be built."""
        return all(self.made[preset].result() for preset in NEEDS.get(part, []))


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


def processor_seconds(process):
    """What it has used so far; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS


class Fuzzing:
    """Fuzzes every target from its corpus, a few side by side, with what others leave of the processors. What is found
    stays in build/asan/found."""

    def __init__(self, builder, long):
        self.builder = builder
        self.given = os.environ.get("COLLEGA_FUZZ_SECONDS") or (FUZZ_LONG_SECONDS if long else None)
        self.seed = int(os.environ.get("COLLEGA_FUZZ_SEED") or (secrets.randbelow(1 << 31) + 1 if long else FUZZ_SEED))
        self.line = ThreadPoolExecutor(max_workers=FUZZ_SIDE_BY_SIDE)
        self.targets = {name: self.line.submit(self.one, name) for name in FUZZ}

    def one(self, name):
        """(whether it went well, what to say of it)"""
        if not self.builder.made["asan"].result():
            return False, "not built"
        programs, found, work = ROOT / "build/asan/fuzz", ROOT / "build/asan/found", ROOT / "build/asan/work" / name
        for directory in (found, work):
            directory.mkdir(parents=True, exist_ok=True)
        seconds, dictionary = FUZZ[name]
        seconds = float(self.given or seconds)
        options = [f"-dict={programs}/dictionaries/{dictionary}.dict"] if dictionary else []
        command = ["setpriv", "--pdeathsig", "KILL", "nice", "-n", "19", programs / f"fuzz_{name}", "-max_len=65536",
                   f"-seed={self.seed}", "-timeout=100", "-rss_limit_mb=3000", "-print_final_stats=1",
                   f"-artifact_prefix={found}/{name}-", *options, work, ROOT / "tests/fuzz/corpus" / name]
        log = work.with_suffix(".log")
        with open(log, "wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        used, asked = 0, False
        while process.poll() is None:
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                used = processor_seconds(process) or used
                if used >= seconds and not asked:
                    process.send_signal(signal.SIGUSR1)  # libFuzzer ends after the input that it is at
                    asked = True
        text = log.read_text(errors="replace")
        inputs = re.search(r"number_of_executed_units: (\d+)", text)
        good = process.returncode == 0 and asked and inputs is not None
        told = f"{inputs and inputs[1]} inputs in {used:.0f} s of processor time, seed {self.seed}"
        if not good:  # why, without what was reached on the way
            told += "\n" + "\n".join(line for line in text.splitlines() if line[:1] not in ("#", "\t"))[-6000:]
        return good, told

    def report(self, count):
        """Waits for all of them; and what the corpora in the repository reach of proto/."""
        known = {path.stem.removeprefix("target_") for path in (ROOT / "tests/fuzz").glob("target_*.c")}
        for name in sorted(known ^ set(FUZZ)):
            count.add(0, 1)
            say(f"FAILED fuzz {name}: a target without a row in FUZZ, or a row without a target")
        for name, result in self.targets.items():
            good, told = result.result()
            count.add(int(good), int(not good))
            say(f"{'ok    ' if good else 'FAILED'} fuzz {name}: {told}")
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


def conditions():
    """(name, environment) of each."""
    for word in LATE:
        yield f"late-{word}", {"COLLEGA_LATE": word}
    yield "slow-disk", {"COLLEGA_SLOW_DISK": "1"}
    for day in DAYS:
        ahead = int(datetime.fromisoformat(day).timestamp() - time.time())
        if ahead > 0:
            yield f"day-{day[:10]}", {"COLLEGA_DAY_AHEAD": str(ahead)}


def under(conditions):
    directory = ROOT / "build" / "debug"
    return {"COLLEGA_BIN": str(directory), "LD_PRELOAD": str(directory / "libcollega_conditions.so"),
            "COLLEGA_TEST_DEADLINE": "180", **conditions}


def sanitized(preset):
    """A sanitizer's shadow leaves little room for maps."""
    return {"COLLEGA_BIN": str(ROOT / "build" / preset), "COLLEGA_MAP_MIB": "1024", "COLLEGA_SANITIZED": "1"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS)
    options = parser.parse_args()
    wanted = options.only or [part for part in PARTS if options.long or part != "conditions"]
    if options.long:
        os.environ["COLLEGA_LONG"] = "1"
    count, builder, began = Count(), Builder(wanted, BUILDS_LONG if options.long else BUILDS), time.monotonic()
    fuzzing = Fuzzing(builder, options.long) if "fuzz" in wanted else None
    try:
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
                flows = ["tests/flow"] if options.long else [f"tests/flow/test_{name}.py" for name in THREADED]
                pytest("tsan-flow", flows, count,
                       sanitized("tsan") | {"TSAN_OPTIONS": f"halt_on_error=1 suppressions={ROOT}/tests/support/tsan.txt"},
                       WORKERS)
            elif part == "fuzz":
                fuzzing.report(count)
            elif part == "conditions":
                for name, environment in conditions():
                    pytest(name, ["tests/flow"], count, under(environment), 4 * WORKERS)
            say(f"-- {part}: {time.monotonic() - started:.0f} s")
    finally:
        if fuzzing:
            fuzzing.line.shutdown(wait=False, cancel_futures=True)  # after an interruption none is begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"-- all: {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time")
    say(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
