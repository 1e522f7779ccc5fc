"""The power of one machine is cut at arbitrary points, and of what it had not synced an arbitrary part is lost; the others
stop there too. Then what is left is opened by the real programs: nothing that was promised is gone - to another machine, or to
the user by a command that succeeded - the ledgers verify, and everybody goes on.

The seed is printed; COLLEGA_SEED repeats the cuts (of another record: the machine's own timing is not repeated)."""
import json
import os
import random
import shutil

import pytest

from support import deals, offers, power, truth
from support.dates import in_days
from support.promises import built, check, made, recorded
from support.world import WAIT

LONG = bool(os.environ.get("COLLEGA_LONG"))
CUTS, RESTARTS = (1500, 150) if LONG else (110, 8)


def life(world):
    """Offers, mail, a countered and amended agreement that ends, a release, a withdrawal."""
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    first = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, first)
    second = lender("deal", "counter", first, "--headcount", "3", "--wait", WAIT).stdout.strip()
    deals.received(borrower, second)
    deals.accept(borrower, lender, second)
    lender("deal", "talk", match, "--message", "tot maandag")
    amendment = lender("deal", "amend", second, "--headcount", "2").stdout.strip()
    deals.received(borrower, amendment)
    deals.accept(borrower, lender, amendment)
    day = in_days(40)
    lender("deal", "terminate", second, "--effective", day, "--wait", WAIT)
    deals.until([borrower], second, "terminated")
    third = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender("deal", "release", third)
    while borrower.deal(third).get("release") != "received":
        borrower("status")
    borrower("deal", "release", third, "--sign", "--wait", WAIT)
    fourth = deals.propose(borrower, match, "--headcount", "2")
    borrower("deal", "withdraw", fourth, "--wait", WAIT)
    lender.publish([offers.load(name) for name in offers.names()[:12]], "--wait", WAIT)
    truth.settled(world)


def goes_on(world):
    """All start; what was under way comes about; a new deal does too."""
    with world:
        for daemon in (world.broker, *world.nodes):
            daemon.start()
        truth.settled(world)
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower, "logistiek-heftruck-uit", "logistiek-heftruck-in")
        deals.conclude(borrower, lender, match, "--headcount", "1")
        truth.told(world)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("power"), 2, life)


def test_nothing_promised_is_lost_with_the_power(tmp_path, record, seed):
    source = random.Random(seed)
    world, log, joined, count = record
    assert count > joined + 300, count
    points = [source.randint(joined, count - 1) for _ in range(CUTS)]
    promises = {node.name: list(made(power.said(node, log))) for node in world.nodes}
    assert all(len(rows) > 4 for rows in promises.values()), promises
    again = set(source.sample(range(CUTS), RESTARTS))
    for index, (point, victim, files) in enumerate(power.cut(log, points, source, lambda _, machines: source.choice(machines))):
        directory = tmp_path / f"cut-{point}-{index}"
        left = built(directory, world, files)
        try:
            left.broker("status")
            for node in left.nodes:
                node("ledger", "verify")
            found = truth.check(left)
            for node in left.nodes:
                check(node, promises[node.name], point, found)
            if index in again:
                goes_on(left)
        except BaseException as failure:
            raise AssertionError(f"the power of {victim} was cut behind entry {point}; see {directory}") from failure
        shutil.rmtree(directory, ignore_errors=True)


def test_a_cut_while_homes_are_made_is_told_in_words(tmp_path, record, seed):
    """A home is there, or it is not, or it is damaged and said to be; nothing crashes. Once init has said that it is made, it
    is there; and once join has said so, it is joined."""
    source = random.Random(seed)
    world, log, joined, _ = record
    points = [source.randint(1, joined - 1) for _ in range(CUTS // 2)]
    done = {daemon.name: {row.arguments[0]: row.done for row in power.said(daemon, log)
                          if row.arguments[0] in ("init", "join")} for daemon in (world.broker, *world.nodes)}
    homes = 0
    for index, (point, _, files) in enumerate(power.cut(log, points, source, lambda _, machines: source.choice(machines))):
        directory = tmp_path / f"cut-{point}-{index}"
        left = built(directory, world, files)
        for program in (left.broker, *left.nodes):
            result = program("status", "--json", expect=None)
            assert result.returncode in (0, 1, 3), (point, result)
            assert result.returncode == 0 or result.stderr.strip(), (point, result)
            if done[program.name]["init"] <= point:
                assert result.returncode == 0, (point, result)
                homes += 1
            if done[program.name].get("join", point + 1) <= point:
                assert json.loads(result.stdout)["broker"]["joined"], (point, result)
        shutil.rmtree(directory, ignore_errors=True)
    assert homes
