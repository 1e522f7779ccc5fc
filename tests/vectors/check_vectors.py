"""Arrives at the committed vectors with other tools: hashlib, PyNaCl, and fifteen lines of protobuf.

Run with /usr/bin/python3 -m pytest tests/vectors/check_vectors.py, or as a program.
"""
import base64
import hashlib
import json
import pathlib

import nacl.bindings as sodium
import nacl.public
import nacl.signing

HERE = pathlib.Path(__file__).parent


def load(name):
    return json.loads((HERE / f"{name}.json").read_text())


def raw(text):
    return bytes.fromhex(text)


def blake(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def leaf(datum):
    return blake(b"\0", datum)


def split_of(size):
    """The largest power of two below size."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = split_of(len(leaves))
    return blake(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def root_of_some(begin, size, known, rest):
    """`known` maps indices to leaf hashes; `rest` is used up from the left."""
    if not any(begin <= index < begin + size for index in known):
        return rest.pop(0)
    if size == 1:
        return known[begin]
    split = split_of(size)
    left = root_of_some(begin, split, known, rest)
    return blake(b"\1", left, root_of_some(begin + split, size - split, known, rest))


def subkey(seed, number):
    """crypto_kdf_derive_from_key with the context "collega1"."""
    return hashlib.blake2b(b"", digest_size=32, key=seed, salt=number.to_bytes(8, "little") + bytes(8),
                           person=b"collega1" + bytes(8)).digest()


def signed(purpose, signer, tree_size, root):
    return b"collega/signature/1" + bytes([purpose]) + signer + tree_size.to_bytes(8, "big") + root


def verify(key, purpose, signer, tree_size, root, signature):
    nacl.signing.VerifyKey(key).verify(signed(purpose, signer, tree_size, root), signature)


def fields(data):
    """A message as {field number: [values]}: varints as numbers, the rest as bytes."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    at, out = 0, {}
    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            assert key & 7 == 2
            length = varint()
            value = data[at:at + length]
            at += length
        out.setdefault(key >> 3, []).append(value)
    return out


def packed_numbers(data):
    """All indices in the vectors are below 128: one byte each."""
    return list(data)


def root_of_message(message, size, leaves, leaves_field, rest_field):
    indices = packed_numbers(message[leaves_field][0]) if leaves_field in message else list(range(size))
    rest = list(message.get(rest_field, []))
    root = root_of_some(0, size, dict(zip(indices, leaves, strict=True)), rest)
    assert not rest
    return root


def test_ids():
    vectors = load("ids")
    for record in vectors["records"]:
        assert blake(b"collega/record/1", raw(record["body"])).hex() == record["id"]
    envelope = vectors["envelope"]
    assert blake(b"collega/envelope/1", raw(envelope["bytes"])).hex() == envelope["hash"]


def test_trees():
    trees = load("trees")
    assert [len(tree["data"]) for tree in trees] == list(range(1, 10))
    for tree in trees:
        leaves = [leaf(raw(datum)) for datum in tree["data"]]
        assert root_of(leaves).hex() == tree["root"]
        assert tree["parts"]
        for part in tree["parts"]:
            rest = [raw(text) for text in part["rest"]]
            known = {index: leaves[index] for index in part["leaves"]}
            assert root_of_some(0, len(leaves), known, rest).hex() == tree["root"]
            assert not rest


def test_identities():
    for identity in load("identities"):
        seed = raw(identity["seed"])
        signing = bytes(nacl.signing.SigningKey(subkey(seed, 1)).verify_key)
        recovery = bytes(nacl.signing.SigningKey(raw(identity["recovery_secret"])).verify_key)
        assert signing.hex() == identity["signing_key"]
        assert sodium.crypto_scalarmult_base(subkey(seed, 2)).hex() == identity["sealing_key"]
        assert sodium.crypto_scalarmult_base(subkey(seed, 3)).hex() == identity["link_key"]
        party = blake(signing, recovery)
        assert party.hex() == identity["party"]
        assert identity["fingerprint"].replace(" ", "") == party.hex()[:32]
        run = fields(raw(identity["card"]))
        root = leaf(blake(b"collega/record/1", run[7][0]))
        assert run[1] == [party] and run[2] == [0] and run[3] == [1]
        verify(signing, 1, party, 1, root, run[4][0])


def test_signatures():
    for vector in load("signatures"):
        key = nacl.signing.SigningKey(subkey(raw(vector["seed"]), 1))
        message = signed(vector["purpose"], raw(vector["signer"]), vector["tree_size"], raw(vector["root"]))
        assert key.sign(message).signature.hex() == vector["signature"]


def test_runs():
    for vector in load("runs"):
        run = fields(raw(vector["run"]))
        leaves = [leaf(blake(b"collega/record/1", body)) for body in run[7]]
        root = root_of_message(run, run[3][0], leaves, 5, 6)
        assert root.hex() == vector["root"]
        verify(raw(vector["signing_key"]), 1, run[1][0], run[3][0], root, run[4][0])


def test_receipts():
    for vector in load("receipts"):
        receipt = fields(raw(vector["receipt"]))
        origin, epoch, first, time, size = (receipt[number][0] for number in (1, 2, 3, 4, 5))
        indices = packed_numbers(receipt[8][0]) if 8 in receipt else list(range(size))
        leaves = [leaf(origin + epoch + (first + index).to_bytes(8, "big") + time.to_bytes(8, "big") + raw(record))
                  for index, record in zip(indices, vector["ids"], strict=True)]
        root = root_of_message(receipt, size, leaves, 8, 9)
        verify(raw(vector["signing_key"]), 2, origin, size, root, receipt[7][0])


def test_letter():
    vector = load("letter")
    envelope = fields(raw(vector["envelope"]))
    for seed, field in (("recipient_seed", 6), ("sender_seed", 8)):
        sealed = envelope[field][0]
        assert len(sealed) >= 1024 and len(sealed) & len(sealed) - 1 == 0
        box = nacl.public.SealedBox(nacl.public.PrivateKey(subkey(raw(vector[seed]), 2)))
        plain = box.decrypt(sealed).rstrip(b"\0")
        assert plain[-1] == 0x80
        outer = fields(plain[:-1])
        assert outer[1][0].hex() == vector["letter"]
        letter = fields(outer[1][0])
        for inside, outside in ((1, 1), (2, 2), (3, 3), (4, 4)):
            assert letter[inside] == envelope[outside]
        key = bytes(nacl.signing.SigningKey(subkey(raw(vector["sender_seed"]), 1)).verify_key)
        root = leaf(blake(b"collega/letter/1", outer[1][0]))
        verify(key, 3, letter[1][0], 1, root, outer[3][0])


def test_commitment():
    vector = load("commitment")
    leaves = [leaf(raw(section["salt"]) + raw(section["content"])) for section in vector["sections"]]
    assert len(leaves) == 8
    assert root_of(leaves).hex() == vector["commitment"]


def test_invitation():
    vector = load("invitation")
    packed = raw(vector["invitation"])
    token = base64.urlsafe_b64encode(packed + blake(packed)[:4]).decode().rstrip("=")
    assert vector["token"] == "collega1." + token


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(name, "ok")
