"""From a published offer to a provable agreement, as users see it."""
import json

import pytest

from support import deals, offers
from support.world import WAIT, call

NOWHERE = {"HOME": "/nonexistent", "PATH": "/nonexistent", "COLLEGA_HOME": ""}


def verify(program, path, *arguments, expect=None):
    result = call([program, "verify", "--json", *arguments, path], expect=expect, env=NOWHERE)
    return result.returncode, json.loads(result.stdout) if result.stdout else None, result.stderr


@pytest.fixture
def agreement(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "6", "--hours", "32", "--rate", "23,80")
    return world, deal


def test_an_agreement_is_the_same_on_both_sides(agreement):
    world, deal = agreement
    lender, borrower = (node.deal(deal) for node in world.nodes)
    assert lender["terms"] == borrower["terms"]
    assert lender["terms"]["headcount"] == 6 and lender["terms"]["rates"]["hourly_cents"] == 2380
    assert lender["lends"] and not borrower["lends"]
    assert borrower["mine"] and not lender["mine"]
    assert lender["counterparty"]["name"] == borrower_name(world) and lender["counterparty"]["kvk"] == "23456789"


def borrower_name(world):
    return world.nodes[1].name


def test_the_proof_verifies_anywhere_and_names_who_signed(agreement, tmp_path):
    world, deal = agreement
    for node in world.nodes:
        path = tmp_path / "proof.collega"
        path.write_bytes(deals.prove(node, deal))
        status, found, _ = verify(node.program, path, expect=0)
        assert found["valid"] and not found["trusted"] and not found["why"]
        assert found["lender"]["name"] == world.nodes[0].name and found["lender"]["signed_by"] == "M. de Wit"
        assert found["borrower"]["signed_by"] == "J. Verhagen"
        assert found["terms"]["rates"]["hourly_cents"] == 2380
        fingerprint = world.broker.json("status")["broker"]["fingerprint"]
        status, found, _ = verify(node.program, path, "--trust", fingerprint, expect=0)
        assert found["trusted"]


def test_hidden_sections_stay_hidden_and_the_proof_still_fits(agreement, tmp_path):
    world, deal = agreement
    path = tmp_path / "proof.collega"
    path.write_bytes(deals.prove(world.nodes[0], deal, "--hide", "rates,contact"))
    _, found, _ = verify(world.nodes[0].program, path, expect=0)
    assert found["valid"] and "rates" not in found["terms"] and found["terms"]["work"]["headcount"] == 6
    assert b"planning@snijder-logistiek" not in path.read_bytes()


def test_one_bit_changed_anywhere_fails(agreement, tmp_path):
    world, deal = agreement
    honest = deals.prove(world.nodes[0], deal)
    path = tmp_path / "forged.collega"
    for place in range(0, len(honest), max(1, len(honest) // 60)):
        forged = bytearray(honest)
        forged[place] ^= 1 << (place % 8)
        path.write_bytes(forged)
        status, found, words = verify(world.nodes[0].program, path)
        assert status == 1 and words.strip(), place
        assert found is None or not found["valid"]
    path.write_bytes(honest[:-1])
    assert verify(world.nodes[0].program, path)[0] == 1


def test_a_forged_world_is_not_known_and_not_trusted(agreement, world_of, tmp_path):
    world, _ = agreement
    forged = world_of(2)
    _, _, match = deals.matched(*forged.nodes)
    deal = deals.conclude(forged.nodes[1], forged.nodes[0], match)
    path = tmp_path / "proof.collega"
    path.write_bytes(deals.prove(forged.nodes[0], deal))
    _, found, _ = verify(world.nodes[0].program, path, expect=0)
    assert found["valid"] and not found["trusted"]
    fingerprint = world.broker.json("status")["broker"]["fingerprint"]
    status, found, words = verify(world.nodes[0].program, path, "--trust", fingerprint)
    assert status == 1 and found["valid"] and not found["trusted"] and words.strip()


def test_a_declined_proposal_is_void_at_both_and_frees_the_people(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "8")
    deals.received(lender, deal)
    assert lender.json("deal", "decline", deal, "--wait", WAIT)["state"] == "void"
    assert borrower.deal(deal, "--wait", WAIT)["state"] == "void"
    again = deals.conclude(borrower, lender, match, "--headcount", "8")
    assert again != deal


def test_a_withdrawn_proposal_is_void_at_both(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match)
    deals.received(lender, deal)
    assert borrower.json("deal", "withdraw", deal, "--wait", WAIT)["state"] == "void"
    assert lender.deal(deal, "--wait", WAIT)["state"] == "void"


def test_a_proposal_to_an_offer_needs_no_offer_of_ones_own(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lent = lender.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    offers.listed(borrower, lent)
    deal = borrower("deal", "propose", "--to", lent, "--headcount", "3", "--wait", WAIT).stdout.strip()
    deals.received(lender, deal)
    assert lender.json("deal", "accept", deal, "--wait", WAIT)["state"] in deals.DONE


def test_people_are_never_promised_twice(world_of):
    """Ten bidders for a headcount of three: at most three people are agreed."""
    world = world_of(11)
    lender, bidders = world.nodes[0], world.nodes[1:]
    lent = lender.publish({**offers.load("logistiek-heftruck-uit"), "headcount": 3}, "--wait", WAIT)
    ids = []
    for bidder in bidders:
        asked = bidder.publish({**offers.load("logistiek-heftruck-in"), "headcount": 1}, "--wait", WAIT)
        match = deals.match_of(bidder, asked, lent)
        ids.append(deals.propose(bidder, match, "--headcount", "1"))
    accepted = []
    for deal in ids:
        deals.received(lender, deal)
        result = lender("deal", "accept", deal, "--json", expect=None)
        if result.returncode == 0:
            accepted.append(deal)
        else:
            assert result.returncode == 1 and result.stderr.strip()
    assert len(accepted) == 3
    for deal in accepted:
        assert lender.deal(deal, "--wait", WAIT)["state"] in deals.DONE
    people = sum(row["terms"]["headcount"] for row in lender.deals() if row["state"] in deals.DONE)
    assert people == 3


def test_ledgers_verify_and_rebuild_to_the_same(agreement):
    world, deal = agreement
    for node in world.nodes:
        node.stop()
        before = node.deals(), node.json("offer", "list", "--all")
        node("ledger", "verify")
        node("ledger", "rebuild")
        assert (node.deals(), node.json("offer", "list", "--all")) == before
        assert all(entry["number"] == i + 1 for i, entry in
                   enumerate(node.json("ledger", "log", "--last", "1000000")["entries"]))
