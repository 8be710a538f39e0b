#!/usr/bin/env python3
"""Imports one of coturn's configurations, starts a daemon with it, and asks that which credentials it takes.

    tests/lab/enter target/interop-venv/bin/python tests/interop/oracle.py target/debug/roundturn FIXTURE

Prints what was not as it must be, and ends with 1 then. The lab is changed: its addresses, and its own copy of /etc.
"""

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aioice import stun
from aioice.turn import TurnClientUdpProtocol, create_turn_endpoint

from servers import HOST, answers, credential, make_certificate, signed

# What some settings speak of, beside the lab's own 10.99.0.1: the addresses of that host, and its name.
ADDRESSES = ["198.51.100.20", "10.4.0.9", "2001:db8:7::5"]
NAMES = "203.0.113.90 chat.example.org\n"


def main() -> int:
    program, fixture = Path(sys.argv[1]).absolute(), Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        words = fixture.read_text()
        toml = imported(program, fixture)
        furnish(Path(scratch), toml)
        config = Path(scratch, "roundturn.toml")
        config.write_text(toml)
        log = Path(scratch, "log")
        with log.open("wb") as out:
            command = [program, "--config", config, "run"]
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=scratch)
        try:
            oracle = Oracle(words, toml)
            wait_until_ready(process, oracle)
            wrong = asyncio.run(asyncio.wait_for(oracle.ask(), 60))
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        finally:
            process.terminate()
            code = process.wait(10)
        wrong += [f"it ended with {code}"] if code else []
        if wrong:
            print("\n".join(wrong), log.read_text(errors="replace")[-2000:], sep="\n")
        return 1 if wrong else 0


def imported(program: Path, fixture: Path) -> str:
    """What the importer makes of a file, or of a command line in a file."""
    words = ["--", *fixture.read_text().splitlines()] if fixture.suffix == ".flags" else [fixture]
    result = subprocess.run([program, "import", *words], capture_output=True, text=True, check=False)
    # 1: something was refused, and the rest stands.
    assert result.returncode in (0, 1) and result.stdout, result.stderr
    return result.stdout


def furnish(scratch: Path, toml: str) -> None:
    """Gives this lab what the settings speak of, the certificate at the path where they have it."""
    for address in ADDRESSES:
        if address in toml:
            width = ["128", "nodad"] if ":" in address else ["32"]
            subprocess.run(["ip", "address", "add", f"{address}/{width[0]}", "dev", "card0", *width[1:]], check=True)
    shutil.copytree("/etc", scratch / "etc", symlinks=True, ignore_dangling_symlinks=True)
    subprocess.run(["mount", "--bind", scratch / "etc", "/etc"], check=True)
    with open("/etc/hosts", "a", encoding="utf-8") as hosts:
        hosts.write(NAMES)
    made = make_certificate(scratch)
    for key, source in zip(("certificate", "key"), made):
        for path in re.findall(rf'^{key} = "(.*)"$', toml, re.MULTILINE):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
    os.environ["SSL_CERT_FILE"] = str(made[0])


def wait_until_ready(process: subprocess.Popen, oracle: "Oracle") -> None:
    deadline = time.monotonic() + 20
    while not answers(oracle.server):
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < deadline, "it answers no Binding request"


class Oracle:
    """What coturn 4.6 answers to user names, as its own settings have them; static users beside a secret are our own."""

    def __init__(self, words: str, toml: str):
        def all_of(pattern: str) -> list[str]:
            return re.findall(pattern, words, re.MULTILINE)

        listening = all_of(r"^(?:--)?listening-ip=([0-9.]+)$")
        host = listening[0] if listening and listening[0] != "0.0.0.0" else HOST
        self.server = host, int((all_of(r"^(?:--)?listening-port=(\d+)") or ["3478"])[0])
        self.secrets = all_of(r"^(?:--)?static-auth-secret=(.+)$")
        self.users = [user.split(":") for user in all_of(r"^(?:(?:--)?user=|-u\n)(.+)$")]
        self.has_tls = "\n[tls]\n" in toml

    async def ask(self) -> list[str]:
        """What was not as it must be."""
        wrong = []
        for username, password, expected in self.table():
            code = await self.allocate(username, password)
            if code != expected:
                wrong.append(f"{username!r}: {code or 'allocated'}, where {expected or 'an allocation'} was due")
        for secret in self.secrets:
            wrong += await self.outlive(secret)
        good = [credential("tls", secret) for secret in self.secrets] + self.users
        if self.has_tls:
            code = await self.allocate(*good[0], port=5349, transport="tcp", ssl=ssl.create_default_context())
            wrong += [f"over TLS: {code}"] if code else []
        return wrong

    def table(self) -> list[tuple[str, str, int]]:
        """User name, password, and the error that is due, 0 for none."""
        soon, past = int(time.time()) + 600, int(time.time()) - 60
        rows = [(*credential("mallory", "not the secret that it is"), 401), ("nobody", "knows", 401)]
        for secret in self.secrets:
            taken = [f"{soon}:bob", f"{soon}", f"{soon}:@bob:example.org", f"{soon}:", f":{soon}", f"{soon};bob", f"bob:{soon}"]
            refused = [f"{past}:bob", f"{past}", f"bob:{past}", f"{soon}.5:bob", "bob"]
            rows += [(name, signed(name, secret), 0) for name in taken]
            rows += [(name, signed(name, secret), 401) for name in refused]
        for name, password in self.users:
            rows += [(name, password, 0), (name, password + "!", 401), (f"{soon}:{name}", password, 401)]
            rows += [(f"{soon}:{name}", signed(f"{soon}:{name}", password), 401)]
        return rows

    async def allocate(self, username: str, password: str, port: int = 0, **how) -> int:
        """The error that a new client gets, 0 if it gets its allocation."""
        server = (self.server[0], port or self.server[1])
        try:
            transport, _ = await create_turn_endpoint(asyncio.DatagramProtocol, server, username, password, **how)
        except stun.TransactionFailed as error:
            return error.response.error_code
        transport.close()
        return 0

    async def outlive(self, secret: str) -> list[str]:
        """An allocation is refreshed after its credential has expired; a new one is not made."""
        username, password = credential("outlives", secret, lifetime=3)

        def client():
            return TurnClientUdpProtocol(self.server, username, password, lifetime=600, channel_refresh_time=500)

        loop = asyncio.get_running_loop()
        _, allocation = await loop.create_datagram_endpoint(client, remote_addr=self.server, family=socket.AF_INET)
        await allocation.connect()
        expiry = int(username.split(":")[0])
        while time.time() <= expiry + 1:
            await asyncio.sleep(0.1)
        refresh = stun.Message(message_method=stun.Method.REFRESH, message_class=stun.Class.REQUEST)
        refresh.attributes["LIFETIME"] = 600
        answer, _ = await allocation.request_with_retry(refresh)
        lifetime = answer.attributes["LIFETIME"]
        await allocation.delete()
        code = await self.allocate(username, password)
        wrong = [f"refreshed for {lifetime} s, where 600 were due"] if lifetime != 600 else []
        return wrong + ([f"a new allocation with what has expired: {code or 'allocated'}"] if code != 401 else [])


if __name__ == "__main__":
    sys.exit(main())
