"""What all Python tests share."""
import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.world import World  # noqa: E402


@pytest.fixture
def world_of(tmp_path):
    """world_of(3): a broker and three joined, running nodes; they end with the test."""
    worlds = []

    def make(employers=2, start=True):
        worlds.append(World(tmp_path / f"world{len(worlds)}", employers, start=False))
        worlds[-1].directory.mkdir()
        return worlds[-1].open() if start else worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def seed():
    """Printed, so that a failure can be repeated."""
    value = int(os.environ.get("COLLEGA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"COLLEGA_SEED={value}")
    return value
