"""The proof of an agreement that was changed and ended: one file, from either side, with all that became of it."""
import json

import pytest

from support import deals
from support.dates import in_days
from support.world import WAIT, call

NOWHERE = {"HOME": "/nonexistent", "PATH": "/nonexistent", "COLLEGA_HOME": ""}


def verify(program, path):
    result = call([program, "verify", "--json", path], expect=None, env=NOWHERE)
    return result.returncode, json.loads(result.stdout) if result.stdout else None


def proof(node, deal, path, *arguments):
    path.write_bytes(deals.prove(node, deal, *arguments))
    return verify(node.program, path)


@pytest.fixture
def changed(world_of, tmp_path):
    """Concluded for four, amended to five, and ended at a day."""
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "4", "--rate", "23,80")
    amendment = lender("deal", "amend", deal, "--headcount", "5").stdout.strip()
    deals.received(borrower, amendment)
    deals.accept(borrower, lender, amendment)
    return lender, borrower, deal, amendment


def test_amendment_and_termination_are_in_the_proof(changed, tmp_path):
    lender, borrower, deal, amendment = changed
    path = tmp_path / "proof.collega"
    for node in (lender, borrower):
        status, found = proof(node, deal, path)
        assert status == 0 and found["valid"] and found["terms"]["work"]["headcount"] == 5
        assert deals.prove(node, amendment)  # whichever of its deals is named
    day = in_days(30)
    borrower("deal", "terminate", deal, "--effective", day, "--wait", WAIT)
    while lender.deal(deal)["state"] != "terminated":
        lender("status")
    for node in (lender, borrower):
        status, found = proof(node, deal, path)
        assert status == 0 and found["valid"] and found["terminated_on"] == day, found


def test_hidden_sections_are_hidden_in_every_entry(changed, tmp_path):
    lender, _, deal, _ = changed
    status, found = proof(lender, deal, tmp_path / "proof.collega", "--hide", "rates,contact")
    assert status == 0 and found["valid"] and "rates" not in found["terms"]
    assert b"planning@snijder-logistiek" not in (tmp_path / "proof.collega").read_bytes()


def test_one_bit_changed_anywhere_fails(changed, tmp_path):
    lender, _, deal, _ = changed
    honest = deals.prove(lender, deal)
    path = tmp_path / "forged.collega"
    for place in range(0, len(honest), max(1, len(honest) // 40)):
        forged = bytearray(honest)
        forged[place] ^= 1 << (place % 8)
        path.write_bytes(forged)
        status, found = verify(lender.program, path)
        assert status == 1 and (found is None or not found["valid"]), place


def test_what_is_released_proves_nothing(changed):
    lender, borrower, deal, _ = changed
    lender("deal", "release", deal)
    while borrower.deal(deal).get("release") != "received":
        borrower("status")
    borrower("deal", "release", deal, "--sign", "--wait", WAIT)
    assert borrower("deal", "prove", deal, expect=1).stderr.strip()
