"""aioice's TURN client, which is what aiortc uses."""

import asyncio
import os
import socket
import ssl

from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from servers import HOST, HOST6, PORT, TLS_PORT, credential

# From one byte to more than fits one Ethernet frame, with and without padding to four.
SIZES = [1, 2, 3, 4, 5, 100, 999, 1000, 1001, 1200, 1472, 4000]


def cases(server):
    """Name and function of each case."""

    def run(case):
        return lambda: asyncio.run(asyncio.wait_for(case(), 30))

    found = [
        ("aioice: echo through the relay", run(lambda: echo(HOST, credential("echo")))),
        ("aioice: echo over TCP", run(lambda: echo(HOST, credential("tcp"), transport="tcp"))),
        ("aioice: echo over TLS", run(lambda: echo(HOST, credential("tls"), port=TLS_PORT, transport="tcp", ssl=tls()))),
        ("aioice: TLS on the port of plain TURN", run(lambda: echo(HOST, credential("any"), transport="tcp", ssl=tls()))),
        ("aioice: wrong password", run(wrong_password)),
        ("aioice: expired credential", run(expired)),
        ("aioice: peer that is denied", run(denied_peer)),
    ]
    if not server.is_coturn:
        # coturn gives IPv4 relays to whoever asks for no family, knows no static users beside a secret, and keeps ports
        # open for a while.
        found += [
            ("aioice: the port closes with its allocation", run(deleted)),
            ("aioice: echo through the relay, IPv6", run(lambda: echo(HOST6, credential("echo6")))),
            ("aioice: static user", run(lambda: echo(HOST, ("static", "wireless")))),
        ]
    return found


class Receiver(asyncio.DatagramProtocol):
    """Keeps what comes, errors included, and tells when the allocation is gone."""

    def __init__(self):
        self.received = asyncio.Queue()
        self.gone = asyncio.Event()

    def datagram_received(self, data, addr):
        self.received.put_nowait((data, addr))

    def error_received(self, exc):
        self.received.put_nowait((exc, None))

    def connection_lost(self, exc):
        self.gone.set()


class Echo(asyncio.DatagramProtocol):
    """Sends back what comes, and remembers from where."""

    def __init__(self):
        self.senders = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.senders.add(addr[:2])
        self.transport.sendto(data, addr)


def tls() -> ssl.SSLContext:
    """TLS by the protocol's name; the server is checked."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["stun.turn"])
    return context


async def turn(host: str, user: tuple[str, str], port: int = PORT, **how):
    return await create_turn_endpoint(Receiver, (host, port), *user, **how)


async def echo_peer(host: str):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Echo, local_addr=(host, 0), family=family)
    return transport.get_extra_info("sockname")[:2], protocol


async def echo(host: str, user: tuple[str, str], **how) -> None:
    transport, receiver = await turn(host, user, **how)
    relayed = transport.get_extra_info("sockname")
    peer, peer_protocol = await echo_peer(host)
    for size in SIZES:
        payload = os.urandom(size)
        transport.sendto(payload, peer)
        data, source = await asyncio.wait_for(receiver.received.get(), 5)
        assert data == payload, f"{size} bytes came back as {len(data)} others"
        assert source == peer, f"from {source}, not {peer}"
    assert peer_protocol.senders == {relayed}, f"the peer saw {peer_protocol.senders}, the relay is {relayed}"
    await close(transport, receiver)


async def close(transport, receiver) -> None:
    transport.close()
    await asyncio.wait_for(receiver.gone.wait(), 5)


async def refused(user: tuple[str, str], code: int) -> None:
    try:
        await turn(HOST, user)
    except TransactionFailed as error:
        assert error.response.error_code == code, f"{error.response.error_code}, not {code}"
    else:
        raise AssertionError("it was let in")


async def wrong_password() -> None:
    username, _ = credential("mallory")
    await refused((username, "guessed"), 401)


async def expired() -> None:
    await refused(credential("late", lifetime=-60), 401)


async def denied_peer() -> None:
    transport, receiver = await turn(HOST, credential("denied"))
    transport.sendto(b"hello", ("192.168.7.7", 9))
    error, _ = await asyncio.wait_for(receiver.received.get(), 5)
    assert isinstance(error, TransactionFailed), f"{error!r} where a refusal was due"
    assert error.response.error_code == 403, f"{error.response.error_code}, not 403"
    await close(transport, receiver)


async def deleted() -> None:
    # Another case may be given the port at once, so that one try may tell nothing.
    for _ in range(3):
        transport, receiver = await turn(HOST, credential("deleted"))
        relayed = transport.get_extra_info("sockname")
        await close(transport, receiver)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(1)
            peer.connect(relayed)
            peer.send(b"is anyone there")
            try:
                peer.recv(2048)
            except ConnectionRefusedError:
                return
            except TimeoutError:
                continue
    raise AssertionError("the relay's port is still open")
