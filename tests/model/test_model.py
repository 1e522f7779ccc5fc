"""Model checking: every model is clean when it follows the table, reaches what it is about (COVER), and each of its
mutants is caught. Exhaustive; the longest takes some 20 s and each at most 2 GiB. Needs spin and a C compiler.

A model states its mutants in its first comment, behind "mutants:", as the -D flags that make them; a flag before that
word is a variant, which must be clean too.
"""
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SECONDS, MEBIBYTES = 300, 2048
MODELS = sorted(path.name for path in HERE.glob("*.pml") if path.name != "common.pml")


def flags(text):
    """The groups of -D flags in a text, each as a tuple."""
    groups = re.findall(r"-D[A-Z_0-9=]+(?: -D[A-Z_0-9=]+)*", text)
    return [tuple(flag.removeprefix("-D") for flag in group.split()) for group in groups]


def stated(name):
    """What stands before and behind "mutants:" in the first comment."""
    return (HERE / name).read_text().split("*/", 1)[0].split("mutants:", 1)


VARIANTS = [(name, variant) for name in MODELS for variant in [(), *flags(stated(name)[0])]]
MUTANTS = [(name, mutant) for name in MODELS for mutant in flags(stated(name)[1])]


def label(value):
    return value if isinstance(value, str) else "-".join(value) or "plain"


def search(directory, name, given=(), optimise="-O0"):
    """(errors, finished, last words of the trail) of one exhaustive search. Where something is soon found the compiler
    takes longer to optimise it than it takes to run."""
    subprocess.run([sys.executable, HERE / "generate.py", "--promela", directory / "transitions.pml"], check=True)
    for source in ("common.pml", name):
        (directory / source).write_bytes((HERE / source).read_bytes())
    defines = [f"-D{flag}" for flag in given]
    subprocess.run(["spin", *defines, "-a", name], cwd=directory, check=True, stdout=subprocess.PIPE)
    subprocess.run(["cc", optimise, "-w", "-DSAFETY", "-DNOFAIR", f"-DMEMLIM={MEBIBYTES}", "-o", "pan", "pan.c"],
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


@pytest.mark.parametrize("name,variant", VARIANTS, ids=label)
def test_a_model_that_follows_the_table_is_clean(tmp_path, name, variant):
    errors, finished, words = search(tmp_path, name, variant, "-O2")
    assert errors == 0, words
    assert finished, "the search was not exhaustive"


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reaches_what_it_is_about(tmp_path, name):
    errors, _, words = search(tmp_path, name, ["COVER"])
    assert errors and "COVERED" in words, words


@pytest.mark.parametrize("name,mutant", MUTANTS, ids=label)
def test_a_mutant_is_caught(tmp_path, name, mutant):
    errors, _, words = search(tmp_path, name, mutant)
    assert errors, f"{mutant} passes"
    assert re.search("INVARIANT|FLAW|deadlock", words), words


def test_the_required_mutants_are_there():
    """Each rule that was found by model checking has a mutant that breaks it."""
    there = {(name.removesuffix(".pml"), flag) for name, mutant in MUTANTS for flag in mutant}
    assert {("plain", "P_CLOCK"), ("plain", "Q_CLOCK"), ("plain", "EARLY"), ("restored", "NO_QUESTION"),
            ("restored", "OLD_TAKEN"),
            ("counter", "SPLIT"), ("counter", "PERDEAL"), ("chain", "TLOCAL"), ("parts", "PARTLOCAL"), ("parts", "NOLIST"),
            ("release", "FREES"),
            ("party", "NOHEAD"), ("epochs", "OLDANSWER"), ("epochs", "FRESHCOUNTER"), ("epochs", "FORGETS")} <= there
