"""Kill -9 of the broker and of either node at every fault point of base/fault.def. Whatever dies is started again, and
the deal ends as the design says: concluded at both, or nowhere; every receipt is honoured; nothing takes effect twice."""
import json
import os
import re
import signal

import pytest

from support import deals, offers
from support.world import ROOT, Failed, World, within

POINTS = re.findall(r"^FAULT\((\w+), (\w+)\)", (ROOT / "base" / "fault.def").read_text(), re.M)
LONG = bool(os.environ.get("COLLEGA_LONG"))
# The nth passage at which the process dies. A broker commits at its start too, so its first passage may be that.
COUNTS = {"node": (1, 2, 3) if LONG else (1,), "broker": tuple(range(1, 13)) if LONG else (1, 2, 4)}
# The last three have tests of their own: test_kill_keys.py, test_kill_import.py, test_kill_copy.py.
VICTIMS = {"node": ("lender", "borrower"), "broker": ("broker",), "key": (), "import": (), "copy": ()}
CASES = [(point, which, n) for point, side in POINTS for which in VICTIMS[side] for n in COUNTS[side]]
# Passages beyond the first need not occur in so short a flow; the first must.


class Watched:
    """Runs commands and restarts what died, without the fault the second time."""

    def __init__(self, world, victim, fault):
        self.world, self.victim, self.fault, self.killed = world, victim, fault, 0

    def revive(self):
        for daemon in [self.world.broker, *self.world.nodes]:
            if not daemon.running():
                assert daemon.process.returncode == -signal.SIGKILL, daemon.log.read_text(errors="replace")[-3000:]
                assert daemon is self.victim
                self.killed += 1
                daemon.start()

    def until(self, condition):
        """Looks again, and starts what died, until it holds."""
        for _ in within():
            if condition():
                return
            self.revive()

    def __call__(self, node, *arguments, stdin=None):
        """A command until it is done: killed (it carried the fault itself) or out of time (a daemon died) means again."""
        environment = {"COLLEGA_FAULT": self.fault} if node is self.victim and not self.killed else {}
        for _ in within():
            result = node(*arguments, expect=None, env=environment, stdin=stdin)
            self.revive()
            if result.returncode == -signal.SIGKILL:
                self.killed += 1
                environment = {}
            elif result.returncode != 3:
                return result


def publish(watched, node, name):
    """Publishes once: after a kill it looks whether the offer was stored before it tries again."""
    offer = offers.load(name)
    environment = {"COLLEGA_FAULT": watched.fault} if node is watched.victim and not watched.killed else {}
    result = node("offer", "publish", "-", expect=None, env=environment, stdin=json.dumps(offer))
    watched.revive()
    if result.returncode == -signal.SIGKILL:
        watched.killed += 1
    mine = [row["id"] for row in node.json("offer", "list", "--mine")["offers"]]
    if not mine:
        mine = [node.publish(offer)]
    assert len(mine) == 1
    watched.until(lambda: "receipt" in node.json("offer", "show", mine[0]))
    return mine[0]


@pytest.mark.parametrize("point,which,n", CASES, ids=lambda value: str(value))
def test_a_kill_at_any_point_leaves_one_truth(tmp_path, point, which, n):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        victim = {"lender": lender, "borrower": borrower, "broker": world.broker}[which]
        fault = f"{point}:{n}"
        victim.stop()
        watched = Watched(world, victim, fault)
        try:
            victim.start(env={"COLLEGA_FAULT": fault})
        except Failed:
            watched.revive()  # it died before it was ready

        lent = publish(watched, lender, "logistiek-magazijn-uit")
        asked = publish(watched, borrower, "voedsel-orderpickers-in")
        match = None
        while match is None:
            found = watched(borrower, "match", "list", "--offer", asked, "--wait", "2", "--json")
            match = next((m["id"] for m in json.loads(found.stdout)["matches"] if m["counter"] == lent), None)

        environment = {"COLLEGA_FAULT": fault} if victim is borrower and not watched.killed else {}
        result = borrower("deal", "propose", match, "--headcount", "6", expect=None, env=environment)
        watched.revive()
        if result.returncode == -signal.SIGKILL:
            watched.killed += 1
        if not borrower.deals():
            borrower("deal", "propose", match, "--headcount", "6")
        assert len(borrower.deals()) == 1
        deal = borrower.deals()[0]["id"]
        watched.until(lender.deals)
        while lender.deals()[0]["state"] == "received" and not lender.deals()[0]["waits_for_signature"]:
            result = watched(lender, "deal", "accept", deal)
        watched.until(lambda: all(node.deals()[0]["state"] in deals.DONE | {"void"} for node in world.nodes))

        states = {node.deals()[0]["state"] for node in world.nodes}
        assert states <= deals.DONE, states
        assert [len(node.deals()) for node in world.nodes] == [1, 1]
        for node in world.nodes:
            if node.stop() == -signal.SIGKILL:  # the point lay behind the last thing that could be seen
                watched.killed += 1
            node("ledger", "verify")
            kinds = [entry["kind"] for entry in node.json("ledger", "log", "--last", "100000")["entries"]]
            assert kinds.count("decision_in") == 1
        if world.broker.stop() == -signal.SIGKILL:
            watched.killed += 1
        if n == 1:
            assert watched.killed, f"{fault} was never passed by the {which}"
