"""A ledger exported and imported: complete, the same afterwards, fenced like a restored one; everything wrong is refused
with nothing changed."""
import json
import os
import shutil

import pytest

from support import deals, offers
from support.ledger_file import MAGIC, LedgerFile, files_of, forged, hash_of, varint
from support.wire import schema
from support.world import WAIT, Node, call


def exported(node, path):
    node("ledger", "export", "--complete", path)
    return path


def log(node, last=1_000_000):
    return node.json("ledger", "log", "--last", last)["entries"]


def documents(node):
    """What the tables say."""
    return {name: node.json(*name.split()) for name in
            ("offer list", "deal list", "mandate list", "party list")}


def placed(directory, node, name="Ergens Anders"):
    other = Node(directory, name, node.kvk)
    other.env = dict(node.env)
    return other


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A lender with an agreement behind it, stopped, and the export of its ledger."""
    from support.world import World
    directory = tmp_path_factory.mktemp("import")
    with World(directory, 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "2")
        lender.stop()
        yield world, lender, deal, exported(lender, directory / "ledger.collega")


@pytest.fixture
def empty(place, tmp_path):
    """A home with the lender's keys whose ledger was lost."""
    _, lender, _, _ = place
    node = placed(tmp_path, lender)
    shutil.copytree(lender.home, node.home)
    shutil.rmtree(node.home / "ledger")
    return node


def test_the_file_is_complete_private_and_verifies_without_the_program(place):
    _, lender, _, file = place
    assert file.stat().st_mode & 0o777 == 0o600
    data = file.read_bytes()
    ledger = LedgerFile(data)
    assert ledger.verified() and ledger.data() == data
    assert ledger.facts.number == len(log(lender))
    party = lender.json("party", "list")["parties"][0]["id"]
    assert ledger.facts.party.hex() == party
    salted = [entry for entry in ledger.entries if entry.HasField("salt")]
    assert len(salted) > 10 and len({entry.salt for entry in salted}) == len(salted)
    for entry in salted:  # the hash of the payload stands in the entry: field 10, 32 bytes
        assert b"\x52\x20" + hash_of(b"collega/payload/1", entry.salt, entry.payload) in entry.entry
    secrets = [bytes.fromhex(word) for path in lender.home.glob("parties/*/identity") for line in path.read_text().splitlines()
               if line.startswith("card ") for word in line.split()[2:3]]
    assert secrets and not any(secret in data for secret in secrets)
    lender("ledger", "export", "--complete", file, expect=1)  # never over another
    lines = [json.loads(line) for line in lender("ledger", "export").stdout.splitlines()]
    assert [line["hash"] for line in lines] == [entry.hash.hex() for entry in ledger.entries]
    assert not any("payload" in line or "salt" in line for line in lines)


def test_an_imported_ledger_is_the_same_and_a_new_epoch(place, empty):
    _, lender, deal, file = place
    said = empty("ledger", "import", file, "--lang", "en").stdout
    assert "entries" in said and "signs nothing" in said
    entries, before = log(empty), log(lender)
    assert entries[:len(before)] == before
    assert [entry["kind"] for entry in entries[len(before):]] == ["epoch", "restored"]
    lender("ledger", "rebuild")
    assert documents(empty) == documents(lender)
    made = documents(empty)
    empty("ledger", "verify")
    empty("ledger", "rebuild")
    assert documents(empty) == made and empty.deal(deal) == lender.deal(deal)
    again = LedgerFile(exported(empty, empty.home.parent / "again").read_bytes())
    assert again.entries[:len(before)] == LedgerFile(file.read_bytes()).entries


def test_a_new_home_with_the_keys_of_another(place, tmp_path):
    _, lender, _, file = place
    node = placed(tmp_path, lender)
    told = node.json("ledger", "import", file, "--keys", lender.home)
    assert told["entries"] == len(log(lender)) and told["signatures"] > 10 and not told["already"]
    assert documents(node) == documents(lender)
    assert node.home.stat().st_mode & 0o777 == 0o700
    copy = tmp_path / "copy"
    lender("ledger", "backup", copy)
    other = placed(tmp_path, lender, "Uit de reservekopie")
    assert call([other.program, "ledger", "import", "-", "--keys", copy, "--home", other.home], text=False,
                stdin=file.read_bytes()).returncode == 0
    assert documents(other) == documents(lender)


def test_an_imported_node_fetches_what_came_after_the_export_and_goes_on(world_of, tmp_path):
    world = world_of(2)
    lender, borrower = world.nodes
    early, _, match = deals.matched(lender, borrower)
    file = exported(lender, tmp_path / "early")
    deal = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender.stop()
    shutil.move(lender.home / "ledger", tmp_path / "lost")
    assert "ledger import" in lender("status", "--lang", "en", expect=1).stderr
    lender("ledger", "import", file)
    assert lender.deals() == []
    lender.start()
    later = lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    assert lender.deal(deal, "--wait", WAIT)["state"] in deals.DONE
    assert {early, later} <= {row["id"] for row in lender.json("offer", "list", "--mine")["offers"]}
    lender.stop()
    lender("ledger", "verify")


def test_erased_parts_come_back_erased(world_of, tmp_path):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender.stop()
    lender("ledger", "erase", "--deal", deal, "--yes")
    file = exported(lender, tmp_path / "file")
    node = placed(tmp_path, lender)
    node("ledger", "import", file, "--keys", lender.home)
    assert node.deal(deal) == lender.deal(deal) and node.deal(deal)["erased"]
    node("ledger", "verify")
    # What is left of a payload is told for by a later entry: another rest is noticed, and so is none.
    ledger = LedgerFile(file.read_bytes())
    index, reduced = next((i, entry) for i, entry in enumerate(ledger.entries) if entry.reduced)
    reduced.payload += b"\x00"
    refused(placed(tmp_path, lender, "Derde"), lender, tmp_path, ledger.data(), f"entries[{index + 1}]", None)


def test_twice_changes_nothing_and_another_ledger_stays(place, empty, tmp_path):
    _, lender, _, file = place
    empty("ledger", "import", file)
    before = files_of(empty.home)
    assert empty.json("ledger", "import", file)["already"]
    assert files_of(empty.home) == before
    # One that went on by itself, and one that is not as far.
    longer = exported(empty, tmp_path / "longer")
    lender_before = files_of(lender.home)
    assert "signs nothing" not in lender("ledger", "import", longer, "--lang", "en", expect=1).stderr
    assert files_of(lender.home) == lender_before
    own = placed(tmp_path, lender, "Op eigen kracht")
    shutil.copytree(lender.home, own.home)
    own("mandate", "add", "--signatory", "A. Ander", "--function", "directeur")
    own("mandate", "add", "--signatory", "B. Ander", "--function", "directeur")
    own_before = files_of(own.home)
    told = json.loads(own("ledger", "import", longer, "--json", expect=1).stderr)["error"]
    assert told["rule"] in ("import_ledger_differs", "import_ledger_shorter") and files_of(own.home) == own_before
    stranger = Node(tmp_path, "Vreemd BV", "87654321")
    stranger.init()
    told = json.loads(stranger("ledger", "import", file, "--json", expect=1).stderr)["error"]
    assert told["rule"] == "import_other_party" and told["field"] == "start.facts.party"


# ---- what is wrong with a file

def refused(node, lender, directory, data, field, rule):
    """Nothing is imported, nothing left behind, and the words say where and why."""
    file = directory / "wrong"
    file.write_bytes(data)
    fresh = not node.home.exists()
    before = None if fresh else files_of(node.home)
    keys = ["--keys", lender.home] if fresh else []
    told = json.loads(node("ledger", "import", file, *keys, "--json", expect=1).stderr)["error"]
    assert told["message"] and (field is None or told["field"].startswith(field)), told
    assert rule is None or told["rule"] == rule, told
    if fresh:
        assert not node.home.exists()
    else:
        assert files_of(node.home) == before
    return told


def frame(message):
    return varint(len(message)) + message


def broken(data):
    """(name, bytes, field, rule)"""
    whole = LedgerFile(data)
    last = len(whole.entries)
    yield "empty", b"", None, "import_not_one"
    yield "another file", b"PK\x03\x04" + data, None, "import_not_one"
    yield "only the first line", MAGIC, "start", "wire_truncated"
    yield "a newer format", data.replace(b"ledger-1\n", b"ledger-2\n", 1), None, "import_version"
    yield "an endless number", data.replace(b"ledger-1\n", b"ledger-" + b"1" * 4096, 1), None, "import_not_one"
    yield "cut in the start", data[:40], "start", "wire_truncated"
    yield "cut in entry 5", data[:whole.ends[5] - 3], "entries[5]", "import_truncated"
    yield "cut behind entry 5", data[:whole.ends[5]], "entries[6]", "import_truncated"
    yield "the last is missing", data[:whole.ends[-2]], f"entries[{last}]", "import_truncated"
    yield "something behind", data + b"\x00", None, "import_trailing"
    yield "entry 6 twice", data[:whole.ends[6]] + data[whole.ends[5]:], "entries[7].entry.number", "import_order"
    yield ("5 and 6 exchanged", data[:whole.ends[4]] + data[whole.ends[5]:whole.ends[6]] + data[whole.ends[4]:whole.ends[5]]
           + data[whole.ends[6]:], "entries[5].entry.number", "import_order")
    yield "4 left out", data[:whole.ends[3]] + data[whole.ends[4]:], "entries[4].entry.number", "import_order"
    yield ("a length of 256 MiB", data[:whole.ends[3]] + b"\x80\x80\x80\x80\x01" + data[whole.ends[3]:], "entries[4]",
           "import_too_long")
    yield "a length without end", data[:whole.ends[3]] + b"\xff" * 12, "entries[4]", "wire_varint"
    yield "a length with a needless byte", data[:whole.ends[3]] + b"\x80\x00", "entries[4]", "wire_varint"
    start = schema("ledger").LedgerStart(facts=whole.start.facts, signature=bytes(64))
    yield ("another signature", MAGIC + frame(start.SerializeToString()) + data[whole.ends[0]:], "start.signature",
           "import_signature")
    facts = schema("ledger").LedgerFacts.FromString(whole.start.facts)
    facts.number += 1
    start = schema("ledger").LedgerStart(facts=facts.SerializeToString(), signature=whole.start.signature)
    yield "another number", MAGIC + frame(start.SerializeToString()) + data[whole.ends[0]:], "start.signature", "import_signature"
    facts.key_epoch = 7
    start.facts = facts.SerializeToString()
    yield ("another card", MAGIC + frame(start.SerializeToString()) + data[whole.ends[0]:], "start.facts.key_epoch",
           "import_keys_older")
    for name, change in (("an unknown field", b"\x78\x01"), ("a field twice", b"\x12\x20" + bytes(32))):
        entry = whole.entries[7].SerializeToString() + change
        yield name, data[:whole.ends[7]] + frame(entry) + data[whole.ends[8]:], "entries[8]", None
    for name, change in (("no payload", dict(salt=None, payload=None)), ("another salt", dict(salt=bytes(16))),
                         ("a salt alone", dict(payload=None)), ("no hash", dict(hash=None)),
                         ("reduced", dict(reduced=True))):
        index, entry = next((i, e) for i, e in enumerate(whole.entries) if e.HasField("salt") and i > 3)
        changed = schema("ledger").LedgerEntry.FromString(entry.SerializeToString())
        for field, value in change.items():
            changed.ClearField(field) if value is None else setattr(changed, field, value)
        new = changed.SerializePartialToString()
        # That a payload is missing shows at the end, where the number of erased ones is compared.
        field = None if name == "no payload" else f"entries[{index + 1}]"
        yield name, data[:whole.ends[index]] + frame(new) + data[whole.ends[index + 1]:], field, None


def test_every_fault_of_a_file_is_named_and_nothing_is_changed(place, empty, tmp_path):
    _, lender, _, file = place
    data, seen = file.read_bytes(), set()
    for name, wrong, field, rule in broken(data):
        try:
            told = refused(empty, lender, tmp_path, wrong, field, rule)
        except AssertionError as error:
            raise AssertionError(name) from error
        seen.add(told["rule"])
    assert len(seen) > 12
    missing = json.loads(empty("ledger", "import", tmp_path / "nowhere", "--json", expect=1).stderr)["error"]
    assert "nowhere" in missing["message"]
    empty("ledger", "import", file)


def test_a_flipped_bit_is_noticed_wherever_it_is(place, empty, tmp_path):
    """Of every frame the first, a middle and the last byte: nothing of a changed file is taken."""
    _, lender, _, file = place
    data = file.read_bytes()
    ledger = LedgerFile(data)
    begins = [len(MAGIC), *ledger.ends[:-1]]
    for begin, end in list(zip(begins, ledger.ends))[::7]:
        for at in {begin, (begin + end) // 2, end - 1}:
            refused(empty, lender, tmp_path, data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:], None, None)


def test_a_forged_signature_within_is_found(place, empty, tmp_path):
    """A file that fits its hashes, and is signed by whom it should be, is judged record by record all the same: made by
    the owner's own key, it takes a board run with another's signature changed."""
    _, lender, _, file = place
    data, number = forged(file.read_bytes(), lender)
    told = refused(empty, lender, tmp_path, data, None, "entry_signature")
    assert str(number) in told["message"]


def test_keys_of_nobody_and_a_home_in_the_way(place, empty, tmp_path):
    _, lender, _, file = place
    other = placed(tmp_path, lender, "Nieuw")
    (tmp_path / "leeg").mkdir()
    assert "--keys" in other("ledger", "import", file, "--keys", tmp_path / "leeg", "--lang", "en", expect=1).stderr
    assert not other.home.exists()
    other("ledger", "import", file, expect=1)
    assert not other.home.exists()
    empty("ledger", "import", file, "--keys", lender.home, expect=1)  # it is one already
    other("ledger", "import", expect=2)
    os.chmod(tmp_path / "leeg", 0o700)
