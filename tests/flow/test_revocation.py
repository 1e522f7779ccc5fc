"""A member is revoked while it has deals in every state: it is cut off at once, what was decided stays, what is open ends."""
import json

import pytest

from support import deals, offers
from support.dates import in_days
from support.world import WAIT, Node, until
from test_deal_proofs import proof


def others_offers(node):
    return [row["id"] for row in node.json("offer", "list")["offers"] if not row["mine"]]


@pytest.fixture
def pair(world_of):
    world = world_of(2)
    kept, gone = world.nodes
    _, _, match = deals.matched(kept, gone)  # the borrower is revoked
    return world, kept, gone, match


def revoke(world, member, kept):
    world.broker("revoke", "--reason", "contributie niet betaald", member.kvk)
    until(lambda: member.json("status")["broker"].get("why") in ("link_handshake", "link_key_unknown"))
    until(lambda: not others_offers(kept))


@pytest.mark.parametrize("up", [True, False], ids=["broker_up", "broker_down"])
def test_a_revoked_member_is_cut_off_and_its_offers_are_gone(pair, tmp_path, up):
    world, kept, gone, match = pair
    assert others_offers(kept)
    agreed = deals.conclude(gone, kept, match, "--headcount", "2")
    if not up:
        world.broker.stop()
        world.broker("revoke", gone.kvk)
        world.broker.start()
        until(lambda: not others_offers(kept))
        until(lambda: gone.json("status")["broker"].get("why") in ("link_handshake", "link_key_unknown"))
    else:
        revoke(world, gone, kept)
    assert not kept.json("match", "list")["matches"]
    assert gone("status", "--lang", "nl").stdout
    late = offers.load("voedsel-orderpickers-in")
    assert gone("offer", "publish", "-", "--wait", "1", expect=3, stdin=json.dumps(late)).stderr
    assert not others_offers(kept)
    assert kept("deal", "propose", match, "--headcount", "2", expect=1).stderr
    status, found = proof(kept, agreed, tmp_path / "proof.collega")
    assert status == 0 and found["valid"], found  # decided before
    members = world.broker.json("members")["members"]
    assert [row["revoked"] for row in members if row["kvk"] == gone.kvk] == [True]
    assert world.broker("revoke", gone.kvk, expect=1).stderr


def test_what_is_open_with_a_revoked_member_ends(pair, tmp_path):
    world, kept, gone, match = pair
    agreed = deals.conclude(gone, kept, match, "--headcount", "2")
    theirs = deals.propose(gone, match, "--headcount", "2")
    deals.received(kept, theirs)
    proposed = kept("deal", "propose", match, "--headcount", "3", "--wait", WAIT).stdout.strip()
    deals.received(gone, proposed)
    amended = kept("deal", "amend", agreed, "--headcount", "3").stdout.strip()
    deals.received(gone, amended)
    revoke(world, gone, kept)
    refused = kept("deal", "accept", theirs, "--wait", WAIT, expect=1).stderr
    assert "revoked" in refused or "membership" in refused, refused
    assert kept("deal", "amend", agreed, "--headcount", "2", expect=1).stderr
    gone("deal", "withdraw", theirs)
    assert gone.deal(theirs)["state"] == "proposed"  # it binds until the decider speaks, and it is not heard
    # What was agreed can be ended by the other side, and the proof of both is good.
    kept("deal", "terminate", agreed, "--effective", in_days(60), "--wait", WAIT)
    until(lambda: kept.deal(agreed)["state"] == "terminated")
    status, found = proof(kept, agreed, tmp_path / "proof.collega")
    assert status == 0 and found["valid"] and found["terminated_on"] == in_days(60), found
    # What is open ends after accept_by, by the decider's word.
    for daemon in (kept, world.broker):
        daemon.stop()
        daemon.turn_clock(days=10)
    world.broker.start()
    kept.start()
    until(lambda: all(kept.deal(deal)["state"] == "void" for deal in (theirs, proposed, amended)))
    kept.stop()
    before = kept.deals()
    kept("ledger", "rebuild")
    assert kept.deals() == before and not others_offers(kept)


def test_a_new_home_is_the_way_back(pair):
    world, kept, gone, _ = pair
    revoke(world, gone, kept)
    refused = gone("join", world.broker.invite(gone.name, gone.kvk), "--wait", WAIT, expect=1).stderr
    assert "member" in refused
    again = Node(world.directory, "Versgoed Opnieuw BV", gone.kvk, "J. Verhagen", "directeur")
    again.init()
    again("join", world.broker.invite(again.name, again.kvk))
    again.start()
    try:
        assert again.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
        until(lambda: others_offers(kept))
    finally:
        again.stop()
