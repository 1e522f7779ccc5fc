"""Who has a member's key, and bad intentions. What cannot be read or is not theirs is refused, the third time cut; what is
too much is slowed down or cut; the broker's own memory stays small, the others go on, and the metrics name the party."""
import os
import secrets
import signal
import time

import pytest

from support.hostile import MEBIBYTE, answered, assert_grew_less, goes_on, metric, offences, own_memory, until
from support.wire import DAY_MS, schema
from support.world import DEADLINE
from support.zmtp import Peer

MEMBER_BYTES = 96 * MEBIBYTE  # what one member can cost; docs/operator.md, "Hostile peers"
MALFORMED, INVALID, SEQUENCE_TAKEN, QUOTA, NOT_ALLOWED = 1, 2, 5, 7, 10


@pytest.fixture
def pair(network):
    """(attacker, honest): two members."""
    return network.member("Aanvaller BV", "99999999"), network.member("Versgoed BV", "23456789")


def limit(network, **rates):
    """Other rates, taken over at once."""
    settings = network.broker.home / "settings.ini"
    settings.write_text(settings.read_text() + "\n[limits]\n" + "".join(f"{name} = {rate}\n" for name, rate in rates.items()))
    network.broker.process.send_signal(signal.SIGHUP)
    network.broker.json("status")  # answered by the loop, which reads signals first


def named(network, party, kind, least, client):
    """Waits until the metrics say so; the honest go on meanwhile."""
    return until(lambda: offences(network, "party", party.id), lambda seen: seen.get(kind, 0) >= least, lambda: answered(client))


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, data):
    """One length-delimited field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def nested(depth):
    data = b""
    for _ in range(depth):
        data = field(1, data)
    return field(3, data)


def rubbish(party):
    """What no honest node says, by what is wrong with it."""
    link = schema("link")
    ping = link.ToBroker(ping=link.Ping(number=1)).SerializeToString()
    publish = link.Publish(run=party.run([party.offer()]), head=party.head())
    run = publish.run.SerializeToString()
    return {
        "garbage": secrets.token_bytes(4096),
        "nothing": b"",
        "nested": nested(10000),
        "a singular field twice": ping + ping,
        "a singular message twice": field(3, field(1, run) + field(1, run)),
        "an unknown field": ping + field(60, b"x"),
        "an unknown field inside": field(3, publish.SerializeToString() + field(15, b"x" * 1000)),
        "half a million empty messages": field(3, field(1, field(7, b"") * 400000)),
        "a length beyond the end": b"\x1a\xff\xff\xff\x7f",
        "a varint without end": b"\x18" + b"\xff" * 100,
        "two frames in one": ping + link.ToBroker(pong=link.Pong(number=1)).SerializeToString(),
        "a frame of the broker": link.FromBroker(refusal=link.Refusal(code=1, rule="x")).SerializeToString(),
    }


def test_what_cannot_be_read_is_refused_and_the_third_time_cut(network, pair):
    attacker, honest = pair
    before, sent = own_memory(network), 0
    with network.session(honest) as client:
        pending = list(rubbish(attacker).items())
        while pending:
            with network.session(attacker) as bad:
                for what, frame in pending[:3]:
                    bad.say_raw(frame)
                    assert bad.hear("refusal").code == MALFORMED, what
                    sent += 1
                if len(pending) >= 3:
                    bad.cut()
                pending = pending[3:]
            goes_on(client, honest, 3)
        seen = named(network, attacker, "malformed", sent, client)
        assert seen["malformed"] == sent and seen["cut"] >= sent // 3
        assert not offences(network, "party", honest.id)
        assert_grew_less(network, before, MEMBER_BYTES)


def test_what_is_too_large_never_arrives(network, pair):
    attacker, honest = pair
    with network.session(honest) as client:
        before = own_memory(network)
        for _ in range(5):
            with network.session(attacker) as bad:
                bad.say_raw(bytes(64 * MEBIBYTE))
                bad.cut()
        goes_on(client, honest)
        assert_grew_less(network, before, MEMBER_BYTES)


def test_a_message_without_end_is_choked_and_named(network, pair):
    """Its parts pass every limit of libzmq on size and number, and nothing is delivered."""
    attacker, honest = pair
    gibibyte = 1 << 30
    with network.session(honest) as client:
        before = own_memory(network)
        with Peer(network.endpoint, network.invitation.link_key, bytes(attacker.link)) as peer:
            ping = schema("link").ToBroker(ping=schema("link").Ping(number=1)).SerializeToString()
            peer.part(ping, more=False)  # it has spoken: there is a session to name
            sent, part, most = 0, bytes(1 << 19), 0
            # Hung up on while its bytes are not being read, it may see neither an end nor room.
            peer.socket.settimeout(10)
            with pytest.raises((ConnectionError, TimeoutError)):
                while sent < gibibyte:
                    peer.part(part, more=True)
                    sent += len(part)
                    most = max(most, own_memory(network)) if sent % (4 << 20) == 0 else most
        assert sent < gibibyte and most - before < 2 * MEMBER_BYTES
        goes_on(client, honest)
        named(network, attacker, "choked", 1, client)


def test_who_does_not_read_is_cut_and_named(network, pair):
    attacker, honest = pair
    link = schema("link")
    limit(network, records_per_second=0, bytes_per_second=0)
    offers = [attacker.offer(f"{i}") for i in range(4096)]
    with network.session(honest) as client:
        before = own_memory(network)
        with Peer(network.endpoint, network.invitation.link_key, bytes(attacker.link)) as peer:
            head = attacker.head()
            hello = link.Hello(version=1, card=attacker.card, head=head)
            peer.part(link.ToBroker(hello=hello).SerializeToString(), more=False)
            publish = link.ToBroker(publish=link.Publish(run=attacker.run(offers), head=head)).SerializeToString()
            for times in range(1, 1000):  # a duplicate is answered as it was, 131 KB each time
                peer.part(publish, more=False)
                deadline = time.monotonic() + DEADLINE
                while metric(network, "receipts_total") < times and metric(network, "sessions_cut_total") == 0:
                    assert time.monotonic() < deadline
                if metric(network, "sessions_cut_total"):
                    break
            assert 100 < times < 400
        named(network, attacker, "slow", 1, client)
        assert_grew_less(network, before, 2 * MEMBER_BYTES)
        goes_on(client, honest)


def test_replays_and_forgeries_change_nothing(network, pair):
    attacker, honest = pair
    link = schema("link")
    with network.session(honest) as client, network.session(attacker) as bad:
        run = honest.run([honest.offer()])
        client.publish(honest, run)
        receipts = client.hear("receipts")
        log = metric(network, "records_total")
        # the honest one's frame, as the attacker's
        bad.publish(attacker, run)
        assert bad.hear("refusal", "receipts").code == NOT_ALLOWED
        # a body that names another author, signed by the attacker
        forged = attacker.run([honest.offer()])
        bad.publish(attacker, forged)
        assert bad.hear("refusal", "receipts").code in (INVALID, MALFORMED)
        # another's name over the attacker's signature
        posing = attacker.run([attacker.offer()])
        posing.signer = honest.id
        bad.publish(attacker, posing)
        assert bad.hear("refusal", "receipts").code in (INVALID, NOT_ALLOWED, MALFORMED)
        # its own, again: the same answer, nothing new
        own = attacker.run([attacker.offer()])
        bad.publish(attacker, own)
        first = bad.hear("receipts")
        bad.publish(attacker, own)
        assert bad.hear("receipts").SerializeToString() == first.SerializeToString()
        until(lambda: metric(network, "records_total"), lambda count: count == log + 1, lambda: answered(client))
        assert receipts.receipt.first_seq + 1 == first.receipt.first_seq
        # the other's number of a mailbox, acknowledged
        bad.say(ack=link.Ack(party=honest.id, epoch=bad.welcome.epoch, seq=1))
        assert bad.hear("refusal").code == NOT_ALLOWED
        named(network, attacker, "refused", 4, client)
        goes_on(client, honest, 3)


def test_two_records_under_one_number_are_refused_and_named(network, pair):
    attacker, honest = pair
    with network.session(honest) as client, network.session(attacker) as bad:
        bad.publish(attacker, attacker.run([attacker.offer("Dit")]))
        bad.hear("receipts")
        attacker.seq -= 1
        bad.publish(attacker, attacker.run([attacker.offer("Dat")]))
        assert bad.hear("refusal", "receipts").code == SEQUENCE_TAKEN
        assert named(network, attacker, "refused", 1, client)["refused"] == 1
        goes_on(client, honest, 3)


def envelope(sender, recipient, size):
    sender.seq += 1
    return schema("mail").Envelope(**{
        "from": sender.id, "to": recipient.id, "epoch": sender.epoch, "seq": sender.seq, "sealed_to": 0,
        "not_after": int(time.time() * 1000) + 50 * DAY_MS, "sealed": secrets.token_bytes(size)}).SerializeToString()


def test_a_rivals_mailbox_is_filled_by_a_share_only(network, pair):
    attacker, honest = pair
    rival = network.member("Rivaal BV", "45678901")
    link = schema("link")
    with network.session(attacker) as bad, network.session(honest) as client:
        stored = 0
        for _ in range(200):
            bad.say(send=link.Send(envelope=envelope(attacker, rival, 256 * 1024), head=attacker.head()))
            frame = bad.hear("stored", "refusal")
            if isinstance(frame, link.Refusal):
                assert (frame.code, frame.rule) == (QUOTA, "mailbox_sender_full")
                break
            stored += 1
        assert 100 < stored < 140  # 32 MiB
        client.say(send=link.Send(envelope=envelope(honest, rival, 1024), head=honest.head()))
        client.hear("stored")
        named(network, attacker, "refused", 1, client)


def flood(network, attacker, count):
    """Tiny publishes as fast as they can be said, by one who keeps to credit; how many receipts came."""
    link = schema("link")
    with network.session(attacker) as bad:
        credit, sent, answers = bad.welcome.credit.records, 0, 0
        while answers < count:
            if sent < count and credit > 0:
                bad.publish(attacker, attacker.run([attacker.offer()]))
                sent, credit = sent + 1, credit - 1
                if not bad.socket.poll(0):
                    continue
            assert bad.socket.poll(int(DEADLINE * 1000))
            frame = link.FromBroker.FromString(bad.socket.recv())
            assert not frame.HasField("refusal"), (sent, frame.refusal)
            answers += len(frame.receipts.ids)
            credit += frame.credit.records
            if frame.HasField("ping"):
                bad.say(pong=link.Pong(number=frame.ping.number))
    return answers


def test_who_publishes_without_end_is_slowed_down_and_the_others_go_on(network, pair):
    """A million in --long; here as many as show it. Nothing of it is lost."""
    attacker, honest = pair
    long = os.environ.get("COLLEGA_LONG")
    count = 1_000_000 if long else 5_000
    limit(network, records_per_second=500 if long else 50)
    with network.session(honest) as client:
        before = own_memory(network)
        assert flood(network, attacker, count) == count
        named(network, attacker, "paced", 1, client)
        assert_grew_less(network, before, MEMBER_BYTES)
        goes_on(client, honest)
        assert not offences(network, "party", honest.id)


def test_credit_that_was_kept_back_comes_when_the_rate_allows(network, pair):
    attacker, honest = pair
    run = attacker.run([attacker.offer() for _ in range(4096)])
    limit(network, records_per_second=200)  # 2,000 are in store
    with network.session(honest) as client, network.session(attacker) as bad:
        bad.publish(attacker, run)
        assert len(bad.hear("receipts").ids) == 4096
        named(network, attacker, "paced", 1, client)
        assert not any(frame.HasField("credit") for frame in bad.seen)
        assert bad.hear("credit").records == 4096
        goes_on(client, honest, 3)


def test_who_ignores_credit_is_cut_and_not_let_in_for_ever(network, pair):
    attacker, honest = pair
    link = schema("link")
    limit(network, records_per_second=10, sessions_per_minute=4)
    offers = [attacker.offer(f"{i}") for i in range(4096)]
    run = attacker.run(offers)
    with network.session(honest) as client:
        for _ in range(4):
            with network.client(attacker.link) as bad:
                bad.hello(attacker)
                if isinstance(bad.hear("welcome", "refusal"), link.Refusal):
                    break
                for _ in range(6):
                    bad.publish(attacker, run)
                while bad.hear("receipts", "refusal", "credit").DESCRIPTOR.name != "Refusal":
                    pass
                assert bad.seen[-1].refusal.rule == "credit_exceeded"
                bad.cut()
            goes_on(client, honest, 3)
        with network.client(attacker.link) as bad:
            bad.hello(attacker)
            refusal = bad.hear("refusal", "welcome")
            assert (refusal.code, refusal.rule) == (QUOTA, "rate_sessions")
            bad.cut()
        seen = named(network, attacker, "sessions", 1, client)
        assert seen["credit"] >= 1
        assert metric(network, "sessions_refused_total") >= 1


def test_who_asks_without_end_is_cut(network, pair):
    attacker, honest = pair
    limit(network, frames_per_second=50)
    link = schema("link")
    with network.session(honest) as client, network.session(attacker) as bad:
        for number in range(600):  # 500 are in store
            bad.say(ping=link.Ping(number=number))
        while bad.hear("pong", "refusal").DESCRIPTOR.name == "Pong":
            pass
        refusal = bad.seen[-1].refusal
        assert (refusal.code, refusal.rule, refusal.arguments[0]) == (QUOTA, "rate_frames", "50")
        bad.cut()
        named(network, attacker, "frames", 1, client)
        goes_on(client, honest, 3)


def test_a_revoked_key_with_a_live_session_is_out_before_its_next_word(network, pair):
    attacker, honest = pair
    link = schema("link")
    with network.session(honest) as client:
        with Peer(network.endpoint, network.invitation.link_key, bytes(attacker.link)) as peer:
            hello = link.Hello(version=1, card=attacker.card, head=attacker.head())
            peer.part(link.ToBroker(hello=hello).SerializeToString(), more=False)
            assert link.FromBroker.FromString(peer.opened()).HasField("welcome")
            log = metric(network, "records_total")
            network.broker("revoke", "99999999", "--reason", "misbruik")
            try:
                while True:  # goes on as if nothing had happened
                    peer.part(link.ToBroker(publish=link.Publish(
                        run=attacker.run([attacker.offer()]), head=attacker.head())).SerializeToString(), more=False)
                    frame = link.FromBroker.FromString(peer.opened())
                    assert not frame.HasField("receipts")
            except (ConnectionError, TimeoutError):
                pass
        until(lambda: metric(network, "records_total"), lambda now: now == log + 1, lambda: answered(client))  # the revocation
        goes_on(client, honest, 3)
