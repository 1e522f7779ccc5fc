"""Ending a part of an agreement by one party's notice: so many people fewer from a day on, and the others go on."""
import datetime
import json

import pytest

from support import deals, offers, truth
from support.dates import in_days
from support.world import WAIT, call, until
from test_deal_changes import IN, OUT, amend, at_once, settled, until_row


def day_of(row, days):
    """A day of the agreement, counted from its first."""
    return (datetime.date.fromisoformat(row["terms"]["from"]) + datetime.timedelta(days=days)).isoformat()


@pytest.fixture
def agreement(world_of, tmp_path):
    """Four people, with two weeks' notice."""
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"ending": {"notice_days": 14, "recall_days": 28}}))
    deal = deals.conclude(borrower, lender, match, "--headcount", "4", "--rate", "23,80", "--terms", terms)
    until_row(lender, deal, waits_for_signature=False)
    return world, lender, borrower, match, deal


def ended_parts(row):
    return [(part["headcount"], part["effective"], part["ours"], part["disputed"]) for part in row.get("reductions", [])]


def both_have(nodes, deal, parts):
    """Both have the parts: people, last day, index of the node that ended it, and whether the notice was too short."""
    for index, node in enumerate(nodes):
        wanted = [(people, day, by == index, disputed) for people, day, by, disputed in parts]
        while ended_parts(node.deal(deal)) != wanted:
            assert len(ended_parts(node.deal(deal))) <= len(wanted), (node.name, node.deal(deal))
            node("status")


def end_part(node, deal, people, day, *arguments):
    return node("deal", "terminate", deal, "--headcount", str(people), "--effective", day, *arguments)


def test_parts_end_one_after_another_and_then_the_whole(agreement):
    world, lender, borrower, _, deal = agreement
    nodes = lender, borrower
    row = lender.json("deal", "terminate", deal, "--headcount", "1", "--effective", in_days(10), "--wait", WAIT)
    assert row["state"] in deals.DONE and row["people_left"] == 3 and row["disputed"] is True  # 28 days were owed
    assert row["terms"]["headcount"] == 4 and row["hold"]["people"] == 4
    assert row["hold"]["ends"] == [{"people": 1, "until": in_days(10)}]
    both_have(nodes, deal, [(1, in_days(10), 0, True)])
    said = end_part(borrower, deal, 2, in_days(20), "--wait", WAIT, "--lang", "en").stdout
    assert f"2 people fewer after {in_days(20)}" in said
    assert borrower.deal(deal)["people_left"] == 1
    both_have(nodes, deal, [(1, in_days(10), 0, True), (2, in_days(20), 1, False)])
    for language, words in (("en", ["ended in part", f"1 people until {in_days(10)} (too short a notice)",
                                    f"2 people until {in_days(20)}"]),
                            ("nl", ["deels beëindigd", f"1 mensen tot en met {in_days(10)} (te kort opgezegd)"])):
        shown = " ".join(borrower("deal", "show", deal, "--lang", language).stdout.split())
        assert all(word in shown for word in words), shown
        assert words[0] in lender("deal", "list", "--lang", language).stdout
    truth.settled(world)
    last = day_of(row, 10)
    whole = borrower.json("deal", "terminate", deal, "--effective", last, "--wait", WAIT)
    assert whole["state"] == "terminated" and whole["effective"] == last and whole["people_left"] == 1
    assert until_row(lender, deal, state="terminated")["hold"]["ends"] == whole["hold"]["ends"]
    truth.told(world)


def test_who_came_free_can_be_lent_again_from_the_day_after(world_of):
    """All who are offered are agreed: nobody else gets one of them before some have come free, and no day sooner."""
    world = world_of(3)
    lender, borrower, third = world.nodes
    lent, _, match = deals.matched(lender, borrower, headcount=offers.load(OUT)["headcount"])
    people = offers.load(OUT)["headcount"]
    deal = deals.conclude(borrower, lender, match, "--headcount", str(people))
    other = third.publish(offers.load(IN), "--wait", WAIT)
    match = deals.match_of(third, other, lent)
    last, day_after, until_day = day_of(lender.deal(deal), 14), day_of(lender.deal(deal), 15), lender.deal(deal)["terms"]["until"]
    lender("deal", "terminate", deal, "--headcount", "3", "--effective", last, "--wait", WAIT)
    for first, headcount, taken in ((last, 3, False), (day_after, 4, False), (day_after, 3, True)):
        proposal = deals.propose(third, match, "--headcount", str(headcount), "--from", first, "--until", until_day)
        deals.received(lender, proposal)
        answer = lender("deal", "accept", proposal, "--wait", WAIT, expect=None)
        assert (answer.returncode == 0) == taken, (first, headcount, answer.stderr)
        if not taken:
            assert first in answer.stderr  # the first day that is full
            third("deal", "withdraw", proposal, "--wait", WAIT)
    truth.told(world)


def test_a_part_overtaken_by_an_amendment_is_signed_again_and_ends_once(agreement):
    world, lender, borrower, _, deal = agreement
    amendment = amend(lender, deal, "--headcount", "5")
    deals.received(borrower, amendment)
    lender.stop()
    end_part(lender, deal, 2, in_days(40))  # names the conclusion, as far as is known here
    assert lender.deal(deal)["ending"] == in_days(40) and lender.deal(deal)["ending_headcount"] == 2
    assert borrower.json("deal", "accept", amendment, "--wait", WAIT)["state"] in deals.DONE
    lender.start()
    both_have((lender, borrower), amendment, [(2, in_days(40), 0, False)])
    assert "reductions" not in borrower.deal(deal) and borrower.deal(amendment)["people_left"] == 3
    assert "ending" not in lender.deal(amendment)
    truth.told(world)


def test_a_part_and_an_amendment_at_once_come_to_one_end(agreement):
    world, lender, borrower, _, deal = agreement
    amendment = amend(borrower, deal, "--headcount", "3")
    deals.received(lender, amendment)
    at_once(lambda: lender("deal", "accept", amendment, expect=None),
            lambda: borrower("deal", "terminate", deal, "--headcount", "1", "--effective", in_days(40), expect=None))
    ends = [settled(node, amendment) for node in (lender, borrower)]
    assert ends[0]["state"] == ends[1]["state"]
    last = deal if ends[0]["state"] == "void" else amendment
    both_have((lender, borrower), last, [(1, in_days(40), 1, False)])
    truth.told(world)


def test_ends_of_parts_that_cross_never_end_more_than_there_are(agreement):
    """Both want two of four to leave, and sign without having heard of each other. The second is given up: two are left,
    and both of them is not a part."""
    world, lender, borrower, _, deal = agreement
    for node in (lender, borrower):
        node.stop()
        end_part(node, deal, 2, in_days(40))
    asked_again = end_part_refused(lender, deal, 3, in_days(40))
    assert in_days(40) in asked_again
    for node in (lender, borrower):
        node.start()
    until(lambda: all(len(node.deal(deal).get("reductions", [])) == 1 for node in (lender, borrower)))
    until(lambda: any("ending_dropped" in node.deal(deal) for node in (lender, borrower)))
    rows = [node.deal(deal) for node in (lender, borrower)]
    assert [row["people_left"] for row in rows] == [2, 2] and all("ending" not in row for row in rows)
    gave_up = next(node for node, row in zip((lender, borrower), rows) if "ending_dropped" in row)
    assert gave_up.deal(deal)["ending_dropped"] == "terminate_headcount"
    assert "too few are left" in " ".join(gave_up("deal", "show", deal, "--lang", "en").stdout.split())
    again = json.loads(end_part(gave_up, deal, 1, in_days(45), "--wait", WAIT, "--json").stdout)
    assert again["people_left"] == 1 and "ending_dropped" not in again
    truth.told(world)


def end_part_refused(node, deal, people, day):
    return node("deal", "terminate", deal, "--headcount", str(people), "--effective", day, expect=1).stderr


def test_a_part_is_fewer_than_all_and_has_a_day(agreement):
    _, lender, borrower, _, deal = agreement
    lender.sent()
    before = lender.json("ledger", "verify")
    for people in (4, 5, 10000):
        for language, words in (("en", "must be fewer than the 4 people"), ("nl", "moet minder zijn dan de 4 mensen")):
            error = lender("deal", "terminate", deal, "--headcount", str(people), "--effective", in_days(30), "--lang", language,
                           expect=1).stderr
            assert "headcount" in error and words in error, error
    assert "effective" in end_part_refused(lender, deal, 1, in_days(-1))
    assert "effective" in end_part_refused(lender, deal, 1, lender.deal(deal)["terms"]["until"])
    assert lender.json("ledger", "verify") == before  # nothing was stored
    end_part(lender, deal, 3, in_days(30), "--wait", WAIT)
    both_have((lender, borrower), deal, [(3, in_days(30), 0, False)])
    assert "only one" in borrower("deal", "terminate", deal, "--headcount", "1", "--effective", in_days(31), "--lang", "en",
                                  expect=1).stderr


def test_an_amendment_while_a_part_has_yet_to_end_says_how_many(agreement):
    world, lender, borrower, _, deal = agreement
    end_part(lender, deal, 1, in_days(40), "--wait", WAIT)
    both_have((lender, borrower), deal, [(1, in_days(40), 0, False)])
    later = (datetime.date.fromisoformat(lender.deal(deal)["terms"]["until"]) + datetime.timedelta(days=30)).isoformat()
    refused = borrower("deal", "amend", deal, "--until", later, "--lang", "en", expect=1).stderr
    assert "headcount" in refused and in_days(40) in refused
    amendment = amend(borrower, deal, "--until", later, "--headcount", "3")
    deals.received(lender, amendment)
    assert lender.json("deal", "accept", amendment, "--wait", WAIT)["state"] in deals.DONE
    assert settled(borrower, amendment)["hold"]["people"] == 3
    end_part(borrower, deal, 1, in_days(50), "--wait", WAIT)  # whichever of its deals is named
    both_have((lender, borrower), amendment, [(1, in_days(50), 1, False)])
    truth.told(world)


def test_the_proof_tells_of_each_part(agreement, tmp_path):
    world, lender, borrower, _, deal = agreement
    path = tmp_path / "proof.collega"

    def verified(node, *arguments, expect=0):
        path.write_bytes(deals.prove(node, deal, *arguments))
        return json.loads(call([node.program, "verify", "--json", path], expect=expect).stdout)

    end_part(lender, deal, 1, in_days(40), "--wait", WAIT)
    end_part(borrower, deal, 1, in_days(50), "--wait", WAIT)
    parts = [{"headcount": 1, "effective": in_days(40), "by": "lender"},
             {"headcount": 1, "effective": in_days(50), "by": "borrower"}]
    both_have((lender, borrower), deal, [(1, in_days(40), 0, False), (1, in_days(50), 1, False)])
    for node in (lender, borrower):
        found = verified(node)
        assert found["valid"] and found["reductions"] == parts and found["people_left"] == 2, found
    assert "people_left" in verified(lender, "--hide", "rates")
    for language, words in (("en", f"1 people fewer after {in_days(40)}, ended by"),
                            ("nl", f"1 mensen minder na {in_days(40)}, beëindigd door")):
        assert words in call([lender.program, "verify", "--lang", language, path]).stdout
    amendment = amend(lender, deal, "--headcount", "3")
    deals.received(borrower, amendment)
    borrower("deal", "accept", amendment, "--wait", WAIT)
    settled(lender, amendment)
    found = verified(borrower)
    assert found["valid"] and "reductions" not in found and found["terms"]["work"]["headcount"] == 3, found
    end_part(borrower, deal, 2, in_days(60), "--wait", WAIT)
    last = day_of(lender.deal(amendment), 20)
    lender("deal", "terminate", deal, "--effective", last, "--wait", WAIT)
    until_row(borrower, amendment, state="terminated")
    for node in (lender, borrower):
        found = verified(node)
        assert found["valid"] and found["terminated_on"] == last and found["people_left"] == 1, found
    honest = path.read_bytes()
    for place in range(0, len(honest), max(1, len(honest) // 40)):
        forged = bytearray(honest)
        forged[place] ^= 1 << (place % 8)
        path.write_bytes(forged)
        result = call([lender.program, "verify", "--json", path], expect=None)
        assert result.returncode == 1, place
