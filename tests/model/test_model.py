"""Model checking: every model is clean when it follows the table, reaches what it is about (COVER), and each of its
mutants is caught. Exhaustive; each run within 60 s and 2 GiB. Needs spin and a C compiler.

A model states its mutants in its first comment, behind "mutants:", as the -D flags that make them.
"""
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SECONDS, MEBIBYTES = 60, 2048
MODELS = sorted(path.name for path in HERE.glob("*.pml") if path.name != "common.pml")


def mutants(name):
    comment = (HERE / name).read_text().split("*/", 1)[0]
    groups = re.findall(r"-D[A-Z_0-9=]+(?: -D[A-Z_0-9=]+)*", comment.split("mutants:", 1)[1])
    return [tuple(flag.removeprefix("-D") for flag in group.split()) for group in groups]


def search(directory, name, flags=()):
    """(errors, finished, last words of the trail) of one exhaustive search."""
    subprocess.run([sys.executable, HERE / "generate.py", "--promela", directory / "transitions.pml"], check=True)
    for source in ("common.pml", name):
        (directory / source).write_bytes((HERE / source).read_bytes())
    defines = [f"-D{flag}" for flag in flags]
    subprocess.run(["spin", *defines, "-a", name], cwd=directory, check=True, stdout=subprocess.PIPE)
    subprocess.run(["cc", "-O2", "-w", "-DSAFETY", "-DNOFAIR", f"-DMEMLIM={MEBIBYTES}", "-o", "pan", "pan.c"],
                   cwd=directory, check=True)
    result = subprocess.run(["./pan", "-m1000000", "-w22"], cwd=directory, stdout=subprocess.PIPE, text=True, timeout=SECONDS)
    errors = int(re.search(r"errors: (\d+)", result.stdout).group(1))
    finished = not re.search(r"Search not completed|max search depth too small|out of memory|emory exceeded",
                             result.stdout)
    words = ""
    if errors:
        trail = subprocess.run(["spin", *defines, "-T", "-t", name], cwd=directory, stdout=subprocess.PIPE, text=True).stdout
        said = re.findall(r"@ (.*)", trail)
        words = said[-1] if said else "deadlock"
    return errors, finished, words


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_follows_the_table_is_clean(tmp_path, name):
    errors, finished, words = search(tmp_path, name)
    assert errors == 0, words
    assert finished, "the search was not exhaustive"


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reaches_what_it_is_about(tmp_path, name):
    errors, _, words = search(tmp_path, name, ["COVER"])
    assert errors and "COVERED" in words, words


@pytest.mark.parametrize("name,mutant", [(name, mutant) for name in MODELS for mutant in mutants(name)],
                         ids=lambda value: value if isinstance(value, str) else "-".join(value))
def test_a_mutant_is_caught(tmp_path, name, mutant):
    errors, _, words = search(tmp_path, name, mutant)
    assert errors, f"{mutant} passes"
    assert re.search("INVARIANT|FLAW|deadlock", words), words


def test_the_required_mutants_are_there():
    """Each rule that was found by model checking has a mutant that breaks it."""
    there = {flag for name in MODELS for mutant in mutants(name) for flag in mutant}
    assert {"P_CLOCK", "Q_CLOCK", "EARLY", "NO_QUESTION", "OLD_TAKEN", "SPLIT", "PERDEAL", "UNDECIDED", "FREES"} <= there
