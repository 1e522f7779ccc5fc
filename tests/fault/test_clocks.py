"""Clocks that are hours off, at either node or at the broker. Deals come about all the same, the decider's clock decides
whether an acceptance came in time, and both sides agree on that whatever their own clocks say."""
import datetime

import pytest

from support import deals, truth
from support.world import WAIT, World

WHO = ["broker", "lender", "borrower"]


def world_with(directory, which, hours):
    """One clock is off from before anything was made."""
    world = World(directory, 2, start=False)
    off = {"broker": world.broker, "lender": world.nodes[0], "borrower": world.nodes[1]}[which]
    off.turn_clock(hours=hours)
    return world.open()


def in_utc(hours):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("hours", [-7, 7])
@pytest.mark.parametrize("which", WHO)
def test_a_deal_and_its_changes_come_about(tmp_path, which, hours):
    with world_with(tmp_path, which, hours) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "3")
        amendment = lender("deal", "amend", deal, "--headcount", "4").stdout.strip()
        deals.received(borrower, amendment)
        assert borrower.json("deal", "accept", amendment, "--wait", WAIT)["state"] in deals.DONE
        day = (datetime.date.today() + datetime.timedelta(days=20)).isoformat()
        assert borrower.json("deal", "terminate", deal, "--effective", day, "--wait", WAIT)["state"] == "terminated"
        for node, sign in ((lender, "lender"), (borrower, "borrower")):
            off = hours if which == "broker" else -hours if which == sign else 0
            difference = node.json("status")["broker"]["clock_difference_ms"] / 3_600_000
            assert abs(difference - off) < 0.1, (sign, difference)
        for node in world.nodes:
            proof = tmp_path / f"{node.name}.collega"
            proof.write_bytes(deals.prove(node, deal))
            assert node.json("verify", proof)["valid"]
        truth.told(world)


@pytest.mark.parametrize("which", WHO)
@pytest.mark.parametrize("hours", [-7, 7])
def test_both_come_to_the_same_end_about_a_deadline_between_the_clocks(tmp_path, which, hours):
    """Three hours from now: past already by a clock that is seven hours ahead, and far away by one that is behind."""
    with world_with(tmp_path, which, hours) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        made = borrower("deal", "propose", match, "--headcount", "2", "--accept-by", in_utc(3), expect=None)
        if made.returncode == 0:
            deal = made.stdout.strip()
            while borrower.deal(deal)["waits_for_signature"]:
                borrower("status")
            if borrower.deal(deal)["state"] != "void":  # it was signed, and reached the other
                deals.received(lender, deal)
                accepted = lender("deal", "accept", deal, "--wait", WAIT, expect=None)
                assert accepted.returncode == 0 or accepted.stderr.strip()
        else:
            assert which == "borrower" and hours > 0 and "accept-by" in made.stderr.replace("_", "-")
        found = truth.settled(world)
        states = {row["state"] for rows in found.deals().values() for row in rows.values()}
        if made.returncode == 0 and (which, hours) == ("broker", 7):
            assert states == {"VOID"}  # by the decider's clock it was late
        elif made.returncode == 0 and (which, hours) == ("borrower", -7):
            assert states == {"CONCLUDED"}  # the others' clocks are right
        for daemon in (world.broker, lender, borrower):  # every clock past it: nothing stays open
            daemon.turn_clock(hours=24 + hours)
        truth.settled(world, past=True)
        truth.rebuilt(world)
