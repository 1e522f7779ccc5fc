"""A restore of either side, and of the broker that decides, from a backup taken at each step of a deal, at each later
step. The invariants hold, the deal ends as if nothing had happened, and everybody goes on."""
import json
import signal
import time

import pytest

from support import deals, offers
from support.world import DEADLINE, WAIT, World

STEPS = ["published", "proposed", "received", "accepted", "concluded"]
CASES = [(which, STEPS[taken], STEPS[back])
         for which in ("lender", "borrower", "broker")
         for taken in range(len(STEPS)) for back in range(taken, len(STEPS))]


class Deal:
    """A deal that goes one step at a time, and stands still between them."""

    def __init__(self, world):
        self.world, self.broker = world, world.broker
        self.lender, self.borrower = world.nodes
        self.id = self.match = None

    def published(self):
        self.lent, self.asked, self.match = deals.matched(self.lender, self.borrower)
        self.lender.stop()

    def proposed(self):
        """The broker has it, the lender has not."""
        self.id = deals.propose(self.borrower, self.match, "--headcount", "6")

    def received(self):
        self.lender.start()
        deals.received(self.lender, self.id)

    def accepted(self):
        """Signed, and the decider dies over it."""
        self.borrower.stop()  # it would ask, and the decider dies over that too
        self.broker.stop()
        self.lender("deal", "accept", self.id)
        for _ in within():
            if self.lender.deal(self.id)["state"] == "pending":
                break
            self.broker.start(env={"COLLEGA_FAULT": "broker_decide_before_commit:1"})
            assert self.broker.wait() == -signal.SIGKILL

    def concluded(self):
        """The acceptance of a lender that was restored is gone if nothing of it had reached the broker: once it has
        fetched what there is, the lender accepts again."""
        self.broker.start()
        self.borrower.start()
        for _ in within():
            status = self.lender.json("status")["broker"]
            row = self.lender.deal(self.id) if status["connected"] and not status["behind"] else {"state": ""}
            if row["state"] in deals.DONE:
                break
            if row["state"] == "received" and not row["waits_for_signature"]:
                self.lender("deal", "accept", self.id)
            self.lender("deal", "list", "--wait", "1", expect=None)
        for node in self.world.nodes:
            assert until(node, self.id, deals.DONE)


def within():
    """Until the deadline: fails after it."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        yield
    raise AssertionError("it did not come about in time")


def until(node, deal, states):
    for _ in within():
        found = next((row for row in node.deals() if row["id"] == deal), None)
        if found and found["state"] in states:
            return found
        assert not found or found["state"] != "void", found
        node("deal", "list", "--wait", "1", expect=None)


def backup(daemon, directory):
    daemon(*(["backup"] if daemon.program.name == "collega-broker" else ["ledger", "backup"]), directory)
    return directory


def restore(daemon, directory):
    """The same daemon in a new home, made of the backup; the old home is gone."""
    running = daemon.running()
    daemon.kill()
    gone = daemon.home.rename(daemon.home.with_name(daemon.home.name + "-gone"))
    assert gone.is_dir()
    daemon(*(["restore"] if daemon.program.name == "collega-broker" else ["ledger", "restore"]), directory)
    if running:
        daemon.start()


@pytest.mark.parametrize("which,taken,back", CASES, ids=lambda value: value)
def test_a_restore_at_any_step_leaves_one_truth(tmp_path, which, taken, back):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        victim = {"lender": lender, "borrower": borrower, "broker": world.broker}[which]
        deal = Deal(world)
        for step in STEPS:
            getattr(deal, step)()
            if step == taken:
                copy = backup(victim, tmp_path / "backup")
            if step == back:
                restore(victim, copy)
        for node in world.nodes:
            assert until(node, deal.id, deals.DONE)
        if which == "broker" and taken != "concluded":
            # What its backup did not hold the decider has learned again, and says in its new epoch.
            for node in world.nodes:
                for _ in within():
                    if back not in ("accepted", "concluded") or "question" in kinds(node):
                        break
                    node("deal", "list", "--wait", "1", expect=None)
        if which != "broker":
            assert "adopted" in kinds(victim)
        # Everybody goes on: new numbers are taken, and another deal comes about.
        more = lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
        wanted = borrower.publish({**offers.load("logistiek-heftruck-in"), "headcount": 1}, "--wait", WAIT)
        second = deals.conclude(borrower, lender, deals.match_of(borrower, wanted, more), "--headcount", "1")
        for node in world.nodes:
            assert {row["id"]: row["state"] in deals.DONE for row in node.deals()} == {deal.id: True, second: True}
            assert node.json("status")["outbox"]["waiting"] == 0
            node.stop()
            node("ledger", "verify")
            before = json.dumps(node.deals())
            node("ledger", "rebuild")
            assert json.dumps(node.deals()) == before


def kinds(node):
    return [entry["kind"] for entry in node.json("ledger", "log", "--last", "100000")["entries"]]
