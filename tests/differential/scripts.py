"""What is said to both servers. Each function is one script; each request in it is one outcome."""

import os
import struct

from stun import (
    ADDITIONAL_FAMILY, ALLOCATE, BINDING, CHANNEL_BIND, CHANNEL_NUMBER, COOKIE, CREATE_PERMISSION, DATA, DONT_FRAGMENT,
    EVEN_PORT, FAMILY, INDICATION, INTEGRITY, LIFETIME, MAPPED, REFRESH, SEND, SOFTWARE, SUCCESS, TOKEN, TRANSPORT,
    attribute, byte, message, number,
)  # fmt: skip

METHODS = {
    "Allocate": (ALLOCATE, byte(TRANSPORT, 17)),
    "Refresh": (REFRESH, b""),
    "CreatePermission": (CREATE_PERMISSION, b""),
    "ChannelBind": (CHANNEL_BIND, attribute(CHANNEL_NUMBER, b"\x40\x00\x00\x00")),
}
PROOFS = [
    "good", "none", "bad integrity", "wrong password", "unknown user", "expired", "stale nonce", "other realm",
    "no username", "no realm", "no nonce", "no integrity", "sha256",
]  # fmt: skip
EVEN, RESERVE = attribute(EVEN_PORT, b"\x00"), attribute(EVEN_PORT, b"\x80")
V4, V6 = byte(FAMILY, 1), byte(FAMILY, 2)


def scripts():
    """Name and function of each."""
    found = {}
    for method, (number_, body) in METHODS.items():
        for proof in PROOFS:
            found[f"{method}, {proof}, no allocation"] = prove(number_, body, proof, False)
            if number_ != ALLOCATE:
                found[f"{method}, {proof}, allocation"] = prove(number_, body, proof, True)
    for function in PLAIN:
        found[function.__name__.replace("_", " ")] = function
    return found


def prove(method, body, proof, allocated):
    def script(client):
        client.enters()
        if allocated:
            client.allocates()
        addressed = client.peer() if method in (CREATE_PERMISSION, CHANNEL_BIND) else b""
        client.says(method, body, addressed, proof=proof)

    return script


def binding(client):
    client.says(BINDING, proof="none")
    client.says(BINDING, proof="none", fingerprint="good")
    client.says(BINDING, proof="none", fingerprint="bad")
    client.says(BINDING, attribute(SOFTWARE, b"script"), proof="none")
    client.says(BINDING, attribute(0x7FFF), proof="none")
    client.says(BINDING, attribute(0xFFFF), proof="none")
    client.enters().says(BINDING)
    client.says(BINDING, proof="bad integrity")


def indications_and_answers_get_no_answer(client):
    client.says(BINDING, proof="none", kind=INDICATION)
    client.enters().allocates(kind=INDICATION)
    client.allocates(kind=SUCCESS)
    client.allocates(kind=0x110)
    client.says(0x0FFF, proof="none")
    client.says(0x0FFF)


def transport_missing(client):
    client.enters().says(ALLOCATE)


def transport_tcp(client):
    client.enters().says(ALLOCATE, byte(TRANSPORT, 6))


def transport_of_no_relay(client):
    client.enters().says(ALLOCATE, byte(TRANSPORT, 132))


def transport_malformed(client):
    client.enters().says(ALLOCATE, attribute(TRANSPORT, b"\x11"))


def unknown_attributes(client):
    client.enters()
    client.allocates(attribute(0x7FFF))
    client.allocates(attribute(0x7FFF), proof="none")
    client.allocates(attribute(0xC0FF))
    client.says(REFRESH, attribute(0x7FFE, b"x"))
    client.says(CREATE_PERMISSION, client.peer(), attribute(0x7FFD))


def unknown_in_send(client):
    client.enters().allocates().says(CREATE_PERMISSION, client.peer())
    client.says(SEND, client.peer(), attribute(DATA, b"x"), attribute(0x7FFF), kind=INDICATION, proof="none")


def dont_fragment(client):
    client.enters().allocates(attribute(DONT_FRAGMENT))


def family_v4(client):
    client.enters().allocates(V4)


def family_v6(client):
    client.enters().allocates(V6)


def family_unknown(client):
    client.enters().allocates(byte(FAMILY, 3))


def family_malformed(client):
    client.enters().allocates(attribute(FAMILY, b"\x01"))


def family_twice_over(client):
    client.enters().allocates(V4, byte(ADDITIONAL_FAMILY, 2))


def both_families(client):
    client.enters().allocates(byte(ADDITIONAL_FAMILY, 2))
    client.says(REFRESH, number(LIFETIME, 0), V6)
    client.says(CREATE_PERMISSION, client.peer("fd99::1"))
    client.says(CREATE_PERMISSION, client.peer())
    client.says(REFRESH, number(LIFETIME, 0), V4)
    client.says(REFRESH, number(LIFETIME, 600))


def additional_family_v4(client):
    client.enters().allocates(byte(ADDITIONAL_FAMILY, 1))


def even_port(client):
    client.enters().allocates(EVEN)


def token_of(client):
    return client.answer and client.answer.get(TOKEN) or bytes(8)


def reservation(client):
    second = client.other()
    client.enters().allocates(RESERVE)
    second.enters().allocates(attribute(TOKEN, token_of(client)))
    third = client.other()
    third.enters().allocates(attribute(TOKEN, token_of(client)))
    third.allocates(attribute(TOKEN, os.urandom(8)))


def reservation_of_another_user(client):
    mallory = client.other("mallory")
    client.enters().allocates(RESERVE)
    mallory.enters().allocates(attribute(TOKEN, token_of(client)))


def token_malformed(client):
    client.enters().allocates(attribute(TOKEN, b"1234"))


def token_with_even_port(client):
    client.enters().allocates(attribute(TOKEN, bytes(8)), EVEN)


def token_with_family(client):
    client.enters().allocates(attribute(TOKEN, bytes(8)), V4)


def reserve_with_additional_family(client):
    client.enters().allocates(RESERVE, byte(ADDITIONAL_FAMILY, 2))


def lifetimes(client):
    client.enters().allocates(number(LIFETIME, 1))
    client.says(REFRESH, number(LIFETIME, 100000))
    client.says(REFRESH, attribute(LIFETIME, b"\x01"))
    client.says(REFRESH, V6)
    client.says(REFRESH, byte(FAMILY, 9))
    client.says(REFRESH, number(LIFETIME, 0))
    client.says(REFRESH, number(LIFETIME, 0))
    client.says(REFRESH, number(LIFETIME, 600))


def lifetime_0_at_once(client):
    client.enters().allocates(number(LIFETIME, 0))


def permissions(client):
    client.enters().allocates()
    client.says(CREATE_PERMISSION)
    client.says(CREATE_PERMISSION, client.peer(), client.peer(port=40001))
    client.says(CREATE_PERMISSION, client.peer("10.99.0.1", 0))
    client.says(CREATE_PERMISSION, client.peer("192.168.7.7"))
    client.says(CREATE_PERMISSION, client.peer(), client.peer("192.168.7.7"))
    client.says(CREATE_PERMISSION, client.peer("fd99::1"))
    client.says(CREATE_PERMISSION, client.peer(), client.peer("fd99::1"))
    client.says(CREATE_PERMISSION, attribute(0x12, b"\x00\x01\x00"))
    client.says(CREATE_PERMISSION, attribute(0x12, b"\x00\x09" + bytes(6)))


def forbidden_addresses(client):
    client.enters().allocates()
    for address in ["0.0.0.0", "127.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "10.1.2.3", "100.64.0.1"]:
        client.says(CREATE_PERMISSION, client.peer(address))


def forbidden_addresses_v6(client):
    client.enters().allocates(V6)
    for address in ["::", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fe80::1", "ff02::1", "fd00::1"]:
        client.says(CREATE_PERMISSION, client.peer(address))


def channels(client):
    client.enters().allocates()
    for channel in [0x3FFF, 0x4000, 0x4FFF, 0x5000, 0x7FFE, 0x7FFF, 0x8000, 0xFFFF]:
        client.binds(channel, port=channel)


def channels_bound_anew(client):
    client.enters().allocates().binds(0x4000)
    client.binds(0x4000)
    client.binds(0x4000, port=40001)
    client.binds(0x4001)
    client.binds(0x4001, port=40001)
    client.binds(0x4002, address="fd99::1")
    client.binds(0x4002, address="192.168.7.7")
    client.says(CHANNEL_BIND, client.peer())
    client.says(CHANNEL_BIND, attribute(CHANNEL_NUMBER, b"\x40\x03\x00\x00"))
    client.says(CHANNEL_BIND, attribute(CHANNEL_NUMBER, b"\x40"), client.peer())


def quota(client):
    for _ in range(4):
        client.enters().allocates()
        client = client.other()


def retransmission(client):
    client.enters().allocates(keep=True)
    client.allocates(keep=True)
    client.allocates(number(LIFETIME, 900))
    client.allocates()
    client.says(REFRESH, keep=True)
    client.says(REFRESH)


def other_user_on_the_same_5_tuple(client):
    client.enters().allocates()
    mallory = client.other("mallory").enters()
    client.username, client.password = mallory.username, mallory.password
    client.says(REFRESH, number(LIFETIME, 0))
    client.says(CREATE_PERMISSION, client.peer())
    client.binds(0x4000)
    client.allocates()


def fingerprints(client):
    client.enters().allocates(fingerprint="bad")
    client.allocates(fingerprint="good")
    client.says(REFRESH, fingerprint="good")
    client.says(REFRESH, proof="bad integrity", fingerprint="good")


def attributes_after_integrity(client):
    client.enters().allocates(after=attribute(0x7FFF))
    client.says(REFRESH, after=number(LIFETIME, 0))
    client.says(REFRESH, number(LIFETIME, 600))
    client.says(CREATE_PERMISSION, after=client.peer())


def integrity_malformed(client):
    client.enters().allocates(attribute(INTEGRITY, bytes(16)), proof="no integrity")


def truncated(client):
    client.enters()
    whole = message(ALLOCATE, os.urandom(12), byte(TRANSPORT, 17))
    if not client.link.is_stream:
        # Over a stream what is missing is what comes next.
        client.raw(whole[:-1])
        client.raw(whole[:12])
        client.raw(whole + b"\x00\x00\x00\x00")
    client.raw(struct.pack("!HHI", ALLOCATE, 12, COOKIE) + os.urandom(12) + byte(TRANSPORT, 17) + b"\x00\x0d\x00\xff")


def no_cookie(client):
    client.raw(message(BINDING, os.urandom(12), b"", cookie=0x01020304))


def junk(client):
    client.raw(b"\xff" * 24)


def send_without_permission(client):
    client.says(SEND, client.peer(), attribute(DATA, b"x"), kind=INDICATION, proof="none")
    client.enters().allocates()
    client.says(SEND, client.peer(), attribute(DATA, b"x"), kind=INDICATION, proof="none")
    client.says(SEND, client.peer(), attribute(DATA, b"x"))


def answers_of_a_server(client):
    client.enters().allocates(attribute(MAPPED, bytes(8)))


PLAIN = [
    binding, indications_and_answers_get_no_answer, transport_missing, transport_tcp,
    transport_of_no_relay, transport_malformed, unknown_attributes, unknown_in_send, dont_fragment,
    family_v4, family_v6, family_unknown, family_malformed, family_twice_over, both_families, additional_family_v4,
    even_port, reservation, reservation_of_another_user, token_malformed, token_with_even_port, token_with_family,
    reserve_with_additional_family, lifetimes, lifetime_0_at_once, permissions, forbidden_addresses,
    forbidden_addresses_v6, channels, channels_bound_anew, quota, retransmission, other_user_on_the_same_5_tuple,
    fingerprints, attributes_after_integrity, integrity_malformed, truncated, no_cookie, junk, send_without_permission,
    answers_of_a_server,
]  # fmt: skip
