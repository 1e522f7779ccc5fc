"""A hosted party is revoked: those who live in the same home lose its offers, and their deals with it end, as elsewhere."""
import json

import pytest

from support import deals, hosting, offers
from support.hosting import EMPLOYERS
from support.dates import in_days
from support.world import WAIT, until
from test_parties import state_of, verified
from test_revocation import others_offers


@pytest.fixture
def neighbours(world_of):
    """Kept and revoked live in one home; a third employer has a home of its own, to compare with."""
    world = world_of(1)
    host, _ = hosting.network(world, 0)
    kept, gone = (hosting.add(world.broker, host, employer, "--wait", WAIT) for employer in (EMPLOYERS[1], EMPLOYERS[2]))
    lent = gone.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    return world, host, kept, gone, lent


def revoke(world, host, kept, gone):
    world.broker("revoke", "--reason", "contributie niet betaald", gone.kvk)
    until(lambda: state_of(host, gone.kvk)["state"] == "revoked")
    until(lambda: not kept.json("match", "list")["matches"])


def test_its_offers_are_gone_for_its_neighbours_and_for_others_alike(neighbours):
    world, host, kept, gone, lent = neighbours
    elsewhere = world.nodes[0]
    named = gone.publish({**offers.load("logistiek-heftruck-uit"), "audience": f"named:{kept.kvk}"}, "--wait", WAIT)
    asked = kept.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
    match = deals.match_of(kept, asked, lent)
    until(lambda: set(others_offers(kept)) == {lent, named})
    revoke(world, host, kept, gone)
    until(lambda: lent not in others_offers(elsewhere))
    for party in (kept, host, elsewhere):
        assert not {lent, named} & {row["id"] for row in party.json("offer", "list", "--all")["offers"]}, party
    for offer in (lent, named):
        assert kept("offer", "show", offer, expect=1).stderr
        assert kept("deal", "propose", "--to", offer, "--headcount", "2", expect=1).stderr
    assert kept("deal", "propose", match, "--headcount", "2", expect=1).stderr
    assert kept("match", "interest", match, expect=1).stderr
    # It still sees its own, and why nobody else does.
    own = {row["id"]: row for row in gone.json("offer", "list", "--mine")["offers"]}
    assert own[lent]["state"] == "refused" and own[lent]["refused"]["rule"] == "offer_of_revoked"
    # What it publishes now reaches nobody here either, and what the others publish still matches.
    late = gone("offer", "publish", "-", stdin=json.dumps(offers.load("logistiek-magazijn-uit"))).stdout.strip()
    assert gone.json("offer", "show", late)["state"] == "refused" and kept("offer", "show", late, expect=1).stderr
    third = elsewhere.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    deals.match_of(kept, asked, third)
    assert {row["counter"] for row in kept.json("match", "list")["matches"]} == {third}
    host.stop()
    before = [party.json("offer", "list", "--all") for party in (kept, gone, host)]
    host("ledger", "verify")
    host("ledger", "rebuild")
    assert [party.json("offer", "list", "--all") for party in (kept, gone, host)] == before
    assert {row["counter"] for row in kept.json("match", "list")["matches"]} == {third}


def test_what_is_open_with_a_revoked_neighbour_ends(neighbours, tmp_path):
    world, host, kept, gone, lent = neighbours
    asked = kept.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
    match = deals.match_of(kept, asked, lent)
    agreed = deals.conclude(gone, kept, match, "--headcount", "2")
    theirs = deals.propose(gone, match, "--headcount", "2")
    deals.received(kept, theirs)
    proposed = deals.propose(kept, match, "--headcount", "3")
    deals.received(gone, proposed)
    amended = kept("deal", "amend", agreed, "--headcount", "3").stdout.strip()
    deals.received(gone, amended)
    revoke(world, host, kept, gone)
    refused = kept("deal", "accept", theirs, "--wait", WAIT, expect=1).stderr
    assert "revoked" in refused or "membership" in refused, refused
    assert kept("deal", "amend", agreed, "--headcount", "2", expect=1).stderr
    for command in (["deal", "accept", proposed], ["deal", "withdraw", theirs]):
        gone(*command, "--wait", "2", expect=None)
    assert gone.deal(proposed)["state"] not in deals.DONE and kept.deal(theirs)["state"] == "received"
    # What was agreed can be ended by the other side, and the proof is good.
    kept("deal", "terminate", agreed, "--effective", in_days(60), "--wait", WAIT)
    until(lambda: kept.deal(agreed)["state"] == "terminated")
    found = verified(kept, agreed, tmp_path / "proof.collega")
    assert found["valid"] and found["terminated_on"] == in_days(60), found
    # What is open ends after accept_by, by the decider's word, at both.
    for daemon in (host, world.broker):
        daemon.stop()
        daemon.turn_clock(days=10)
    world.broker.start()
    host.start()
    until(lambda: all(party.deal(deal)["state"] == "void" for deal in (theirs, proposed, amended)
                                    for party in (kept, gone)))
    host.stop()
    before = kept.deals(), gone.deals()
    host("ledger", "rebuild")
    assert (kept.deals(), gone.deals()) == before
