#!/usr/bin/python3
"""Two libnice agents that know only their relays, each other's candidates, and what they have to say.

    libnice_agents.py udp|tcp|tls HOST PORT USERNAME PASSWORD

Prints nothing and ends with 0 if every byte came, both ways. Run by the system's Python, whose libraries know libnice.
"""

import ctypes
import os
import sys

import gi

gi.require_version("Nice", "0.1")
from gi.repository import GLib, Nice  # noqa: E402

RELAYS = {"udp": Nice.RelayType.UDP, "tcp": Nice.RelayType.TCP, "tls": Nice.RelayType.TLS}
SIZES = [1, 2, 3, 4, 5, 100, 999, 1000, 1001, 1200]
SECONDS = 20
AGAIN_SECONDS = 2

# Python's binding has no way to receive.
LIBNICE = ctypes.CDLL("libnice.so.10")
RECEIVED = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
)
LIBNICE.nice_agent_attach_recv.argtypes = [
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, RECEIVED, ctypes.c_void_p
]  # fmt: skip
LIBNICE.nice_agent_send.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_char_p]


class Agent:
    """One end: an agent with one stream of one component."""

    def __init__(self, controlling: bool, relay: tuple):
        self.agent = Nice.Agent.new(GLib.MainContext.default(), Nice.Compatibility.RFC5245)
        self.agent.props.controlling_mode = controlling
        self.agent.props.force_relay = True
        self.agent.props.upnp = False
        self.stream = self.agent.add_stream(1)
        self.gathered, self.ready, self.received = False, False, []
        self.agent.connect("candidate-gathering-done", lambda *_: setattr(self, "gathered", True))
        self.agent.connect("component-state-changed", self.on_state)
        self.callback = RECEIVED(self.on_data)
        LIBNICE.nice_agent_attach_recv(hash(self.agent), self.stream, 1, None, self.callback, None)
        assert self.agent.set_relay_info(self.stream, 1, *relay), "the relay is refused"
        assert self.agent.gather_candidates(self.stream), "it gathers nothing"

    def on_state(self, _agent, _stream, _component, state) -> None:
        self.ready = state == Nice.ComponentState.READY

    def on_data(self, _agent, _stream, _component, length, data, _user) -> None:
        self.received.append(ctypes.string_at(data, length))

    def candidates(self) -> list:
        return self.agent.get_local_candidates(self.stream, 1)

    def learns(self, other: "Agent") -> None:
        _, username, password = other.agent.get_local_credentials(other.stream)
        self.agent.set_remote_credentials(self.stream, username, password)
        assert self.agent.set_remote_candidates(self.stream, 1, other.candidates()) > 0, "no candidate is taken"

    def send(self, data: bytes) -> None:
        sent = LIBNICE.nice_agent_send(hash(self.agent), self.stream, 1, len(data), data)
        assert sent == len(data), f"{sent} of {len(data)} bytes are sent"


def until(what: str, condition) -> None:
    """Runs the main loop until the condition holds."""
    timed_out = []
    timer = GLib.timeout_add_seconds(SECONDS, lambda: timed_out.append(True))
    while not condition():
        assert not timed_out, f"not within {SECONDS} s: {what}"
        GLib.MainContext.default().iteration(True)
    GLib.source_remove(timer)


def main() -> None:
    transport, host, port, username, password = sys.argv[1:]
    relay = (host, int(port), username, password, RELAYS[transport])
    pair = ana, bo = Agent(True, relay), Agent(False, relay)
    until("both have candidates", lambda: ana.gathered and bo.gathered)
    for agent in pair:
        kinds = [candidate.type for candidate in agent.candidates()]
        assert kinds and set(kinds) == {Nice.CandidateType.RELAYED}, f"candidates {kinds}, where relays alone were due"
    ana.learns(bo)
    bo.learns(ana)
    until("both are connected", lambda: ana.ready and bo.ready)
    for sender, receiver in (ana, bo), (bo, ana):
        sent: list[bytes] = []
        for size in SIZES:
            data = os.urandom(size)
            # Datagrams may be lost, also on their way to a process that is busy: what does not come is sent again.
            again = GLib.timeout_add_seconds(AGAIN_SECONDS, lambda sender=sender, data=data: sender.send(data) or True)
            sender.send(data)
            until(f"{size} bytes come", lambda receiver=receiver, data=data: data in receiver.received)
            GLib.source_remove(again)
            assert set(receiver.received) <= {*sent, data}, f"other bytes came than the {size} that were sent"
            sent.append(data)
    closed = []
    for agent in pair:
        agent.agent.close_async(lambda *_: closed.append(True))
    until("both have given their allocations back", lambda: len(closed) == len(pair))


main()
