"""A life that is recorded, and what was told in it: each command that succeeded made a promise, which stands after every
later power cut. (support/power.py has the record; the tests the lives.)"""
import shutil
from typing import NamedTuple

from support import power, truth
from support.world import Node, World

SETTLED = {"accept": {"CONCLUDED", "TERMINATED", "RELEASED"}, "withdraw": {"VOID"}, "terminate": {"TERMINATED"}}


class Promise(NamedTuple):
    """What a command that succeeded said to the user: what it waited for is decided; what it made is there."""

    done: int  # entries of the record by then
    what: str  # offer or deal
    identity: str
    states: set | None  # one of which it has


class Record(NamedTuple):
    world: World
    log: object
    joined: int  # how much of the record was there when all had joined
    count: int


def recorded(directory, nodes, live):
    """live(world) after `nodes` joined a broker, all of it in the record."""
    world = World(directory / "world", nodes, start=False)
    world.directory.mkdir()
    log = directory / "record"
    log.touch()
    world.broker = power.NotingBroker(world.directory)
    world.nodes = [power.NotingNode(world.directory, node.name, node.kvk, node.signatory, node.function)
                   for node in world.nodes]
    for daemon in (world.broker, *world.nodes):
        power.recording(daemon, world.directory, log)
    with world:
        world.open()
        joined = sum(1 for _ in power.entries(log))
        live(world)
        for daemon in (world.broker, *world.nodes):
            daemon.stop()
    return Record(world, log, joined, sum(1 for _ in power.entries(log)))


def built(directory, world, files):
    """A world of the files, with the settings that the test had written itself."""
    for name, content in files.items():
        power.write(directory, content)
        if (directory / name).is_dir():  # a home of which nothing is left has no settings either
            shutil.copy(world.directory / name / "settings.ini", directory / name / "settings.ini")
    left = World(directory, 0, start=False)
    left.nodes = [Node(directory, node.name, node.kvk, node.signatory, node.function) for node in world.nodes]
    return left


def made(rows, kvk=None):
    """The promises of what a node's commands said; kvk: of the party that lives there."""
    for row in rows:
        group, *words = row.arguments
        step = words[0] if words else ""
        if (words[words.index("--as") + 1] if "--as" in words else None) != kvk:
            continue
        if (group, step) == ("offer", "publish"):
            yield from (Promise(row.done, "offer", offer, None) for offer in row.output.split())
        elif group == "deal" and step in ("propose", "counter", "amend"):
            yield Promise(row.done, "deal", row.output.split()[0], None)
        elif group == "deal" and step in SETTLED and "--wait" in words:
            yield Promise(row.done, "deal", words[1], SETTLED[step])


def check(party, promises, point, found=None):
    """Those that were made by then stand, in the home of this party. found: a truth about its world, read just now."""
    ledger = found.ledgers[party.name] if found else truth.look("look_ledger", party.home)
    offered = (found.offered[party.name] if found else
               {row["id"] for row in party.json("offer", "list", "--mine", "--all")["offers"]})
    states = {row["deal"]: row["state"].removeprefix("DEAL_STATE_") for row in ledger["deals"]}
    for done, what, identity, wanted in promises:
        if done > point:
            continue
        known = offered if what == "offer" else states
        assert identity in known, f"{what} {identity} of {party.name}, made by entry {done}, is gone from {party.home}"
        assert wanted is None or states[identity] in wanted, (
            f"told {party.name} by entry {done}, and undone in {party.home}: {identity} is {states[identity]}")
