"""An offer from answers: every answer is judged at once, the private part comes last, nothing is published unasked."""
import json
import os
import pty
import re
import select
import subprocess

import pytest

from support import offers
from support.world import DEADLINE, Node, call, die_with_parent

FROM, UNTIL = offers.moved("2027-01-06"), offers.moved("2027-03-12")
# The questions in their order, each with an answer that passes; a list: answers that are refused first.
ANSWERS = [
    ("kind", "1"), ("title", "Koks beschikbaar"), ("isco", ["zzzz", "kok", "1"]), ("job", "kok"), ("headcount", ["nul", "0", "2"]),
    ("min_headcount", ["3", "1"]), ("from", ["6 januari", FROM]), ("until", ["", "2020-01-01", UNTIL]), ("flex", "7"),
    ("hours_min", "24"), ("hours_max", ["20", "61", "38"]), ("slots", ["maandag", "fri-ev;sat-ev"]),
    ("postcode", ["0123", "1118"]), ("city", "Schiphol"), ("region", ["AM99", "groot amst"]), ("travel", "20"),
    ("establishment", ["123", ""]), ("sector", "56.10"), ("reason", ["14", "1"]), ("skills", "koken; sauzen maken"), ("", "allergenen"),
    ("credentials", ["HACCP!", "haccp"]), ("", ""), ("languages", "nl:B2"), ("", ["en:Q1", "nl", "en:B1"]), ("education", "3"),
    ("cost_basis", "1"), ("cao", "Horeca"), ("contract", "1"), ("vat", ["21%", "standard"]),
    ("return", ["misschien", "j"]), ("takeover", "none"), ("carve", ""), ("description", "In de winterstop."),
    ("audience", ["named:99999999", ""]), ("expires", ["2020-01-01T00:00:00Z", ""]), ("reference", "WIN-1"),
    ("contact", "Sanne Kuipers"), ("email", ["nobody", "info@paviljoen.example"]), ("phone", "+31 6 5550 1201"),
    ("cost", ["veel", "27,45"]), ("currency", ""), ("address", ""), ("note", ["BSN 123456782", ""]),
]
OFFER = {
    "kind": "loan_out", "title": "Koks beschikbaar", "occupation": {"isco": "5120", "title": "kok"}, "headcount": 2,
    "min_headcount": 1, "period": {"from": FROM, "until": UNTIL, "flex_days": 7},
    "hours": {"per_week_min": 24, "per_week_max": 38, "slots": ["fri-ev", "sat-ev"]},
    "place": {"postcode": "1118", "city": "Schiphol", "region": "AM18"}, "travel_km": 20, "sector": "56.10",
    "reason": "low_season",
    "skills": [{"label": "koken", "need": "must"}, {"label": "sauzen maken", "need": "must"},
               {"label": "allergenen", "need": "nice"}],
    "credentials": [{"code": "haccp", "need": "must"}],
    "languages": [{"code": "nl", "level": "B2", "need": "must"}, {"code": "en", "level": "B1", "need": "nice"}],
    "education": 3, "terms": {"cost_basis": "cost_price", "cao": "Horeca", "contract": "permanent", "vat": "standard",
                              "return_guarantee": True, "takeover": "none"},
    "description": "In de winterstop.",
    "private": {"reference": "WIN-1", "contact": {"name": "Sanne Kuipers", "email": "info@paviljoen.example",
                                                  "phone": "+31 6 5550 1201"}, "hourly_cost_cents": 2745, "currency": "EUR"},
}


def lines(answers):
    return [line for _, given in answers for line in (given if isinstance(given, list) else [given])]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node"), "Paviljoen BV", "12345678")
    node.init()
    return node


def new(node, typed, *arguments, expect=0):
    return node("offer", "new", *arguments, expect=expect, stdin="".join(f"{line}\n" for line in typed))


def entries(node):
    return node.json("status")["ledger"]


def test_answers_become_the_offer_and_wrong_ones_are_told_at_once(node):
    before = entries(node)
    def told(label):
        return lines([(name, label if name == "cost_basis" else given) for name, given in ANSWERS])

    result = new(node, told("kostprijs"), "--dry-run", "--lang", "nl")
    assert json.loads(result.stdout) == OFFER
    refused = sum(len(given) - 1 for _, given in ANSWERS if isinstance(given, list))
    searched = 2  # words to search for are answers to a question of their own
    assert result.stderr.count("\n  ! ") + result.stderr.count(":   ! ") == refused - searched, result.stderr
    assert entries(node) == before
    english = new(node, told("cost price"), "--dry-run", "--lang", "en")
    assert json.loads(english.stdout) == OFFER and english.stderr != result.stderr


def test_it_publishes_when_told_to_and_prints_the_id_alone(node):
    result = new(node, lines(ANSWERS) + ["misschien", "", "ja"], "--lang", "nl")
    assert re.fullmatch(r"[0-9a-f]{32}\n", result.stdout)
    published = node.json("offer", "show", result.stdout.strip())["offer"]
    published.pop("expires")
    assert published == OFFER
    document = json.loads(new(node, lines(ANSWERS) + ["y"], "--json").stdout)
    assert len(document["offers"]) == 1


def test_a_no_or_an_end_publishes_nothing(node):
    before = entries(node)
    typed = lines(ANSWERS)
    assert new(node, typed + ["n"]).stdout == ""
    for cut in (0, 1, 5, 20, len(typed) - 1, len(typed)):
        result = new(node, typed[:cut], expect=1)
        assert result.stdout == "" and result.stderr.strip()
    error = json.loads(new(node, typed[:3], "--json", expect=1).stderr.splitlines()[-1])["error"]
    assert error["rule"] == "answers_ended"
    assert entries(node) == before


def test_the_least_that_is_needed_is_an_offer(node):
    least = {"kind": "transfer_in", "title": "Slagers", "isco": "7511", "headcount": "1", "from": FROM, "hours_min": "32",
             "hours_max": "38", "postcode": "6823"}
    typed = [least.get(name, "") for name, _ in ANSWERS if name != "currency"]  # asked only where there is a cost
    offer = {"kind": "transfer_in", "title": "Slagers", "occupation": {"isco": "7511"}, "headcount": 1,
             "period": {"from": FROM}, "hours": {"per_week_min": 32, "per_week_max": 38}}
    # Enter takes the region that most of the postcode's area lies in; where it lies in one, nothing is asked.
    assert json.loads(new(node, typed, "--dry-run").stdout) == {**offer, "place": {"postcode": "6823", "region": "AM07"}}
    least["postcode"] = "1012"
    typed = [least.get(name, "") for name, _ in ANSWERS if name not in ("currency", "region")]
    assert json.loads(new(node, typed, "--dry-run").stdout) == {**offer, "place": {"postcode": "1012"}}


def proposed(words):
    """What stands in the list before the question which it is."""
    return re.findall(r" (\d+)  (\d{4})  (.+)", words)


def test_a_title_brings_proposals_to_choose_from_and_nothing_is_taken_unasked(node):
    typed = lines(ANSWERS)[:1] + ["Heftruckchauffeurs beschikbaar"]
    ended = new(node, typed, "--dry-run", "--lang", "nl", expect=1).stderr
    shown = proposed(ended)
    assert 1 <= len(shown) <= 5 and shown[0] == ("1", "8344", "Heftruckbestuurders")
    rest = lines(ANSWERS[3:])
    chosen = json.loads(new(node, [*typed, "1", *rest], "--dry-run").stdout)
    assert chosen["occupation"] == {"isco": "8344", "title": "kok"}
    other = json.loads(new(node, [*typed, "", "6", "koks", "1", *rest], "--dry-run").stdout)  # Enter and 6 choose nothing
    assert other["occupation"]["isco"] == "5120"


def test_a_taxonomy_of_the_home_is_asked_instead_and_gives_its_address(tmp_path):
    node = Node(tmp_path, "Paviljoen BV", "12345678")
    node.init()
    table = tmp_path / "occupations_nl.csv"
    table.write_text("conceptType,conceptUri,iscoGroup,preferredLabel,altLabels\n"
                     "Occupation,http://e/o/flensjes,5120,flensjesbakker,\nOccupation,http://e/o/taxi,8322,taxichauffeur,\n")
    node("taxonomy", "import", "esco", table)
    result = new(node, [*lines(ANSWERS)[:1], "Flensjesbakkers", "1", *lines(ANSWERS[3:])], "--dry-run")
    assert [row[1:] for row in proposed(result.stderr)] == [("5120", "flensjesbakker")]
    assert json.loads(result.stdout)["occupation"] == {"isco": "5120", "esco": "http://e/o/flensjes", "title": "kok"}


@pytest.mark.parametrize("occupation,meant", [
    (None, "Koks beschikbaar"), ({}, "Koks beschikbaar"), ("bakkers", "bakkers"), ({"isco": "bakker"}, "bakker"),
    ({"isco": "9999"}, "Koks beschikbaar"), ({"title": "banketbakker"}, "banketbakker"), ({"isco": "51", "title": "kok"}, "kok"),
])
def test_an_offer_without_a_valid_occupation_is_refused_with_proposals(node, occupation, meant):
    before = entries(node)
    offer = {**OFFER, "occupation": occupation} if occupation is not None else {k: v for k, v in OFFER.items() if k != "occupation"}
    error = json.loads(node("offer", "publish", "-", "--json", expect=1, stdin=json.dumps(offer)).stderr)["error"]
    assert (error["rule"], error["field"]) == ("occupation_propose", "occupation.isco")
    assert error["arguments"][0] == meant
    codes = re.findall(r"(?:^|; )(\d{4}) ", "".join(error["arguments"][1:]))
    assert ("7512" if "bakker" in meant else "5120") in codes and len(codes) <= 5
    many = json.loads(node("offer", "publish", "-", "--json", expect=1, stdin=json.dumps([OFFER, offer])).stderr)["error"]
    assert many["field"] == "[1].occupation.isco" and entries(node) == before


def test_a_title_that_is_like_nothing_is_refused_as_before(node):
    offer = {**OFFER, "title": "zqx", "occupation": {"isco": "9999"}}
    error = json.loads(node("offer", "publish", "-", "--json", expect=1, stdin=json.dumps(offer)).stderr)["error"]
    assert error["rule"] == "isco_unknown"


def test_private_matters_come_last_and_are_said_to_be_private(node):
    words = new(node, lines(ANSWERS), "--dry-run", "--lang", "en").stderr
    last = [words.index(text) for text in ("Valid until", "stays with you", "Your reference", "Note")]
    assert last == sorted(last)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"x" * 100000, b"a\0b", b"\x1b[31m", b"\xc2\x9b"], ids=range(5))
def test_rubbish_is_refused_and_asked_again(node, line):
    typed = [text.encode() for text in lines(ANSWERS)]
    typed[1:1] = [line]
    result = call([node.program, "offer", "new", "--dry-run", "--home", node.home], text=False, stdin=b"\n".join(typed) + b"\n")
    assert json.loads(result.stdout) == OFFER and b"\x1b" not in result.stderr


def test_it_works_on_a_terminal(node):
    try:
        ours, theirs = pty.openpty()
    except OSError:
        pytest.skip("no terminal devices here")
    process = subprocess.Popen([node.program, "offer", "new", "--dry-run", "--lang", "nl", "--home", node.home], stdin=theirs,
                               stdout=subprocess.PIPE, stderr=theirs, preexec_fn=die_with_parent)
    os.close(theirs)
    typed = lines(ANSWERS)
    seen = b""
    for line in typed:
        wanted = seen.count(b": ") + 1
        while not seen.rstrip(b"\r\n").endswith(b": ") and process.poll() is None:
            ready, _, _ = select.select([ours], [], [], DEADLINE)
            assert ready, seen
            seen += os.read(ours, 65536)
        os.write(ours, line.encode() + b"\n")
        seen += b"\n"
        assert wanted
    out = process.stdout.read()
    assert process.wait(DEADLINE) == 0 and json.loads(out) == OFFER
    os.close(ours)
