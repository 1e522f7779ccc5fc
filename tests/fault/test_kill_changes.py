"""Kill -9 while an agreement is amended and ended, and while it is released: whatever dies is started again, and both
sides come to the same end."""
import signal

import pytest

from support import deals, truth
from support.dates import in_days
from support.world import World
from test_kill import POINTS, VICTIMS, Watched

SKIPPED = {"node_publish_before_commit", "node_publish_after_commit", "node_receipt_before_commit"}  # nothing is published
CASES = [(point, which) for point, side in POINTS if point not in SKIPPED for which in VICTIMS[side]]


def agreement(directory, which, point):
    """A running agreement; then the victim is started anew with its fault."""
    world = World(directory, 2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    victim = {"lender": lender, "borrower": borrower, "broker": world.broker}[which]
    victim.stop()
    victim.start(wait=False, env={"COLLEGA_FAULT": f"{point}:1"})
    return world, lender, borrower, deal, Watched(world, victim, f"{point}:1")


def rows(node):
    return {row["id"]: row for row in node.deals()}


def verified(world):
    for node in world.nodes:
        node.stop()
        node("ledger", "verify")
        before = rows(node)
        node("ledger", "rebuild")
        assert rows(node) == before


@pytest.mark.parametrize("point,which", CASES, ids=lambda value: str(value))
def test_amended_and_ended(tmp_path, point, which):
    world, lender, borrower, deal, watched = agreement(tmp_path, which, point)
    with world:
        amendment = lender("deal", "amend", deal, "--headcount", "5").stdout.strip()
        watched.until(lambda: amendment in rows(borrower))
        borrower("deal", "accept", amendment)
        day = in_days(20)
        lender("deal", "terminate", deal, "--effective", day)  # before or after the amendment's place is taken
        watched.until(lambda: all(rows(node)[deal]["state"] == "terminated" for node in world.nodes))
        watched.until(lambda: all(rows(node)[amendment]["state"] in ("void", "terminated") for node in world.nodes))
        assert rows(lender)[amendment]["state"] == rows(borrower)[amendment]["state"]
        verified(world)


@pytest.mark.parametrize("point,which", CASES, ids=lambda value: str(value))
def test_released(tmp_path, point, which):
    world, lender, borrower, deal, watched = agreement(tmp_path, which, point)
    with world:
        lender("deal", "release", deal)
        watched.until(lambda: rows(borrower)[deal].get("release") == "received")
        borrower("deal", "release", deal, "--sign")
        watched.until(lambda: all(rows(node)[deal]["state"] == "released" for node in world.nodes))
        verified(world)


def test_released_by_one_request_alone(tmp_path):
    """Both sides lodge a release. Who signed it is killed between its letter and its request, as often as it takes: the other
    side's request is the only one there is, and what the decider said to that holds."""
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "4")
        lender("deal", "release", deal)
        while rows(borrower)[deal].get("release") != "received":
            borrower("status")
        truth.settled(world)
        borrower.stop()
        borrower("deal", "release", deal, "--sign")
        while rows(lender)[deal]["state"] != "released":
            if not borrower.running():
                borrower.start(wait=False, env={"COLLEGA_FAULT": "node_send_before:2"})  # the letter goes first
        lender.sent()
        assert borrower.wait() == -signal.SIGKILL
        alone = truth.check(world)
        register, = alone.registers.values()
        assert register["released"]
        borrower.start()
        truth.told(world)
