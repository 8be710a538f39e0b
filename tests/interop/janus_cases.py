"""Debian's Janus behind its own relay (libnice), and aiortc behind another one of ours: an echo test, relays only."""

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from servers import API, API_KEY, HOST, PORT, TLS_PORT, credential
from tone import Tone, loudness

# Debian's build for this machine.
JANUS = Path("/usr/lib", os.uname().machine + "-linux-gnu", "janus")
# 20 ms each.
FRAMES = 50

CONFIG = """
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  admin_secret = "nobody"
}}
nat: {{
{relay}
  allow_force_relay = true
}}
"""

STATIC = """
  turn_server = "{host}"
  turn_port = {port}
  turn_type = "{transport}"
  turn_user = "{username}"
  turn_pwd = "{password}"
"""

# It asks before each session.
REST = f"""
  turn_rest_api = "{API}/turn/credentials"
  turn_rest_api_key = "{API_KEY}"
  turn_rest_api_method = "GET"
"""

HTTP = """
general: {{
  json = "compact"
  base_path = "/janus"
  http = true
  port = {port}
  ip = "127.0.0.1"
  https = false
}}
"""


def cases(server):
    """Name and function of each case."""

    def echoes(transport: str, client: str):
        name = f"Janus over {transport.upper()}, aiortc over {client.upper()}: echo test"
        return name, lambda: check_echo(transport, client)

    # libnice speaks no TLS to a relay: its type "tls" is TCP in the clear.
    found = [echoes("udp", "udp"), echoes("tcp", "udp"), echoes("udp", "tcp"), echoes("tcp", "tls")]
    if not server.is_coturn:
        found.append(("Janus by the REST API, aiortc over UDP: echo test", lambda: check_echo("rest", "udp")))
    return found


def check_echo(transport: str, client: str) -> None:
    with janus(transport) as url:
        asyncio.run(asyncio.wait_for(echo(url, client), 30))


@contextmanager
def janus(transport: str):
    """The address of a Janus that has a relay of ours, and the echo test alone."""
    with tempfile.TemporaryDirectory(prefix="janus-") as scratch:
        folder, port = Path(scratch), free_port()
        for kind, library in ("plugins", "libjanus_echotest.so"), ("transports", "libjanus_http.so"):
            (folder / kind).mkdir()
            (folder / kind / library).symlink_to(JANUS / kind / library)
        (folder / "janus.jcfg").write_text(CONFIG.format(folder=folder, relay=relay_of(transport)))
        (folder / "janus.transport.http.jcfg").write_text(HTTP.format(port=port))
        log = folder / "log"
        with log.open("wb") as out:
            command = ["janus", "-F", str(folder), "--disable-colors", "--debug-level=4"]
            process = subprocess.Popen(
                command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        try:
            url = f"http://127.0.0.1:{port}/janus"
            wait_until_ready(process, url)
            yield url
        except Exception as error:
            error.add_note(log.read_text(errors="replace")[-3000:])
            raise
        finally:
            process.kill()
            process.wait()


def relay_of(transport: str) -> str:
    if transport == "rest":
        return REST
    username, password = credential(f"janus-{transport}")
    return STATIC.format(host=HOST, port=PORT, transport=transport, username=username, password=password)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until_ready(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            with urllib.request.urlopen(f"{url}/info", timeout=5):
                return
        except OSError:
            assert process.poll() is None, f"Janus ended with {process.returncode}"
            assert time.monotonic() < deadline, "Janus does not serve"
            time.sleep(0.05)


async def echo(url: str, client: str) -> None:
    """What is sent comes back: a tone, and words on a data channel."""
    connection = RTCPeerConnection(configuration(client))
    connection.addTrack(Tone())
    words = connection.createDataChannel("words")
    said, heard = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
    words.on("open", lambda: words.send("hello"))
    words.on("message", lambda text: said.done() or said.set_result(text))
    connection.on("track", lambda track: asyncio.ensure_future(listen(track, heard)))
    try:
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription
        only_relays(offer.sdp)
        answer = await asyncio.to_thread(join, url, {"type": offer.type, "sdp": offer.sdp, "force_relay": True})
        only_relays(answer["sdp"])
        await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        assert "hello" in await said
        await heard
    finally:
        await connection.close()


def configuration(client: str) -> RTCConfiguration:
    username, password = credential(f"echo-{client}")
    urls = {"udp": f"turn:{HOST}:{PORT}", "tcp": f"turn:{HOST}:{PORT}?transport=tcp", "tls": f"turns:{HOST}:{TLS_PORT}"}
    server = RTCIceServer(urls[client], username, password)
    return RTCConfiguration([server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)


async def listen(track: MediaStreamTrack, heard: asyncio.Future) -> None:
    """Waits until enough frames with a tone in them have come."""
    loud = 0
    try:
        while loud < FRAMES:
            loud += loudness(await track.recv()) > 1000
    except MediaStreamError:
        return
    if not heard.done():
        heard.set_result(None)


def only_relays(sdp: str) -> None:
    candidates = [line for line in sdp.splitlines() if line.startswith("a=candidate:")]
    assert candidates, "no candidate"
    assert all(" typ relay" in line for line in candidates), f"not relays alone: {candidates}"


def join(url: str, offer: dict) -> dict:
    """Lets an offer into the echo test; the answer, which has all candidates in it."""
    session = ask(url, janus="create")["data"]["id"]
    handle = ask(f"{url}/{session}", janus="attach", plugin="janus.plugin.echotest")["data"]["id"]
    ask(f"{url}/{session}/{handle}", janus="message", body={"audio": True, "video": False}, jsep=offer)
    while True:
        with urllib.request.urlopen(f"{url}/{session}?maxev=1", timeout=40) as answer:
            event = json.load(answer)
        assert event["janus"] != "error", event
        if "jsep" in event:
            return event["jsep"]


def ask(url: str, **message) -> dict:
    body = json.dumps({"transaction": "1", **message}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=40) as answer:
        reply = json.load(answer)
    assert reply["janus"] in ("success", "ack"), reply
    return reply
