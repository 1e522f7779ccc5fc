"""Kill -9 while keys change: the command that makes the card, the node that sends it, the broker that takes it. The next
command finds one truth, and a deal is concluded with it."""
import re
import signal

import pytest

from support import deals
from support.world import ROOT, World, within

POINTS = [point for point, side in re.findall(r"^FAULT\((\w+), (\w+)\)", (ROOT / "base" / "fault.def").read_text(), re.M)
          if side == "key"]
DAEMONS = [("node_send_before", "node"), ("node_send_after", "node"), ("node_receipt_before_commit", "node"),
           ("node_intake_after_commit", "node"), ("broker_commit_before", "broker"), ("broker_commit_after", "broker"),
           ("broker_answer_after", "broker")]


def cards(node):
    text = next(node.home.glob("parties/*/identity")).read_text()
    return [line.split()[1] for line in text.splitlines() if line.startswith("card ")]


def settled(node):
    status = node.json("status")
    return status["broker"]["connected"] and not status["outbox"]["waiting"]


def goes_on(world, number):
    """Both are connected, the lender's card is this one, and an agreement comes about under it."""
    lender, borrower = world.nodes
    for _ in within():
        if all(settled(node) for node in world.nodes):
            break
        for daemon in (world.broker, *world.nodes):
            if not daemon.running():
                assert daemon.process.returncode == -signal.SIGKILL
                daemon.start()
    assert cards(lender) == [str(n) for n in range(number + 1)]
    _, _, match = deals.matched(lender, borrower)
    deals.conclude(borrower, lender, match, "--headcount", "2")
    lender.stop()
    lender("ledger", "verify")
    lender("ledger", "rebuild")


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("point", POINTS)
def test_a_command_that_dies_leaves_the_old_card_or_the_new_one(tmp_path, point, up):
    with World(tmp_path, 2) as world:
        lender = world.nodes[0]
        if not up:
            lender.stop()
        died = lender("key", "rotate", expect=None, env={"COLLEGA_FAULT": f"{point}:1"})
        assert died.returncode == -signal.SIGKILL
        lender("mandate", "add", "--signatory", "N. Nieuw", "--function", "directeur")  # the next number is given out
        made = 1 if point == "key_committed" else 0
        assert lender.json("key", "rotate")["card"] == made + 1
        lender("mandate", "end", lender.json("mandate", "list")["mandates"][1]["id"])
        if not up:
            lender.start()
        goes_on(world, made + 1)


@pytest.mark.parametrize("point,side", DAEMONS, ids=[point for point, _ in DAEMONS])
def test_a_daemon_that_dies_over_a_card_comes_back_with_it(tmp_path, point, side):
    with World(tmp_path, 2) as world:
        lender = world.nodes[0]
        victim = lender if side == "node" else world.broker
        victim.stop()
        lender("key", "rotate")
        victim.start(wait=False, env={"COLLEGA_FAULT": f"{point}:1"})
        goes_on(world, 1)
