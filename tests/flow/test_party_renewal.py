"""The certificate of a hosted employer is renewed: told before its end, with the daemon up and down, and what is refused."""
import json
import os
import socket
import subprocess

import pytest

from support import hosting, offers
from support.hosting import EMPLOYERS, Hosted
from support.dates import day_of
from support.world import DEADLINE, WAIT, Node, die_with_parent, until
from test_parties import state_of


@pytest.fixture
def hosted(world_of):
    world = world_of(0)
    host, parties = hosting.network(world)
    return world, host, parties


def turn(world, host, days):
    for daemon in (host, world.broker):
        daemon.stop()
        daemon.turn_clock(days=days)
    world.broker.start()


def invite(world, party):
    return world.broker.invite(party.name, party.kvk, "--host", party.host.kvk)


def test_a_certificate_is_told_to_end_and_renewed_with_the_daemon_up_and_down(hosted):
    world, host, (first, second) = hosted
    ends = {party.kvk: state_of(host, party.kvk)["valid_until"] for party in (first, second)}
    assert "renewal" not in state_of(host, first.kvk)
    assert world.broker.json("status")["certificates_ending"] == 0
    turn(world, host, 700)
    assert state_of(host, first.kvk)["renewal"] == "due"
    assert world.broker.json("status")["certificates_ending"] == 3 and "60" in world.broker("status").stdout
    assert day_of(ends[first.kvk]) in world.broker("members").stdout
    for language, word in (("en", "valid until"), ("nl", "geldt tot")):
        shown = host("status", "--lang", language).stdout
        assert word in shown and first.name in shown and day_of(ends[first.kvk]) in shown and "party renew" in shown
    # The host's own first: who is over cannot house others.
    host("join", world.broker.invite(host.name, host.kvk, "--role", "network"))
    down = host.json("party", "renew", invite(world, first))
    assert down["renewed"] and down["valid_until"] > ends[first.kvk]
    host.start()
    token = invite(world, second)
    up = host.json("party", "renew", token, "--as", second.kvk, "--wait", WAIT)
    assert up["renewed"] and up["valid_until"] > ends[second.kvk]
    assert host.json("party", "renew", token, "--wait", WAIT)["valid_until"] == up["valid_until"]  # changes nothing
    for party in (first, second):
        told = state_of(host, party.kvk)
        assert told["state"] == "member" and told["valid_until"] > ends[party.kvk] and "renewal" not in told
    # Beyond the first certificates they go on; and the ledger made anew says the same.
    turn(world, host, 800)
    host.start()
    for party in (first, second):
        assert party.publish(offers.load("logistiek-magazijn-uit", ahead=800), "--wait", WAIT)
    host.stop()
    before = host.json("party", "list")
    host("ledger", "verify")
    host("ledger", "rebuild")
    assert host.json("party", "list") == before


def test_a_lapsed_party_says_so_and_comes_back(hosted):
    world, host, (first, second) = hosted
    turn(world, host, 700)
    host("join", world.broker.invite(host.name, host.kvk, "--role", "network"))
    host("party", "renew", invite(world, second))
    turn(world, host, 740)
    assert state_of(host, first.kvk)["state"] == "lapsed" and state_of(host, second.kvk)["state"] == "member"
    assert "was valid until" in host("status").stdout
    # A token that waits is told, and comes in with the daemon.
    token = invite(world, first)
    world.broker.stop()
    late = host("party", "renew", token, "--wait", "1", expect=3)
    assert late.stderr.strip() and state_of(host, first.kvk)["renewal"] == "waits"
    assert first.name in host("status").stdout
    world.broker.start()
    host.start()
    until(lambda: state_of(host, first.kvk)["state"] == "member")
    assert first.publish(offers.load("logistiek-magazijn-uit", ahead=740), "--wait", WAIT)


def test_what_renews_nobody_is_refused_and_changes_nothing(hosted):
    world, host, (first, second) = hosted
    broker = world.broker
    other = Node(world.directory, "Ander Netwerk", "90000002")
    other.init()
    other("join", broker.invite(other.name, other.kvk, "--role", "network"))
    waiting = broker.invite(*EMPLOYERS[2][:2], "--host", host.kvk)
    before = host.json("party", "list")
    cases = [
        ([], 2, ""), (["collega1.onzin"], 1, "invitation"), ([""], 2, "empty"), (["x" * 5000], 1, "invitation"),
        ([invite(world, first), "extra"], 2, ""), ([invite(world, first), "--wait", "soon"], 2, "wait"),
        ([invite(world, first), "--as", second.kvk], 1, second.kvk),  # an invitation for its neighbour
        ([invite(world, first), "--as", "nobody"], 1, "nobody"),
        ([waiting], 1, EMPLOYERS[2][1]),  # does not live here
        ([broker.invite(host.name, host.kvk, "--role", "network")], 1, "join"),  # the host's own
        ([broker.invite("Elders BV", "56789012", "--host", other.kvk)], 1, "56789012"),
        ([broker.invite(first.name, first.kvk, "--host", other.kvk)], 1, "another network"),
        ([broker.invite("Los BV", "45678901")], 1, "45678901"),
    ]
    for arguments, status, word in cases:
        refused = host("party", "renew", *arguments, expect=None)
        assert refused.returncode == status and word in refused.stderr and not refused.stdout, (arguments, refused)
        dutch = host("party", "renew", *arguments, "--lang", "nl", expect=None)
        assert dutch.stderr.strip() and dutch.stderr != refused.stderr, arguments
    assert host.json("party", "list") == before
    # One that waits for its first certificate is added, not renewed.
    host.stop()
    broker.stop()
    name, kvk = EMPLOYERS[2][:2]
    host("party", "add", "--name", name, "--kvk", kvk, "--invitation", waiting, "--wait", "1", expect=3)
    assert "party add" in host("party", "renew", waiting, expect=1).stderr
    broker.start()
    # The broker's refusal is told, and the certificate stays as it was.
    host.start()
    until(lambda: state_of(host, kvk)["state"] == "member")
    broker("revoke", first.kvk)
    until(lambda: state_of(host, first.kvk)["state"] == "revoked")
    assert first.name in host("party", "renew", invite(world, first), expect=1).stderr


def test_an_invitation_that_is_over_leaves_the_party_a_member(hosted):
    world, host, (first, _) = hosted
    token = world.broker("invite", "--name", first.name, "--kvk", first.kvk, "--host", host.kvk, "--days", "1").stdout.strip()
    until = state_of(host, first.kvk)["valid_until"]
    turn(world, host, 2)
    host.start()
    refused = host("party", "renew", token, "--wait", WAIT, expect=1)
    assert refused.stderr.strip()
    told = state_of(host, first.kvk)
    assert told["state"] == "member" and told["renewal"] == "refused" and told["refused"]["rule"] == "invitation_expired"
    assert told["valid_until"] == until
    assert first.name in host("status").stdout
    assert host.json("party", "renew", invite(world, first), "--wait", WAIT)["valid_until"] > until
    assert "renewal" not in state_of(host, first.kvk)


def test_the_keys_of_a_hosted_party_rotate(hosted):
    world, host, (first, second) = hosted
    assert first.json("key", "rotate", "--wait", WAIT)["card"] == 1
    assert first.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    assert second.json("key", "rotate", "--wait", WAIT)["card"] == 1
    assert host.json("key", "rotate", "--wait", WAIT)["card"] == 1
    until(lambda: host.json("status")["broker"]["connected"])
    assert Hosted(host, second.name, second.kvk).publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)


def test_a_connection_that_is_lost_does_not_keep_a_renewal_waiting(hosted):
    """Somebody else's program answers at the broker's port and hangs up; then the broker is back."""
    world, host, (first, _) = hosted
    until = state_of(host, first.kvk)["valid_until"]
    turn(world, host, 700)
    token = invite(world, first)
    port = int(world.broker.endpoint.rsplit(":", 1)[1])
    world.broker.stop()
    with socket.create_server(("127.0.0.1", port)) as other:
        other.settimeout(DEADLINE)
        renewing = subprocess.Popen([host.program, "party", "renew", token, "--wait", WAIT, "--json", "--home", host.home],
                                    env={**os.environ, **host.env}, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        for _ in range(2):  # its Join, and what it tries after that
            other.accept()[0].close()
    world.broker.start()
    told, _ = renewing.communicate(timeout=2 * DEADLINE)
    assert renewing.returncode == 0 and json.loads(told)["valid_until"] > until
