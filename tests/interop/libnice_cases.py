"""libnice, which Janus and GStreamer speak ICE with: two agents in a process of the system's Python."""

import subprocess
from pathlib import Path

from servers import HOST, PORT, credential

AGENTS = Path(__file__).with_name("libnice_agents.py")


def cases(_server):
    """Name and function of each case."""

    def exchange(name: str, transport: str):
        return f"libnice: {name}, relays only", lambda: check_exchange(transport)

    return [
        exchange("UDP", "udp"),
        exchange("TCP", "tcp"),
        # TCP in the clear by another name: libnice has no TLS.
        exchange("its type TLS", "tls"),
    ]


def check_exchange(transport: str) -> None:
    command = ["/usr/bin/python3", str(AGENTS), transport, HOST, str(PORT), *credential(f"libnice-{transport}")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert result.returncode == 0, result.stderr[-1500:]
