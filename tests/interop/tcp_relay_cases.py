"""TCP relays (RFC 6062): turnutils_uclient's clients connect to each other's, through a daemon of several shards."""

import contextlib
import subprocess
import tempfile
import time
from pathlib import Path

from servers import HOST, SECRET, TLS_PORT, make_certificate

PORT = 3490
MESSAGES = 50
CLIENTS = 4

CONFIG = f"""
[listen]
turn = ["{HOST}:{PORT}"]
turns = ["{HOST}:{PORT + 1}"]
http = ["127.0.0.1:{PORT + 2}"]
metrics = ""

[ports]
udp = "30000-30199"

[relay]
tcp_allocations = true

# Before it connects to relays, uclient asks for permissions for ports that are none.
[peers]
allow = ["10.99.0.0/24"]

[auth]
secret = "{SECRET}"

[tls]
certificate = "{{scratch}}/certificate.pem"
key = "{{scratch}}/key.pem"

[shards]
count = 3
"""


def cases(server):
    """Name and function of each case; coturn has TCP relays without being asked, and is not what is tried here."""
    if server.is_coturn:
        return []
    return [
        ("uclient: TCP relays", lambda: check_tcp_relays(server.process.args[0])),
        ("uclient: no TCP relays unless asked for", check_off),
    ]


def uclient(port: int, user: str, *flags: str):
    command = ["turnutils_uclient", "-W", SECRET, "-u", user, "-T", "-t", "-y", "-c", "-p", str(port), *flags]
    command += ["-m", str(CLIENTS), "-n", str(MESSAGES), "-l", "170", "-z", "5", HOST]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def check_tcp_relays(program: str) -> None:
    with daemon(program):
        # Which shard a stream comes to is chance: several rounds have streams change theirs.
        for turn in range(3):
            check_relayed(uclient(PORT, f"plain-{turn}"))
            check_relayed(uclient(PORT, f"secure-{turn}", "-S"))
        check_relayed(uclient(PORT + 1, "turns", "-S"))


def check_relayed(result) -> None:
    lines = result.stdout.splitlines()
    every = f"tot_send_msgs={CLIENTS * MESSAGES}, tot_recv_msgs={CLIENTS * MESSAGES}"
    assert result.returncode == 0, f"exit code {result.returncode}: {lines[-5:]}"
    assert any(every in line for line in lines), f"not every message came: {lines[-6:]}"
    assert any("Total lost packets 0 (0.000000%)" in line for line in lines), f"lost packets: {lines[-6:]}"


def check_off() -> None:
    for port, flags in [(3478, []), (TLS_PORT, ["-S"])]:
        result = uclient(port, "off", *flags)
        assert "error 442" in result.stdout, f"no error 442: {result.stdout[-500:]}"


@contextlib.contextmanager
def daemon(program: str):
    """A second daemon, with TCP relays."""
    scratch = Path(tempfile.mkdtemp(prefix="interop-tcp-"))
    make_certificate(scratch)
    config = scratch / "roundturn.toml"
    config.write_text(CONFIG.replace("{scratch}", str(scratch)))
    log = scratch / "log"
    with log.open("wb") as out:
        command = [program, "--config", str(config), "run"]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        health = [program, "--config", str(config), "health"]
        while subprocess.run(health, capture_output=True, check=False).returncode:
            assert process.poll() is None and time.monotonic() < deadline, f"it does not serve: {log.read_text()}"
            time.sleep(0.1)
        yield
        assert process.poll() is None, f"it ended with {process.returncode}: {log.read_text()[-2000:]}"
    finally:
        process.terminate()
        process.wait(10)
