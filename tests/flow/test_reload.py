"""Settings that change while a daemon runs: SIGHUP takes them over, or says what waits for the next start."""
import signal
import time

import pytest

from support import offers
from support.world import DEADLINE, WAIT


def log_says(daemon, text, times=1):
    """Waits until the daemon has logged it so many times. The log is a file: it is looked at until the deadline."""
    until = time.monotonic() + DEADLINE
    while (log := daemon.log.read_text()).count(text) < times:
        assert time.monotonic() < until and daemon.running(), log[-3000:]
    return log


def reload(daemon, settings):
    fresh = daemon.home / "settings.fresh"
    fresh.write_text(settings)
    fresh.rename(daemon.home / "settings.ini")  # whole at any moment
    daemon.process.send_signal(signal.SIGHUP)


@pytest.fixture
def pair(world_of):
    world = world_of(2)
    yield world, *world.nodes


def titles(node):
    return {row["offer"]["title"] for row in node.json("offer", "list")["offers"] if not row["mine"]}


def test_a_node_follows_another_part_of_the_board_from_then_on(pair):
    _, lender, borrower = pair
    out, driver = offers.load("logistiek-magazijn-uit"), offers.load("logistiek-heftruck-uit")
    lender.publish([out, driver], "--wait", WAIT)
    while titles(borrower) != {out["title"], driver["title"]}:
        assert borrower.running()
    start = "[link]\nreconnect_spread_ms = 100\n[follow]\noccupations = "
    reload(borrower, start + driver["occupation"]["isco"] + "\n")
    log_says(borrower, "setting=follow.occupations changed")
    while titles(borrower) != {driver["title"]}:
        assert borrower.running()
    reload(borrower, start + "\n")
    log_says(borrower, "setting=follow.occupations changed", 2)
    while titles(borrower) != {out["title"], driver["title"]}:
        assert borrower.running()
    assert borrower.json("status")["broker"]["joined"]


def test_a_wrong_setting_changes_nothing_and_is_told(pair):
    world, lender, _ = pair
    for daemon, settings, words in ((lender, "[follow]\nkinds = lend_out\n", "lend_out"), (lender, "[link]\nspeed = 1\n", "link.speed"),
                                    (lender, "[log]\nlevel = loud\n", "log.level"), (world.broker, "[log]\nlevel = 1\n", "log.level")):
        before = daemon.log.read_text().count("nothing changed")
        reload(daemon, settings)
        log = log_says(daemon, "nothing changed", before + 1)
        assert words in log.split("nothing changed")[-1]
    assert lender.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)  # all goes on


def test_the_level_of_the_log_changes_at_once(pair):
    world, lender, _ = pair
    for daemon in (lender, world.broker):
        settings = (daemon.home / "settings.ini").read_text()
        for times, level in enumerate(("warning", "info"), 1):  # the change itself is told in either direction
            reload(daemon, settings + f"[log]\nlevel = {level}\n")
            log_says(daemon, "setting=log.level changed", times)
            reload(daemon, settings + f"[log]\nlevel = {level}\n")
            daemon.json("status")
        log_says(daemon, "no setting changed")
        assert daemon.log.read_text().count("no setting changed") == 1  # at the level warning it was not told


def test_what_needs_a_restart_is_said_and_left(pair):
    world, *_ = pair
    settings = (world.broker.home / "settings.ini").read_text()
    reload(world.broker, settings + "[broker]\nworkers = 3\n")
    log = log_says(world.broker, "restart to take over all settings")
    assert "setting=broker.workers changes at the next start" in log
    assert world.broker.json("status")["running"]
