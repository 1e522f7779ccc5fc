"""Another language: a node in Python, written to docs/protocol.md, concludes a deal with a real node, reads its sealed
mail, and holds a decision and receipts that verify. What this file computes, no code of the repository helps it with."""
import json
import secrets
import time

import nacl.public
import nacl.signing
import pytest

from support import deals, wire
from support.wire import DAY_MS, Network, blake, leaf, record_id, root_of, schema, signed
from support.world import WAIT, Broker, Node, call

LETTER = 3  # purpose of signatures
BOX_BYTES = 48
OFFER, DEAL, ACCEPTANCE, TERMINATE, CARD = 20, 30, 31, 35, 10
REDUCED = 6  # a verdict


def pad(plain):
    """ISO 7816-4 padding, so that the sealed box is a power of two from 1 KiB."""
    size = 1024
    while size - BOX_BYTES < len(plain) + 1:
        size *= 2
    return plain + b"\x80" + bytes(size - BOX_BYTES - len(plain) - 1)


def unpad(padded):
    return padded.rstrip(b"\0").removesuffix(b"\x80")


class Correspondent(wire.Party):
    """A party that also writes and opens letters."""

    def __init__(self):
        super().__init__()
        self.letters = 0

    def envelope(self, to, sealing_key, runs, terms):
        mail = schema("mail")
        self.letters += 1
        letter = mail.Letter(**{"from": self.id}, to=to, epoch=self.epoch, seq=self.letters, runs=runs,
                             terms=terms).SerializeToString()
        root = root_of([leaf(blake(b"collega/letter/1", letter))])
        signature = self.signing.sign(signed(LETTER, self.id, 1, root)).signature
        plain = pad(mail.SignedLetter(letter=letter, key_epoch=0, signature=signature).SerializeToString())

        def seal(key):
            return nacl.public.SealedBox(nacl.public.PublicKey(bytes(key))).encrypt(plain)

        return mail.Envelope(**{"from": self.id}, to=to, epoch=self.epoch, seq=self.letters,
                             not_after=int(time.time() * 1000) + 30 * DAY_MS, sealed=seal(sealing_key), sealed_to=0,
                             copy=seal(self.sealing.public_key), copy_to=0).SerializeToString()

    def open(self, packed, signing_key):
        mail = schema("mail")
        envelope = mail.Envelope.FromString(packed)
        signed_letter = mail.SignedLetter.FromString(unpad(nacl.public.SealedBox(self.sealing).decrypt(envelope.sealed)))
        root = root_of([leaf(blake(b"collega/letter/1", signed_letter.letter))])
        nacl.signing.VerifyKey(signing_key).verify(signed(LETTER, getattr(envelope, "from"), 1, root),
                                                   signed_letter.signature)
        letter = mail.Letter.FromString(signed_letter.letter)
        assert (letter.to, letter.epoch, letter.seq) == (envelope.to, envelope.epoch, envelope.seq) and letter.to == self.id
        return letter


def verify_run(run, key):
    root = root_of([leaf(record_id(body)) for body in run.bodies])
    nacl.signing.VerifyKey(key).verify(signed(1, run.signer, run.tree_size, root), run.signature)


def salted(headcount, first, last, hours):
    deal = schema("deal")
    work = deal.TermsWork(headcount=headcount, until=last, hours_per_week=hours, **{"from": first}).SerializeToString()
    sections = [deal.Section(kind=kind, salt=secrets.token_bytes(16), content=work if kind == 1 else b"")
                for kind in range(1, 9)]
    return deal.SaltedTerms(sections=sections), root_of([leaf(s.salt + s.content) for s in sections])


@pytest.fixture
def place(tmp_path):
    network = Network(Broker(tmp_path, "Net"))
    node = Node(tmp_path, "Snijder Logistiek BV", "12345678", "M. de Wit", "directeur")
    node.init()
    node("join", network.broker.invite(node.name, node.kvk))
    node.start()
    yield network, node
    node.kill()
    network.broker.kill()


def test_a_python_node_and_a_real_one_conclude_a_deal(place, tmp_path):
    network, node = place
    today = int(time.time() * 1000) // DAY_MS
    first, last = today + 10, today + 50
    iso = [time.strftime("%Y-%m-%d", time.gmtime(day * 86400)) for day in (today + 7, today + 60)]
    ours = node.publish({"kind": "loan_out", "title": "Magazijnmedewerkers", "occupation": {"isco": "4321"}, "headcount": 5,
                         "period": {"from": iso[0], "until": iso[1]}, "hours": {"per_week_min": 20, "per_week_max": 40},
                         "place": {"postcode": "4811", "region": "AM25"}}, "--wait", WAIT)

    python = Correspondent()
    network.join(python, "Python BV", "23456789")
    with network.session(python) as client:
        broker_key = network.signing_key(client.welcome)
        broker_id = blake_of_card(client.welcome.cards[0])
        wanted = python.offer(kind=2)
        client.publish(python, python.run([wanted]))
        receipts = client.hear("receipts")
        assert wire.verify_receipt(receipts.receipt, list(receipts.ids), broker_key)

        # The board: the node's card and offer, each with the broker's receipt.
        client.follow()
        bodies, card, offer = {}, None, None
        while offer is None:
            for part in client.hear("board").runs:
                for raw in part.run.bodies:
                    body = schema("record").Body.FromString(raw)
                    bodies[record_id(raw)] = body
                    if body.type == OFFER and body.offer.id.hex() == ours:
                        offer, content = body, record_id(raw)
        card = next(b.card for b in bodies.values() if b.type == CARD and b.card.party == offer.author)
        assert blake(card.signing_key, card.recovery_key) == offer.author

        # A proposal, sealed to the node.
        deal = schema("deal")
        mine = schema("record").Body.FromString(wanted).offer.id
        thread = blake(b"collega/match/1", *sorted([offer.offer.id, mine]))
        terms, commitment = salted(3, first, last, 30)
        now = int(time.time() * 1000)
        header = python.run([python.body(DEAL, deal=deal.DealHeader(
            edges=[deal.Edge(lender=offer.author, borrower=python.id,
                             lends=deal.OfferRef(offer=offer.offer.id, content=content),
                             borrows=deal.OfferRef(offer=mine, content=record_id(wanted)), commitment=commitment)],
            decider=broker_id, decider_epoch=client.welcome.epoch, accept_by=now + DAY_MS,
            root=blake(b"collega/root/1", thread, bytes(8)), time=now, thread=thread))])
        deal_id = record_id(header.bodies[0])
        envelope = python.envelope(offer.author, card.sealing_key, [header], terms)
        client.say(send=schema("link").Send(envelope=envelope, head=python.head()))
        assert client.hear("stored").hash == blake(b"collega/envelope/1", envelope)

        # The node reads it and accepts.
        deals.received(node, deal_id.hex())
        assert node.deal(deal_id.hex())["terms"]["headcount"] == 3
        assert node.json("deal", "accept", deal_id.hex(), "--wait", WAIT)["state"] in ("concluded", "active")

        # Its acceptance comes sealed, the decision open, both verifiable.
        decision = acceptance = None
        while decision is None or acceptance is None:
            for item in client.hear("mail").items:
                if item.HasField("envelope"):
                    letter = python.open(item.envelope, card.signing_key)
                    acceptance = schema("record").Body.FromString(letter.runs[0].bodies[0])
                    verify_run(letter.runs[0], card.signing_key)
                else:
                    run = schema("record").Run.FromString(item.decision)
                    verify_run(run, broker_key)
                    decision = schema("record").Body.FromString(run.bodies[0]).decision
        assert acceptance.type == ACCEPTANCE and acceptance.acceptance.deal == deal_id
        assert decision.deal == deal_id and decision.verdict == 1 and decision.position == 1
        end_a_part(python, client, node, offer.author, card, broker_key, header, record_id(run.bodies[0]), today + 20)

    proof = tmp_path / "proof.collega"
    proof.write_bytes(call([node.program, "deal", "prove", deal_id.hex(), "--home", node.home], text=False).stdout)
    assert proof.read_bytes()[-32:] == blake(proof.read_bytes()[:-32])
    verdict = json.loads(call([node.program, "verify", "--json", proof]).stdout)
    assert verdict["valid"] and verdict["borrower"]["name"] == "Python BV" and not verdict["borrower"]["named"]
    assert [(part["headcount"], part["by"]) for part in verdict["reductions"]] == [(1, "borrower")]
    assert verdict["people_left"] == 2


def end_a_part(python, client, node, other, card, broker_key, header, concluded, last_day):
    """One of the three goes home early: asked of the decider, told to the other side, and decided."""
    deal_id = record_id(header.bodies[0])
    request = python.run([python.body(TERMINATE, terminate=schema("deal").Terminate(
        deal=deal_id, predecessor=concluded, effective=last_day, headcount=1, time=int(time.time() * 1000)))])
    basis = record_id(request.bodies[0])
    envelope = python.envelope(other, card.sealing_key, [request], None)
    client.say(send=schema("link").Send(envelope=envelope, head=python.head()))
    assert client.hear("stored").hash == blake(b"collega/envelope/1", envelope)
    client.say(decide=schema("link").Decide(party=python.id, runs=[header, request], head=python.head()))
    decision = None
    while decision is None:
        for item in client.hear("mail").items:
            if item.HasField("decision"):
                run = schema("record").Run.FromString(item.decision)
                verify_run(run, broker_key)
                decision = schema("record").Body.FromString(run.bodies[0]).decision
    assert (decision.deal, decision.verdict, decision.position, decision.basis) == (deal_id, REDUCED, 2, basis)
    assert decision.predecessor == concluded
    part, = decision.reductions
    assert (part.headcount, part.effective, part.by, part.basis, part.time) == (1, last_day, python.id, basis, decision.time)
    while "reductions" not in node.deal(deal_id.hex()):
        node("status")
    row = node.deal(deal_id.hex())
    assert row["people_left"] == 2 and not row["reductions"][0]["ours"] and row["state"] in ("concluded", "active")


def blake_of_card(run):
    card = schema("record").Body.FromString(run.bodies[0]).card
    return blake(card.signing_key, card.recovery_key)
