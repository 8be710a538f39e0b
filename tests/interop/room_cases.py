"""Rooms through the SFU without a browser in them: two of aiortc, or aiortc and GStreamer's webrtcbin, see and hear each other."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack
from websockets.asyncio.client import connect

from servers import API
from tone import Tone

# What each has to decode of the other, pictures and sound.
FRAMES = 30
SOURCES = {"audio": "microphone", "video": "camera"}


def cases(server):
    """Name and function of each case."""
    if server.is_coturn:
        return []
    clients = {codec: partial(aiortc, codec) for codec in ("VP8", "H264")}
    cases = [(f"SFU room: two of aiortc, {codec}", partial(run, codec, client, client)) for codec, client in clients.items()]
    return [*cases, ("SFU room: aiortc and GStreamer's webrtcbin", partial(run, "GStreamer", clients["VP8"], gstreamer))]


def run(room: str, *clients) -> None:
    asyncio.run(asyncio.wait_for(call(room, *clients), 30))


async def call(room: str, one, other) -> None:
    async with Session.join(room, "one") as first, Session.join(room, "other") as second:
        # Nobody goes before the other has seen enough.
        both = asyncio.Barrier(2)
        await asyncio.gather(one(first, both), other(second, both))


class Session:
    """The signaling of one participant."""

    def __init__(self, socket):
        self.socket, self.last = socket, 0

    @classmethod
    @asynccontextmanager
    async def join(cls, room: str, name: str):
        async with connect(API.replace("http", "ws") + "/ws", subprotocols=["roundturn.v1"]) as socket:
            session = cls(socket)
            await session.ask("join", room=room, name=name, create={"mode": "sfu"})
            yield session

    async def ask(self, kind: str, **fields) -> dict:
        self.last += 1
        await self.socket.send(json.dumps({"type": kind, "id": self.last, **fields}))
        while True:
            message = json.loads(await self.socket.recv())
            if message.get("reply_to") == self.last:
                assert message["type"] != "error", message
                return message

    async def negotiate(self, sdp: str) -> str:
        sections = list(sections_of(sdp))
        tracks = [{"mid": mid, "source": SOURCES[kind]} for mid, kind, way in sections if way == "sendonly"]
        slots = {kind: [mid for mid, of, way in sections if (of, way) == (kind, "recvonly")] for kind in SOURCES}
        assert len(tracks) == 2 and all(slots.values()), sections
        return (await self.ask("offer", generation=1, sdp=sdp, tracks=tracks, slots=slots))["sdp"]


def sections_of(sdp: str):
    """Mid, kind and direction of each section."""
    for section in sdp.replace("\r", "").split("\nm=")[1:]:
        lines = section.split("\n")
        mid = next(line[6:] for line in lines if line.startswith("a=mid:"))
        way = next(line[2:] for line in lines if line in ("a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive"))
        yield mid, lines[0].split()[0], way


async def aiortc(codec: str, session: Session, both: asyncio.Barrier) -> None:
    # Its "balanced" leaves the second section of a kind on a transport of its own, whatever the answer bundles.
    connection = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    heard = []
    connection.on("track", lambda track: heard.append(asyncio.ensure_future(frames(track))))
    for track in Tone(), VideoStreamTrack():
        prefer(connection.addTransceiver(track, direction="sendonly"), codec)
    for kind in SOURCES:
        connection.addTransceiver(kind, direction="recvonly")
    try:
        await connection.setLocalDescription(await connection.createOffer())
        answer = await session.negotiate(connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert len(heard) == 2, "a slot for each kind"
        await asyncio.gather(*heard)
        await both.wait()
    finally:
        await connection.close()


def prefer(transceiver, codec: str) -> None:
    if transceiver.kind == "video":
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([one for one in known if one.mimeType in (f"video/{codec}", "video/rtx")])


async def frames(track) -> None:
    try:
        for _ in range(FRAMES):
            await track.recv()
    except MediaStreamError as error:
        raise AssertionError(f"{track.kind} has ended") from error


async def gstreamer(session: Session, both: asyncio.Barrier) -> None:
    command = ["/usr/bin/python3", Path(__file__).with_name("gst_participant.py")]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=sys.stderr)
    try:
        await watch(process, session)
        await both.wait()
    finally:
        process.kill()
        process.stdin.close()
        # What it still had to say is in its way.
        await process.communicate()


async def watch(process: asyncio.subprocess.Process, session: Session) -> None:
    """Until it has decoded enough of both kinds."""
    offer = json.loads(await process.stdout.readline())["sdp"]
    answer = await session.negotiate(offer)
    process.stdin.write(json.dumps({"sdp": answer}).encode() + b"\n")
    counts = {}
    while min(counts.get(kind, 0) for kind in SOURCES) < FRAMES:
        line = await process.stdout.readline()
        assert line, f"GStreamer has ended after {counts}"
        counts = json.loads(line)
