"""A participant of a room on GStreamer's webrtcbin, for the system's Python. Its parent does the signaling: the offer goes
out as a line of JSON, the answer comes in as one, and then each line tells how many frames have been decoded.

Its certificate is GStreamer's own, by RSA.
"""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=webrtc bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1
  ! vp8enc deadline=1 keyframe-max-dist=300 error-resilient=default ! rtpvp8pay picture-id-mode=15-bit
  ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtc.
audiotestsrc is-live=true ! audioconvert ! opusenc ! rtpopuspay
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! webrtc.
"""
VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"
TELLING = threading.Lock()
DECODERS = {"video": "rtpvp8depay ! vp8dec", "audio": "rtpopusdepay ! opusdec"}


class Participant:
    def __init__(self):
        self.counts = {"video": 0, "audio": 0}
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.webrtc = self.pipeline.get_by_name("webrtc")
        self.webrtc.connect("on-negotiation-needed", self.offer)
        self.webrtc.connect("pad-added", self.receive)
        directions = GstWebRTC.WebRTCRTPTransceiverDirection
        for index in range(2):
            self.webrtc.emit("get-transceiver", index).set_property("direction", directions.SENDONLY)
        for caps in AUDIO, VIDEO:
            self.webrtc.emit("add-transceiver", directions.RECVONLY, Gst.Caps.from_string(caps))
        self.pipeline.set_state(Gst.State.PLAYING)

    def offer(self, _webrtc):
        def made(promise, *_):
            promise.wait()
            # What is read from it is its own: it is to live as long.
            reply = promise.get_reply()
            offer = reply.get_value("offer")
            self.webrtc.emit("set-local-description", offer, Gst.Promise.new())
            tell({"sdp": offer.sdp.as_text()})

        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))

    def answer(self, text: str):
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text.encode(), sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", answer, Gst.Promise.new())

    def receive(self, _webrtc, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = Gst.parse_bin_from_description(f"{DECODERS[media]} ! fakesink name=sink signal-handoffs=true", True)
        decoder.get_by_name("sink").connect("handoff", self.count, media)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def count(self, _sink, _buffer, _pad, media: str):
        self.counts[media] += 1
        tell(self.counts)


def tell(message: dict) -> None:
    """One line at a time: pictures and sound come on threads of their own."""
    with TELLING:
        print(json.dumps(message), flush=True)


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    participant = Participant()

    def listen():
        for line in sys.stdin:
            GLib.idle_add(participant.answer, json.loads(line)["sdp"])
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()
    participant.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
