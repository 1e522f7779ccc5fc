"""Bad input to every command, file and field: the status as promised, a sentence that names the field and the rule,
nothing half-done in the ledger."""
import copy
import json

import pytest

from support import offers
from support.world import NOBODYS, Node, call

GOOD = offers.load("logistiek-magazijn-uit")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node that has joined nothing: bad input needs no broker."""
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    return node


def changed(path, value):
    offer = copy.deepcopy(GOOD)
    *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    at = offer
    for name in parents:
        at = at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return offer


BAD_OFFERS = [
    ("kind", "lend_out"), ("kind", None), ("title", ""), ("title", "   "), ("title", "x" * 121), ("title", "a\u0007b"), ("title", 7),
    ("establishment", "123"), ("occupation.isco", "43210"), ("occupation.isco", "9999"), ("occupation", None),
    ("occupation.esco", "ftp://nowhere"), ("skills.0.need", "maybe"), ("skills.0.label", None),
    ("credentials.0.code", "Heftruck!"), ("languages.0.code", "NL"), ("languages.0.level", "B3"),
    ("headcount", 0), ("headcount", 10001), ("headcount", -1), ("headcount", 1.5), ("headcount", "12"),
    ("min_headcount", 13), ("period.from", "2027-02-30"), ("period.from", "1-4-2027"), ("period.until", "2020-01-01"),
    ("period.until", None), ("period.flex_days", 366), ("hours.per_week_min", 41), ("hours.per_week_max", 61),
    ("hours.slots.0", "monday"), ("place.postcode", "48"), ("place.postcode", "0011"), ("place.postcode", "4811ab"),
    ("place.region", "AM99"), ("place.country", "nl"), ("travel_km", 1001), ("sector", "handel"), ("reason", "because"),
    ("terms.vat", "maybe"), ("terms.contract", "zzp"), ("terms.return_guarantee", "yes"), ("audience", "everyone"),
    ("audience", "named:123"), ("expires", "tomorrow"), ("expires", "2020-01-01T00:00:00Z"), ("colour", "blue"),
    ("private.contact.email", "nobody"), ("private.currency", "euro"), ("private.hourly_cost_cents", -1),
    ("description", "BSN van de medewerker: 123456782"),
]
# A two-digit postcode is right where it names one region for certain; 48 does not.


@pytest.mark.parametrize("path,value", BAD_OFFERS, ids=lambda v: str(v)[:24])
def test_a_bad_offer_is_refused_by_field_and_leaves_no_trace(node, path, value):
    offer = changed(path, value)
    if (path, value) == ("place.postcode", "48"):
        offer["place"].pop("region")
    before = node.json("status")["ledger"]
    result = node("offer", "publish", "-", expect=1, stdin=json.dumps(offer))
    last = [name for name in path.split(".") if not name.isdigit()][-1]
    assert last in result.stderr or path.split(".")[0] in result.stderr, result.stderr
    assert result.stdout == ""
    assert node.json("status")["ledger"] == before
    dutch = node("offer", "publish", "-", "--lang", "nl", expect=1, stdin=json.dumps(offer)).stderr
    english = node("offer", "publish", "-", "--lang", "en", expect=1, stdin=json.dumps(offer)).stderr
    assert dutch != english


def test_one_bad_offer_of_many_stops_all(node):
    before = node.json("status")["ledger"]
    result = node("offer", "publish", "-", expect=1, stdin=json.dumps([GOOD, changed("headcount", 0), GOOD]))
    assert "[1]" in result.stderr and "headcount" in result.stderr
    assert node.json("status")["ledger"] == before


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{} {}", '{"kind":1,"kind":2}', "\ufeff{}", "[" * 100000,
                                  '{"offers": []}', '"offer"'], ids=range(10))
def test_what_is_no_json_is_refused_in_words(node, text):
    result = node("offer", "publish", "-", expect=1, stdin=text)
    assert result.stderr.strip()


def test_a_missing_file_is_named(node):
    assert "nowhere.json" in node("offer", "publish", "/nonexistent/nowhere.json", expect=1).stderr


USAGE = [
    [], ["frobnicate"], ["offer"], ["offer", "publish"], ["offer", "publish", "a", "b"], ["offer", "list", "--colour"],
    ["offer", "show"], ["match", "list", "--wait", "soon"], ["match", "list", "--wait", "-1"], ["deal", "propose"],
    ["deal", "propose", NOBODYS, "--to", "11"], ["deal", "propose", NOBODYS, "--headcount", "0"],
    ["deal", "propose", "--to", NOBODYS, "--from", "2027-13-01"], ["deal", "propose", "--to", NOBODYS, "--rate", "2,3"],
    ["deal", "accept"], ["deal", "show"], ["verify"], ["ledger", "log", "--last", "0"], ["join"], ["init"],
    ["init", "--name", "X"], ["status", "--lang", "fr"],
    ["match", "interest"], ["match", "interest", NOBODYS, "11"], ["match", "decline"], ["match", "interest", NOBODYS, "--terms", "x"],
    ["deal", "talk"], ["deal", "talk", NOBODYS, "11"], ["deal", "counter"], ["deal", "counter", NOBODYS, "--headcount", "0"],
    ["deal", "counter", NOBODYS, "--to", "11"], ["deal", "counter", NOBODYS, "--rate", "veel"], ["deal", "amend"],
    ["deal", "amend", NOBODYS], ["deal", "amend", NOBODYS, "--until", "2027-02-30"], ["deal", "amend", NOBODYS, "--hours", "61"],
    ["deal", "terminate"], ["deal", "terminate", NOBODYS], ["deal", "terminate", NOBODYS, "--effective", "morgen"],
    ["deal", "terminate", NOBODYS, "--effective", "2027-01-31", "--headcount", "0"],
    ["deal", "terminate", NOBODYS, "--effective", "2027-01-31", "--headcount", "10001"],
    ["deal", "terminate", NOBODYS, "--effective", "2027-01-31", "--headcount", "half"], ["deal", "release"],
    ["deal", "release", NOBODYS, "--sign", "--keep"], ["deal", "release", NOBODYS, "--sign", "yes"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=lambda a: "_".join(a) or "nothing")
def test_wrong_usage_exits_2_with_a_sentence(node, arguments):
    result = node(*arguments, expect=None)
    if arguments[:2] == ["deal", "propose"] and "--to" in arguments and NOBODYS in arguments and len(arguments) > 4:
        assert result.returncode in (1, 2)  # there is no such offer either
    else:
        assert result.returncode == 2, result.stderr
    assert result.stderr.strip()


UNKNOWN = [["offer", "show", NOBODYS], ["offer", "withdraw", NOBODYS], ["match", "show", NOBODYS], ["deal", "show", NOBODYS],
           ["deal", "accept", NOBODYS], ["deal", "decline", NOBODYS], ["deal", "withdraw", NOBODYS], ["deal", "prove", NOBODYS],
           ["match", "list", "--offer", NOBODYS], ["deal", "propose", NOBODYS], ["deal", "propose", "--to", NOBODYS],
           ["match", "interest", NOBODYS], ["match", "decline", NOBODYS], ["deal", "talk", NOBODYS],
           ["deal", "talk", NOBODYS, "--message", "Hallo"], ["deal", "counter", NOBODYS], ["deal", "amend", NOBODYS, "--hours", "30"],
           ["deal", "terminate", NOBODYS, "--effective", "2027-01-31"], ["deal", "release", NOBODYS],
           ["deal", "release", NOBODYS, "--sign"], ["deal", "release", NOBODYS, "--keep"]]


@pytest.mark.parametrize("arguments", UNKNOWN, ids=lambda a: "_".join(a))
def test_what_does_not_exist_exits_1(node, arguments):
    result = node(*arguments, expect=1)
    assert NOBODYS in result.stderr


@pytest.mark.parametrize("token", ["hello", "collega1.AAAA", "collega1." + "A" * 400])
def test_a_token_that_is_none_is_refused(node, token):
    assert node("join", token, expect=1).stderr.strip()


def test_homes_are_not_mixed_up(node, tmp_path):
    empty = tmp_path / "empty"
    assert call([node.program, "status", "--home", empty], expect=1).stderr.strip()
    assert call([node.program, "status"], expect=2, env={"COLLEGA_HOME": ""}).stderr.strip()
    broker = tmp_path / "broker"
    call([node.program.parent / "collega-broker", "init", "--home", broker, "--name", "Net"])
    assert call([node.program, "status", "--home", broker], expect=1).stderr.strip()
    assert call([node.program.parent / "collega-broker", "status", "--home", node.home], expect=1).stderr.strip()


@pytest.mark.parametrize("name,kvk", [("", "12345678"), ("X" * 121, "12345678"), ("Goed BV", "1234567"),
                                      ("Goed BV", "1234567a"), ("Goed\nBV", "12345678")])
def test_init_checks_name_and_number_and_makes_nothing(node, tmp_path, name, kvk):
    home = tmp_path / "home"
    result = call([node.program, "init", "--home", home, "--name", name, "--kvk", kvk], expect=None)
    assert result.returncode in (1, 2) and result.stderr.strip()
    assert not (home / "ledger").exists()


def test_init_twice_is_refused(node):
    assert node("init", "--name", "Snijder BV", "--kvk", "12345678", expect=1).stderr.strip()


def test_verify_of_anything_else_says_so(node, tmp_path):
    for content in (b"", b"x", b"collega-proof-1\n", b"collega-proof-1\n" + b"\0" * 64, bytes(100000)):
        path = tmp_path / "file"
        path.write_bytes(content)
        result = call([node.program, "verify", path], expect=1)
        assert result.stderr.strip()
    assert call([node.program, "verify", tmp_path / "missing"], expect=1).stderr.strip()
