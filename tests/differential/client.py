"""A client that says what a script wants it to, well or badly proved, and keeps what came of it."""

import hashlib
import os
import struct

import stun
from servers import credential
from stun import attribute, byte


class Client:
    """One client of one server. Each request's outcome is added to `outcomes`."""

    def __init__(self, server: tuple[str, int], secret: str, name: str, link: tuple[str, float], outcomes: list[str]):
        self.server, self.secret, self.name, self.how, self.outcomes = server, secret, name, link, outcomes
        self.username, self.password = credential(name, secret)
        self.link = stun.Link(server, *link)
        self.realm, self.nonce, self.answer, self.transaction = b"", b"", None, b""

    def other(self, name: str | None = None) -> "Client":
        """Another 5-tuple; the same user unless named."""
        return Client(self.server, self.secret, name or self.name, self.how, self.outcomes)

    def enters(self) -> "Client":
        """Learns realm and nonce; not part of the comparison."""
        challenge = self.link.exchange(stun.message(stun.ALLOCATE, os.urandom(12), byte(stun.TRANSPORT, 17)))
        self.realm, self.nonce = challenge.get(stun.REALM), challenge.get(stun.NONCE)
        return self

    def peer(self, address: str | None = None, port: int = 40000) -> bytes:
        """XOR-PEER-ADDRESS for the next message."""
        return stun.peer(address or self.server[0], port, self.next_transaction())

    def next_transaction(self) -> bytes:
        self.transaction = self.transaction or os.urandom(12)
        return self.transaction

    def says(
        self, method: int, *body: bytes, proof: str = "good", kind: int = stun.REQUEST, fingerprint: str = "", after=b"",
        keep: bool = False,
    ) -> None:  # fmt: skip
        """Sends a message. `proof`: good, none, or what is wrong with it; `after`: attributes behind the integrity."""
        kind |= method
        transaction = self.next_transaction()
        content = self.proved(kind, transaction, b"".join(body), proof) + after
        if fingerprint == "bad":
            content += stun.number(stun.FINGERPRINT, 7)
        elif fingerprint:
            content = stun.printed(kind, transaction, content)
        if not keep:
            self.transaction = b""
        self.raw(stun.message(kind, transaction, content))

    def raw(self, data: bytes) -> None:
        answer = self.link.exchange(data)
        self.answer = answer if isinstance(answer, stun.Answer) else None
        self.outcomes.append(answer if isinstance(answer, str) else answer.outcome())

    def proved(self, kind: int, transaction: bytes, body: bytes, proof: str) -> bytes:
        if proof == "none":
            return body
        username, realm, nonce, password = self.username.encode(), self.realm, self.nonce, self.password
        if proof == "wrong password":
            password = "guessed"
        elif proof == "unknown user":
            username = b"nobody"
        elif proof == "expired":
            name, password = credential(self.name, self.secret, -60)
            username = name.encode()
        elif proof == "stale nonce":
            nonce = b"0123456789abcdef"
        elif proof == "other realm":
            realm = b"elsewhere"
        parts = {"username": (stun.USERNAME, username), "realm": (stun.REALM, realm), "nonce": (stun.NONCE, nonce)}
        body += b"".join(attribute(*part) for name, part in parts.items() if proof != f"no {name}")
        if proof == "no integrity":
            return body
        key = hashlib.md5(b":".join([username, realm, password.encode()])).digest()
        algorithm = hashlib.sha256 if proof == "sha256" else hashlib.sha1
        content = stun.sealed(kind, transaction, body, key, algorithm)
        if proof == "bad integrity":
            content = content[:-1] + bytes([content[-1] ^ 1])
        return content

    def allocates(self, *body: bytes, **how) -> "Client":
        self.says(stun.ALLOCATE, byte(stun.TRANSPORT, 17), *body, **how)
        return self

    def binds(self, channel: int, port: int = 40000, address: str | None = None) -> None:
        self.says(stun.CHANNEL_BIND, attribute(stun.CHANNEL_NUMBER, struct.pack("!HH", channel, 0)), self.peer(address, port))
