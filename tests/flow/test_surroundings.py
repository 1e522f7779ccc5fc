"""Commands in odd surroundings: no environment, other encodings, closed and broken streams, a signal, each other."""
import json
import os
import signal
import subprocess

import pytest

from support import offers
from support.world import DEADLINE, NOBODYS, Node, call, die_with_parent


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    return node


def begin():
    """As from a terminal: whoever began the tests may have had signals ignored (nohup, a job of a script)."""
    die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(node, *arguments, **streams):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen([str(word) if not isinstance(word, bytes) else word for word in
                             (node.program, *arguments, "--home", node.home)], preexec_fn=begin, **pipes)


def test_nothing_of_the_environment_is_needed(node):
    result = subprocess.run([node.program, "status", "--home", node.home], env={}, capture_output=True, text=True, timeout=DEADLINE)
    assert result.returncode == 0 and "Snijder BV" in result.stdout and not result.stderr
    nowhere = subprocess.run([node.program, "status"], env={}, capture_output=True, text=True, timeout=DEADLINE)
    assert nowhere.returncode == 2 and "--home" in nowhere.stderr


@pytest.mark.parametrize("locale,dutch", [("nl_NL.ISO-8859-1", True), ("nl", True), ("nl_BE@euro", True), ("C", False),
                                          ("nld", False), ("xx_YY", False), ("de_DE.UTF-8", False)])
def test_the_language_follows_the_locale_and_the_encoding_stays(node, locale, dutch):
    env = {"LC_ALL": locale, "LANG": "", "LC_MESSAGES": ""}
    told = node("offer", "show", NOBODYS, expect=1, env=env).stderr
    assert ("niets heeft een kenmerk" in told) == dutch, told
    offer = {**offers.load("logistiek-magazijn-uit"), "title": "Caf\u00e9medewerkers \u20ac"}
    node.publish(offer)
    raw = call([node.program, "offer", "list", "--home", node.home], env=env, text=False).stdout
    assert "Caf\u00e9medewerkers \u20ac".encode() in raw


@pytest.mark.parametrize("arguments", [
    ["offer", "show", b"\xff\xfe"], ["deal", "talk", NOBODYS, "--message", b"a\xffb"], ["offer", "list", "--as", b"\xc3\x28"],
    ["mandate", "add", "--function", "x", "--signatory", b"\xf0\x28\x8c\x28"], [b"\xff"], ["offer", b"\x9b31m"],
    ["offer", "publish", b"/\xff\x1b[2J"], ["verify", "--trust", b"\x1b]0;x\x07", "x"]], ids=range(8))
def test_bytes_that_are_no_text_are_told_as_text(node, arguments):
    for more in ([], ["--json"]):
        process = start(node, *arguments, *more)
        out, told = process.communicate(timeout=DEADLINE)
        assert process.returncode in (1, 2) and not out
        text = told.decode()  # it is UTF-8
        assert text.strip() and not any(ord(c) < 32 and c != "\n" or 0x7F <= ord(c) < 0xA0 for c in text), text
        if more:
            assert json.loads(text)["error"]["message"]
    assert node.json("status")["ledger"]["entries"] == 2


@pytest.mark.parametrize("text", [b"\0", b"\xff\xfe{\0}\0", b'{"kind":"\xff"}', b'{"title":"a\\u0000b"}', b'{"title":"\\ud800"}',
                                  b'{"headcount":1e999}', b'{"headcount":123456789012345678901234567890}', b"\x1b[2J"], ids=range(8))
def test_offers_of_other_bytes_are_refused_in_words(node, text):
    result = call([node.program, "offer", "publish", "-", "--home", node.home], expect=1, stdin=text, text=False)
    assert result.stderr.decode().strip() and b"\x1b" not in result.stderr and not result.stdout
    assert node.json("status")["ledger"]["entries"] == 2


def test_a_reader_that_stops_reading_ends_a_long_answer(node):
    table = ["kind,title,occupation.isco,headcount,period.from,period.until,hours.per_week_min,hours.per_week_max,place.postcode,place.region"]
    table += [f"loan_out,Aanbod {number},4321,2,2099-01-04,2099-02-01,24,40,4811,AM25" for number in range(3000)]
    node("offer", "publish", "--csv", "-", stdin="\n".join(table))
    for command in (["offer", "list"], ["offer", "list", "--json"]):
        process = start(node, *command)
        process.stdout.read(100)
        process.stdout.close()
        assert process.stderr.read() == b"", command
        assert process.wait(DEADLINE) == -signal.SIGPIPE, command


def closed(number):
    def close():
        die_with_parent()
        os.close(number)
    return close


def test_streams_that_are_closed(node):
    """What a command opens must not come to stand where its answer goes."""
    before = node.json("status")["ledger"]
    for number in (0, 1, 2):
        for command in (["status"], ["offer", "publish", "-"], ["ledger", "verify"]):
            result = subprocess.run([node.program, *command, "--home", node.home], preexec_fn=closed(number), timeout=DEADLINE,
                                    **{name: subprocess.PIPE for place, name in enumerate(("stdin", "stdout", "stderr"))
                                       if place != number})
            assert result.returncode in (0, 1), (number, command, result)
    assert node.json("status")["ledger"] == before
    node("ledger", "verify")


def test_a_command_that_waits_ends_at_a_signal_and_what_it_wrote_stays(node):
    for count, number in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), 1):
        offer = {**offers.load("logistiek-magazijn-uit"), "title": f"Voor signaal {number}"}
        process = start(node, "offer", "publish", "-", "--wait", int(DEADLINE), stdin=subprocess.PIPE)
        process.stdin.write(json.dumps(offer).encode())
        process.stdin.close()
        while len(node.json("offer", "list")["offers"]) < count:
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(DEADLINE) == -number
        process.stdout.close()
        process.stderr.close()
        node("ledger", "verify")
    assert len(node.json("offer", "list")["offers"]) == 3


def test_commands_at_the_same_time_all_count(node, tmp_path):
    running = [start(node, "mandate", "add", "--signatory", f"Persoon {number}", "--function", "planner") for number in range(6)]
    assert [process.wait(DEADLINE) for process in running] == [0] * 6
    for process in running:
        process.communicate()
    names = {mandate["signatory"] for mandate in node.json("mandate", "list")["mandates"]}
    assert {f"Persoon {number}" for number in range(6)} <= names
    node("ledger", "verify")
    homes = [subprocess.Popen([node.program, "init", "--home", tmp_path / "same", "--name", "X", "--kvk", "12345678"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=die_with_parent) for _ in range(3)]
    told = [process.communicate(timeout=DEADLINE)[1] for process in homes]
    assert sorted(process.returncode for process in homes) == [0, 1, 1] and all(b"same" in text for text in told if text)
    call([node.program, "ledger", "verify", "--home", tmp_path / "same"])
