"""Interest and talk: seen at both sides, and binding nobody."""
import json

from support import deals, offers
from support.world import WAIT, until, within

MESSAGE = "Kunnen jullie er zes missen in week 3?"


def state(node, match):
    return next(m["state"] for m in node.json("match", "list")["matches"] if m["id"] == match)


def until_state(node, match, wanted):
    until(lambda: state(node, match) == wanted)


def talk(node, thread):
    return node.json("deal", "talk", thread)


def until_said(node, thread, count):
    for _ in within():
        result = node("deal", "talk", thread, "--json", expect=None)
        if result.returncode == 0 and len(json.loads(result.stdout)["messages"]) >= count:
            return json.loads(result.stdout)


def test_interest_is_answered_and_opens_the_talk(world_of, tmp_path):
    lender, borrower = world_of(2).nodes
    _, _, match = deals.matched(lender, borrower)
    assert state(borrower, match) == "suggested"
    assert lender("deal", "talk", match, "--message", "Hallo", expect=1).stderr.strip()
    assert borrower.json("match", "interest", match, "--message", MESSAGE, "--wait", WAIT)["state"] == "interested"
    until_state(lender, match, "interested")
    assert lender.json("match", "interest", match, "--wait", WAIT)["state"] == "answered"
    until_state(borrower, match, "answered")
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({"work": {"headcount": 6, "from": offers.moved("2027-01-18"), "until": offers.moved("2027-01-24"), "hours_per_week": 32},
                                 "rates": {"hourly_cents": 2350, "currency": "EUR"}}))
    lender("deal", "talk", match, "--message", "Ja, tegen dit tarief.", "--terms", draft, "--wait", WAIT)
    said = until_said(borrower, match, 3)
    assert [(line["kind"], line["mine"], line.get("text")) for line in said["messages"]] == [
        ("interest", True, MESSAGE), ("interest", False, None), ("talk", False, "Ja, tegen dit tarief.")]
    assert said["messages"][2]["draft"]["rates"]["hourly_cents"] == 2350
    assert said["counterparty"]["kvk"] == "12345678" and said["state"] == "answered"
    assert MESSAGE in lender("deal", "talk", match).stdout
    assert borrower.deals() == [] and lender.deals() == []


def test_a_declined_match_says_so_to_who_waits(world_of):
    lender, borrower = world_of(2).nodes
    _, _, match = deals.matched(lender, borrower)
    assert lender.json("match", "decline", match)["state"] == "declined"
    assert state(borrower, match) == "suggested"  # nobody waited for an answer: nobody is told
    borrower("match", "interest", match, "--wait", WAIT)
    until_state(lender, match, "interested")
    lender("match", "decline", match, "--wait", WAIT)
    until_state(borrower, match, "declined")
    assert talk(borrower, match)["messages"][-1]["kind"] == "declined"


def test_the_talk_goes_on_beside_a_deal_and_survives_a_rebuild(world_of):
    lender, borrower = world_of(2).nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, deal)
    lender("deal", "talk", deal, "--message", "Vier is goed.", "--wait", WAIT)
    borrower("deal", "talk", until_said(borrower, deal, 1)["thread"], "--message", "Dan hoor ik het.", "--wait", WAIT)
    said = until_said(lender, deal, 2)
    assert [line["text"] for line in said["messages"]] == ["Vier is goed.", "Dan hoor ik het."]
    lender.stop()
    lender("ledger", "rebuild")
    assert talk(lender, deal) == said
    assert lender.deal(deal)["state"] == "received"
