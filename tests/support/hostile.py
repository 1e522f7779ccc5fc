"""What tests of hostile peers look at: the broker's own memory, its metrics by name, and whether the others go on."""
import os
import re
import socket
import time
import urllib.request

from support.wire import schema
from support.world import DEADLINE

MEBIBYTE = 1024 * 1024


def page(network):
    address = (network.broker.home / "http").read_text().strip()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        return answer.read().decode()


def metric(network, name):
    return int(re.search(rf"^collega_broker_{name} (\d+)$", page(network), re.M)[1])


def offences(network, label, value):
    """{kind: count} of a party (its id) or an address."""
    if label == "party":
        digits = value.hex()[:32]
        value = " ".join(digits[i:i + 4] for i in range(0, 32, 4))
    found = re.findall(rf'^collega_broker_{label}_offences_total{{{label}="([^"]*)",kind="(\w+)"}} (\d+)$', page(network), re.M)
    return {kind: int(count) for who, kind, count in found if who.replace("-", " ").lower() == value.lower()}


def until(look, wanted, ask):
    """Looks again, after each answer of the broker to `ask`, until `wanted` says yes."""
    end = time.monotonic() + DEADLINE
    while not wanted(found := look()):
        assert time.monotonic() < end, found
        ask()
    return found


def own_memory(network):
    """Bytes of the broker's own: without the pages of the database, which the kernel may drop at any time."""
    status = (open(f"/proc/{network.broker.process.pid}/status").read())
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M)[1]) * 1024


def assert_grew_less(network, before, most):
    """A sanitizer keeps what is freed and pads what is not: what it costs says nothing of the broker."""
    assert os.environ.get("COLLEGA_SANITIZED") or own_memory(network) - before < most


def goes_on(client, party, count=20):
    """Publishes one by one; every receipt comes."""
    for _ in range(count):
        client.publish(party, party.run([party.offer()]))
        assert len(client.hear("receipts").ids) == 1


def answered(client):
    """What was said before this has been dealt with."""
    client.say(ping=schema("link").Ping(number=4711))
    assert client.hear("pong").number == 4711


def connect(network, source="127.0.0.2"):
    """A bare TCP connection from another address of this machine."""
    host, port = network.endpoint.removeprefix("tcp://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))


def begin_connecting(network, source):
    """The same, not waited for."""
    host, port = network.endpoint.removeprefix("tcp://").rsplit(":", 1)
    one = socket.socket()
    one.setblocking(False)
    one.bind((source, 0))
    one.connect_ex((host, int(port)))
    return one
