"""Hours of work in short: memory and descriptors of the daemons stay where they were after the first quarter.

Behind COLLEGA_LONG it lasts twenty minutes (COLLEGA_SOAK_SECONDS); otherwise a few rounds show that it would."""
import json
import os
import time

from support import deals, offers
from support.world import World

SECONDS = float(os.environ.get("COLLEGA_SOAK_SECONDS", "1200" if os.environ.get("COLLEGA_LONG") else "0"))
WARM_ROUNDS = 6
LEAST_ROUNDS = 12
# What an allocator may keep of the largest that it once gave (a work arena, LMDB's list of changed pages). The long run
# has some thousands of rounds: a leak of ten kilobytes a round would pass this.
SLACK_BYTES = 16 << 20


def anonymous_bytes(daemon):
    """What the process holds for itself: not the pages of its LMDB files, which come and go."""
    for line in open(f"/proc/{daemon.process.pid}/smaps_rollup"):
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such line in smaps_rollup")


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def one_round(lender, borrower):
    """Publish, match, propose, conclude or decline, revise, withdraw; a broken connection now and then."""
    lent, asked, match = deals.matched(lender, borrower, min_headcount=1)
    deal = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, deal)
    if int(deal[:1], 16) % 2:
        lender("deal", "accept", deal, "--wait", "60")
        assert borrower.deal(deal, "--wait", "60")["state"] in deals.DONE
    else:
        lender("deal", "decline", deal, "--wait", "60")
    lender("offer", "revise", lent, "-", stdin=json.dumps({**offers.load("logistiek-magazijn-uit"), "headcount": 20}))
    lender("offer", "withdraw", lent)
    borrower("offer", "withdraw", asked)


def test_memory_and_descriptors_stay_flat(tmp_path):
    with World(tmp_path, 2) as world:
        lender, borrower = world.nodes
        daemons = [world.broker, lender, borrower]
        began, rounds, before = time.monotonic(), 0, None
        while rounds < LEAST_ROUNDS or time.monotonic() - began < SECONDS:
            one_round(lender, borrower)
            rounds += 1
            if before is None and rounds >= WARM_ROUNDS and time.monotonic() - began >= SECONDS / 4:
                before = [(anonymous_bytes(daemon), descriptors(daemon)) for daemon in daemons]
        print(f"{rounds} rounds")
        for daemon, (bytes_before, open_before) in zip(daemons, before):
            held, opened = anonymous_bytes(daemon), descriptors(daemon)
            print(daemon.home.name, bytes_before, held, open_before, opened)
            assert held <= bytes_before + SLACK_BYTES, daemon.home.name
            assert opened <= open_before + 2, daemon.home.name
