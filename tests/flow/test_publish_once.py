"""What the answer to publishing says beside the ids: what was there already (--once), and what the author should know."""
import json

import pytest

from support import offers
from support.library import ONCE, Library
from support.world import Node, binaries

sanitized = pytest.mark.skipif(any(name in str(binaries()) for name in ("asan", "tsan")),
                               reason="an interpreter without the sanitizer cannot load the library")
OFFER = offers.load("logistiek-magazijn-uit")


def referenced(reference, **changes):
    return {**OFFER, **changes, "private": {**OFFER.get("private", {}), "reference": reference}}


def one_person():
    return {**OFFER, "headcount": 1, "min_headcount": 1, "place": {**OFFER["place"], "postcode": "4811AB"}}


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path, "Snijder Logistiek BV", "12345678", "M. de Wit", "directeur")
    node.init()
    return node


def publish(node, document, *arguments):
    return node("offer", "publish", "-", *arguments, stdin=json.dumps(document))


def test_what_was_published_under_a_reference_is_not_published_again(node):
    first = publish(node, referenced("HR-1"), "--once")
    entries = node.json("status")["ledger"]["entries"]
    again = publish(node, referenced("HR-1", title="Anders"), "--once")
    assert again.stdout == first.stdout and "1" in again.stderr and not first.stderr
    assert node.json("status")["ledger"]["entries"] == entries
    both = json.loads(publish(node, [referenced("HR-1"), referenced("HR-2")], "--once", "--json").stdout)["offers"]
    assert both[0] == {"id": first.stdout.strip(), "already": True} and set(both[1]) == {"id"}
    # Withdrawn, it may come again; and without --once it always does.
    node("offer", "withdraw", both[1]["id"])
    assert publish(node, referenced("HR-2"), "--once").stdout.strip() != both[1]["id"]
    assert publish(node, referenced("HR-1")).stdout.strip() != both[0]["id"]
    assert len(node.json("offer", "list", "--mine")["offers"]) >= 3


def test_of_a_table_too(node):
    table = ("kind,title,occupation.isco,headcount,period.from,period.until,hours.per_week_min,hours.per_week_max,place.region,"
             "private.reference\nloan_out,Magazijn,4321,2,2099-01-04,2099-03-26,24,36,AM25,T-1\n")
    first = node("offer", "publish", "-", "--csv", "--once", stdin=table).stdout.strip()
    rows = json.loads(node("offer", "publish", "-", "--csv", "--once", "--json", stdin=table).stdout)["rows"]
    assert rows == [{"row": 2, "id": first, "already": True}]


def test_an_offer_that_points_at_one_person_is_published_and_said_so(node):
    english = json.loads(publish(node, [OFFER, one_person()], "--json", "--lang", "en").stdout)["offers"]
    dutch = json.loads(publish(node, [OFFER, one_person()], "--json", "--lang", "nl").stdout)["offers"]
    assert "warnings" not in english[0]
    for answer in (english, dutch):
        assert [warning["rule"] for warning in answer[1]["warnings"]] == ["warn_points_at_one"]
    assert english[1]["warnings"][0]["text"] != dutch[1]["warnings"][0]["text"]


@sanitized
def test_the_library_says_so_too(node):
    library = Library(node.home)
    answer = library("offers_publish", *library.text([OFFER, one_person()]), 0)["offers"]
    assert "warnings" not in answer[0] and answer[1]["warnings"][0]["rule"] == "warn_points_at_one"
    assert answer[1]["warnings"][0]["text"]
    revised = library("offer_revise", answer[0]["id"], *library.text(one_person()))
    assert revised["revision"] == 2 and revised["warnings"][0]["rule"] == "warn_points_at_one"
    assert "warnings" not in library("offer_show", answer[0]["id"])
    assert "warnings" not in library("offer_revise", answer[0]["id"], *library.text(OFFER))
    once = library("offers_publish", *library.text(referenced("HR-9")), ONCE)["offers"][0]
    assert "already" not in once
    assert library("offers_publish", *library.text(referenced("HR-9")), ONCE)["offers"][0] == {**once, "already": True}
    library.close()
