"""The public library on deals that live: every act on them, what the other side is told, and events that are rare."""
import secrets
import signal
import time

import pytest

from support import deals, hosting, offers, wire
from support.library import REFUSED, START_BEGINNING, Library, Refusal
from support.wire import DAY_MS, Network, schema
from support.world import WAIT, binaries

pytestmark = pytest.mark.skipif(any(name in str(binaries()) for name in ("asan", "tsan")),
                                reason="an interpreter without the sanitizer cannot load the library")
ASK, SIGN, KEEP = range(3)


class Side(Library):
    """A party that follows what happens to it."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.follow("hr")

    def until(self, deal, *states):
        return self.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == deal and e["deal"]["state"] in states)["deal"]

    def refused(self, name, *arguments):
        with pytest.raises(Refusal) as refusal:
            self(name, *arguments)
        assert refusal.value.code == REFUSED and refusal.value.rule and str(refusal.value)
        return refusal.value.rule


@pytest.fixture
def pair(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lent, asked, match = deals.matched(lender, borrower)
    sides = Side(lender.home), Side(borrower.home)
    yield world, match, *sides
    for side in sides:
        side.close()


def proposed(match, lender, borrower, headcount=2):
    deal = borrower("deal_propose", *borrower.text({"match": match, "headcount": headcount}))["id"]
    lender.until(deal, "received")
    return deal


def agreed(match, lender, borrower):
    deal = proposed(match, lender, borrower)
    lender("deal_accept", deal, None)
    for side in (lender, borrower):
        side.until(deal, *deals.DONE)
    return deal


def test_a_proposal_is_declined_and_another_is_withdrawn(pair):
    _, match, lender, borrower = pair
    deal = proposed(match, lender, borrower)
    borrower.refused("deal_decline", deal)
    lender.refused("deal_withdraw", deal)
    lender("deal_decline", deal)
    for side in (lender, borrower):
        assert side.until(deal, "void")["why"]
    again = proposed(match, lender, borrower)
    borrower("deal_withdraw", again)
    for side in (lender, borrower):
        assert side.until(again, "void")["why"]
    lender.refused("deal_accept", again, None)


def test_an_agreement_is_amended_and_ended(pair):
    _, match, lender, borrower = pair
    deal = agreed(match, lender, borrower)
    with pytest.raises(Refusal):
        borrower("deal_amend", deal, *borrower.text({}))
    change = borrower("deal_amend", deal, *borrower.text({"headcount": 3}))
    assert change["amends"] == deal
    lender.until(change["id"], "received")
    lender("deal_accept", change["id"], None)
    for side in (lender, borrower):
        side.until(change["id"], *deals.DONE)
        assert side("deal_show", change["id"])["terms"]["headcount"] == 3
        assert side("deal_show", deal)["amended_by"] == change["id"]
    with pytest.raises(Refusal):
        lender("deal_terminate", change["id"], "soon", None)
    last = lender("deal_show", change["id"])["terms"]["until"]
    for people in (0, 3, 10001):
        with pytest.raises(Refusal) as refusal:
            lender("deal_terminate_part", change["id"], people, last[:8] + "01", None)
        assert refusal.value.rule == ("terminate_headcount" if people == 3 else "range"), people
    lender("deal_terminate_part", change["id"], 2, last[:8] + "01", None)
    for side in (lender, borrower):
        side.wait_for(lambda event: event["event"] == "deal" and event["deal"].get("people_left") == 1)
    lender("deal_terminate", change["id"], last[:8] + "01", None)
    for side in (lender, borrower):
        side.until(change["id"], "terminated")
        assert side("deal_show", change["id"])["effective"]


def test_a_release_is_asked_kept_and_signed(pair):
    world, match, lender, borrower = pair
    deal = agreed(match, lender, borrower)
    lender.refused("deal_release", deal, SIGN)  # nobody asked
    with pytest.raises(Refusal):
        lender("deal_release", deal, 7)
    borrower("deal_release", deal, ASK)
    lender.wait_for(lambda e: e["event"] == "deal" and e["deal"].get("release") == "received")
    lender("deal_release", deal, KEEP)
    borrower.until(deal, *deals.DONE)
    other = agreed(match, lender, borrower)
    borrower("deal_release", other, ASK)
    lender.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == other and e["deal"].get("release") == "received")
    lender("deal_release", other, SIGN)
    for side in (lender, borrower):
        side.until(other, "released")


def test_what_the_broker_does_not_take_is_an_event(pair):
    world, match, lender, borrower = pair
    world.nodes[1].stop()
    borrower("match_interest", match, "Is er nog plaats?")  # waits in the outbox
    world.broker("revoke", world.nodes[0].kvk)
    world.nodes[1].start()
    told = borrower.wait_for(lambda e: e["event"] == "refused")
    assert told["rule"] and told["text"] and told["rule"] != told["text"]


def test_mail_that_cannot_be_opened_is_an_event_and_nothing_stops(pair):
    world, match, lender, borrower = pair
    network = Network(world.broker)
    stranger = wire.Party()
    network.join(stranger, "Python BV", "45678901")
    to = bytes.fromhex(lender("node_status")["node"]["id"])
    with network.session(stranger) as client:
        envelope = schema("mail").Envelope(**{"from": stranger.id}, to=to, epoch=stranger.epoch, seq=1,
                                           not_after=int(time.time() * 1000) + 30 * DAY_MS,
                                           sealed=secrets.token_bytes(1024), sealed_to=0).SerializeToString()
        client.say(send=schema("link").Send(envelope=envelope, head=stranger.head()))
        client.hear("stored")
    told = lender.wait_for(lambda e: e["event"] == "unreadable")
    assert told["rule"] and told["text"] and told["rule"] != told["text"]
    agreed(match, lender, borrower)


def test_another_part_of_the_board_is_told(pair):
    world, _, lender, borrower = pair
    node = world.nodes[1]
    settings = node.home / "settings.ini"
    settings.write_text(settings.read_text() + "[follow]\nkinds = transfer_out\n")
    node.process.send_signal(signal.SIGHUP)
    borrower.wait_for(lambda e: e["event"] == "board_reset")
    listed = borrower("offers_list", 0, None)["offers"]
    assert all(row["mine"] for row in listed)


def test_each_party_of_a_home_has_its_own_events_and_place(world_of):
    world = world_of(0)
    host, (lender, borrower) = hosting.network(world)
    theirs, ours = (Side(host.home, party=party.kvk) for party in (lender, borrower))
    itself = Side(host.home)
    lent = theirs.publish(offers.load("logistiek-magazijn-uit"))
    theirs.wait_for(lambda e: e["event"] == "offer" and e["what"] == "receipted" and e["offer"]["id"] == lent)
    asked = ours.publish(offers.load("voedsel-orderpickers-in"))
    match = ours.wait_for(lambda e: e["event"] == "match" and e["match"]["offer"] == asked)["match"]["id"]
    deal = proposed(match, theirs, ours)
    theirs("deal_accept", deal, None)
    # One consumer's name, three parties: what one has acknowledged is still to come for the others, also after a crash.
    told = theirs.until(deal, *deals.DONE)
    assert not told["mine"] and told["lends"]
    ours.close()
    ours = Side(host.home, party=borrower.kvk)
    told = ours.until(deal, *deals.DONE)
    assert told["mine"] and not told["lends"]
    assert {e["deal"]["mine"] for e in ours.seen if e["event"] == "deal"} == {True}
    with pytest.raises(Refusal):
        itself("deal_show", deal)
    again = Side(host.home, party=lender.kvk)  # goes on where it was: what may come is new
    while event := again("next_event"):
        assert event["id"] not in {seen["id"] for seen in theirs.seen}
    whole = Library(host.home)
    whole.follow("all", START_BEGINNING)
    told = []
    while event := whole("next_event"):
        told.append(event)
    assert not [e for e in told if e["event"] in ("deal", "talk")]  # the host has no part in it
    for side in (theirs, ours, itself, again, whole):
        side.close()
