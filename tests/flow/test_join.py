"""Joining that does not come about: what was refused and why, and what to do, by `join` and later by `status`."""
import datetime
import socket

import pytest

from support.dates import day_of
from support.world import World, call, until

REFUSED = {"en": ("the broker refused the invitation: this invitation was used already", "ask the network for a new invitation"),
           "nl": ("de broker heeft de uitnodiging geweigerd: deze uitnodiging is al gebruikt", "vraag het netwerk om een nieuwe")}


@pytest.fixture
def world(tmp_path):
    with World(tmp_path, 1, start=False) as made:
        made.broker.init()
        made.broker.start()
        for node in made.nodes:
            node.init()
        yield made


def used_token(world, node):
    """One that another took first."""
    token = world.broker.invite(node.name, node.kvk)
    twin = world.directory / "twin"
    call([node.program, "init", "--home", twin, "--name", node.name, "--kvk", node.kvk])
    call([node.program, "join", "--home", twin, token])
    return token


def told(node):
    """What status says of its joining, in both languages, and why in JSON."""
    for language, words in REFUSED.items():
        text = node("status", "--lang", language).stdout
        assert all(one in text for one in words), text
    status = node.json("status")
    assert status["broker"]["why"] == "join_refused" and status["parties"][0]["state"] == "refused"
    assert status["parties"][0]["refused"]["rule"] == "invitation_used"


def test_a_refused_join_is_told_and_remembered(world):
    node = world.nodes[0]
    token = used_token(world, node)
    assert "TOKEN" in node("status", "--lang", "en").stdout
    assert "used already" in node("join", token, "--lang", "en", expect=1).stderr
    told(node)
    node.start()  # a daemon that finds no invitation any more changes nothing
    told(node)


def test_beside_a_daemon_it_is_the_same(world):
    node = world.nodes[0]
    token = used_token(world, node)
    node.start()
    refused = node("join", token, "--wait", "60", "--lang", "en", expect=1).stderr
    assert "used already" in refused
    told(node)


def test_an_invitation_that_waits_is_told(world):
    node = world.nodes[0]
    token = world.broker.invite(node.name, node.kvk)
    world.broker.stop()
    assert "no answer" in node("join", token, "--wait", "1", "--lang", "en", expect=3).stderr
    assert "an invitation waits" in node("status", "--lang", "en").stdout
    world.broker.start()
    node.start()
    until(lambda: node.json("status")["broker"]["joined"])
    assert "invitation" not in node("status", "--lang", "en").stdout


def test_a_broker_that_does_not_come_to_the_handshake_has_judged_nothing(world):
    """What listens at its address is overloaded, or hangs: the invitation may be as good as any."""
    node = world.nodes[0]
    token, endpoint = world.broker.invite(node.name, node.kvk), world.broker.endpoint
    world.broker.stop()
    with socket.create_server(("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))):
        assert "no answer" in node("join", token, "--wait", "6", "--lang", "en", expect=3).stderr
        assert "an invitation waits" in node("status", "--lang", "en").stdout
    world.broker.start()
    node.start()
    until(lambda: node.json("status")["broker"]["joined"])


def test_an_invitation_that_is_over_is_told(world):
    node = world.nodes[0]
    token = world.broker("invite", "--name", node.name, "--kvk", node.kvk, "--days", "1").stdout.strip()
    world.broker.stop()
    for daemon in (world.broker, node):
        daemon.turn_clock(days=2)
    world.broker.start()
    assert "valid until" in node("join", token, "--lang", "en", expect=1).stderr
    assert "valid until" in node("status", "--lang", "en").stdout


def test_a_broker_that_does_not_know_the_invitation_is_no_broker_that_does_not_answer(world):
    """It is over by the broker's clock alone."""
    node = world.nodes[0]
    token = world.broker("invite", "--name", node.name, "--kvk", node.kvk, "--days", "1").stdout.strip()
    world.broker.stop()
    world.broker.turn_clock(days=2)
    world.broker.start()
    refused = node("join", token, "--wait", "2", "--lang", "en", expect=3).stderr
    assert "does not let this invitation in" in refused
    node.start()
    until(lambda: "does not let this invitation in" in node("status", "--lang", "en").stdout)


def test_the_last_day_of_a_certificate_is_a_day_in_amsterdam_wherever_it_is_told(world):
    """Joined when the day of UTC still lasts half an hour, and that of Amsterdam is over."""
    node = world.nodes[0]
    now = datetime.datetime.now(datetime.timezone.utc)
    ahead = (now.replace(hour=23, minute=30) - now).total_seconds()
    world.broker.stop()
    for daemon in (world.broker, node):
        daemon.turn_clock(seconds=ahead + 86400)
    world.broker.start()
    told = node("join", world.broker.invite(node.name, node.kvk), "--lang", "en").stdout
    until_when = world.broker.json("members")["members"][0]["certified_until"]
    last = day_of(until_when)
    assert last != until_when[:10]
    assert last in told and last in world.broker("members").stdout
