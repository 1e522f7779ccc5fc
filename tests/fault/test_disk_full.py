"""A disk that is full, at the broker or at a node: new work is refused in words, reading goes on, nothing that is under way
is lost or ended, and work resumes when there is room."""
import json
import os
import random
import shutil
import subprocess

import pytest

from support import deals, offers, truth
from support.world import WAIT, World, until

OUT = "logistiek-heftruck-uit"
MORE_THAN_AHEAD = 1200  # offers; base/disk grows a store by half a MiB ahead


@pytest.fixture
def pair(world_of):
    world = world_of(2)
    return world, *world.nodes, deals.matched(*world.nodes)[2]


def test_a_full_broker_is_said_and_what_is_sent_waits(pair):
    world, lender, borrower, match = pair
    deal = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, deal)
    world.broker.fill_disk()
    lent = lender.publish(offers.load(OUT))
    lender("deal", "accept", deal)
    until(lambda: lender.json("status")["broker"].get("why") == "broker_full")
    for language, words in (("nl", "ruimte"), ("en", "room")):  # now and then it tries again, and is connected for a moment
        until(lambda: words in lender("status", "--lang", language).stdout)
    status = lender.json("status")
    assert status["outbox"]["waiting"] >= 2 and str(world.directory) not in json.dumps(status["broker"])
    assert "receipt" not in lender.json("offer", "show", lent)
    assert lender.deal(deal)["state"] == "pending"
    assert borrower.json("offer", "list")["offers"] and borrower.json("match", "list")["matches"]
    refused = world.broker("invite", "--name", "Nieuw BV", "--kvk", "45678901", expect=1)
    assert "MiB" in refused.stderr  # the administrator is told what is full
    assert world.broker.json("members")["members"]
    world.broker.fill_disk(False)
    lender("deal", "show", deal, "--wait", WAIT)
    until(lambda: "receipt" in lender.json("offer", "show", lent))
    assert borrower.deal(deal, "--wait", WAIT)["state"] in deals.DONE
    truth.told(world)


def test_a_full_node_refuses_commands_and_leaves_its_mail_at_the_broker(pair):
    world, lender, borrower, match = pair
    lender.fill_disk()
    before = truth.look("look_ledger", lender.home)
    for command in (["offer", "publish", "-"], ["deal", "talk", match, "--message", "hallo"], ["deal", "propose", match]):
        refused = lender(*command, expect=1, stdin=json.dumps(offers.load(OUT)))
        assert "MiB" in refused.stderr
    deal = deals.propose(borrower, match, "--headcount", "2")  # Stored: it is with the broker
    until(lambda: lender.json("status")["broker"].get("why") == "disk_file_system_full")
    assert lender.json("offer", "list")["offers"] and lender.json("match", "show", match)
    lender("ledger", "verify")
    assert lender.deals() == [] and truth.look("look_ledger", lender.home) == before
    lender.fill_disk(False)
    deals.received(lender, deal)
    assert lender.json("deal", "accept", deal, "--wait", WAIT)["state"] in deals.DONE
    truth.told(world)


@pytest.mark.parametrize("which", ["broker", "lender"])
def test_a_disk_that_is_full_now_and_then_ends_no_deal(pair, which):
    """What is sent behind a message that was not stored builds on a head that the broker has not: it must not be refused
    for good."""
    seed = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={seed}")
    source = random.Random(seed)
    world, lender, borrower, match = pair
    victim = world.broker if which == "broker" else lender
    proposed = []
    for number in range(12):
        deal = borrower("deal", "propose", match, "--headcount", "2", expect=None).stdout.strip()
        proposed.append(deal) if deal else None
        victim.fill_disk(source.random() < 0.5)
        lender.publish([offers.load(OUT)] * 3) if which == "broker" else borrower.publish(offers.load(OUT))
        for row in lender.deals():
            if row["state"] == "received":
                lender("deal", "accept", row["id"], expect=None)
        victim.fill_disk(source.random() < 0.3)
        for row in borrower.deals():
            if row["state"] == "proposed" and source.random() < 0.2:
                borrower("deal", "withdraw", row["id"], expect=None)
    victim.fill_disk(False)
    found = truth.settled(world)
    for row in (row for rows in found.deals().values() for row in rows.values()):
        assert row["deal"] in proposed and row["state"] in ("CONCLUDED", "VOID", "PROPOSED", "RECEIVED"), row
    for node in world.nodes:
        kinds = [entry["kind"] for entry in node.json("ledger", "log", "--last", "100000")["entries"]]
        assert "refused" not in kinds
    truth.told(world)


# ---- a disk on which truly nothing can be written

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB in memory, with homes that believe they have plenty."""
    where = tmp_path / "small"
    where.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", where], capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a tmpfs")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def fill(directory):
    filler = directory / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler


@pytest.mark.parametrize("which", ["broker", "lender"])
def test_no_block_left_is_no_disaster(tmp_path, small_disk, which):
    world = World(tmp_path / "world", 2, start=False)
    world.directory.mkdir()
    lender, borrower = world.nodes
    victim = world.broker if which == "broker" else lender
    place = small_disk / victim.home.name
    place.mkdir(mode=0o700)
    victim.home.symlink_to(place)
    for daemon in (world.broker, *world.nodes):
        daemon.fill_disk(False)
    with world:
        world.open()
        _, _, match = deals.matched(lender, borrower)
        deal = deals.propose(borrower, match, "--headcount", "2")
        deals.received(lender, deal)
        filler = fill(small_disk)
        if which == "broker":
            # More than the broker's file was made longer ahead.
            names = offers.names()
            lent = lender.publish([offers.load(name) for name in names] * (MORE_THAN_AHEAD // len(names)))[-60:]
            until(lambda: lender.json("status")["broker"].get("why") == "broker_full")
        else:
            refused = lender("offer", "publish", "-", expect=1,
                             stdin=json.dumps([offers.load(name) for name in offers.names()] * 5))
            assert refused.stderr.strip()
            lent = []
            borrower.publish([offers.load(name) for name in offers.names()] * 5, "--wait", WAIT)
        assert all(daemon.running() for daemon in (world.broker, *world.nodes))
        assert lender.json("offer", "list")["offers"] and borrower.json("offer", "list")["offers"]
        assert shutil.disk_usage(small_disk).free < 1 << 20
        filler.unlink()
        assert lender.json("deal", "accept", deal, "--wait", WAIT)["state"] in deals.DONE
        until(lambda: all("receipt" in lender.json("offer", "show", offer) for offer in lent))
        truth.told(world)
