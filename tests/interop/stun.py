"""STUN messages as a client needs them, attribute by attribute, for cases that no ready-made client covers."""

import hashlib
import hmac
import ipaddress
import os
import socket
import struct

from servers import PORT, credential

COOKIE = 0x2112A442

BINDING, ALLOCATE, REFRESH, SEND, CREATE_PERMISSION = 0x001, 0x003, 0x004, 0x016, 0x008
DATA_INDICATION = 0x017

CHANGE_REQUEST, USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, LIFETIME = 0x0003, 0x0006, 0x0008, 0x0009, 0x000D
XOR_PEER_ADDRESS, DATA, REALM, NONCE, XOR_RELAYED_ADDRESS = 0x0012, 0x0013, 0x0014, 0x0015, 0x0016
REQUESTED_TRANSPORT, DONT_FRAGMENT, XOR_MAPPED_ADDRESS = 0x0019, 0x001A, 0x0020
ICMP, MOBILITY_TICKET = 0x8004, 0x8030


class Refused(Exception):
    """An error response; its code is the argument."""


class Message:
    """What came: its type and the last attribute of each kind."""

    def __init__(self, raw: bytes):
        self.kind, length, _ = struct.unpack("!HHI", raw[:8])
        self.transaction = raw[8:20]
        self.attributes, rest = {}, raw[20 : 20 + length]
        while rest:
            kind, size = struct.unpack("!HH", rest[:4])
            self.attributes[kind] = rest[4 : 4 + size]
            rest = rest[4 + (size + 3) // 4 * 4 :]

    def address(self, kind: int) -> tuple[str, int]:
        """An XOR address of IPv4."""
        port, address = struct.unpack("!xxHI", self.attributes[kind])
        return str(ipaddress.IPv4Address(address ^ COOKIE)), port ^ (COOKIE >> 16)


class Client:
    """One client with a fresh credential, on a UDP socket."""

    def __init__(self, wire: socket.socket, host: str, user: str):
        wire.settimeout(5)
        self.wire, self.server = wire, (host, PORT)
        self.username, self.password = credential(user)
        self.realm = self.nonce = None

    def ask(self, method: int, *attributes) -> Message:
        """A request with credentials; the success response to it."""
        for _ in range(3):
            answer = self.exchange(method, *attributes)
            if answer.kind & 0x110 == 0x100:
                return answer
            code = answer.attributes[ERROR_CODE]
            code = code[2] * 100 + code[3]
            if code not in (401, 438):
                raise Refused(code)
            self.realm, self.nonce = answer.attributes[REALM], answer.attributes[NONCE]
        raise Refused(401)

    def indicate(self, kind: int, *attributes) -> None:
        self.wire.sendto(encode(kind, os.urandom(12), attributes), self.server)

    def hear(self, kind: int) -> Message:
        """The next message of this type."""
        while True:
            message = Message(self.wire.recv(65536))
            if message.kind == kind:
                return message

    def exchange(self, method: int, *attributes) -> Message:
        transaction = os.urandom(12)
        proof = ()
        if self.nonce:
            proof = ((USERNAME, self.username.encode()), (REALM, self.realm), (NONCE, self.nonce))
        raw = encode(method, transaction, (*attributes, *proof))
        if self.nonce:
            raw = sign(raw, self.username, self.realm, self.password)
        self.wire.sendto(raw, self.server)
        while True:
            message = Message(self.wire.recv(65536))
            if message.transaction == transaction:
                return message


def encode(kind: int, transaction: bytes, attributes) -> bytes:
    body = b""
    for name, value in attributes:
        if isinstance(value, tuple):
            value = xor_address(*value)
        body += struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)
    return struct.pack("!HHI", kind, len(body), COOKIE) + transaction + body


def xor_address(host: str, port: int) -> bytes:
    address = int(ipaddress.IPv4Address(host)) ^ COOKIE
    return struct.pack("!HHI", 1, port ^ (COOKIE >> 16), address)


def sign(raw: bytes, username: str, realm: bytes, password: str) -> bytes:
    key = hashlib.md5(b":".join((username.encode(), realm, password.encode()))).digest()
    length = struct.unpack("!H", raw[2:4])[0] + 24
    raw = raw[:2] + struct.pack("!H", length) + raw[4:]
    return raw + struct.pack("!HH", MESSAGE_INTEGRITY, 20) + hmac.new(key, raw, hashlib.sha1).digest()
