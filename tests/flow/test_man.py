"""Manual pages and completion are printed by the programs, from the tables that their parsers use."""
import re
import subprocess

import pytest

from support.terminal import Terminal
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
    assert headings == ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "SETTINGS", "FILES", "ENVIRONMENT",
                        "EXIT STATUS", "EXAMPLES"]
    for line in text.split("\n"):  # a line that begins with a dot is a request, and only those that we mean
        assert not line.startswith("'") and (not line.startswith(".") or re.match(r"\.(TH|SH|SS|TP|PP|nf|fi)\b", line)), line
    try:
        shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True)
    except FileNotFoundError:
        return  # its structure has been looked at
    assert shown.returncode == 0 and not shown.stderr.strip(), shown.stderr
    page = re.sub(r"\s+", " ", re.sub(".\b", "", shown.stdout))  # bold is a character struck twice; lines are filled
    assert "what is needed cannot be reached" in page
    assert f"{program} init --home" in page  # hyphens that can be copied


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_setting_is_in_help_and_in_the_manual(program):
    told = re.findall(r"^  ([a-z_.]+) = ", call([binaries() / program, "help", "settings", "--lang", "en"]).stdout, re.M)
    assert "log.level" in told and len(told) > 4
    section = manual(program).replace("\\-", "-").split(".SH SETTINGS\n")[1].split(".SH ")[0]
    assert re.findall(r"^\\fB([a-z_.]+)\\fR$", section, re.M) == told
    assert section.count("Taken over at SIGHUP.") + section.count("A change needs a restart.") == len(told)
    dutch = call([binaries() / program, "help", "settings", "--lang", "nl"]).stdout
    assert "meteen bij SIGHUP" in dutch and re.findall(r"^  ([a-z_.]+) = ", dutch, re.M) == told


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_manual_names_the_environment(program):
    section = manual(program).split(".SH ENVIRONMENT\n")[1].split(".SH ")[0]
    home = {"collega": "COLLEGA_HOME", "collega-broker": "COLLEGA_BROKER_HOME"}[program]
    for name in (home, "NO_COLOR", "COLLEGA_LOG", "LC_ALL"):
        assert name in section


def complete(program, words, directory="/"):
    """What bash offers when the last word is to be completed."""
    script = call([binaries() / program, "help", "--completion"]).stdout
    function = re.search(r"complete -F (\w+) ", script)[1]
    quoted = " ".join(f"'{word}'" for word in words)
    result = call(["bash", "--norc", "-c", f"{script}\ncd {directory}; COMP_WORDS=({program} {quoted}); COMP_CWORD={len(words)}; {function}; "
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
    assert "publish" in complete("collega", ["--home", "=", "offer", "offer", "pub"])  # bash cuts at =


def test_completion_offers_the_values_that_an_option_lists():
    assert complete("collega", ["offer", "list", "--lang", ""]) == {"nl", "en"}
    assert complete("collega", ["offer", "list", "--lang", "=", "n"]) == {"nl"}
    assert complete("collega-broker", ["invite", "--role", "des"]) == {"desk"}
    assert complete("collega-broker", ["invite", "--name", ""]) == set()  # bash cannot know


def test_completion_offers_files_where_a_file_is_meant(tmp_path):
    (tmp_path / "mijn aanbod.json").touch()
    for words in (["offer", "publish", "mi"], ["verify", "m"], ["deal", "propose", "--terms", "mijn"], ["--home", "m"]):
        # one name with a blank in it, at which `complete` splits
        assert complete("collega", words, tmp_path) == {"mijn", "aanbod.json"}, words
    assert complete("collega", ["deal", "show", "m"], tmp_path) == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_bash_itself_completes(program, tmp_path):
    """The script as bash-completion loads it, through bash's own machinery in an interactive shell on a terminal."""
    script = tmp_path / "completion"
    script.write_text(call([binaries() / program, "help", "--completion"]).stdout)
    result = call(["bash", "--norc", "-c", f"source {script}; complete -p {program}; "
                   f"compgen -F $(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/') 2>/dev/null; true"])
    assert f"complete -F _{program.replace('-', '_')} {program}" in result.stdout
    process = Terminal(["bash", "--norc", "-i"], env={"PS1": "> ", "TERM": "xterm", "INPUTRC": "/dev/null"})
    with process:
        process.type(f"source {script}; bind 'set show-all-if-ambiguous on'; echo rea''dy\n")
        process.until("ready")
        process.type(f"{program} stat\t")
        process.until(f"{program} status ")


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
