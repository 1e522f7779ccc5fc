"""What becomes of proposals and agreements: counters, races, amendments, ends, release. Both sides always come to the
same end."""
import datetime
import json
import threading

import pytest

from support import deals, offers, truth
from support.dates import in_days, in_time
from support.world import WAIT, until, within

OUT, IN = "logistiek-magazijn-uit", "voedsel-orderpickers-in"


def settled(node, deal):
    """The deal once the decider has spoken about it; one that waits for this side does so until its time is over."""
    for _ in within():
        found = node.deal(deal, "--wait", WAIT)
        if found["state"] not in ("draft", "proposed", "received", "pending"):
            return found


def until_row(node, deal, **wanted):
    def looked():
        found = deals.row_of(node, deal)
        return all(found.get(key) == value for key, value in wanted.items()) and found
    return until(looked)


def counter(node, deal, *arguments):
    return node("deal", "counter", deal, *arguments, "--wait", WAIT).stdout.strip()


def amend(node, deal, *arguments):
    """An amendment that has left: --wait would wait for the other side."""
    amendment = node("deal", "amend", deal, *arguments).stdout.strip()
    until_row(node, amendment, waits_for_signature=False)
    return amendment


def at_once(*steps):
    """Runs all steps side by side; their results."""
    results = [None] * len(steps)

    def run(index):
        results[index] = steps[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def agreed(node, on=None):
    """People agreed in the terms that hold."""
    return sum(row["terms"]["headcount"] for row in node.deals()
               if row["state"] in deals.DONE and "amended_by" not in row)


def same_end(nodes, ids):
    """Every deal ended alike at both; its states."""
    ends = {}
    for deal in ids:
        here, there = (settled(node, deal) for node in nodes)
        assert here["state"] == there["state"] and here.get("why") == there.get("why"), (here, there)
        ends[deal] = here["state"]
    return ends


@pytest.fixture
def pair(world_of):
    """Two employers with a match. Whatever a test did to them: in the end both tell the same, as the decider does, hold
    the same people on the same days, and their ledgers verify and rebuild."""
    world = world_of(2)
    yield world, *world.nodes, deals.matched(*world.nodes)[2]
    truth.told(world)


# ---- counters

def test_a_counter_concluded_voids_what_it_replaces(pair):
    _, lender, borrower, match = pair
    first = deals.propose(borrower, match, "--headcount", "4", "--rate", "20,00")
    deals.received(lender, first)
    second = counter(lender, first, "--headcount", "6", "--rate", "23,80")
    row = deals.received(borrower, second)
    assert row["replaces"] == first and row["root"] == lender.deal(first)["root"]
    assert row["terms"]["headcount"] == 6 and row["terms"]["rates"]["hourly_cents"] == 2380
    assert borrower.json("deal", "accept", second, "--wait", WAIT)["state"] in deals.DONE
    for node in (lender, borrower):
        assert settled(node, second)["state"] in deals.DONE
        assert settled(node, first)["why"] == "replaced"
        assert agreed(node) == 6


def test_a_counter_holds_the_larger_and_not_the_sum(pair):
    """Eight of twelve proposed, and countered with twelve: the twelve do for both."""
    _, lender, borrower, match = pair
    first = deals.propose(borrower, match, "--headcount", "8")
    deals.received(lender, first)
    most = lender.json("offer", "show", lender.deal(first)["offers"][0])["offer"]["headcount"]
    wanted = min(most, borrower.json("offer", "show", lender.deal(first)["offers"][1])["offer"]["headcount"])
    second = counter(lender, first, "--headcount", str(wanted))
    deals.received(borrower, second)
    third = counter(borrower, second, "--headcount", "7")
    deals.received(lender, third)
    assert lender.json("deal", "accept", third, "--wait", WAIT)["state"] in deals.DONE
    ends = same_end((lender, borrower), [first, second])
    assert set(ends.values()) == {"void"} and agreed(lender) == agreed(borrower) == 7


def test_a_counter_that_loses_the_race_is_void(pair):
    """The lender accepts the first proposal while the borrower replaces it by another."""
    _, lender, borrower, match = pair
    first = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, first)
    lender("deal", "accept", first, "--wait", WAIT)
    borrower.stop()
    late = borrower("deal", "counter", first, "--headcount", "5", expect=None)
    borrower.start()
    assert settled(borrower, first)["state"] in deals.DONE
    if late.returncode == 0:  # the verdict had not come to the borrower yet
        second = late.stdout.strip()
        assert settled(borrower, second)["state"] == "void"
        assert borrower.deal(second)["why"] == "replaced"
    else:
        assert late.returncode == 1 and late.stderr.strip()
    assert agreed(lender) == agreed(borrower) == 4


def test_a_counter_and_an_acceptance_at_once_end_in_one_agreement(pair):
    _, lender, borrower, match = pair
    first = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, first)
    accepted, countered = at_once(lambda: lender("deal", "accept", first, expect=None),
                                  lambda: borrower("deal", "counter", first, "--headcount", "5", expect=None))
    assert accepted.returncode == 0
    ids = [first] + ([countered.stdout.strip()] if countered.returncode == 0 else [])
    assert settled(lender, first)["state"] in deals.DONE
    assert settled(borrower, first)["state"] in deals.DONE
    for deal in ids[1:]:
        assert settled(borrower, deal)["why"] == "replaced"
    assert agreed(lender) == agreed(borrower) == 4


def test_crossing_proposals_end_in_one_agreement(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    mine, theirs = at_once(lambda: lender("deal", "propose", match, "--headcount", "5").stdout.strip(),
                           lambda: borrower("deal", "propose", match, "--headcount", "6").stdout.strip())
    deals.received(lender, theirs)
    deals.received(borrower, mine)
    assert lender.deal(mine)["root"] == lender.deal(theirs)["root"]
    at_once(lambda: lender("deal", "accept", theirs, expect=None), lambda: borrower("deal", "accept", mine, expect=None))
    ends = same_end((lender, borrower), [mine, theirs])
    done = [deal for deal, state in ends.items() if state in deals.DONE]
    assert len(done) == 1 and agreed(lender) == agreed(borrower)
    truth.told(world)


def test_a_counter_to_a_proposal_without_an_offer(world_of):
    """Where one side published nothing, its capacity entry goes along with the counter."""
    world = world_of(2)
    lender, borrower = world.nodes
    lent = lender.publish(offers.load(OUT), "--wait", WAIT)
    offers.listed(borrower, lent)
    first = borrower("deal", "propose", "--to", lent, "--headcount", "3", "--wait", WAIT).stdout.strip()
    assert borrower.deal(first)["capacity"]["headcount"] == 3
    deals.received(lender, first)
    second = counter(lender, first, "--headcount", "5")
    deals.received(borrower, second)
    assert borrower.json("deal", "accept", second, "--wait", WAIT)["state"] in deals.DONE
    assert settled(lender, second)["state"] in deals.DONE
    truth.told(world)


# ---- withdrawal and expiry racing an acceptance

def test_a_withdrawal_and_an_acceptance_at_once_end_alike(pair):
    _, lender, borrower, match = pair
    for _ in range(3):
        deal = deals.propose(borrower, match, "--headcount", "2")
        deals.received(lender, deal)
        at_once(lambda: borrower("deal", "withdraw", deal, expect=None),
                lambda: lender("deal", "accept", deal, expect=None))
        ends = same_end((lender, borrower), [deal])
        assert ends[deal] in ("void", *deals.DONE)
        if ends[deal] != "void":
            return


def test_an_acceptance_that_comes_too_late_is_void_at_both(pair):
    """Accepted in time here, but the broker was away until the time was over."""
    world, lender, borrower, match = pair
    deal = deals.propose(borrower, match, "--headcount", "2", "--accept-by", in_time(hours=1))
    deals.received(lender, deal)
    world.broker.kill()
    lender("deal", "accept", deal)
    for daemon in (world.broker, lender, borrower):
        daemon.turn_clock(hours=2)
    world.broker.start()
    ends = same_end((lender, borrower), [deal])
    assert ends[deal] == "void" and lender.deal(deal)["why"] == "lapsed"
    assert lender.deal(deal, "--lang", "nl")["why_text"] != lender.deal(deal, "--lang", "en")["why_text"]


# ---- amendments and ends

def test_an_amendment_takes_the_place_of_what_was_agreed(pair):
    _, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4", "--hours", "32")
    period = lender.deal(deal)["terms"]
    until_day = (datetime.date.fromisoformat(period["until"]) + datetime.timedelta(days=60)).isoformat()
    amendment = amend(lender, deal, "--headcount", "5", "--until", until_day)
    row = deals.received(borrower, amendment)
    assert row["amends"] == deal and row["terms"]["until"] == until_day and row["terms"]["hours_per_week"] == 32
    assert borrower.json("deal", "accept", amendment, "--wait", WAIT)["state"] in deals.DONE
    for node in (lender, borrower):
        assert settled(node, amendment)["state"] in deals.DONE
        assert until_row(node, deal, amended_by=amendment)["terms"]["headcount"] == 4
        assert agreed(node) == 5
    again = amend(borrower, deal, "--headcount", "3")
    deals.received(lender, again)
    assert lender.json("deal", "accept", again, "--wait", WAIT)["state"] in deals.DONE
    assert agreed(lender) == 3


def test_of_two_amendments_one_is_overtaken(pair):
    _, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    mine, theirs = amend(lender, deal, "--headcount", "5"), amend(borrower, deal, "--hours", "30")
    deals.received(borrower, mine)
    deals.received(lender, theirs)
    at_once(lambda: lender("deal", "accept", theirs, expect=None), lambda: borrower("deal", "accept", mine, expect=None))
    ends = same_end((lender, borrower), [mine, theirs])
    assert sorted(ends.values()) == sorted(["void", next(s for s in ends.values() if s != "void")])
    lost = next(d for d, s in ends.items() if s == "void")
    assert lender.deal(lost)["why"] == "overtaken"


def test_an_agreement_ends_with_notice_or_disputed(pair, tmp_path):
    _, lender, borrower, match = pair
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"ending": {"notice_days": 28}}))
    deal = deals.conclude(borrower, lender, match, "--headcount", "4", "--terms", terms)
    refused = lender("deal", "terminate", deal, "--effective", in_days(-1), expect=1)
    assert "effective" in refused.stderr
    day = in_days(3)
    ended = lender.json("deal", "terminate", deal, "--effective", day, "--wait", WAIT)
    assert ended["state"] == "terminated" and ended["effective"] == day and ended["disputed"]
    assert until_row(borrower, deal, state="terminated")["disputed"]
    assert borrower("deal", "terminate", deal, "--effective", day, expect=1).stderr.strip()
    again = deals.conclude(borrower, lender, match, "--headcount", "8", "--terms", terms)
    day = in_days(35)
    ended = borrower.json("deal", "terminate", again, "--effective", day, "--wait", WAIT)
    assert ended["state"] == "terminated" and not ended["disputed"]


def test_a_termination_overtaken_by_an_amendment_is_signed_again(pair):
    world, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    amendment = amend(lender, deal, "--headcount", "5")
    deals.received(borrower, amendment)
    day = in_days(20)
    lender.stop()
    lender("deal", "terminate", deal, "--effective", day)  # names the conclusion, as far as is known here
    assert borrower.json("deal", "accept", amendment, "--wait", WAIT)["state"] in deals.DONE
    lender.start()
    for node in (lender, borrower):
        assert until_row(node, amendment, state="terminated")["effective"] == day
        assert until_row(node, deal, state="terminated")


def test_a_termination_and_an_amendment_at_once_end_alike(pair):
    _, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    amendment = amend(borrower, deal, "--headcount", "5")
    deals.received(lender, amendment)
    day = in_days(20)
    at_once(lambda: lender("deal", "accept", amendment, expect=None),
            lambda: borrower("deal", "terminate", deal, "--effective", day, expect=None))
    for node in (lender, borrower):
        until_row(node, deal, state="terminated")
    ends = [settled(node, amendment) for node in (lender, borrower)]
    assert ends[0]["state"] == ends[1]["state"] and ends[0]["state"] in ("void", "terminated")


# ---- release

def test_release_before_conclusion(pair):
    _, lender, borrower, match = pair
    deal = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, deal)
    assert borrower.json("deal", "release", deal)["state"] == "releasing"
    until_row(lender, deal, release="received")
    assert borrower("deal", "withdraw", deal, expect=1).stderr.strip()
    assert lender.json("deal", "release", deal, "--sign")["state"] == "released"
    assert until_row(borrower, deal, state="released")
    again = deals.propose(borrower, match, "--headcount", "8")
    assert again != deal


def test_release_of_an_agreement_or_not(pair):
    _, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    lender("deal", "release", deal)
    assert lender.deal(deal)["state"] == "releasing"
    until_row(borrower, deal, release="received")
    assert borrower.json("deal", "release", deal, "--keep", "--wait", WAIT)["release"] == "kept"
    assert until_row(lender, deal, release="kept_by_other")["state"] in deals.DONE
    assert borrower("deal", "release", deal, "--sign", expect=1).stderr.strip()
    assert lender("deal", "release", deal, expect=1).stderr.strip()
    other = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender("deal", "release", other)
    until_row(borrower, other, release="received")
    borrower("deal", "release", other, "--sign", "--wait", WAIT)
    assert until_row(lender, other, state="released") and agreed(lender) == agreed(borrower) == 4


def test_both_ask_for_release_at_once(pair):
    _, lender, borrower, match = pair
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    at_once(lambda: lender("deal", "release", deal, expect=None), lambda: borrower("deal", "release", deal, expect=None))
    while any(node.deal(deal)["state"] != "released" for node in (lender, borrower)):
        for node in (lender, borrower):
            if node.deal(deal).get("release") == "received":  # the other was first, and this one was refused
                node("deal", "release", deal, "--sign", expect=None)


def test_release_asked_while_the_broker_is_gone(pair):
    """What was asked and answered without it waits, holds, and comes about when mail goes again."""
    world, lender, borrower, match = pair
    deal = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, deal)
    world.broker.kill()
    lender("deal", "accept", deal)
    borrower("deal", "release", deal)
    assert borrower.deal(deal)["state"] == "releasing"
    world.broker.start()
    until_row(lender, deal, release="received")
    lender("deal", "release", deal, "--sign")
    for node in (lender, borrower):
        assert until_row(node, deal, state="released") and agreed(node) == 0


# ---- periods on one offer

def test_overlapping_and_successive_periods_on_one_offer(pair):
    """All people for two weeks and again for the next two; not one more on a day of both."""
    _, lender, borrower, match = pair
    published = [node.json("offer", "list", "--mine")["offers"][0]["offer"] for node in (lender, borrower)]
    most = str(min(offer["headcount"] for offer in published))
    first = datetime.date.fromisoformat(max(offer["period"]["from"] for offer in published))
    days = [(first + datetime.timedelta(days=days)).isoformat() for days in (0, 6, 7, 13)]
    deals.conclude(borrower, lender, match, "--headcount", most, "--from", days[0], "--until", days[1])
    deals.conclude(borrower, lender, match, "--headcount", most, "--from", days[2], "--until", days[3])
    over = borrower("deal", "propose", match, "--headcount", most, "--from", days[1], "--until", days[2], expect=1)
    assert days[1] in over.stderr
    assert agreed(borrower) == agreed(lender) == 2 * int(most)
