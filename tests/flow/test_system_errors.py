"""What the operating system refuses is said in the reader's language, with what it is about."""
import json
import resource
import subprocess

import pytest

from support import offers
from support.world import DEADLINE, Broker, Node, call


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    return node


def told(node, language, *arguments):
    return node(*arguments, "--lang", language, expect=1).stderr


@pytest.mark.parametrize("name,dutch,english", [
    ("", "dit is een map", "this is a directory"),
    ("settings.ini/offer.json", "geen map", "not a directory"),
    ("x" * 300, "naam is te lang", "name is too long"),
])
def test_a_file_that_cannot_be_read(node, name, dutch, english):
    path = node.home / name
    for language, words in (("nl", dutch), ("en", english)):
        text = told(node, language, "offer", "publish", path)
        assert words in text and path.name[:50] in text, text
        assert "reason_" not in text


def test_standard_output_that_is_full(node):
    for language, words in (("nl", "de schijf is vol"), ("en", "no space left")):
        with open("/dev/full", "w") as full:
            result = subprocess.run([node.program, "status", "--home", node.home, "--lang", language], stdout=full,
                                    stderr=subprocess.PIPE, text=True)
        assert result.returncode == 1 and words in result.stderr, result.stderr


def test_a_file_that_may_not_grow_is_told_and_what_stood_stays(tmp_path):
    node = Node(tmp_path, "Grens BV", "12345678")
    node.init()
    most = 256 * 1024

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    offer = offers.load("logistiek-magazijn-uit")
    for published in range(400):
        result = subprocess.run([node.program, "offer", "publish", "-", "--home", node.home, "--lang", "en"], text=True,
                                input=json.dumps(offer), preexec_fn=limited, capture_output=True, timeout=DEADLINE)
        if result.returncode:
            break
    assert result.returncode == 1 and published > 0, result
    assert "too large" in result.stderr or "could not be" in result.stderr, result.stderr  # LMDB: a part was written
    assert len(node.json("offer", "list", "--mine")["offers"]) == published
    node("ledger", "verify")
    node.publish(offer)


def test_an_address_that_is_taken_and_a_broker_that_is_not_there(tmp_path):
    first, second = Broker(tmp_path / "one"), Broker(tmp_path / "two")
    for broker in (first, second):
        broker.home.parent.mkdir()
    try:
        first.init()
        first.start()
        second.init(listen=first.endpoint)
        for language, words in (("nl", "al in gebruik"), ("en", "in use already")):
            result = call([second.program, "run", "--home", second.home, "--lang", language], expect=None, env=second.env)
            assert result.returncode == 3 and words in result.stderr, result.stderr
        first.kill()  # its socket stays behind, and nobody listens
        for language, words in (("nl", "er luistert daar niets"), ("en", "connection refused")):
            result = call([first.program, "invite", "--home", first.home, "--name", "X BV", "--kvk", "12345678", "--lang", language],
                          expect=None)
            assert result.returncode == 0 or words in result.stderr, result.stderr
    finally:
        first.kill()


@pytest.mark.parametrize("address", ["tcp://nowhere.invalid:7999", "tcp://192.0.2.1:7999"])
def test_an_address_of_another_machine_is_told_as_that(tmp_path, address):
    broker = Broker(tmp_path)
    broker.init(listen=address)
    for language, words in (("nl", "deze machine"), ("en", "this machine")):
        result = call([broker.program, "run", "--home", broker.home, "--lang", language], expect=None, env=broker.env)
        assert result.returncode in (1, 3) and address in result.stderr and words in result.stderr, result.stderr


def test_programs_read_a_name_that_stays(node):
    error = json.loads(node("offer", "publish", node.home, "--json", expect=1).stderr)["error"]
    assert (error["rule"], error["arguments"]) == ("system_call", [str(node.home), "reason_is_directory"])
    assert error["message"].endswith(": this is a directory")
