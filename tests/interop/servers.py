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
API_KEY = "interop-has-no-keys-either"
API = "http://127.0.0.1:8080"

CONFIG = f"""
[listen]
turn = ["{HOST}:{PORT}", "[{HOST6}]:{PORT}"]
turns = ["[::]:{TLS_PORT}"]

[relay]
mobility = true
behavior_discovery = "10.99.0.3:3479"

[auth]
secret = "{SECRET}"
api_keys = ["{API_KEY}"]

[auth.users]
static = "wireless"

[tls]
certificate = "{{scratch}}/certificate.pem"
key = "{{scratch}}/key.pem"

[ports]
udp = "40000-49999"

[peers]
allow = ["10.99.0.0/16", "fd99::/64"]

# All clients of a run come from one host, and some leave without a word.
[limits]
allocations_per_user = 24
allocations_per_prefix = 5000
"""

COTURN = [
    "-n", "--no-cli", "--no-dtls", "--lt-cred-mech", "--use-auth-secret",
    f"--static-auth-secret={SECRET}", "--realm=interop", "--allow-loopback-peers", "--simple-log", "--log-file=stdout",
    f"--listening-ip={HOST}", f"--listening-ip={HOST6}", f"--relay-ip={HOST}", f"--relay-ip={HOST6}",
    "--denied-peer-ip=192.168.0.0-192.168.255.255", "--user-quota=24",
]  # fmt: skip


class Server:
    """A running server."""

    def __init__(self, program: str, process: subprocess.Popen, log: Path):
        self.program, self.process, self.log = program, process, log
        self.is_coturn = is_coturn(program)

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


def start(program: str, variables: dict[str, str] | None = None, flags: tuple[str, ...] | list[str] = ()) -> Server:
    """Starts the server and waits, at most ten seconds, until it answers a Binding request. `variables` are for the
    daemon's environment, `flags` for coturn."""
    scratch = Path(tempfile.mkdtemp(prefix="interop-"))
    log = scratch / "log"
    make_certificate(scratch)
    # Clients in this process trust it from here on.
    os.environ["SSL_CERT_FILE"] = str(scratch / "certificate.pem")
    # A second address of the server's for NAT behaviour discovery, and one of a client's.
    for address in ("10.99.0.3/24", "10.99.0.4/24"):
        subprocess.run(["ip", "address", "replace", address, "dev", "card0"], check=True)
    if is_coturn(program):
        command = [program, *COTURN, *flags, f"--pidfile={scratch}/pid", f"--userdb={scratch}/db"]
        command += [f"--cert={scratch}/certificate.pem", f"--pkey={scratch}/key.pem"]
    else:
        file = scratch / "roundturn.toml"
        file.write_text(CONFIG.replace("{scratch}", str(scratch)))
        command = [program, "--config", str(file), "run"]
    with log.open("wb") as out:
        environment = os.environ | (variables or {})
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    server = Server(program, process, log)
    deadline = time.monotonic() + 10
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{program} does not serve:\n{server.log_end()}")
    return server


def is_coturn(program: str) -> bool:
    return Path(program).name == "turnserver"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this host's addresses that vouches for itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    files = ["-keyout", str(key), "-out", str(certificate)]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=interop"]
    names = ["-addext", f"subjectAltName=IP:{HOST},IP:{HOST6}"]
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *files], check=True, capture_output=True)
    return certificate, key


def answers(server: tuple[str, int] = (HOST, PORT)) -> bool:
    """Whether a Binding request is answered within a fifth of a second."""
    transaction = os.urandom(12)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.sendto(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + transaction, server)
        try:
            answer, _ = client.recvfrom(2048)
        except OSError:
            return False
    return answer[:2] == b"\x01\x01" and answer[8:20] == transaction


def credential(name: str, secret: str = SECRET, lifetime: int = 600) -> tuple[str, str]:
    """A user name that expires, and its password."""
    username = f"{int(time.time()) + lifetime}:{name}"
    return username, signed(username, secret)


def signed(username: str, secret: str) -> str:
    """The password that a secret gives to a user name."""
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()
