"""Who has no key: half-open handshakes, crowds of connections, refused keys. The broker's own memory stays small, members
go on, and the metrics name the address."""
import resource
import select
import time

import nacl.public
import pytest
import zmq

from support.hostile import MEBIBYTE, answered, assert_grew_less, begin_connecting, connect, goes_on, metric, offences, own_memory, until
from support.zmtp import Peer

CROWD_BYTES = 128 * MEBIBYTE  # docs/operator.md, "Hostile peers"
CROWD_SECONDS = 20
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)


@pytest.fixture
def descriptors():
    """Room for a crowd in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(before[1], 16384) if before[1] != resource.RLIM_INFINITY else 16384
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def crowd(network, count, source):
    """`count` connections that say who they are not: a greeting, and no handshake. Waits until all are connected, or
    hung up on, for a while: a queue that is full may keep some waiting."""
    sockets, poll = {}, select.poll()
    for _ in range(count):
        one = begin_connecting(network, source)
        sockets[one.fileno()] = one
        poll.register(one, select.POLLOUT)
    waiting, end = set(sockets), time.monotonic() + CROWD_SECONDS
    while waiting and time.monotonic() < end:
        for descriptor, _ in poll.poll(1000):
            poll.unregister(descriptor)
            waiting.discard(descriptor)
            try:
                sockets[descriptor].send(GREETING)
            except OSError:  # hung up on already
                pass
    assert len(waiting) < count / 2
    return list(sockets.values())


def close(sockets):
    for one in sockets:
        one.close()


def test_a_thousand_half_open_handshakes_are_turned_away(network, descriptors):
    party = network.member()
    with network.session(party) as client:
        goes_on(client, party)
        before = own_memory(network)
        sockets = crowd(network, 1000, "127.0.0.2")
        goes_on(client, party)
        assert_grew_less(network, before, CROWD_BYTES)
        named = until(lambda: offences(network, "address", "127.0.0.2"), lambda seen: seen.get("turned_away", 0) >= 700,
                      lambda: answered(client))
        assert set(named) <= {"turned_away", "silent", "refused"}
        # Those that were let in are ended by the handshake's time limit, and somebody else may come from there again.
        until(lambda: metric(network, "connections"), lambda count: count <= 1, lambda: answered(client))
        close(sockets)
        with connect(network, "127.0.0.2") as one:
            one.sendall(GREETING)
            assert one.recv(1) == b"\xff"


def test_ten_thousand_connections_from_the_address_of_a_member(network, descriptors):
    """A known key comes from there, so the address is trusted: its nodes may be many. Still it has its limit."""
    party = network.member()
    count = min(10000, descriptors - 1000)
    with network.session(party) as client:
        goes_on(client, party)
        before = own_memory(network)
        sockets = crowd(network, count, "127.0.0.1")
        goes_on(client, party)
        assert_grew_less(network, before, CROWD_BYTES)
        until(lambda: metric(network, "connections"), lambda seen: seen <= 2048 + 64, lambda: answered(client))
        until(lambda: offences(network, "address", "127.0.0.1"), lambda seen: seen.get("turned_away", 0) > 0,
              lambda: answered(client))
        # Somebody new comes in all the same, from elsewhere.
        other = network.member("Versgoed BV", "23456789", source="127.0.0.3")
        with network.client(other.link, source="127.0.0.3") as more:
            more.hello(other)
            assert more.hear("welcome").member
        close(sockets)


def test_a_refused_key_is_named_by_its_address(network):
    party = network.member()
    with network.session(party) as client:
        for _ in range(5):
            with network.client(nacl.public.PrivateKey.generate(), source="127.0.0.4") as stranger:
                stranger.event(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        until(lambda: offences(network, "address", "127.0.0.4"), lambda seen: seen.get("refused") == 5,
              lambda: answered(client))
        assert not offences(network, "address", "127.0.0.1")


def test_who_has_a_key_and_says_nothing_is_hung_up_on(network):
    party, silent = network.member(), network.member("Versgoed BV", "23456789")
    with network.session(party) as client, Peer(network.endpoint, network.invitation.link_key, bytes(silent.link)) as peer:
        assert peer.socket.recv(1) == b""  # the end; its deadline is the peer's own
        until(lambda: metric(network, "connections_silent_total"), lambda count: count == 1, lambda: answered(client))
        goes_on(client, party)
