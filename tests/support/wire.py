"""A node made of nothing but the schema: pyzmq, PyNaCl and the modules that protoc writes. It says what it likes to a
broker, so that tests can say what no honest node would."""
import base64
import fcntl
import functools
import hashlib
import importlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nacl.public
import nacl.signing
import zmq
import zmq.utils.monitor

from support.world import DEADLINE, ROOT, binaries

PROTO = ROOT / "proto"
RECORD, RECEIPT = 1, 2  # purposes of signatures
DAY_MS = 86_400_000


def schema(name):
    """The module of proto/NAME.proto, generated into the build directory when it is older than the schema."""
    out = generated()
    if str(out) not in sys.path:
        sys.path.insert(0, str(out))
    return importlib.import_module(f"{name}_pb2")


@functools.cache
def generated():
    """Where protoc's modules are. Test processes run side by side: one writes, the others wait and find it done."""
    out = binaries() / "python"
    sources = sorted(PROTO.glob("*.proto"))
    newest = max(source.stat().st_mtime_ns for source in sources)
    done = out / "done"  # written last: a directory without it was left half made
    with open(binaries() / "python.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.stat().st_mtime_ns < newest:
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            subprocess.run(["protoc", "-I", PROTO, "-I", "/usr/include", f"--python_out={out}", *sources], check=True)
            done.touch()
    return out


def blake(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def record_id(body):
    return blake(b"collega/record/1", body)


def leaf(datum):
    return blake(b"\0", datum)


def split_of(size):
    return 1 << (size - 1).bit_length() - 1


def root_of_some(begin, size, known, rest):
    """RFC 6962's tree from the leaves that are known, by index, and the hashes of what holds none of them."""
    if not any(begin <= index < begin + size for index in known):
        return rest.pop(0)
    if size == 1:
        return known[begin]
    split = split_of(size)
    left = root_of_some(begin, split, known, rest)
    return blake(b"\1", left, root_of_some(begin + split, size - split, known, rest))


def root_of(leaves):
    return root_of_some(0, len(leaves), dict(enumerate(leaves)), [])


def signed(purpose, signer, tree_size, root):
    return b"collega/signature/1" + bytes([purpose]) + signer + tree_size.to_bytes(8, "big") + root


def read_token(token):
    """The Invitation inside a token."""
    text = token.strip().removeprefix("collega1.")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert blake(data[:-4])[:4] == data[-4:]
    invitation = schema("identity").Invitation()
    invitation.ParseFromString(data[:-4])
    return invitation


class Party:
    """Keys, a card, an author's sequence and a ledger head, all in memory."""

    def __init__(self):
        self.signing, self.recovery = nacl.signing.SigningKey.generate(), nacl.signing.SigningKey.generate()
        self.sealing, self.link = nacl.public.PrivateKey.generate(), nacl.public.PrivateKey.generate()
        self.id = blake(bytes(self.signing.verify_key), bytes(self.recovery.verify_key))
        self.epoch, self.seq = secrets.token_bytes(8), 0
        self.told = None  # the head that the broker was told last
        self.card = self.run([self.body(10, card=schema("identity").NodeCard(
            party=self.id, number=0, signing_key=bytes(self.signing.verify_key),
            sealing_key=bytes(self.sealing.public_key), link_key=bytes(self.link.public_key),
            recovery_key=bytes(self.recovery.verify_key), time=int(time.time() * 1000)))])

    def body(self, kind, **content):
        self.seq += 1
        return schema("record").Body(type=kind, author=self.id, epoch=self.epoch, seq=self.seq,
                                     **content).SerializeToString()

    def run(self, bodies):
        root = root_of([leaf(record_id(body)) for body in bodies])
        signature = self.signing.sign(signed(RECORD, self.id, len(bodies), root)).signature
        return schema("record").Run(signer=self.id, key_epoch=0, tree_size=len(bodies), signature=signature, bodies=bodies)

    def offer(self, title="Magazijnmedewerkers beschikbaar", kind=1, isco="4321", headcount=4):
        today = int(time.time() * 1000) // DAY_MS
        offers = schema("offer")
        offer = offers.Offer(
            kind=kind, title=title, occupation=offers.Occupation(isco=isco), headcount=headcount,
            period=offers.Period(**{"from": today + 7, "until": today + 60}),
            hours=offers.Hours(per_week_min=24, per_week_max=40), place=offers.Place(postcode="4811", region="AM25"),
            expires=(today + 30) * DAY_MS)
        return self.body(20, offer=offers.OfferRevision(id=secrets.token_bytes(16), revision=1, offer=offer))

    def head(self):
        """The next head, which extends the one that was told before."""
        number, digest = self.told or (0, None)
        self.told = (number + 1, secrets.token_bytes(32))
        return schema("link").Head(epoch=self.epoch, number=self.told[0], hash=self.told[1], previous=digest)


class Client:
    """One connection. `key` is a nacl PrivateKey or the 32 bytes of a CURVE secret."""

    def __init__(self, endpoint, server_key, key):
        secret = nacl.public.PrivateKey(key) if isinstance(key, bytes) else key
        self.context = zmq.Context.instance()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.reconnect_ivl = -1  # a connection that is cut stays cut
        self.socket.curve_serverkey = server_key
        self.socket.curve_secretkey = bytes(secret)
        self.socket.curve_publickey = bytes(secret.public_key)
        self.monitor = self.socket.get_monitor_socket()
        self.socket.connect(endpoint)
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.disable_monitor()
        self.socket.close()

    def say(self, **content):
        self.socket.send(schema("link").ToBroker(**content).SerializeToString())

    def say_raw(self, *parts):
        self.socket.send_multipart(parts)

    def hear(self, *kinds):
        """The next frame of one of these kinds; what comes before it stands in `seen`. A refusal must be expected."""
        until = time.monotonic() + DEADLINE
        while self.socket.poll(max(0, int((until - time.monotonic()) * 1000))):
            frame = schema("link").FromBroker()
            frame.ParseFromString(self.socket.recv())
            kind = frame.ListFields()[0][0].name
            self.seen.append(frame)
            if kind in kinds:
                return getattr(frame, kind)
            assert kind != "refusal", f"refused: {frame.refusal}"
        raise AssertionError(f"none of {kinds} came; came: {self.seen[-5:]}")

    def event(self, *events):
        """The next of these events of the connection (zmq.Event)."""
        until = time.monotonic() + DEADLINE
        while self.monitor.poll(max(0, int((until - time.monotonic()) * 1000))):
            event = zmq.utils.monitor.parse_monitor_message(self.monitor.recv_multipart())
            if event["event"] in events:
                return event
        raise AssertionError(f"none of {events} happened")

    def cut(self):
        """Waits until the other side hangs up."""
        self.event(zmq.EVENT_DISCONNECTED)

    def hello(self, party, version=1):
        link = schema("link")
        number, digest = party.told or (1, secrets.token_bytes(32))  # Hello shows a head, and stores none
        self.say(hello=link.Hello(version=version, card=party.card,
                                  head=link.Head(epoch=party.epoch, number=number, hash=digest)))

    def publish(self, party, run, head=None):
        self.say(publish=schema("link").Publish(run=run, head=head or party.head()))

    def follow(self, number=1, cursors=(), **sets):
        link = schema("link")
        self.say(follow=link.Follow(number=number, filter=link.Filter(**sets), cursors=cursors))

    def board(self, wanted, follow=1):
        """Bodies by record id, from Board frames, until all of `wanted` ids are there. Every receipt's form is checked
        to fit what came with it."""
        found = {}
        while not wanted <= found.keys():
            frame = self.hear("board")
            assert frame.follow == follow
            for part in frame.runs:
                for body in part.run.bodies:
                    found[record_id(body)] = (body, part.receipt, frame)
        return found


def verify_receipt(receipt, ids, key):
    """The sequence numbers that a ReceiptRun gives these records, its signature verified."""
    indices = list(receipt.leaves) or list(range(receipt.tree_size))
    positions = [receipt.first_seq + index for index in indices]
    leaves = [leaf(receipt.origin + receipt.epoch + seq.to_bytes(8, "big") + receipt.time.to_bytes(8, "big") + record)
              for seq, record in zip(positions, ids, strict=True)]
    rest = list(receipt.rest)
    root = root_of_some(0, receipt.tree_size, dict(zip(indices, leaves, strict=True)), rest)
    assert not rest
    nacl.signing.VerifyKey(key).verify(signed(RECEIPT, receipt.origin, receipt.tree_size, root), receipt.signature)
    return positions


class Network:
    """A broker in a home of its own and the parties that have joined it, by raw clients."""

    def __init__(self, broker):
        self.broker = broker
        if not broker.running():
            broker.init()
            broker.start()
        self.invitation = None

    @property
    def endpoint(self):
        return self.broker.endpoint

    def invite(self, name="Snijder BV", kvk="12345678"):
        self.invitation = read_token(self.broker.invite(name, kvk))
        return self.invitation

    def client(self, key, source=None):
        """source: an address of this machine to come from."""
        endpoint = self.endpoint.replace("tcp://", f"tcp://{source}:0;") if source else self.endpoint
        return Client(endpoint, self.invitation.link_key, key)

    def join(self, party, name="Snijder BV", kvk="12345678", source=None):
        """Invites and joins; the Cert."""
        with self.client(self.invite(name, kvk).secret, source) as client:
            client.say(join=schema("link").Join(card=party.card))
            return client.hear("cert")

    def member(self, name="Snijder BV", kvk="12345678", source=None):
        party = Party()
        self.join(party, name, kvk, source)
        return party

    def session(self, party):
        """A client that has been welcomed."""
        client = self.client(party.link)
        client.hello(party)
        client.welcome = client.hear("welcome")
        return client

    def signing_key(self, welcome):
        card = schema("record").Body()
        card.ParseFromString(welcome.cards[-1].bodies[0])
        return card.card.signing_key
