"""Clocks that are hours off, at either node or at the broker. A node goes by the time that its broker tells: deals come
about all the same, the decider's clock decides whether an acceptance came in time and the nodes know beforehand what it
will say, and nothing is signed at another time than the broker's. Clocks that are days apart get nothing signed at all."""
import datetime
import re

import pytest

from support import deals, offers, truth
from support.dates import in_days, in_time
from support.world import WAIT, World, until

WHO = ["broker", "lender", "borrower"]


def daemon(world, which):
    return {"broker": world.broker, "lender": world.nodes[0], "borrower": world.nodes[1]}[which]


def world_with(directory, which, **off):
    """One clock is off from before anything was made."""
    world = World(directory, 2, start=False)
    daemon(world, which).turn_clock(**off)
    return world.open()


def utc(**ahead):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)


def link(node):
    return node.json("status")["broker"]


def difference(node):
    """Of its machine's clock to the broker's, in hours: the broker's minus its own."""
    return link(node)["clock_difference_ms"] / 3_600_000


def signed_at(node, proof):
    """When parties and decider say that they signed."""
    text = node("verify", proof, "--lang", "en").stdout
    times = re.findall(r"signed for .* on (\S+Z)", text)
    assert len(times) >= 2, text
    return [datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) for time in times]


@pytest.mark.parametrize("hours", [-7, 7])
@pytest.mark.parametrize("which", WHO)
def test_a_deal_and_its_changes_come_about(tmp_path, which, hours):
    with world_with(tmp_path, which, hours=hours) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "3")
        amendment = lender("deal", "amend", deal, "--headcount", "4").stdout.strip()
        deals.received(borrower, amendment)
        deals.accept(borrower, lender, amendment)
        day = in_days(20)
        assert borrower.json("deal", "terminate", deal, "--effective", day, "--wait", WAIT)["state"] == "terminated"
        for node, sign in ((lender, "lender"), (borrower, "borrower")):
            off = hours if which == "broker" else -hours if which == sign else 0
            assert abs(difference(node) - off) < 0.1, sign
            told = node("status", "--lang", "en").stdout
            assert ("ahead of the broker" in told, "behind the broker" in told) == (off < 0, off > 0), told
        for node in world.nodes:
            proof = tmp_path / f"{node.name}.collega"
            proof.write_bytes(deals.prove(node, deal))
            assert node.json("verify", proof)["valid"]
            for time in signed_at(node, proof):  # by the broker's clock, whoever signed
                assert abs((time - utc(hours=hours if which == "broker" else 0)).total_seconds()) < 600, time
        truth.told(world)


@pytest.mark.parametrize("which", WHO)
@pytest.mark.parametrize("hours", [-7, 7])
def test_a_deadline_between_the_clocks_is_judged_by_the_brokers(tmp_path, which, hours):
    """Three hours from now: past already by a clock that is seven hours ahead, and far away by one that is behind."""
    with world_with(tmp_path, which, hours=hours) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        made = borrower("deal", "propose", match, "--headcount", "2", "--accept-by", in_time(hours=3), expect=None)
        if (which, hours) == ("broker", 7):  # it would be late: said at once, and nobody waits for the decider
            assert made.returncode == 1 and "accept-by" in made.stderr.replace("_", "-")
        else:
            deal = made.stdout.strip()
            deals.received(lender, deal)
            deals.accept(lender, borrower, deal)
        unanswered = deals.propose(borrower, match, "--headcount", "2", "--accept-by", in_time(hours=30))
        truth.settled(world)
        assert borrower.deal(unanswered)["state"] == "proposed"
        for each in (world.broker, lender, borrower):  # every clock past it: nothing stays open
            each.turn_clock(hours=48 + (hours if each is daemon(world, which) else 0))
        truth.settled(world, past=True)
        assert borrower.deal(unanswered)["state"] == "void"
        truth.rebuilt(world)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_set_under_a_running_node_is_measured_anew(tmp_path, hours):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        assert abs(difference(borrower)) < 0.1
        borrower.set_clock(hours=hours)
        until(lambda: abs(difference(borrower) + hours) < 0.1 and link(borrower)["connected"])
        deal = deals.conclude(borrower, lender, match, "--headcount", "2", "--accept-by", in_time(hours=2))
        borrower.set_clock(hours=0)  # and right again: what was measured of the wrong one is void
        until(lambda: abs(difference(borrower)) < 0.1 and link(borrower)["connected"])
        proof = tmp_path / "proof.collega"
        proof.write_bytes(deals.prove(borrower, deal))
        assert all(abs((time - utc()).total_seconds()) < 600 for time in signed_at(lender, proof))
        truth.settled(world)


def test_a_machine_that_has_lost_its_clock_makes_no_keys(tmp_path):
    node = World(tmp_path, 1, start=False).nodes[0]
    node.turn_clock(days=-20000)  # 1970, or not long after
    refused = node("init", "--name", node.name, "--kvk", node.kvk, "--lang", "en", expect=1).stderr
    assert "clock" in refused and not (node.home / "ledger").exists()
    node.turn_clock(days=0)
    node("init", "--name", node.name, "--kvk", node.kvk)


@pytest.mark.parametrize("which,days", [("borrower", 3), ("borrower", -3), ("broker", 3), ("broker", -3)])
def test_nothing_is_signed_while_the_clocks_are_days_apart(tmp_path, which, days):
    with world_with(tmp_path, which, days=days) as world:
        lender, borrower = world.nodes
        off = days if which == "broker" else -days
        until(lambda: link(borrower).get("why") == "clock_wrong")
        assert abs(difference(borrower) / 24 - off) < 0.1 and not link(borrower)["connected"]
        told = borrower("status", "--lang", "en").stdout
        assert "clocks of this machine and of the broker differ" in told and "by this machine" in told
        offer = borrower.publish(offers.load("voedsel-orderpickers-in"))  # kept, and sent once the time is known
        for sign in (("mandate", "add", "--signatory", "B. Visser", "--function", "planner"), ("key", "rotate")):
            assert "clocks" in borrower(*sign, "--lang", "en", expect=1).stderr
        assert borrower("offer", "show", offer).stdout and borrower.json("status")["outbox"]["waiting"] > 0
        daemon(world, which).set_clock(days=-days)
        until(lambda: link(borrower)["connected"] and link(lender)["connected"])
        if (which, days) == ("borrower", 3):  # the one of init begins the day after tomorrow: the words say so
            borrower("mandate", "add", "--signatory", "B. Visser", "--function", "planner", "--wait", WAIT)
        _, _, match = deals.matched(lender, borrower)
        deals.conclude(borrower, lender, match, "--headcount", "2")
        truth.settled(world)
