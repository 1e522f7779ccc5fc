"""A ledger's file, taken apart and put together by what docs/protocol.md says of it, without the program."""
import hashlib

import nacl.signing

from support.wire import schema

MAGIC = b"collega-ledger-1\n"


def hash_of(tag, *parts):
    return hashlib.blake2b(tag + b"".join(parts), digest_size=32).digest()


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


class LedgerFile:
    """`start`, its `facts`, and `entries` as messages of the schema."""

    def __init__(self, data):
        ledger = schema("ledger")
        assert data.startswith(MAGIC)
        frames, at = [], len(MAGIC)
        self.ends = []  # where each frame ends
        while at < len(data):
            length, shift = 0, 0
            while True:
                byte = data[at]
                at += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            frames.append(data[at:at + length])
            at += length
            self.ends.append(at)
        self.start = ledger.LedgerStart.FromString(frames[0])
        self.facts = ledger.LedgerFacts.FromString(self.start.facts)
        self.entries = [ledger.LedgerEntry.FromString(frame) for frame in frames[1:]]

    def data(self):
        messages = [self.start, *self.entries]
        return MAGIC + b"".join(varint(len(packed)) + packed for packed in (m.SerializeToString() for m in messages))

    def verified(self):
        """By the hashes alone, as a stranger would."""
        last = bytes(32)
        for entry in self.entries:
            last = hash_of(b"collega/chain/1", last, entry.entry)
            if last != entry.hash:
                return False
        return last == self.facts.hash and len(self.entries) == self.facts.number


def seed_of(node, card=0):
    """The seed of a card, from the home's secrets."""
    text = next(node.home.glob("parties/*/identity")).read_text()
    return bytes.fromhex(next(line.split()[2] for line in text.splitlines() if line.startswith(f"card {card} ")))


def signing_key(seed):
    """Subkey 1 of libsodium's crypto_kdf with the context "collega1": BLAKE2b keyed with the seed."""
    subkey = hashlib.blake2b(b"", key=seed, digest_size=32, salt=(1).to_bytes(8, "little") + bytes(8),
                             person=b"collega1" + bytes(8)).digest()
    return nacl.signing.SigningKey(subkey)


def signed(ledger, seed):
    """The start anew: for the entries as they are now."""
    facts = ledger.facts
    facts.number, facts.hash = len(ledger.entries), ledger.entries[-1].hash
    ledger.start.facts = facts.SerializeToString()
    root = hash_of(b"collega/ledger/1", ledger.start.facts)
    message = b"collega/signature/1" + bytes([4]) + facts.party + facts.number.to_bytes(8, "big") + root
    ledger.start.signature = signing_key(seed).sign(message).signature
    return ledger.data()


def chained(ledger):
    """All hashes anew, those of payloads in the entries too."""
    last = bytes(32)
    for entry in ledger.entries:
        if entry.HasField("salt") and not entry.reduced:
            at = entry.entry.rindex(b"\x52\x20") + 2
            entry.entry = entry.entry[:at] + hash_of(b"collega/payload/1", entry.salt, entry.payload) + entry.entry[at + 32:]
        last = hash_of(b"collega/chain/1", last, entry.entry)
        entry.hash = last
    return ledger


def forged(data, node):
    """A file by the owner of the keys in which somebody else's signature was changed: its bytes, and which entry."""
    ledger = LedgerFile(data)
    board = schema("link").Board
    for index, entry in enumerate(ledger.entries):
        if entry.entry[entry.entry.index(b"\x18") + 1] != 7:  # field 3, the kind: board
            continue
        content = board.FromString(entry.payload)
        if not content.runs:
            continue
        run = content.runs[0].run
        run.signature = run.signature[:-1] + bytes([run.signature[-1] ^ 1])
        entry.payload = content.SerializeToString()
        return signed(chained(ledger), seed_of(node)), index + 1
    raise AssertionError("no board")


def files_of(path):
    """Every file of a directory by its content, but for what changes by itself: locks, the bell."""
    return {str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.rglob("*"))
            if file.is_file() and file.name not in ("lock", "lock.mdb", "changed")}
