"""The server under test: the daemon, or coturn with the same secret and the same rules for peers."""

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HOST = "10.99.0.1"
HOST6 = "fd99::1"
PORT = 3478
TLS_PORT = 5349
SECRET = "interop-has-no-secrets"

CONFIG = f"""
[listen]
turn = ["{HOST}:{PORT}", "[{HOST6}]:{PORT}"]
turns = ["[::]:{TLS_PORT}"]

[relay]
mobility = true
behavior_discovery = "10.99.0.3:3479"

[auth]
secret = "{SECRET}"

[auth.users]
static = "wireless"

[tls]
certificate = "{{scratch}}/certificate.pem"
key = "{{scratch}}/key.pem"

[peers]
allow = ["10.99.0.0/16", "fd99::/64"]
"""

COTURN = [
    "-n", "--no-cli", "--no-dtls", "--lt-cred-mech", "--use-auth-secret",
    f"--static-auth-secret={SECRET}", "--realm=interop", "--allow-loopback-peers", "--simple-log", "--log-file=stdout",
    f"--listening-ip={HOST}", f"--listening-ip={HOST6}", f"--relay-ip={HOST}", f"--relay-ip={HOST6}",
    "--denied-peer-ip=192.168.0.0-192.168.255.255", "--mobility",
]  # fmt: skip


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen, log: Path, is_coturn: bool):
        self.process, self.log, self.is_coturn = process, log, is_coturn

    def check_alive(self) -> None:
        assert self.process.poll() is None, f"it ended with {self.process.returncode}"
        assert answers(), "it no longer answers Binding requests"
        assert "panicked" not in self.log.read_text(errors="replace"), "a panic is in its log"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def log_end(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def start(program: str) -> Server:
    """Starts the server and waits, at most ten seconds, until it answers a Binding request."""
    scratch = Path(tempfile.mkdtemp(prefix="interop-"))
    log = scratch / "log"
    is_coturn = Path(program).name == "turnserver"
    make_certificate(scratch)
    # A second address of the server's for NAT behaviour discovery, and one of a client's.
    for address in ("10.99.0.3/24", "10.99.0.4/24"):
        subprocess.run(["ip", "address", "add", address, "dev", "card0"], check=True)
    if is_coturn:
        command = [program, *COTURN, f"--pidfile={scratch}/pid", f"--userdb={scratch}/db"]
        command += [f"--cert={scratch}/certificate.pem", f"--pkey={scratch}/key.pem"]
    else:
        config = scratch / "roundturn.toml"
        config.write_text(CONFIG.replace("{scratch}", str(scratch)))
        command = [program, "--config", str(config), "run"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    server = Server(process, log, is_coturn)
    deadline = time.monotonic() + 10
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{program} does not serve:\n{server.log_end()}")
    return server


def make_certificate(folder: Path) -> None:
    """A certificate that nobody has signed, and its key."""
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=interop"]
    subprocess.run(["openssl", "req", "-x509", *kind, *files], check=True, capture_output=True)


def answers() -> bool:
    """Whether a Binding request is answered within a fifth of a second."""
    transaction = os.urandom(12)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.sendto(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + transaction, (HOST, PORT))
        try:
            answer, _ = client.recvfrom(2048)
        except OSError:
            return False
    return answer[:2] == b"\x01\x01" and answer[8:20] == transaction


def credential(name: str, secret: str = SECRET, lifetime: int = 600) -> tuple[str, str]:
    """A user name that expires, and its password."""
    username = f"{int(time.time()) + lifetime}:{name}"
    password = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(password).decode()
