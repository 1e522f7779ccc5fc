"""Bad input to what a home is made of: parties, mandates, keys, backups, exports. Refused by field; nothing half-made."""
import json
import os

import pytest

from support import hosting
from support.world import NOBODYS, Broker, Node, World, call

LONG = "x" * 121


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A network's node with one hosted employer, and another broker's invitation."""
    directory = tmp_path_factory.mktemp("world")
    with World(directory, 0) as world:
        host, (party,) = hosting.network(world, 1)
        yield world, host, party


def made(node):
    """What these commands could have made, in words that a running daemon does not change: a receipt comes when it comes."""
    parties = {party["kvk"]: (party["id"], party["state"]) for party in node.json("party", "list")["parties"]}
    mandates = {kvk: node.json("mandate", "list", "--as", kvk)["mandates"] for kvk in parties}
    return {kvk: (party, [{**row, "receipted": None} for row in mandates[kvk]]) for kvk, party in parties.items()}


def refused(node, *arguments, word, expect=(1, 2), translated=True):
    """Refused in both languages, with the word in it, and nothing changed."""
    before = made(node)
    english, dutch = (node(*arguments, "--lang", language, expect=None) for language in ("en", "nl"))
    for result in (english, dutch):
        assert result.returncode in expect and word in result.stderr and not result.stdout, result
    assert english.stderr != dutch.stderr or not translated  # what the system says of files is in its own words
    assert made(node) == before


NEW = {"--name": "Havendok 13 BV", "--kvk": "34567890", "--signatory": "I. Brouwers", "--function": "bedrijfsleider"}


@pytest.mark.parametrize("option,value,word", [
    ("--name", "", "name"), ("--name", LONG, "name"), ("--name", "Goed\nBV", "name"), ("--name", "Goed\u0007", "name"),
    ("--kvk", "3456789", "kvk"), ("--kvk", "3456789x", "kvk"), ("--kvk", "", "kvk"),
    ("--signatory", LONG, "signatory"), ("--signatory", "", "signatory"), ("--function", LONG, "function"),
    ("--function", "\u0001", "function"), ("--invitation", "", "invitation"), ("--invitation", " ", "collega1"), ("--invitation", "collega1.AAAA", ""),
    ("--invitation", "collega1." + "A" * 400, ""), ("--invitation", "hello", "collega1"),
], ids=lambda value: str(value)[:14])
def test_a_party_is_checked_by_field_before_keys_are_made(place, option, value, word):
    world, host, _ = place
    token = world.broker.invite("Havendok 13 BV", "34567890", "--host", host.kvk)
    keys = sorted(os.listdir(host.home / "parties"))
    options = {**NEW, "--invitation": token, option: value}
    refused(host, "party", "add", *(word for pair in options.items() for word in pair), word=word)
    assert sorted(os.listdir(host.home / "parties")) == keys


def test_a_party_needs_the_invitation_that_is_for_it(place, tmp_path):
    world, host, party = place
    keys = sorted(os.listdir(host.home / "parties"))
    options = [word for pair in NEW.items() for word in pair]
    of_a_node = world.broker.invite("Havendok 13 BV", "34567890")
    other = Broker(tmp_path, "Elders")
    other.init()
    other.start()
    try:
        elsewhere = other.invite("Havendok 13 BV", "34567890")
    finally:
        other.kill()
    of_another = world.broker.invite("Andere BV", "45678901", "--host", host.kvk)
    for token in (elsewhere, of_another, of_a_node):
        refused(host, "party", "add", *options, "--invitation", token, word="")
    assert sorted(os.listdir(host.home / "parties")) == keys


@pytest.mark.parametrize("option,value,word", [
    ("--signatory", "", "signatory"), ("--signatory", LONG, "signatory"), ("--signatory", "M.\nde Wit", "signatory"),
    ("--function", "", "function"), ("--function", LONG, "function"), ("--ground", "x" * 2000, "ground"),
    ("--max-headcount", "0", "headcount"), ("--max-headcount", "veel", "headcount"), ("--max-headcount", "10000000", "headcount"),
    ("--from", "2027-02-30", "from"), ("--until", "morgen", "until"), ("--until", "2020-01-01", "until"),
], ids=lambda value: str(value)[:14])
def test_a_mandate_is_checked_by_field(place, option, value, word):
    _, host, party = place
    options = {"--signatory": "A. Jansen", "--function": "planner", option: value}
    refused(host, "mandate", "add", "--as", party.kvk, *(word for pair in options.items() for word in pair), word=word)


def test_mandates_of_others_and_unknown_ones_are_not_ended(place):
    _, host, party = place
    theirs = party.json("mandate", "list")["mandates"][0]["id"]
    for typed in (NOBODYS, "zz", theirs):
        refused(host, "mandate", "end", typed, word=typed[:2])
    refused(host, "mandate", "list", "--as", "99999999", word="99999999")


def test_a_backup_goes_into_a_new_directory_only(place, tmp_path):
    _, host, _ = place
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    refused(host, "ledger", "backup", taken, word=str(taken))
    refused(host, "ledger", "backup", taken / "mine" / "below", word=str(taken), translated=False)
    refused(host, "ledger", "backup", host.home, word=str(host.home))
    assert (taken / "mine").read_text() == "mine" and sorted(os.listdir(taken)) == ["mine"]


def test_what_is_no_backup_is_not_restored(place, tmp_path):
    world, host, _ = place
    backup, broker_backup = tmp_path / "backup", tmp_path / "broker-backup"
    host("ledger", "backup", backup)
    world.broker("backup", broker_backup)
    nothing, cut, keyless, empty = (tmp_path / name for name in ("nothing", "cut", "keyless", "empty"))
    empty.mkdir()
    call(["cp", "-r", backup, cut])
    call(["rm", "-rf", cut / "ledger"])
    call(["cp", "-r", backup, keyless])
    for keys in (keyless / "parties").iterdir():
        (keys / "identity").unlink()
    programs = {host.program: ["ledger", "restore"], world.broker.program: ["restore"]}
    for program, command in programs.items():
        wrong = [nothing, empty, cut, keyless, broker_backup if program == host.program else backup]
        for number, source in enumerate(wrong):
            home = tmp_path / f"home-{program.name}-{number}"
            for language in ("en", "nl"):
                result = call([program, *command, source, "--home", home, "--lang", language], expect=1)
                assert str(source) in result.stderr or str(home) in result.stderr, result
            # What came of it cannot be started: a ledger without its new epoch would sign numbers that are taken.
            started = call([program, "run", "--home", home], expect=1)
            assert str(home) in started.stderr, started
    # A home that is there already is left alone.
    before = made(host)
    assert call([host.program, "ledger", "restore", backup, "--home", host.home], expect=1).stderr.strip()
    assert call([world.broker.program, "restore", broker_backup, "--home", world.broker.home], expect=1).stderr.strip()
    assert made(host) == before and world.broker.json("status")["running"]


def test_wrong_recovery_keys_change_nothing(place, tmp_path):
    _, host, party = place
    own = Node(tmp_path, "Los BV", "56789012")
    own.init()
    empty, long, binary = tmp_path / "empty", tmp_path / "long", tmp_path / "binary"
    empty.write_text("")
    long.write_text("a" * 100000)
    binary.write_bytes(bytes(range(256)))
    for key in (empty, long, binary):
        refused(own, "key", "recover", "--recovery-key", key, word="")
    for key in (tmp_path / "nowhere", tmp_path):
        refused(own, "key", "recover", "--recovery-key", key, word=str(key), translated=False)
    other = json.loads(call([own.program, "init", "--home", tmp_path / "other", "--name", "Ander BV", "--kvk", "67890123",
                             "--json"]).stdout)["recovery_key"]
    (tmp_path / "other.key").write_text(other)
    refused(own, "key", "recover", "--recovery-key", tmp_path / "other.key", word="")  # a good key, of somebody else
    refused(host, "key", "rotate", "--as", "99999999", word="99999999")
