"""Broker and nodes killed with SIGKILL at random moments, from outside and at random passages of random fault points, while
offers, mail and contended deals run. In several small worlds side by side; one of them has ten bidders for three people.

The seed is printed; COLLEGA_SEED repeats a run, as far as the machine's own timing lets it. COLLEGA_LONG: two thousand
kills instead of two hundred."""
import os
import random
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.campaign import Campaign

KILLS = 2000 if os.environ.get("COLLEGA_LONG") else 200
BIDDERS = (10, 3, 3, 2)  # of each world
KILLS_A_WORLD = 50
MEMORY = Path("/dev/shm")  # a killed process loses nothing of what the page cache has, wherever the files are


@pytest.fixture
def directory(tmp_path):
    """In memory where there is such a place: fsync is not what is tried here (test_power.py does that). Kept on failure
    like any other directory of a test."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    path = Path(tempfile.mkdtemp(prefix="collega-campaign-", dir=MEMORY))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_life_among_kills_keeps_every_promise(directory):
    seed = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={seed}")
    rounds = max(1, KILLS // (KILLS_A_WORLD * len(BIDDERS)))
    verdicts, kills = set(), 0

    def live(index):
        path = directory / str(index)
        path.mkdir()
        campaign = Campaign(path, seed + index, BIDDERS[index % len(BIDDERS)], KILLS_A_WORLD)
        try:
            truth = campaign.go()
        except BaseException as failure:
            raise AssertionError(f"world {index} of COLLEGA_SEED={seed}, after {campaign.kills} kills and "
                                 f"{campaign.commands} commands") from failure
        finally:
            campaign.world.close()
        shutil.rmtree(path)
        return campaign.kills, {deal["verdict"] for register in truth.store["registers"] for deal in register["deals"]}

    with ThreadPoolExecutor(max_workers=4) as pool:
        for killed, found in pool.map(live, range(rounds * len(BIDDERS))):
            kills += killed
            verdicts |= found
    assert kills >= KILLS
    assert {1, 2, 3} <= verdicts, verdicts  # concluded, void and amended: it was a life
