"""STUN as bytes: requests of any shape, and what an answer says in one line."""

import hashlib
import hmac
import itertools
import os
import socket
import struct
import zlib

COOKIE = 0x2112A442
BINDING, ALLOCATE, REFRESH, SEND, CREATE_PERMISSION, CHANNEL_BIND = 1, 3, 4, 6, 8, 9
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110

USERNAME, INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES, CHANNEL_NUMBER, LIFETIME = 0x06, 0x08, 0x09, 0x0A, 0x0C, 0x0D
PEER, DATA, REALM, NONCE, RELAYED, FAMILY, EVEN_PORT, TRANSPORT = 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19
DONT_FRAGMENT, INTEGRITY_SHA256, MAPPED, TOKEN = 0x1A, 0x1C, 0x20, 0x22
ADDITIONAL_FAMILY, ADDRESS_ERROR, ICMP, SOFTWARE, ALTERNATE, FINGERPRINT = 0x8000, 0x8001, 0x8004, 0x8022, 0x8023, 0x8028

# Of clients, below those of relays.
PORTS = itertools.count(10_000)

# Attributes whose presence in an answer is compared; that it is sealed goes without saying once a proof was given.
NAMES = {
    RELAYED: "relayed", MAPPED: "mapped", LIFETIME: "lifetime", TOKEN: "token", UNKNOWN_ATTRIBUTES: "unknown",
    REALM: "realm", NONCE: "nonce", ADDRESS_ERROR: "address-error", INTEGRITY: "sealed", FINGERPRINT: "fingerprint",
}  # fmt: skip


def attribute(kind: int, value: bytes = b"") -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("!I", value))


def byte(kind: int, value: int) -> bytes:
    """REQUESTED-TRANSPORT, and both attributes that name a family."""
    return attribute(kind, bytes([value, 0, 0, 0]))


def peer(address: str, port: int, transaction: bytes) -> bytes:
    """XOR-PEER-ADDRESS"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    plain = socket.inet_pton(family, address)
    mask = struct.pack("!I", COOKIE) + transaction
    xored = bytes(a ^ b for a, b in zip(plain, mask))
    head = struct.pack("!BBH", 0, 2 if ":" in address else 1, port ^ COOKIE >> 16)
    return attribute(PEER, head + xored)


def message(kind: int, transaction: bytes, body: bytes, cookie: int = COOKIE) -> bytes:
    return struct.pack("!HHI", kind, len(body), cookie) + transaction + body


def sealed(kind: int, transaction: bytes, body: bytes, key: bytes, algorithm=hashlib.sha1) -> bytes:
    """The body with MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256."""
    size = algorithm().digest_size
    covered = struct.pack("!HHI", kind, len(body) + 4 + size, COOKIE) + transaction + body
    which = INTEGRITY if algorithm is hashlib.sha1 else INTEGRITY_SHA256
    return body + attribute(which, hmac.new(key, covered, algorithm).digest())


def printed(kind: int, transaction: bytes, body: bytes) -> bytes:
    """The body with FINGERPRINT."""
    covered = struct.pack("!HHI", kind, len(body) + 8, COOKIE) + transaction + body
    return body + number(FINGERPRINT, zlib.crc32(covered) ^ 0x5354554E)


class Answer:
    """A message from the server."""

    def __init__(self, data: bytes):
        self.kind, length = struct.unpack_from("!HH", data)
        self.transaction, self.attributes, at = data[8:20], [], 20
        while at < 20 + length:
            kind, size = struct.unpack_from("!HH", data, at)
            self.attributes.append((kind, data[at + 4 : at + 4 + size]))
            at += 4 + size + -size % 4

    def get(self, kind: int) -> bytes | None:
        return next((value for known, value in self.attributes if known == kind), None)

    def peer(self) -> tuple[str, int]:
        """XOR-PEER-ADDRESS of IPv4."""
        port, address = struct.unpack("!xxHI", self.get(PEER))
        return socket.inet_ntoa(struct.pack("!I", address ^ COOKIE)), port ^ COOKIE >> 16

    def error(self) -> int | None:
        """The code of an error response."""
        error = self.get(ERROR_CODE)
        return error[2] * 100 + error[3] if error else None

    def outcome(self) -> str:
        """Such as `success: mapped` or `401: nonce realm`."""
        class_ = str(self.error()) if self.error() else "success" if self.kind & 0x110 == SUCCESS else "odd"
        kinds = [kind for kind, _ in self.attributes]
        names = sorted(name + (f" x{kinds.count(kind)}" if kinds.count(kind) > 1 else "") for kind, name in NAMES.items() if kind in kinds)
        return class_ + (": " + " ".join(names) if names else "")


class Link:
    """A socket to the server, and messages out of it."""

    def __init__(self, server: tuple[str, int], transport: str, patience: float):
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        self.is_stream, self.buffer, self.ended = transport == "tcp", b"", False
        self.socket = socket.socket(family, kind)
        self.patience = patience
        # A port that the kernel gives may be that of a client that has gone without a word.
        self.socket.bind((server[0], next(PORTS)))
        self.socket.connect(server)

    def exchange(self, data: bytes) -> Answer | str:
        """The answer, or `silence`, or `closed`. A Binding request goes after it: once that is answered, nothing else comes.
        Where that is not so, since the server finds keys meanwhile, `patience` says how many seconds that takes at most."""
        after = os.urandom(12)
        if self.ended:
            return "closed"
        try:
            self.socket.settimeout(5)
            self.socket.send(data)
            self.socket.send(message(BINDING | REQUEST, after, b""))
            found = [self.receive()]
            try:
                if found[0].transaction == after:
                    self.socket.settimeout(self.patience)
                if self.patience or found[0].transaction != after:
                    found.append(self.receive())
            except (TimeoutError, BlockingIOError):
                pass
            return next((answer for answer in found if answer.transaction != after), "silence")
        except (ConnectionError, EOFError):
            self.ended = True
            return "closed"
        except TimeoutError:
            # Over a stream, it waits for the rest of what it takes for a message.
            self.ended = True
            return "no answer any more"

    def receive(self) -> Answer:
        if not self.is_stream:
            return Answer(self.socket.recv(65536))
        while len(self.buffer) < 20 or len(self.buffer) < 20 + struct.unpack_from("!H", self.buffer, 2)[0]:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        size = 20 + struct.unpack_from("!H", self.buffer, 2)[0]
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return Answer(data)

    def close(self) -> None:
        self.socket.close()
