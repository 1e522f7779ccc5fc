"""Ledgers and stores that were cut short, overwritten or bit-flipped: whatever reads them ends in words and never by a
signal; what cannot be opened is moved aside whole; and from a backup and the broker everything is there again."""
import json
import os
import random
import shutil

import pytest

from support import deals, offers, truth
from support.world import Failed, World

LONG = bool(os.environ.get("COLLEGA_LONG"))
ROUNDS = 400 if LONG else 40
LIVES = 300 if LONG else 24
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
    """One bit, often in a page's head; or a page lost; or the end. Not in the zeroes behind the last page: a file is made
    longer before that is needed."""
    used = -(-len(data.rstrip(b"\0")) // PAGE) * PAGE
    choose, data = source.random(), bytearray(data)
    if choose < 0.8:
        place = source.randrange(used)
        if source.random() < 0.6:
            place = place // PAGE * PAGE + source.randrange(64)
        data[place] ^= 1 << source.randrange(8)
    elif choose < 0.9:
        page = source.randrange(used // PAGE) * PAGE
        data[page:page + PAGE] = bytes(PAGE)
    else:
        del data[source.randrange(used):]
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


def snapshot(world, directory):
    for daemon in (world.broker, *world.nodes):
        shutil.copytree(daemon.home, directory / daemon.home.name, ignore=shutil.ignore_patterns("lock.mdb"))
    return directory


def bring_back(world, directory):
    for daemon in (world.broker, *world.nodes):
        shutil.rmtree(daemon.home)
        shutil.copytree(directory / daemon.home.name, daemon.home)


def live(world, match):
    """What a day brings, as far as it goes: offers, mail, an agreement. Whoever is down, or refuses, does so in words. Was
    everything done?"""
    lender, borrower = world.nodes
    done = []

    def run(node, *arguments, **options):
        wait = ["--wait", "2" if all(done) else "0"] if arguments[0] in ("offer", "deal") else []
        result = node(*arguments, *wait, expect=None, **options)
        assert result.returncode in (0, 1, 3), (node.name, result)
        assert result.returncode == 0 or result.stderr.strip(), (node.name, result)
        done.append(result.returncode == 0)
        return result.stdout.strip()

    for node, name in ((lender, "logistiek-heftruck-uit"), (borrower, "logistiek-heftruck-in")):
        run(node, "offer", "publish", "-", stdin=json.dumps(offers.load(name)))
    deal = run(borrower, "deal", "propose", match, "--headcount", "2")
    run(lender, "deal", "list", "--state", "received")
    run(lender, "deal", "accept", deal or "0")
    run(borrower, "deal", "talk", match, "--message", "tot maandag")
    for node in world.nodes:
        run(node, "match", "list")
        run(node, "status")
    run(world.broker, "status")
    run(world.broker, "members")
    return all(done)


def test_daemons_on_damaged_files_go_on_or_end_in_words(tmp_path):
    """Whoever's files are damaged ends with status 1 and words, or does its work; the others only notice that it is away."""
    seed = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={seed}")
    source = random.Random(seed)
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deals.conclude(borrower, lender, match, "--headcount", "2")
        lender.publish([offers.load(name) for name in offers.names()[:20]], "--wait", "30")
        everybody = (world.broker, *world.nodes)
        for daemon in everybody:
            daemon.stop()
        sound = snapshot(world, tmp_path / "sound")
        ended = went_on = 0
        for number in range(10 * LIVES):  # chance may want more lives until it was of both kinds
            if number >= LIVES and ended and went_on:
                break
            bring_back(world, sound)
            victim = everybody[number % len(everybody)]
            data = environment(victim) / "data.mdb"
            data.write_bytes(spoiled(data.read_bytes(), source))
            said = victim.log.stat().st_size
            for daemon in everybody:
                try:
                    daemon.start()
                except Failed:
                    assert daemon is victim, daemon.log.read_text(errors="replace")[-2000:]
            whole = live(world, match)
            for daemon in everybody:
                status = daemon.stop()
                assert status == 0 or (daemon is victim and status == 1), (number, daemon.name, status)
            if victim.process.returncode == 1:
                assert victim.log.read_bytes()[said:].strip(), (number, "ended without a word")
            ended += victim.process.returncode == 1
            went_on += whole
            for node in world.nodes:
                if node is not victim:
                    node("ledger", "verify")
        assert ended and went_on, (ended, went_on)  # else the damage was all of a kind
