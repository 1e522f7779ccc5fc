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
