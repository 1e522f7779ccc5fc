"""Ten bidders for a headcount of three, while the broker and the lender's node are killed at random moments: never four.

The seed is printed; COLLEGA_SEED repeats a run."""
import os
import random

from support import deals, offers
from support.world import World, until

KILLS = 40 if os.environ.get("COLLEGA_LONG") else 8


class Killer:
    """Kills a daemon and starts it again, each time some step of the main flow is passed."""

    def __init__(self, world, seed):
        self.world, self.random, self.kills = world, random.Random(seed), 0

    def strike(self):
        victim = self.random.choice([self.world.broker, self.world.nodes[0]])
        victim.kill()
        self.kills += 1
        victim.start()


def test_never_four_of_three(tmp_path):
    seed = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={seed}")
    with World(tmp_path, 11) as world:
        killer = Killer(world, seed)
        lender, bidders = world.nodes[0], world.nodes[1:]
        lent = lender.publish({**offers.load("logistiek-heftruck-uit"), "headcount": 3})
        proposed = []
        for i, bidder in enumerate(bidders):
            asked = bidder.publish({**offers.load("logistiek-heftruck-in"), "headcount": 2})
            match = None
            while match is None:
                match = next((m["id"] for m in bidder.json("match", "list", "--offer", asked)["matches"]
                              if m["counter"] == lent), None)
            people = 1 + i % 2
            proposed.append((bidder, bidder("deal", "propose", match, "--headcount", str(people)).stdout.strip(), people))
            if i % 3 == 0 and killer.kills < KILLS:
                killer.strike()
        ids = {deal for _, deal, _ in proposed}
        while {row["id"] for row in lender.deals()} != ids:
            if killer.kills < KILLS:
                killer.strike()
            lender("status")
        accepted = [deal for _, deal, _ in proposed if lender("deal", "accept", deal, expect=None).returncode == 0]
        while killer.kills < KILLS:
            killer.strike()
        # What was accepted is decided; what could not be accepted is declined, so that nothing stays open.
        for _, deal, _ in proposed:
            if deal not in accepted:
                lender("deal", "decline", deal)
        closed = deals.DONE | {"void"}
        until(lambda: all(row["state"] in closed for node in world.nodes for row in node.deals()))

        at_lender = {row["id"]: row for row in lender.deals()}
        agreed = 0
        for bidder, deal, people in proposed:
            theirs, ours = bidder.deals(), at_lender[deal]
            assert [row["id"] for row in theirs] == [deal]
            assert (theirs[0]["state"] in deals.DONE) == (ours["state"] in deals.DONE), (theirs[0]["state"], ours["state"])
            if ours["state"] in deals.DONE:
                assert deal in accepted
                agreed += people
        assert 2 <= agreed <= 3
        assert killer.kills >= KILLS
        for node in world.nodes:
            node("ledger", "verify")
