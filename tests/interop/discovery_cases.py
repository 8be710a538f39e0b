"""turnutils_natdiscovery of Debian's coturn: what it finds out with our help where there is no NAT."""

import subprocess

from servers import HOST

# The alternate address of the configuration, and one of the client's own.
ALTERNATE, SECOND = "10.99.0.3", "10.99.0.4"


def cases(server):
    """Name and function of each case."""
    if server.is_coturn:
        return []
    return [
        ("natdiscovery: mapping", lambda: finds(["-m"], "NAT with Endpoint Independent Mapping!")),
        ("natdiscovery: filtering", lambda: finds(["-f"], "NAT with Endpoint Independent Filtering!")),
        ("natdiscovery: filtering, padded", lambda: finds(["-f", "-P"], "NAT with Endpoint Independent Filtering!")),
        ("natdiscovery: collision", collision),
    ]


def finds(flags: list[str], verdict: str, host: str = HOST) -> None:
    heard = discover(flags, host)
    assert verdict in heard, f"no {verdict!r} in {heard[-800:]}"


def collision() -> None:
    heard = discover(["-c", "-A", SECOND, "-L", HOST, "-l", "7777"], HOST)
    for address in (HOST, SECOND):
        assert f"UDP reflexive addr: {address}:7777" in heard, f"no answer to {address}: {heard[-800:]}"


def discover(flags: list[str], host: str) -> str:
    command = ["turnutils_natdiscovery", *flags, host]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.stdout + result.stderr
