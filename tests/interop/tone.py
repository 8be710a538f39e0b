"""A tone as a track, and how loud a frame is."""

import asyncio
import fractions
import time
from array import array

from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame

RATE = 48_000
SAMPLES = RATE // 50


class Tone(AudioStreamTrack):
    """A square wave of 480 Hz, in frames of 20 ms."""

    def __init__(self):
        super().__init__()
        self.sent, self.began = 0, time.monotonic()

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self.began + self.sent / RATE - time.monotonic()))
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(array("h", [8000 if at % 100 < 50 else -8000 for at in range(SAMPLES)]).tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self.sent, RATE, fractions.Fraction(1, RATE)
        self.sent += SAMPLES
        return frame


def loudness(frame: AudioFrame) -> float:
    """The mean height of its samples."""
    samples = array("h", bytes(frame.planes[0]))[: frame.samples * len(frame.layout.channels)]
    return sum(map(abs, samples)) / max(1, len(samples))
