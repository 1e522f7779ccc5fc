"""A broker and raw clients: who gets in, what a session may say, what comes back, and what survives a restart."""
import secrets
import time
import urllib.request

import nacl.public
import zmq

from support.hostile import metric
from support.wire import DAY_MS, Party, read_token, record_id, schema, verify_receipt
from support.zmtp import Peer

NOT_ALLOWED, MALFORMED, NOT_MEMBER, HEAD, QUOTA = 10, 1, 3, 4, 7


def test_an_unknown_key_gets_no_handshake(network):
    network.invite()
    with network.client(nacl.public.PrivateKey.generate()) as client:
        event = client.event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_SUCCEEDED)
        assert event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH and event["value"] == 400


def test_an_invitation_admits_one_card_and_the_same_card_again(network):
    party = Party()
    cert = network.join(party)
    body = schema("record").Body()
    body.ParseFromString(cert.cert.bodies[0])
    assert body.cert.party == party.id and body.cert.entities[0].kvk == "12345678"
    assert cert.name == network.broker.name
    with network.client(network.invitation.secret) as client:
        client.say(join=schema("link").Join(card=party.card))
        again = client.hear("cert")
        assert again.cert == cert.cert
        client.say(join=schema("link").Join(card=Party().card))
        assert client.hear("refusal").code == 11  # REFUSAL_CODE_INVITATION
    members = network.broker.json("members")["members"]
    assert [(member["kvk"], member["id"]) for member in members] == [("12345678", party.id.hex())]


def test_an_invited_key_may_only_join(network):
    party = Party()
    with network.client(network.invite().secret) as client:
        client.hello(party)
        assert client.hear("welcome").member is False
        client.follow()
        refusal = client.hear("refusal")
        assert (refusal.code, refusal.rule) == (NOT_ALLOWED, "join_only")


def test_hello_is_answered_with_a_welcome(network):
    party = network.member()
    with network.session(party) as client:
        welcome = client.welcome
        assert welcome.member and welcome.version == 1 and welcome.name == network.broker.name
        assert welcome.credit.records > 0 and not welcome.HasField("seen")
        card = schema("record").Body()
        card.ParseFromString(welcome.cards[0].bodies[0])
        assert card.card.party == network.invitation.broker


def test_the_card_of_another_is_no_hello(network):
    party, other = network.member(), network.member("Versgoed BV", "23456789")
    with network.client(party.link) as client:
        client.hello(other)
        assert client.hear("refusal").rule == "hello_card"
        client.cut()


def test_another_version_is_refused_and_cut(network):
    party = network.member()
    with network.client(party.link) as client:
        client.hello(party, version=2)
        refusal = client.hear("refusal", "welcome")
        assert refusal.rule == "protocol_version" and list(refusal.arguments)[:2] == ["2", "1"]
        client.cut()


def test_nothing_is_taken_before_hello(network):
    party = network.member()
    with network.client(party.link) as client:
        client.publish(party, party.run([party.offer()]))
        assert client.hear("refusal").rule == "hello_first"


def test_garbage_is_refused_twice_and_cut_the_third_time(network):
    party = network.member()
    with network.session(party) as client:
        for rubbish in (b"\xff" * 40, b"", secrets.token_bytes(1000)):
            client.say_raw(rubbish)
            assert client.hear("refusal").code == MALFORMED
        client.cut()
    assert metric(network, "frames_malformed_total") == 3


def test_a_message_of_two_frames_is_cut(network):
    party = network.member()
    with network.session(party) as client:
        client.say_raw(b"one", b"two")
        refusal = client.hear("refusal")
        assert (refusal.code, refusal.rule) == (MALFORMED, "frame_parts")
        client.cut()
    assert metric(network, "multipart_total") == 1


def test_a_frame_that_is_too_long_never_arrives(network):
    party = network.member()
    with network.session(party) as client:
        client.say_raw(bytes(2 * 1024 * 1024))
        client.cut()
        assert not any(frame.HasField("refusal") for frame in client.seen)


def test_a_ping_is_answered(network):
    party = network.member()
    with network.session(party) as client:
        client.say(ping=schema("link").Ping(number=77))
        assert client.hear("pong").number == 77


def test_a_published_run_is_receipted_by_the_brokers_key(network):
    party = network.member()
    with network.session(party) as client:
        bodies = [party.offer(f"Aanbod {i}") for i in range(5)]
        client.publish(party, party.run(bodies))
        receipts = client.hear("receipts")
        assert list(receipts.ids) == [record_id(body) for body in bodies]
        seqs = verify_receipt(receipts.receipt, receipts.ids, network.signing_key(client.welcome))
        assert seqs == list(range(seqs[0], seqs[0] + 5))
        assert receipts.receipt.origin == network.invitation.broker


def test_a_signature_that_does_not_fit_is_refused(network):
    party = network.member()
    with network.session(party) as client:
        run = party.run([party.offer()])
        run.signature = bytes(64)
        client.publish(party, run)
        assert client.hear("refusal", "receipts").code == 2  # REFUSAL_CODE_INVALID


def test_followers_receive_live_what_another_publishes(network):
    author, reader, third = network.member(), network.member("Versgoed BV", "23456789"), network.member("Derde BV", "34567890")
    with network.session(author) as out, network.session(reader) as one, network.session(third) as two:
        one.follow(cursors=[cursor_at(one.welcome, network)])
        two.follow(cursors=[cursor_at(two.welcome, network)])
        ready(one), ready(two)
        bodies = [author.offer(f"Aanbod {i}") for i in range(3)]
        out.publish(author, author.run(bodies))
        out.hear("receipts")
        wanted = {record_id(body) for body in bodies}
        for client in (one, two):
            found = client.board(wanted)
            for body in bodies:
                assert found[record_id(body)][0] == body
            part = found[record_id(bodies[0])]
            verify_receipt(part[1], [record_id(body) for body in bodies], network.signing_key(client.welcome))


def cursor_at(welcome, network):
    return schema("link").Cursor(origin=network.invitation.broker, epoch=welcome.epoch, seq=welcome.log_seq)


def ready(client):
    """Everything said before this has been dealt with."""
    client.say(ping=schema("link").Ping(number=1))
    client.hear("pong")


def test_a_follower_from_the_start_reads_members_before_their_records(network):
    author = network.member()
    with network.session(author) as client:
        body = author.offer()
        client.publish(author, author.run([body]))
        client.hear("receipts")
        client.follow()
        client.board({record_id(body)})
        kinds = []
        for frame in client.seen:
            for part in frame.board.runs if frame.HasField("board") else ():
                for packed in part.run.bodies:
                    parsed = schema("record").Body()
                    parsed.ParseFromString(packed)
                    kinds.append((parsed.type, bytes(parsed.author)))
        assert kinds.index((10, author.id)) < kinds.index((20, author.id))


def test_a_filter_lets_only_its_own_pass(network):
    author = network.member()
    with network.session(author) as client:
        client.follow(number=3, kinds=[2], occupations=["43"], cursors=[cursor_at(client.welcome, network)])
        ready(client)
        bodies = [author.offer("uit", kind=1), author.offer("in", kind=2), author.offer("anders", kind=2, isco="5120")]
        client.publish(author, author.run(bodies))
        found = client.board({record_id(bodies[1])}, follow=3)
        assert set(found) == {record_id(bodies[1])}


def test_a_cursor_of_another_epoch_is_reset_and_read_anew(network):
    author = network.member()
    with network.session(author) as client:
        body = author.offer()
        client.publish(author, author.run([body]))
        client.hear("receipts")
        stale = schema("link").Cursor(origin=network.invitation.broker, epoch=secrets.token_bytes(8), seq=1)
        client.follow(cursors=[stale])
        assert client.hear("reset", "board").through >= client.welcome.log_seq + 1
        client.board({record_id(body)})


def test_a_follower_without_credit_waits_and_goes_on(network):
    author, reader = network.member(), network.member("Versgoed BV", "23456789")
    with network.session(author) as out, network.session(reader) as client:
        client.follow(cursors=[cursor_at(client.welcome, network)])
        ready(client)
        wanted, sent = set(), 0
        while sent <= 17000:  # more than a window of 16,384
            bodies = [author.offer(f"Aanbod {sent + i}") for i in range(1000)]
            out.publish(author, author.run(bodies))
            assert len(out.hear("receipts").ids) == 1000
            wanted |= {record_id(body) for body in bodies}
            sent += 1000
        held = 0
        found = set()
        link = schema("link")
        while len(found) < 16000:
            frame = client.hear("board")
            held += sum(len(part.run.bodies) for part in frame.runs)
            found |= {record_id(body) for part in frame.runs for body in part.run.bodies}
        assert held <= 16384
        ready(client)
        assert not wanted <= found  # the rest waits for credit
        client.say(credit=link.Credit(records=held, bytes=16 * 1024 * 1024))
        while not wanted <= found:
            frame = client.hear("board")
            found |= {record_id(body) for part in frame.runs for body in part.run.bodies}


def test_the_newest_session_of_a_key_wins(network):
    party = network.member()
    with network.session(party) as old:
        with network.session(party) as new:
            assert old.hear("refusal").rule == "session_superseded"
            old.cut()
            new.publish(party, party.run([party.offer()]))
            assert new.hear("receipts")


def test_a_head_that_does_not_extend_the_stored_one_is_refused(network):
    party = network.member()
    link = schema("link")
    with network.session(party) as client:
        client.publish(party, party.run([party.offer()]))
        client.hear("receipts")
        foreign = link.Head(epoch=party.epoch, number=9, hash=secrets.token_bytes(32), previous=secrets.token_bytes(32))
        client.publish(party, party.run([party.offer()]), head=foreign)
        assert client.hear("refusal", "receipts").code == HEAD


def test_a_restarted_broker_gives_the_same_receipt_for_a_duplicate(network):
    party = network.member()
    with network.session(party) as client:
        run = party.run([party.offer(), party.offer()])
        client.publish(party, run)
        first = client.hear("receipts")
    network.broker.kill()
    network.broker.start()
    with network.session(party) as client:
        assert client.welcome.seen.hash == party.told[1]
        assert client.welcome.log_seq == first.receipt.first_seq + 1
        client.publish(party, run)
        again = client.hear("receipts")
        assert again.SerializeToString() == first.SerializeToString()


def test_a_revoked_member_is_cut_at_once_and_stays_out(network):
    party = network.member()
    with network.session(party) as client:
        network.broker("revoke", "12345678", "--reason", "bedrijf beëindigd")
        client.cut()
    with network.client(party.link) as client:
        event = client.event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_SUCCEEDED)
        assert event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH


def test_a_broker_that_stops_answers_what_it_took(network):
    party = network.member()
    with network.session(party) as client:
        bodies = [party.offer(f"Aanbod {i}") for i in range(200)]
        client.publish(party, party.run(bodies))
        assert len(client.hear("receipts").ids) == 200
        assert network.broker.stop() == 0
    network.broker.start()
    with network.session(party) as client:
        assert client.welcome.seen.hash == party.told[1]


def test_mail_waits_for_its_recipient_until_it_is_acknowledged(network):
    sender, recipient = network.member(), network.member("Versgoed BV", "23456789")
    link, mail = schema("link"), schema("mail")
    sealed = secrets.token_bytes(1024)
    sender.seq += 1
    envelope = mail.Envelope(**{"from": sender.id, "to": recipient.id, "epoch": sender.epoch, "seq": sender.seq,
                                "not_after": int(time.time() * 1000) + 50 * DAY_MS, "sealed": sealed, "sealed_to": 0})
    with network.session(sender) as client:
        client.say(send=link.Send(envelope=envelope.SerializeToString(), head=sender.head()))
        stored = client.hear("stored")
        assert stored.seq == 1
    for _ in range(2):  # not acknowledged: it comes again
        with network.session(recipient) as client:
            item = client.hear("mail").items[0]
            assert item.seq == 1 and item.envelope == envelope.SerializeToString()
    with network.session(recipient) as client:
        client.hear("mail")
        client.say(ack=link.Ack(party=recipient.id, epoch=client.welcome.epoch, seq=1))
        client.say(fetch=link.Fetch(what=2, party=recipient.id, after=0))
        fetched = client.hear("mail")
        assert fetched.fetched == 2 and fetched.items[0].seq == 1 and fetched.last
    with network.session(recipient) as client:
        client.say(fetch=link.Fetch(what=2, party=recipient.id, after=0))
        assert client.hear("mail").HasField("fetched")  # nothing new came before it


def test_a_fetch_for_another_party_is_refused(network):
    party, other = network.member(), network.member("Versgoed BV", "23456789")
    with network.session(party) as client:
        client.say(fetch=schema("link").Fetch(what=2, party=other.id, after=0))
        assert client.hear("refusal", "mail").rule == "party_not_hosted"


def test_health_and_status_tell_how_things_stand(network):
    party = network.member()
    with network.session(party) as client:
        ready(client)
        status = network.broker.json("status")
        assert status["members"] == 1 and status["running"]["sessions"] == 1
        address = (network.broker.home / "http").read_text().strip()
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=30) as page:
            assert page.read() == b"ok\n"
    assert network.broker("invite", "--name", "X", "--kvk", "123", expect=1).stdout == ""


def test_commands_work_with_the_broker_down(network):
    network.member()
    network.broker.stop()
    assert [member["kvk"] for member in network.broker.json("members")["members"]] == ["12345678"]
    assert "running" not in network.broker.json("status")
    token = network.broker.invite("Derde BV", "34567890")
    network.broker.start()
    party = Party()
    network.invitation = read_token(token)
    with network.client(network.invitation.secret) as client:
        client.say(join=schema("link").Join(card=party.card))
        assert client.hear("cert")


def test_a_backup_starts_in_a_new_epoch(network, tmp_path):
    party = network.member()
    with network.session(party) as client:
        before = client.welcome.epoch
        network.broker("backup", tmp_path / "copy")
    network.broker.stop()
    network.broker.home = tmp_path / "copy"
    network.broker.arguments[-1] = str(tmp_path / "copy")
    network.broker.start()
    with network.session(party) as client:
        assert client.welcome.epoch != before and client.welcome.epoch_number > 1



def test_a_bare_peer_may_speak_as_any_node(network):
    """The attacker of the test above is not cut for being no libzmq."""
    party = network.member()
    link = schema("link")
    with Peer(network.endpoint, network.invitation.link_key, bytes(party.link)) as peer:
        hello = link.Hello(version=1, card=party.card, head=party.head())
        peer.part(link.ToBroker(hello=hello).SerializeToString(), more=False)
        assert link.FromBroker.FromString(peer.opened()).HasField("welcome")


def test_an_address_of_strangers_is_hung_up_on(network):
    network.invite()
    for _ in range(25):
        with network.client(nacl.public.PrivateKey.generate()) as client:
            client.event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED)
    assert metric(network, "connections_refused_total") >= 1


def test_all_that_was_taken_at_a_stop_is_answered(network):
    """With a bare peer: libzmq drops what it has received but not handed out when a connection ends."""
    party = network.member()
    link = schema("link")
    with Peer(network.endpoint, network.invitation.link_key, bytes(party.link)) as peer:
        head = link.Head(epoch=party.epoch, number=1, hash=secrets.token_bytes(32))
        peer.part(link.ToBroker(hello=link.Hello(version=1, card=party.card, head=head)).SerializeToString(), more=False)
        assert link.FromBroker.FromString(peer.opened()).HasField("welcome")
        for _ in range(300):
            publish = link.Publish(run=party.run([party.offer()]), head=party.head())
            peer.part(link.ToBroker(publish=publish).SerializeToString(), more=False)
        answered = 0
        try:
            while True:
                receipts = link.FromBroker.FromString(peer.opened()).receipts
                if receipts.ids and answered == 0:
                    network.broker.process.terminate()
                answered += len(receipts.ids)  # each of a Publish of its own
        except ConnectionError:
            pass
    assert network.broker.wait() == 0
    network.broker.start()
    with network.session(party) as client:
        assert client.welcome.seen.number == answered


def test_settings_are_read_again_at_hangup(network):
    settings = network.broker.home / "settings.ini"
    settings.write_text(settings.read_text() + "\n[link]\nadvertise = tcp://broker.example:7440\n")
    network.broker.process.send_signal(1)
    network.broker.json("status")  # answered by the loop, which reads signals first
    assert list(network.invite().addresses) == ["tcp://broker.example:7440"]
