"""The power of one machine is cut at arbitrary points, and of what it had not synced an arbitrary part is lost; the others
stop there too. Then what is left is opened by the real programs: nothing that was promised is gone - to another machine, or to
the user by a command that succeeded - the ledgers verify, and everybody goes on.

The seed is printed; COLLEGA_SEED repeats the cuts (of another record: the machine's own timing is not repeated)."""
import datetime
import json
import os
import random
import shutil

import pytest

from support import deals, offers, power, truth
from support.world import WAIT, World

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
    borrower("deal", "accept", second, "--wait", WAIT)
    lender("deal", "talk", match, "--message", "tot maandag")
    amendment = lender("deal", "amend", second, "--headcount", "2").stdout.strip()
    deals.received(borrower, amendment)
    borrower("deal", "accept", amendment, "--wait", WAIT)
    day = (datetime.date.today() + datetime.timedelta(days=40)).isoformat()
    lender("deal", "terminate", second, "--effective", day, "--wait", WAIT)
    third = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender("deal", "release", third)
    while borrower.deal(third).get("release") != "received":
        borrower("status")
    borrower("deal", "release", third, "--sign", "--wait", WAIT)
    fourth = deals.propose(borrower, match, "--headcount", "2")
    borrower("deal", "withdraw", fourth, "--wait", WAIT)
    lender.publish([offers.load(name) for name in offers.names()[:12]], "--wait", WAIT)
    truth.settled(world)


def recorded(directory):
    """A world that lived, and the record; (world, log, where in the record all had joined)."""
    world = World(directory / "world", 2, start=False)
    world.directory.mkdir()
    log = directory / "record"
    log.touch()
    world.broker = power.NotingBroker(world.directory)
    world.nodes = [power.NotingNode(world.directory, node.name, node.kvk, node.signatory, node.function)
                   for node in world.nodes]
    for daemon in (world.broker, *world.nodes):
        daemon.record = log
        daemon.env.update(power.environment(world.directory, log))
    with world:
        world.open()
        joined = sum(1 for _ in power.entries(log))
        life(world)
        for daemon in (world.broker, *world.nodes):
            daemon.stop()
    return world, log, joined


def built(directory, world, files):
    """A world of the files, with the settings that the test had written itself."""
    for name, content in files.items():
        power.write(directory, content)
        if (directory / name).is_dir():  # a home of which nothing is left has no settings either
            shutil.copy(world.directory / name / "settings.ini", directory / name / "settings.ini")
    return World(directory, 2, start=False)


SETTLED = {"accept": {"CONCLUDED", "TERMINATED", "RELEASED"}, "withdraw": {"VOID"}, "terminate": {"TERMINATED"}}


def told_the_user(world, log):
    """What a command that succeeded said: {name of the node: [(entries done by then, what, id, states it may be in)]}. What
    it waited for is decided; what it made is there."""
    promises = {}
    for node in world.nodes:
        promises[node.name] = rows = []
        for done, (group, *words), output in power.said(node, log):
            step = words[0] if words else ""
            if (group, step) == ("offer", "publish"):
                rows += [(done, "offer", offer, None) for offer in output.split()]
            elif group == "deal" and step in ("propose", "counter", "amend"):
                rows.append((done, "deal", output.split()[0], None))
            elif group == "deal" and step in SETTLED and "--wait" in words:
                rows.append((done, "deal", words[1], SETTLED[step]))
    return promises


def check_promises(found, promises, point):
    for node in found.world.nodes:
        states = {row["deal"]: row["state"].removeprefix("DEAL_STATE_") for row in found.ledgers[node.name]["deals"]}
        offered = found.offered[node.name]
        for done, what, identity, wanted in promises[node.name]:
            if done > point:
                continue
            if what == "offer":
                assert identity in offered, f"an offer that {node.name} had published by entry {done} is gone: {identity}"
            else:
                assert identity in states, f"a deal that {node.name} had made by entry {done} is gone: {identity}"
                assert wanted is None or states[identity] in wanted, (
                    f"told {node.name} by entry {done}, and undone: {identity} is {states[identity]}")


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
    return recorded(tmp_path_factory.mktemp("power"))


@pytest.fixture
def seed():
    value = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={value}")
    return value


def test_nothing_promised_is_lost_with_the_power(tmp_path, record, seed):
    source = random.Random(seed)
    world, log, joined = record
    count = sum(1 for _ in power.entries(log))
    assert count > joined + 300, count
    points = [source.randint(joined, count - 1) for _ in range(CUTS)]
    promises = told_the_user(world, log)
    assert all(len(rows) > 4 for rows in promises.values()), promises
    again = set(source.sample(range(CUTS), RESTARTS))
    for index, (point, victim, files) in enumerate(power.cut(log, points, source, source.choice)):
        directory = tmp_path / f"cut-{point}-{index}"
        left = built(directory, world, files)
        try:
            left.broker("status")
            for node in left.nodes:
                node("ledger", "verify")
            check_promises(truth.check(left), promises, point)
            if index in again:
                goes_on(left)
        except BaseException as failure:
            raise AssertionError(f"the power of {victim} was cut behind entry {point}; see {directory}") from failure
        shutil.rmtree(directory, ignore_errors=True)


def test_a_cut_while_homes_are_made_is_told_in_words(tmp_path, record, seed):
    """A home is there, or it is not, or it is damaged and said to be; nothing crashes. Once init has said that it is made, it
    is there; and once join has said so, it is joined."""
    source = random.Random(seed)
    world, log, joined = record
    points = [source.randint(1, joined - 1) for _ in range(CUTS // 2)]
    done = {daemon.name: {arguments[0]: place for place, arguments, _ in power.said(daemon, log)
                          if arguments[0] in ("init", "join")} for daemon in (world.broker, *world.nodes)}
    made = 0
    for index, (point, _, files) in enumerate(power.cut(log, points, source, source.choice)):
        directory = tmp_path / f"cut-{point}-{index}"
        left = built(directory, world, files)
        for program in (left.broker, *left.nodes):
            result = program("status", "--json", expect=None)
            assert result.returncode in (0, 1, 3), (point, result)
            assert result.returncode == 0 or result.stderr.strip(), (point, result)
            if done[program.name]["init"] <= point:
                assert result.returncode == 0, (point, result)
                made += 1
            if done[program.name].get("join", point + 1) <= point:
                assert json.loads(result.stdout)["broker"]["joined"], (point, result)
        shutil.rmtree(directory, ignore_errors=True)
    assert made
