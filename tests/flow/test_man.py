"""Manual pages and completion are printed by the programs, from the tables that their parsers use."""
import re
import subprocess

import pytest

from support.world import binaries, call

PROGRAMS = ["collega", "collega-broker"]


def commands_of(program):
    """Path of every command and the options that its help tells, by asking as a user would."""
    text = call([binaries() / program, "help", "--lang", "en"]).stdout
    section = text.split("Commands:\n")[1].split("\n\n")[0]
    lines = [line[2:] for line in section.split("\n") if line.startswith("  ") and not line.startswith("   ")]
    found = {}
    for line in lines:
        path = re.match(r"[a-z]+(?: [a-z]+)*", line)[0]
        result = call([binaries() / program, *path.split(" "), "--help", "--lang", "en"])
        assert result.stdout.startswith(f"Usage: {program} {path}")
        found[path] = re.findall(r"^  --([a-z-]+)", result.stdout, re.M)
    assert len(found) == len(lines)
    return found


def manual(program):
    return call([binaries() / program, "help", "--man"]).stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_option_of_help_is_in_the_manual(program):
    text = manual(program).replace("\\-", "-")
    sections = dict(re.findall(r'^\.SS "([^"]+)"\n(.*?)(?=^\.S[SH] |\Z)', text, re.M | re.S))
    common = text.split(".SH OPTIONS\n")[1].split(".SH ")[0]
    for path, options in commands_of(program).items():
        section = next((body for title, body in sections.items() if title == path or title.startswith(path + " ")), None)
        assert section, path
        for option in options:
            assert f"\\fB--{option}\\fR" in section + common, (path, option)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_manual_is_a_manual(program):
    text = manual(program)
    assert re.match(rf'\.TH {program.upper()} 1 ', text)
    headings = re.findall(r"^\.SH (.*)$", text, re.M)
    assert headings == ["NAME", "SYNOPSIS", "COMMANDS", "OPTIONS", "ENVIRONMENT", "EXIT STATUS"]
    for line in text.split("\n"):  # a line that begins with a dot is a request, and only those that we mean
        assert not line.startswith("'") and (not line.startswith(".") or re.match(r"\.(TH|SH|SS|TP)\b", line)), line
    try:
        shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True)
    except FileNotFoundError:
        return  # its structure has been looked at
    assert shown.returncode == 0 and not shown.stderr.strip(), shown.stderr
    assert "what is needed cannot be reached" in shown.stdout


def complete(program, words):
    """What bash offers when the last word is to be completed."""
    script = call([binaries() / program, "help", "--completion"]).stdout
    function = re.search(r"complete -F (\w+) ", script)[1]
    quoted = " ".join(f"'{word}'" for word in words)
    result = call(["bash", "--norc", "-c", f"{script}\nCOMP_WORDS=({program} {quoted}); COMP_CWORD={len(words)}; {function}; "
                   'printf "%s\\n" "${COMPREPLY[@]}"'])
    return set(result.stdout.split())


@pytest.mark.parametrize("program", PROGRAMS)
def test_completion_offers_every_command_and_option(program):
    for path, options in commands_of(program).items():
        words = path.split(" ")
        for size in range(len(words)):
            assert words[size] in complete(program, words[:size] + [""]), path
        assert {f"--{option}" for option in options} <= complete(program, words + ["--"]), path
    assert complete(program, ["zzz"]) == set()


def test_completion_passes_over_options_with_values():
    assert "publish" in complete("collega", ["--home", "offer", "offer", "pub"])


def test_what_is_installed_is_what_the_programs_say(tmp_path):
    call(["cmake", "--install", binaries(), "--prefix", tmp_path])
    for program in PROGRAMS:
        assert (tmp_path / "share" / "man" / "man1" / f"{program}.1").read_text() == manual(program)
        completion = tmp_path / "share" / "bash-completion" / "completions" / program
        assert completion.read_text() == call([binaries() / program, "help", "--completion"]).stdout


def test_the_hidden_words_stay_hidden():
    for program in PROGRAMS:
        text = call([binaries() / program, "help"]).stdout
        assert "--man" not in text and "--completion" not in text
