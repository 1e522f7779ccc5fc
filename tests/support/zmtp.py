"""ZMTP 3.0 with CURVE (RFC 23 and 26) over a bare socket: a peer that libzmq would never be. Just enough to log in as a
member and then send frames of any kind, such as a message whose parts never end."""
import secrets
import socket

import nacl.bindings as sodium

from support.world import DEADLINE

COMMAND, LARGE = 4, 2
PART_MORE = 1


class Peer:
    def __init__(self, endpoint, server_key, secret):
        host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
        self.server, self.secret = server_key, secret
        self.public = sodium.crypto_scalarmult_base(secret)
        self.nonce = 0
        self.socket = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self.greet()
        self.log_in()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionResetError
            data += piece
        return data

    def greet(self):
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32))
        answer = self.read(64)
        assert answer[10] == 3 and answer[12:17] == b"CURVE"

    def command(self, body):
        head = bytes([COMMAND, len(body)]) if len(body) < 256 else bytes([COMMAND | LARGE]) + len(body).to_bytes(8, "big")
        self.socket.sendall(head + body)

    def answer(self):
        flags = self.read(1)[0]
        length = int.from_bytes(self.read(8), "big") if flags & LARGE else self.read(1)[0]
        return self.read(length)

    def next_nonce(self):
        self.nonce += 1
        return self.nonce.to_bytes(8, "big")

    def log_in(self):
        transient = secrets.token_bytes(32)
        transient_public = sodium.crypto_scalarmult_base(transient)
        nonce = self.next_nonce()
        box = sodium.crypto_box(bytes(64), b"CurveZMQHELLO---" + nonce, self.server, transient)
        self.command(b"\x05HELLO\x01\x00" + bytes(72) + transient_public + nonce + box)
        welcome = self.answer()
        assert welcome[:8] == b"\x07WELCOME"
        opened = sodium.crypto_box_open(welcome[24:], b"WELCOME-" + welcome[8:24], self.server, transient)
        server_transient, cookie = opened[:32], opened[32:]
        vouch_nonce = secrets.token_bytes(16)
        vouch = sodium.crypto_box(transient_public + self.server, b"VOUCH---" + vouch_nonce, server_transient, self.secret)
        metadata = b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER" + b"\x08Identity" + bytes(4)
        nonce = self.next_nonce()
        box = sodium.crypto_box(self.public + vouch_nonce + vouch + metadata, b"CurveZMQINITIATE" + nonce,
                                server_transient, transient)
        self.command(b"\x08INITIATE" + cookie + nonce + box)
        assert self.answer()[:6] == b"\x05READY"
        self.shared = sodium.crypto_box_beforenm(server_transient, transient)

    def part(self, payload, more):
        """One frame of a message, encrypted as libzmq would."""
        nonce = self.next_nonce()
        box = sodium.crypto_box_afternm(bytes([PART_MORE if more else 0]) + payload, b"CurveZMQMESSAGEC" + nonce, self.shared)
        body = b"\x07MESSAGE" + nonce + box
        head = bytes([0, len(body)]) if len(body) < 256 else bytes([LARGE]) + len(body).to_bytes(8, "big")
        self.socket.sendall(head + body)

    def opened(self):
        """The payload of the next message."""
        message = self.answer()
        assert message[:8] == b"\x07MESSAGE"
        return sodium.crypto_box_open_afternm(message[16:], b"CurveZMQMESSAGES" + message[8:16], self.shared)[1:]
