//! What participants send: speech and a camera picture, true in size and pace, marked so that receivers know each packet.

use std::time::{Duration, Instant};

use roundturn_sfu::Source;
use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpWrite};

/// A packet of Opus at 40 kbit/s.
const AUDIO_BYTES: usize = 100;
const AUDIO_PERIOD: Duration = Duration::from_millis(20);
const AUDIO_TICKS: u32 = 960;
/// A picture of 1.5 Mbit/s at 30 frames a second comes in six packets, which browsers send at once.
const VIDEO_BYTES: usize = 1050;
const VIDEO_PERIOD: Duration = Duration::from_micros(33_333);
const VIDEO_TICKS: u32 = 3000;
const FRAME_PACKETS: u32 = 6;
/// A keyframe is about three times as large.
const KEYFRAME_PACKETS: u32 = 18;
/// Bytes of a VP8 payload that say what it is (RFC 7741 §4.2).
const DESCRIPTOR: usize = 6;
/// The loudness of all that speak: nobody is louder than another, so nobody's turn ends.
const LEVEL: i8 = -30;

/// What stands at the end of each payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Nanoseconds since the start of the load when it was sent.
    pub stamp: u64,
    /// Number of the publisher.
    pub publisher: u16,
    /// Whether it is video.
    pub video: bool,
    /// The stream's count of packets.
    pub count: u32,
    /// Whether a picture begins or ends here that can be shown without others.
    pub keyframe: bool,
}

impl Mark {
    /// Its length in bytes.
    const LEN: usize = 16;

    /// Reads the mark of a payload.
    pub fn of(payload: &[u8]) -> Option<Self> {
        let mark = payload.last_chunk::<{ Self::LEN }>()?;
        Some(Self {
            stamp: u64::from_be_bytes(*mark.first_chunk()?),
            publisher: u16::from_be_bytes([mark[8], mark[9]]),
            video: mark[10] == 1,
            keyframe: mark[11] == 1,
            count: u32::from_be_bytes(*mark.last_chunk()?),
        })
    }

    fn write(self, payload: &mut Vec<u8>) {
        payload.extend(self.stamp.to_be_bytes());
        payload.extend(self.publisher.to_be_bytes());
        payload.extend([u8::from(self.video), u8::from(self.keyframe)]);
        payload.extend(self.count.to_be_bytes());
    }
}

/// One track of one publisher.
pub struct Track {
    /// Its section.
    pub mid: Mid,
    /// What it shows.
    pub source: Source,
    /// Packets so far.
    pub count: u32,
    /// Whether the next picture is to be a keyframe.
    pub keyframe_due: bool,
    publisher: u16,
    frame: u32,
    next: Option<Instant>,
    period: Duration,
}

impl Track {
    /// A track that sends `factor` times as often as a real one.
    pub fn new(mid: Mid, source: Source, publisher: u16, factor: u32) -> Self {
        let period = if source == Source::Camera { VIDEO_PERIOD } else { AUDIO_PERIOD } / factor;
        Self { mid, source, count: 0, keyframe_due: true, publisher, frame: 0, next: None, period }
    }

    /// Whether packets are due. Publishers take turns within a period, and nobody sends what it failed to send in time.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let share = u32::from(self.publisher) * 7 % 50;
        let next = *self.next.get_or_insert(now + self.period * share / 50);
        if next > now {
            return false;
        }
        self.next = Some((next + self.period).max(now.checked_sub(self.period).unwrap_or(now)));
        true
    }

    /// The packets of one frame.
    pub fn frame(&mut self, now: Instant, stamp: u64, payload_type: Pt) -> Vec<RtpWrite> {
        let keyframe = std::mem::take(&mut self.keyframe_due);
        self.frame += 1;
        let video = self.source == Source::Camera;
        let pieces = match (video, keyframe) {
            (false, _) => 1,
            (true, false) => FRAME_PACKETS,
            (true, true) => KEYFRAME_PACKETS,
        };
        let time = self.frame.wrapping_mul(if video { VIDEO_TICKS } else { AUDIO_TICKS });
        let mut packets = Vec::with_capacity(pieces as usize);
        for piece in 0..pieces {
            self.count += 1;
            let mut payload = if video { self.piece(piece == 0, keyframe) } else { vec![0xfc; AUDIO_BYTES] };
            let edge = piece == 0 || piece + 1 == pieces;
            let (publisher, count) = (self.publisher, self.count);
            Mark { stamp, publisher, video, keyframe: video && keyframe && edge, count }.write(&mut payload);
            let write = RtpWrite::new(payload_type, u64::from(self.count).into(), time, now, payload);
            packets.push(match video {
                true => write.marker(piece + 1 == pieces).nackable(true),
                false => write.ext_vals(ExtensionValues {
                    audio_level: Some(LEVEL),
                    voice_activity: Some(true),
                    ..ExtensionValues::default()
                }),
            });
        }
        packets
    }

    /// One piece of a VP8 picture of 640 x 360: descriptor with picture id and TL0PICIDX, frame tag, noise.
    fn piece(&self, first: bool, keyframe: bool) -> Vec<u8> {
        let picture = self.frame as u16 & 0x7fff;
        let start = if first { 0x10 } else { 0 };
        let mut payload = Vec::with_capacity(DESCRIPTOR + VIDEO_BYTES + Mark::LEN);
        payload.extend([0x80 | start, 0xe0, 0x80 | (picture >> 8) as u8, picture as u8, self.frame as u8, 0]);
        payload.push(if keyframe && first { 0x10 } else { 0x11 });
        payload.extend([0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        payload.resize(VIDEO_BYTES, 0x5a);
        payload
    }
}
