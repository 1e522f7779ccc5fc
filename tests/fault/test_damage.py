"""Ledgers and stores that were cut short, overwritten or bit-flipped: whatever reads them ends in words and never by a
signal; what cannot be opened is moved aside whole; and from a backup and the broker everything is there again."""
import os
import random
import shutil

import pytest

from support import deals, offers, truth
from support.world import Failed, World

ROUNDS = 400 if os.environ.get("COLLEGA_LONG") else 40
PAGE = 4096


def environment(daemon):
    return daemon.home / ("store" if daemon.program.name == "collega-broker" else "ledger")


def restore(daemon, copy):
    daemon.home.rename(daemon.home.with_name(daemon.home.name + "-damaged"))
    daemon(*(["restore"] if daemon.program.name == "collega-broker" else ["ledger", "restore"]), copy)


def backup(daemon, directory):
    daemon(*(["backup"] if daemon.program.name == "collega-broker" else ["ledger", "backup"]), directory)
    return directory


CUTS = {"short": lambda data: data[:5000], "headless": lambda data: bytes(PAGE) + data[PAGE:],
        "noise": lambda data: random.Random(len(data)).randbytes(len(data))}


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("which", ["broker", "lender"])
def test_moved_aside_said_and_rebuilt_from_backup_and_broker(tmp_path, which, how):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        victim = {"broker": world.broker, "lender": lender}[which]
        _, _, match = deals.matched(lender, borrower)
        first = deals.conclude(borrower, lender, match, "--headcount", "2")
        copy = backup(victim, tmp_path / "backup")
        second = deals.conclude(borrower, lender, match, "--headcount", "3")
        later = lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", "30")
        before = {row["id"]: row["terms"] for row in lender.deals()}
        victim.stop()
        data = environment(victim) / "data.mdb"
        damaged = CUTS[how](data.read_bytes())
        data.write_bytes(damaged)
        told = victim("status", expect=1)
        aside = environment(victim).with_name(environment(victim).name + ".damaged-1")
        assert str(aside) in told.stderr and "restore" in told.stderr
        assert (aside / "data.mdb").read_bytes() == damaged  # whole, as it was found
        for _ in range(2):  # it does not begin again with an empty one
            with pytest.raises(Failed, match="restore"):
                victim.start()
        restore(victim, copy)
        victim.start()
        truth.settled(world, restored=True)
        assert {row["id"]: row["terms"] for row in lender.deals()} == before and {first, second} == set(before)
        while later not in {row["id"] for row in borrower.json("offer", "list")["offers"]}:
            borrower("status")
        deals.conclude(borrower, lender, match, "--headcount", "2")
        truth.told(world, restored=True)


def spoiled(data, source):
    """One bit, often in a page's head; or a page lost; or the end."""
    choose, data = source.random(), bytearray(data)
    if choose < 0.8:
        place = source.randrange(len(data))
        if source.random() < 0.6:
            place = place // PAGE * PAGE + source.randrange(64)
        data[place] ^= 1 << source.randrange(8)
    elif choose < 0.9:
        page = source.randrange(len(data) // PAGE) * PAGE
        data[page:page + PAGE] = bytes(PAGE)
    else:
        del data[source.randrange(len(data)):]
    return data


def test_reading_what_is_damaged_ends_in_words(tmp_path):
    seed = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={seed}")
    source = random.Random(seed)
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        deals.conclude(borrower, lender, deals.matched(lender, borrower)[2], "--headcount", "4")
        lender.publish([offers.load(name) for name in offers.names()[:20]], "--wait", "30")
        for daemon in (world.broker, *world.nodes):
            daemon.stop()
    words = 0
    commands = {lender: [["status"], ["offer", "list", "--all"], ["match", "list"], ["deal", "list"], ["ledger", "verify"]],
                world.broker: [["status"], ["members"]]}
    for number in range(ROUNDS):
        for daemon, lines in commands.items():
            place = environment(daemon)
            sound = (place / "data.mdb").read_bytes()
            (place / "data.mdb").write_bytes(spoiled(sound, source))
            for line in lines:
                result = daemon(*line, expect=None)
                assert result.returncode in (0, 1), (number, line, result)
                assert result.returncode == 0 or result.stderr.strip(), (number, line, result)
                words += result.returncode == 1
            for aside in daemon.home.glob("*.damaged-*"):
                shutil.rmtree(aside)
            place.mkdir(exist_ok=True)
            (place / "data.mdb").write_bytes(sound)
            (place / "lock.mdb").unlink(missing_ok=True)
    assert words > ROUNDS // 10  # damage that nobody noticed would show nothing
