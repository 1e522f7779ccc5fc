"""Restores in the middle of negotiations. A story goes point by point; at a point a backup is taken of either side or
of the broker that decides, and there or later that one is restored from it. Whatever was lost with it, the story comes
to the end that it would have come to, the invariants hold, and everybody goes on.

Points that need somebody to be away stay half done on purpose: signed and not sent, sent and not received. What was
lost for good - it had left its machine for nowhere - is done again, as a user would who sees that it is not there."""
import datetime
import json
import os
import signal

import pytest

from support import deals, offers
from support.dates import TODAY
from support.deals import look_again, row_of, until
from support.world import WAIT, World, call, within

LONG = bool(os.environ.get("COLLEGA_LONG"))
SAID = ["Kunnen jullie er zes missen?", "Zes kan.", "Dan doen we dat."]


class Story:
    """Steps that bring a negotiation from one point to the next. Each looks at what is there, and may find that its own
    effect, or that of the step before, was lost with a restore."""

    def __init__(self, world):
        self.world, self.broker = world, world.broker
        self.lender, self.borrower = self.nodes = world.nodes
        first = datetime.date.fromisoformat(offers.load("voedsel-orderpickers-in")["period"]["from"])
        self.day = (max(first, TODAY) + datetime.timedelta(days=20)).isoformat()
        self.lent, self.asked, self.match = deals.matched(self.lender, self.borrower)
        self.deal = self.amendment = None

    def up(self):
        for daemon in (self.broker, *self.nodes):
            if not daemon.running():
                daemon.start()
        for node in self.nodes:
            for _ in within():
                status = node.json("status")["broker"]
                if status["connected"] and not status["behind"]:
                    break
                look_again(node)

    def act(self, node, *arguments):
        """Whether it could be done: what it is about may be on its way."""
        return node("deal", *arguments, expect=None)

    # -- the points

    def talk(self):
        self.up()
        self.borrower("match", "interest", self.match, "--message", SAID[0], "--wait", WAIT)
        self.hear(self.lender, 1)
        self.lender("match", "interest", self.match, "--message", SAID[1], "--wait", WAIT)
        self.hear(self.borrower, 2)
        self.borrower("deal", "talk", self.match, "--message", SAID[2], "--wait", WAIT)

    def hear(self, node, count):
        for _ in within():
            if len(self.heard(node)) >= count:
                return
            look_again(node)

    def heard(self, node):
        result = node("deal", "talk", self.match, "--json", expect=None)
        return [line["text"] for line in json.loads(result.stdout)["messages"]] if result.returncode == 0 else []

    def draft(self):
        """Held, and not signed."""
        self.up()
        self.borrower.stop()
        self.deal = self.borrower("deal", "propose", self.match, "--headcount", "6").stdout.strip()

    def proposed(self):
        """The broker has it, the lender has not."""
        self.lender.stop()
        if not self.borrower.running():
            self.borrower.start()
        if row_of(self.borrower, self.deal)["state"] == "none":
            self.deal = self.borrower("deal", "propose", self.match, "--headcount", "6").stdout.strip()
        for _ in within():
            if (row_of(self.borrower, self.deal)["state"] == "proposed"
                    and self.borrower.json("status")["outbox"]["waiting"] == 0):
                return
            look_again(self.borrower)

    def received(self):
        self.up()
        until([self.lender], self.deal, "received")

    def pending(self):
        """Signed, and the decider dies over it."""
        self.up()
        self.borrower.stop()  # it would ask, and the decider dies over that too
        self.broker.stop()
        self.lender("deal", "accept", self.deal)
        for _ in within():
            if row_of(self.lender, self.deal)["state"] == "pending":
                return
            self.broker.start(env={"COLLEGA_FAULT": "broker_decide_before_commit:1"})
            assert self.broker.wait() == -signal.SIGKILL

    def concluded(self):
        self.up()
        self.bring_about(self.deal, self.lender)

    def bring_about(self, deal, accepts):
        for _ in within():
            row = row_of(accepts, deal)
            if row["state"] == "received" and not row["waits_for_signature"]:
                self.act(accepts, "accept", deal)
            if row["state"] in deals.DONE:
                break
            look_again(accepts)
        until(self.nodes, deal, *deals.DONE)

    def countered(self):
        """The lender wants five; the borrower has not heard."""
        self.up()
        self.borrower.stop()
        self.deal, self.first = self.lender("deal", "counter", self.deal, "--headcount", "5").stdout.strip(), self.deal

    def counter_concluded(self):
        self.up()
        if row_of(self.lender, self.deal)["state"] == "none":
            self.deal = self.lender("deal", "counter", self.first, "--headcount", "5").stdout.strip()
        until([self.borrower], self.deal, "received", *deals.DONE)
        self.bring_about(self.deal, self.borrower)
        until(self.nodes, self.first, "void")

    def amend_proposed(self):
        self.up()
        self.borrower.stop()
        self.amendment = self.lender("deal", "amend", self.deal, "--headcount", "4").stdout.strip()

    def amended(self):
        """A decider that was restored says the agreement again, under a new id: an amendment of the old one is void, and is
        proposed anew."""
        self.up()
        for _ in within():
            if row_of(self.lender, self.amendment)["state"] in ("none", "void"):
                again = self.act(self.lender, "amend", self.deal, "--headcount", "4")
                self.amendment = again.stdout.strip() or self.amendment
            if row_of(self.borrower, self.amendment)["state"] == "received":
                self.act(self.borrower, "accept", self.amendment)
            if row_of(self.borrower, self.amendment)["state"] in deals.DONE:
                break
            look_again(self.borrower)
        until(self.nodes, self.amendment, *deals.DONE)

    def part_asked(self):
        """Two of six are to leave; the decider has not heard."""
        self.up()
        self.broker.stop()
        self.end_part()

    def end_part(self):
        self.act(self.borrower, "terminate", self.deal, "--headcount", "2", "--effective", self.day)

    def part_ended(self):
        """Once, whoever forgot what."""
        self.up()
        for _ in within():
            row = row_of(self.borrower, self.deal)
            if "reductions" in row:
                break
            if row["state"] in deals.DONE and "ending" not in row:
                self.end_part()
            look_again(self.borrower)
        self.one_part()

    def one_part(self):
        for node in self.nodes:
            for _ in within():
                row = row_of(node, self.deal)
                if "reductions" in row and "ending" not in row:
                    break
                look_again(node)
            assert [(part["headcount"], part["effective"]) for part in row["reductions"]] == [(2, self.day)], row
            assert row["people_left"] == 4 and [end["people"] for end in row["hold"]["ends"]] == [2], row

    def ended_after(self):
        """The rest ends as well; what ended before is still known."""
        self.up()
        self.terminated()
        self.one_part()
        self.proved([2])

    def proved(self, parts):
        """Whoever was restored, and what was said again by it: both can show what became of it, once all has come in that
        belongs to it - an acceptance, the other's request, cards and their receipts."""
        for node in self.nodes:
            path, why = node.home / "proof.collega", None
            for _ in within(lambda: (node.name, why)):
                proof = call([node.program, "deal", "prove", self.amendment or self.deal, "--home", node.home], expect=None, text=False)
                path.write_bytes(proof.stdout)
                found = json.loads(call([node.program, "verify", "--json", path], expect=None).stdout)
                why = proof.stderr, found["why"]
                if found["valid"] and "terminated_on" in found:
                    break
                look_again(node)
            assert found["terminated_on"] == self.day, found
            assert [part["headcount"] for part in found.get("reductions", [])] == parts, found

    def terminate_asked(self):
        self.up()
        self.broker.stop()
        self.borrower("deal", "terminate", self.deal, "--effective", self.day)

    def terminated(self):
        self.up()
        for _ in within():
            if row_of(self.borrower, self.deal)["state"] == "terminated":
                break
            self.act(self.borrower, "terminate", self.deal, "--effective", self.day)
            look_again(self.borrower)
        until(self.nodes, self.deal, "terminated")
        if self.amendment:
            until(self.nodes, self.amendment, "terminated")
        for node in self.nodes:
            assert row_of(node, self.amendment or self.deal)["effective"] == self.day

    def releasing(self):
        """Asked, and not heard yet."""
        self.up()
        done = row_of(self.lender, self.deal)["state"] in deals.DONE
        self.asks, self.answers = self.nodes if done else reversed(self.nodes)
        self.answers.stop()
        self.asks("deal", "release", self.deal)

    def released(self):
        self.up()
        for _ in within():
            if row_of(self.asks, self.deal)["state"] not in ("releasing", "released"):
                self.act(self.asks, "release", self.deal)
            if row_of(self.answers, self.deal).get("release") == "received":
                self.act(self.answers, "release", self.deal, "--sign")
            if all(row_of(node, self.deal)["state"] == "released" for node in self.nodes):
                return
            look_again(self.answers)


STORIES = {
    "whole": ["talk", "draft", "proposed", "received", "pending", "concluded", "amend_proposed", "amended",
              "terminate_asked", "terminated"],
    "counter": ["talk", "proposed", "received", "countered", "counter_concluded", "terminate_asked", "terminated"],
    "parts": ["proposed", "received", "concluded", "part_asked", "part_ended", "terminate_asked", "ended_after"],
    "release": ["proposed", "received", "releasing", "released"],
    "release_agreement": ["proposed", "received", "pending", "concluded", "releasing", "released"],
}


def plans(points):
    """Which backups (by the point at which they are taken) are restored when."""
    # Each point with a backup from before it, and each with one from after it: a restore at every point.
    yield "before", [(max(i - 1, 0), i) for i in range(len(points))]
    yield "after", [(i, i) for i in range(len(points))]
    # One backup, restored again and again: what was done since comes back each time, and epochs are not confused.
    yield "oldest", [(0, i) for i in range(1, len(points), 3)]
    for taken in range(len(points)):
        for back in range(taken, len(points)):
            yield f"{points[taken]}-{points[back]}", [(taken, back)]


# Of the short run each victim has each point of some story, from before and from after it.
SHORT = {("whole", "before"), ("whole", "talk-terminated"), ("whole", "concluded-amend_proposed"), ("counter", "oldest"),
         ("release_agreement", "before"), ("release", "after"), ("parts", "before")}
CASES = [pytest.param(story, victim, plan, id=f"{story}-{victim}-{name}")
         for story, points in STORIES.items() for victim in ("lender", "borrower", "broker")
         for name, plan in plans(points) if LONG or (story, name) in SHORT]


def is_broker(daemon):
    return daemon.program.name == "collega-broker"


def backup(daemon, directory):
    daemon(*(["backup"] if is_broker(daemon) else ["ledger", "backup"]), directory)
    return directory


def restore(daemon, directory, number):
    """The same daemon in a new home, made of the backup; the old home is gone."""
    running = daemon.running()
    daemon.kill()
    daemon.home.rename(daemon.home.with_name(f"{daemon.home.name}-gone-{number}"))
    daemon(*(["restore"] if is_broker(daemon) else ["ledger", "restore"]), directory)
    if running:
        daemon.start()


def assert_nothing_is_open(world):
    for node in world.nodes:
        node.sent()
        node.stop()
        node("ledger", "verify")
        before = json.dumps(node.deals())
        node("ledger", "rebuild")
        assert json.dumps(node.deals()) == before


@pytest.mark.parametrize("story,victim,plan", CASES)
def test_a_restore_at_any_point_leaves_one_truth(tmp_path, story, victim, plan):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        which = {"lender": lender, "borrower": borrower, "broker": world.broker}[victim]
        tale = Story(world)
        copies = {}
        for number, point in enumerate(STORIES[story]):
            getattr(tale, point)()
            # A backup from before comes from before the restore: it is older than what the restore brought.
            if any(taken == number for taken, _ in plan):
                copies[number] = backup(which, tmp_path / f"backup-{number}")
            for taken, back in plan:
                if back == number:
                    restore(which, copies[taken], number)
        getattr(tale, STORIES[story][-1])()  # the end, once more: it stands after the last restore too
        rows = [{row["id"]: (row["state"], row["terms"]["headcount"]) for row in node.deals()} for node in world.nodes]
        ends = [{deal: end for deal, end in one.items() if end[0] != "void" or deal in other}
                for one, other in (rows, reversed(rows))]  # what never reached the other side is void at one alone
        assert ends[0] == ends[1] and tale.deal in ends[0]
        if which in world.nodes:
            assert "adopted" in kinds(which)
        if story in ("whole", "counter"):
            tale.proved([])
        if "talk" in STORIES[story]:
            for node in world.nodes:
                tale.hear(node, len(SAID))
                assert tale.heard(node) == SAID
        # Everybody goes on: new numbers are taken, and another deal comes about.
        more = lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
        wanted = borrower.publish({**offers.load("logistiek-heftruck-in"), "headcount": 1}, "--wait", WAIT)
        deals.conclude(borrower, lender, deals.match_of(borrower, wanted, more), "--headcount", "1")
        assert_nothing_is_open(world)


def kinds(node):
    return [entry["kind"] for entry in node.json("ledger", "log", "--last", "100000")["entries"]]
