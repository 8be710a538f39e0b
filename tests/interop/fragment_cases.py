"""DF bits and ICMP errors over a real network: a router whose way on is narrower than the wire to it."""

import os
import socket
import struct
import subprocess

import stun
from raw_client import RawClient
from servers import HOST

NEAR, FAR = "10.99.1.1", "10.99.1.2"
PEER, GATEWAY = "10.99.2.2", "10.99.2.1"
NARROW = 1200
FRAGMENTATION_NEEDED = (3, 4, NARROW)


def cases(server):
    """Name and function of each case."""
    if server.is_coturn:
        return []
    return [("fragments: whole datagrams, large ones, and what a narrow path says", narrow_path)]


def narrow_path() -> None:
    """server ── near0/far0, MTU 1500 ── router ── MTU 1200 ── peer"""
    router, peer = machine(), machine()
    try:
        join(router, peer)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            talk(wire, peer)
    finally:
        for one in (router, peer):
            one.kill()
            one.wait()


def talk(wire: socket.socket, peer: subprocess.Popen) -> None:
    listening = subprocess.Popen(
        inside(peer, "python3", "-uc", LISTEN, PEER), stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        port = int(listening.stdout.readline())
        whole = stun.attribute(stun.DONT_FRAGMENT)
        client = RawClient(wire, HOST, "fragments")
        client.ask(stun.ALLOCATE, stun.byte(stun.TRANSPORT, 17), whole)
        client.permit(PEER, port)

        def send(size, *attributes):
            client.send(PEER, port, os.urandom(size), *attributes)

        send(100, whole)
        assert listening.stdout.readline() == "100\n", "a small datagram with DF did not arrive"
        for _ in range(2):
            send(1300, whole)
            told = client.hear()
            assert told.peer() == (PEER, port), f"about {told.attributes}"
            kind, code, mtu = icmp(told.get(stun.ICMP))
            assert (kind, code, mtu) == FRAGMENTATION_NEEDED, f"type {kind}, code {code}, MTU {mtu}"
        # The router fragments one, this host another: neither is told to the client.
        for size in (1300, 4000):
            send(size)
            heard = listening.stdout.readline()
            assert heard == f"{size}\n", f"{size} bytes without DF arrived as {heard!r}"
        # More than our own interface carries: no router is asked.
        send(1600, whole)
        told = client.hear()
        assert (told.peer(), icmp(told.get(stun.ICMP))) == ((PEER, port), (3, 4, 1500))
    finally:
        listening.kill()
        listening.wait()


def icmp(value: bytes) -> tuple[int, int, int]:
    """Type, code and MTU of RFC 8656 §18.13."""
    _, bits, mtu = struct.unpack("!HHI", value)
    return bits >> 9, bits & 0x1FF, mtu


LISTEN = """
import socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 0))
print(listener.getsockname()[1])
while True:
    print(len(listener.recv(65536)))
"""


def machine() -> subprocess.Popen:
    """A network namespace of its own, as long as the process lives."""
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def inside(where: subprocess.Popen, *command: str) -> list[str]:
    return ["nsenter", "--net", "--target", str(where.pid), *command]


def join(router: subprocess.Popen, peer: subprocess.Popen) -> None:
    def run(*command):
        subprocess.run(command, check=True, capture_output=True)

    def card(where, name, address):
        run(*inside(where, "ip", "address", "add", f"{address}/24", "dev", name))
        run(*inside(where, "ip", "link", "set", name, "up"))

    run("ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(router.pid))
    run("ip", "address", "add", f"{NEAR}/24", "dev", "near0")
    run("ip", "link", "set", "near0", "up")
    run(*inside(router, "ip", "link", "add", "mid0", "type", "veth", "peer", "name", "end0", "netns", str(peer.pid)))
    run(*inside(router, "ip", "link", "set", "mid0", "mtu", str(NARROW)))
    card(router, "far0", FAR)
    card(router, "mid0", GATEWAY)
    card(peer, "end0", PEER)
    run(*inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
    run(*inside(router, "ip", "route", "add", "default", "via", NEAR))
    run("ip", "route", "add", "10.99.2.0/24", "via", FAR)
    run(*inside(peer, "ip", "route", "add", "default", "via", GATEWAY))
