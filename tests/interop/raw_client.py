"""A client with a fresh credential that asks attribute by attribute, for cases that no ready-made client covers."""

import hashlib
import os
import socket

import stun
from servers import PORT, credential

DATA_INDICATION = 7 | stun.INDICATION


class RawClient:
    """On a UDP socket."""

    def __init__(self, wire: socket.socket, host: str, user: str):
        wire.settimeout(5)
        self.wire, self.server = wire, (host, PORT)
        self.username, self.password = credential(user)
        self.realm = self.nonce = b""

    def ask(self, method: int, *attributes: bytes, transaction: bytes = b"") -> stun.Answer:
        """A request with credentials; the success response to it."""
        for _ in range(3):
            answer = self.exchange(method, transaction or os.urandom(12), b"".join(attributes))
            if answer.error() is None:
                return answer
            assert answer.error() in (401, 438), f"refused with {answer.error()}"
            self.realm, self.nonce = answer.get(stun.REALM), answer.get(stun.NONCE)
        raise AssertionError("challenged again and again")

    def permit(self, host: str, port: int) -> None:
        """CreatePermission"""
        transaction = os.urandom(12)
        self.ask(stun.CREATE_PERMISSION, stun.peer(host, port, transaction), transaction=transaction)

    def send(self, host: str, port: int, data: bytes, *attributes: bytes) -> None:
        """A Send indication."""
        transaction = os.urandom(12)
        body = stun.peer(host, port, transaction) + stun.attribute(stun.DATA, data) + b"".join(attributes)
        self.wire.sendto(stun.message(stun.SEND | stun.INDICATION, transaction, body), self.server)

    def hear(self) -> stun.Answer:
        """The next Data indication."""
        while True:
            message = stun.Answer(self.wire.recv(65536))
            if message.kind == DATA_INDICATION:
                return message

    def exchange(self, method: int, transaction: bytes, body: bytes) -> stun.Answer:
        if self.nonce:
            proof = ((stun.USERNAME, self.username.encode()), (stun.REALM, self.realm), (stun.NONCE, self.nonce))
            body += b"".join(stun.attribute(*part) for part in proof)
            key = hashlib.md5(b":".join((self.username.encode(), self.realm, self.password.encode()))).digest()
            body = stun.sealed(method, transaction, body, key)
        self.wire.sendto(stun.message(method, transaction, body), self.server)
        while True:
            answer = stun.Answer(self.wire.recv(65536))
            if answer.transaction == transaction:
                return answer
