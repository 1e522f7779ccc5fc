"""Bad input to every command and option there is, as the programs' own help lists them: a new command or option is
covered from the day it is in the table."""
import os
import re

import pytest

from support.world import NOBODYS, Broker, Node, binaries, call

# What can be wrong with a value, by what the help calls it. All of these are found before anything is looked up.
BAD = {
    "N": ["", "x", "1.5", "-1", "99999999999999999999", "1 "], "SECONDS": ["", "soon", "-1", "1s", "99999999"],
    "DATE": ["", "2027-02-30", "1-4-2027", "tomorrow", "2027-01-04T00:00:00Z"],
    "TIME": ["", "2027-01-04", "noon", "2027-01-04T25:00:00Z"], "AMOUNT": ["", "veel", "2,3", "-1", "1.000,00", "23,80 EUR"],
}
CHOICE = ["", "zzz", "LOAN_OUT", "open|paused"]
MANY = ("", None)  # among the options of a command that takes any number of words


def commands_of(program):
    """(path, number of words it needs, [(option, argument)]) of every command, by its help."""
    text = call([binaries() / program, "help", "--lang", "en"]).stdout
    section = text.split("Commands:\n")[1].split("\n\n")[0]
    lines = [line[2:] for line in section.split("\n") if line.startswith("  ") and not line.startswith("   ")]
    for path in (re.match(r"[a-z]+(?: [a-z]+)*", line)[0] for line in lines):
        own = call([binaries() / program, *path.split(" "), "--help", "--lang", "en"]).stdout
        usage = re.match(rf"Usage: {program} {path}(.*)", own)[1].split(" --")[0].split("|--")[0]
        options = re.findall(r"^  --([a-z-]+)(?: (\S+))?(?: \.\.\.)?(?:  |$)", own.split("Options of every")[0], re.M)
        yield path, len(usage.split()), options + ([MANY] if "..." in usage else [])


PROGRAMS = {"collega": [], "collega-broker": []}
for name in PROGRAMS:
    PROGRAMS[name] = list(commands_of(name))
EVERY = [(program, *command) for program, commands in PROGRAMS.items() for command in commands]
VALUED = [(program, path, words, option, argument) for program, path, words, options in EVERY
          for option, argument in options if argument]


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A node that has joined nothing and a broker that is down: what is wrong by itself needs nobody else."""
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    broker = Broker(tmp_path_factory.mktemp("broker"), "Net")
    broker.init()
    return {"collega": node, "collega-broker": broker}


def state_of(runner):
    status = runner.json("status")
    return {name: value for name, value in status.items() if name != "store"}  # others use the same disk


@pytest.fixture(scope="module")
def before(homes):
    """What nothing here changes."""
    return {name: state_of(runner) for name, runner in homes.items()}


def some(values):
    """All of them; the sanitizers, under which a command takes ten times as long, see two."""
    return values[:2] if os.environ.get("COLLEGA_SANITIZED") else values


def run(homes, program, path, words, *more, home=None):
    """The command with what it says itself that it cannot do without."""
    home = str(home or homes[program].home)
    while True:
        result = call([homes[program].program, *path.split(" "), *words, *more], expect=None,
                      env={"COLLEGA_HOME": home, "COLLEGA_BROKER_HOME": home, "LC_ALL": "C"})
        missing = re.match(r"\S+: (--[a-z-]+): give this option", result.stderr)
        if not missing or any(word.startswith(missing[1]) for word in more):
            return result
        more = (*more, f"{missing[1]}=x")


@pytest.mark.parametrize("program,path,words,options", EVERY, ids=lambda v: v.replace(" ", "_") if isinstance(v, str) else "")
def test_surplus_words_and_unknown_options_are_refused(homes, before, program, path, words, options):
    surplus = [] if MANY in options else [[NOBODYS] * 9]
    for more in some([["--no-such-option"], *surplus, ["-x"], ["--lang"], ["--json=1"]]):
        result = run(homes, program, path, [NOBODYS] * words, *more)
        assert result.returncode == 2 and result.stderr.strip() and not result.stdout, (more, result)
    if words:
        result = run(homes, program, path, [])
        assert result.returncode == 2 and result.stderr.strip() and not result.stdout
    assert state_of(homes[program]) == before[program]


@pytest.mark.parametrize("program,path,words,option,argument", VALUED, ids=lambda v: str(v).replace(" ", "_")[:24])
def test_a_bad_value_is_refused_and_the_option_named(homes, before, program, path, words, option, argument):
    alone = run(homes, program, path, [NOBODYS] * words, f"--{option}")
    assert alone.returncode == 2 and f"--{option}" in alone.stderr
    listed = argument[0].islower()
    for value in some(CHOICE if listed else BAD.get(argument, [])):
        result = run(homes, program, path, [NOBODYS] * words, *needed(path, option), f"--{option}={value}")
        assert result.returncode in ((1, 2) if program == "collega-broker" else (2,)), (value, result)
        assert option in result.stderr and not result.stdout, (value, result)
    repeated = run(homes, program, path, [NOBODYS] * words, f"--{option}=a", f"--{option}=b")
    assert repeated.returncode in (1, 2) and repeated.stderr.strip()
    assert state_of(homes[program]) == before[program]


@pytest.mark.parametrize("program,path,words,option,argument", [row for row in VALUED if row[4] in ("ID", "OFFER", "PARTY", "FILE", "FINGERPRINT") and row[1] != "ledger export"],
                         ids=lambda v: str(v).replace(" ", "_")[:24])
def test_what_is_named_and_is_not_there_is_said(homes, before, program, path, words, option, argument):
    for value in some(["\u202e", "f" * 65, "", "zz", NOBODYS]):
        result = run(homes, program, path, [NOBODYS] * words, f"--{option}={value}")
        assert result.returncode in (1, 2) and result.stderr.strip(), (value, result)
        assert "\u202e" not in result.stderr  # what was typed cannot turn the terminal's writing
    assert state_of(homes[program]) == before[program]


@pytest.mark.parametrize("program,path,words,options", [row for row in EVERY if row[1] not in ("init", "verify", "ledger restore", "ledger import", "restore")],
                         ids=lambda v: v.replace(" ", "_") if isinstance(v, str) else "")
def test_a_home_that_is_none_or_of_the_other_kind_is_refused(homes, tmp_path, program, path, words, options):
    other = next(runner for name, runner in homes.items() if name != program)
    for home in some([other.home, tmp_path, tmp_path / "nowhere"]):
        result = run(homes, program, path, [NOBODYS] * words, *needed(path), home=home)
        assert result.returncode == 1 and str(home) in result.stderr and not result.stdout, (home, result)
    nowhere = call([homes[program].program, *path.split(" "), *[NOBODYS] * words, *needed(path)], expect=2,
                   env={"COLLEGA_HOME": "", "COLLEGA_BROKER_HOME": ""})
    assert "--home" in nowhere.stderr
    assert list(tmp_path.iterdir()) == []


def needed(path, but=""):
    """Options without which a command is not whole, but for one."""
    options = {"deal amend": ["--hours", "30"], "deal terminate": ["--effective", "2027-01-31"],
            "invite": ["--name", "Net", "--kvk", "12345678"], "party add": ["--name", "Goed BV", "--kvk", "12345678", "--invitation", "collega1.x"],
            "key recover": ["--recovery-key", "00" * 32], "plan": ["--board"],
            "mandate add": ["--signatory", "M. de Wit", "--function", "directeur"]}.get(path, [])
    at = options.index(f"--{but}") if f"--{but}" in options else len(options)
    return options[:at] + options[at + 2:]
