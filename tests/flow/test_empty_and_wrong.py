"""What a script's unset variable, a copied half and a file of another kind give: told by option and reason, and nothing
done instead of it."""
import json
import re

import pytest

from support import offers
from support.terminal import show
from support.world import NOBODYS, Broker, Node, call, own_port

TABLE = "kind,title,occupation.isco,headcount,period.from,period.until,hours.per_week_min,hours.per_week_max,place.postcode,place.region\n"
ROW = "loan_out,Test,4321,2,2099-01-04,2099-02-01,24,40,4811,AM25\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    return node


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("broker"), "Net")
    broker.init()
    return broker


@pytest.mark.parametrize("program", ["collega", "collega-broker"])
def test_an_empty_command_is_none(node, program):
    for language, word in (("en", "no command ''"), ("nl", "commando '' bestaat niet")):
        for line in ([""], ["", "list"]):
            result = call([node.program.parent / program, "--lang", language, *line], expect=2)
            assert word in result.stderr and not result.stdout, result


@pytest.mark.parametrize("arguments", [
    ["deal", "prove", NOBODYS, "--hide", ""], ["verify", "file", "--trust", ""], ["ledger", "export", "--complete", ""],
    ["key", "recover", "--recovery-key", ""], ["offer", "list", "--as", ""], ["offer", "list", "--home", ""],
    ["deal", "talk", NOBODYS, "--message", ""], ["deal", "propose", NOBODYS, "--terms", ""], ["deal", "list", "--state", ""],
    ["match", "list", "--offer", ""], ["mandate", "add", "--signatory", "", "--function", "x"]], ids=lambda a: a[-2])
def test_an_option_without_a_value_is_wrong_usage(node, arguments):
    option = next(word for word, value in zip(arguments, arguments[1:]) if value == "")
    for language, word in (("en", "empty value"), ("nl", "lege waarde")):
        result = node(*arguments, "--lang", language, expect=2)
        assert option in result.stderr and word in result.stderr and not result.stdout
    told = json.loads(node(*arguments, "--json", expect=2).stderr)["error"]
    assert told["rule"] == "option_empty" and told["arguments"] == [option]


@pytest.mark.parametrize("arguments,needed", [
    (["offer", "publish", ""], "FILE"), (["offer", "show", ""], "ID"), (["offer", "revise", "", "-"], "ID"),
    (["verify", ""], "FILE"), (["ledger", "backup", ""], "DIR"), (["ledger", "restore", ""], "DIR"), (["join", ""], "TOKEN"),
    (["ledger", "import", ""], "FILE"), (["places", "import", ""], "NL.txt"), (["places", "import", "a", ""], "NL.txt"),
    (["taxonomy", "search", ""], "TEXT"), (["plan", "show", ""], "PLAN"), (["mandate", "end", ""], "ID")],
    ids=lambda a: "_".join(a) if isinstance(a, list) else a)
def test_an_empty_word_is_wrong_usage(node, arguments, needed):
    for language, word in (("en", "empty word"), ("nl", "leeg woord")):
        result = node(*arguments, "--lang", language, expect=2)
        assert word in result.stderr and needed in result.stderr and not result.stdout, result


def test_an_empty_word_is_no_directory_of_the_broker(broker):
    for arguments in (["backup", ""], ["restore", ""], ["revoke", ""]):
        assert "empty word" in broker(*arguments, "--lang", "en", expect=2).stderr


@pytest.mark.parametrize("typed", ["a173", "zz", "a173 d6cf 996e 3f5f 1e29 dfb8 0f5e ad7", "a" * 31, "a" * 33, "a" * 63, "a" * 65])
def test_half_a_fingerprint_is_not_an_untrusted_network(node, tmp_path, typed):
    (tmp_path / "file").write_text("no proof")
    for language, word in (("en", "not a fingerprint"), ("nl", "geen vingerafdruk")):
        result = node("verify", "--trust", typed, tmp_path / "file", "--lang", language, expect=2)
        assert "--trust" in result.stderr and typed[:60] in result.stderr and word in result.stderr and not result.stdout


def test_more_networks_than_verify_takes_are_not_passed_over(node, tmp_path):
    (tmp_path / "file").write_text("no proof")
    many = [f"--trust={number:032x}" for number in range(33)]
    assert "at most 32 times" in node("verify", *many, tmp_path / "file", "--lang", "en", expect=2).stderr
    assert "not a proof" in node("verify", *many[1:], tmp_path / "file", "--lang", "en", expect=1).stderr


def test_a_table_with_tabs_is_read_as_one(node):
    text = (TABLE + ROW).replace(",", "\t")
    identity = node("offer", "publish", "--csv", "-", stdin=text).stdout.strip()
    assert node.json("offer", "show", identity)["offer"]["headcount"] == 2
    wrong = node("offer", "publish", "--csv", "-", "--lang", "en", expect=1, stdin=text.replace("\t2\t", "\t0\t"))
    assert "headcount" in wrong.stderr and "must be between" in wrong.stderr


def test_an_empty_text_reads_as_empty(node):
    offer = {**offers.load("logistiek-magazijn-uit"), "title": ""}
    for language, word in (("en", "title: must not be empty"), ("nl", "title: mag niet leeg zijn")):
        assert word in node("offer", "publish", "-", "--lang", language, expect=1, stdin=json.dumps(offer)).stderr


def test_an_empty_table_of_courses_is_told_by_its_first_row(node, tmp_path):
    (tmp_path / "courses.csv").write_text("")
    assert "row 1" in node("courses", "import", tmp_path / "courses.csv", "--lang", "en", expect=1).stderr


def test_empty_keys_are_told_by_their_first_line(tmp_path):
    node = Node(tmp_path, "Leeg BV", "45678901")
    node.init()
    (identity,) = (node.home / "parties").glob("*/identity")
    identity.write_text("")
    told = node("status", "--lang", "en", expect=1).stderr
    assert str(node.home / "parties") in told and "line 1" in told


@pytest.mark.parametrize("listen", ["0.0.0.0", "[::]"])
def test_an_invitation_names_no_address_that_is_every_address(tmp_path, listen):
    """What it is given would find the broker from the broker's own machine only."""
    home, program = tmp_path / "broker", Broker(tmp_path, "Net").program
    address = f"tcp://{listen}:{own_port()}"
    call([program, "init", "--home", home, "--name", "Net", "--listen", address])
    invite = [program, "invite", "--home", home, "--name", "Goed BV", "--kvk", "12345678"]
    for language in ("en", "nl"):
        result = call([*invite, "--lang", language], expect=1)
        assert address in result.stderr and "link.advertise" in result.stderr and not result.stdout
    settings = home / "settings.ini"
    settings.write_text(settings.read_text() + f"advertise = tcp://broker.example:7440, {address}\n")
    assert address in call(invite, expect=1).stderr
    settings.write_text(settings.read_text().replace(f", {address}", ""))
    assert call(invite).stdout.startswith("collega1.")


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("program", ["collega", "collega-broker"])
def test_help_stays_within_the_terminal(node, program, language):
    text, status = show([node.program.parent / program, "help", "--lang", language], 80)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "").split("\n")
    assert status == 0 and all(len(line) <= 80 for line in lines), [line for line in lines if len(line) > 80]
