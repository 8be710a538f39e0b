//! What leaves past the engine: all sound and pictures. An engine would look, packet by packet, whether there is anything else
//! to do; and it measures links, paces and sends again by rules of its own.
//!
//! ```text
//!  publisher's packet ──► Stream: numbers, extensions ──► Srtp ──► packet, now and then with a sender report
//!                           └► History ◄─ NACK ─┐             └► Bandwidth ◄─ transport-wide feedback ─┐
//!  client's reports   ──► Srtp ─────────────────┴─────────────────────────────────────────────────────┴─► Told
//! ```
//!
//! The engine still negotiates the sections, and with them the SSRCs; after each answer their streams are taken out of it.

mod feedback;
mod header;
mod history;
mod losses;
mod replay;
mod report;
mod srtp;
mod stream;

use std::time::{Duration, Instant};

use str0m::format::PayloadParams;
use str0m::media::{Media, Mid};
use str0m::rtp::Ssrc;

use crate::bandwidth::Bandwidth;
use crate::buffers::Buffers;
use crate::handshake::{self, Keys};
use feedback::Feedback;
use history::History;
use losses::{Losses, PacketReports};
use srtp::Srtp;
pub(crate) use stream::Leaving;
use stream::{Ids, PADDING, Resending, Stream, Way};

/// What is said of losses says of so many packets at least, and holds for so long.
const TELLING: u32 = 50;
const HOLDS: Duration = Duration::from_secs(15);
/// The same for what is told packet by packet: about a third of a second of a picture.
const TELLING_SOON: u32 = 40;

/// A wall clock that goes as the other clock does, so that it is never set back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    /// A time of the other clock, and the time since 1970 at it.
    pub(crate) at: Instant,
    pub(crate) unix: Duration,
}

/// How what was sent arrived lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Heard {
    /// The share of packets that were lost.
    pub(crate) loss: Option<f32>,
    pub(crate) round_trip: Option<Duration>,
}

/// What came of a client's reports.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The share of pictures' packets that were lost, where that can be told.
    pub(crate) lost: Option<f32>,
    /// What the link carries, where that is another now.
    pub(crate) estimate: Option<u64>,
    /// The sections whose pictures need a keyframe.
    pub(crate) keyframes: Vec<Mid>,
    /// How many times packets were asked for, and those that are to leave again.
    pub(crate) nacks: u64,
    pub(crate) again: Vec<Vec<u8>>,
}

/// The streams that one participant is sent.
#[derive(Debug)]
pub(crate) struct Sender {
    clock: WallClock,
    srtp: Option<Srtp>,
    streams: Vec<Stream>,
    pub(crate) bandwidth: Bandwidth,
    losses: Losses,
    /// The same of pictures, of which clients tell packet by packet.
    packet_losses: Losses,
    packet_reports: PacketReports,
    heard: Heard,
    heard_at: Option<Instant>,
    /// A payload that differs from what came.
    scratch: Vec<u8>,
}

impl WallClock {
    fn unix(&self, now: Instant) -> Duration {
        self.unix + now.saturating_duration_since(self.at)
    }

    fn ntp(&self, now: Instant) -> u64 {
        report::ntp(self.unix(now))
    }
}

impl Sender {
    pub(crate) fn new(clock: WallClock) -> Self {
        Self {
            clock,
            srtp: None,
            streams: Vec::new(),
            bandwidth: Bandwidth::default(),
            losses: Losses::default(),
            packet_losses: Losses::default(),
            packet_reports: PacketReports::default(),
            heard: Heard::default(),
            heard_at: None,
            scratch: Vec::new(),
        }
    }

    /// Leaves none: another engine has others, under other keys.
    pub(crate) fn take(&mut self) -> Self {
        let none = Self::new(self.clock);
        std::mem::replace(self, none)
    }

    /// When the SFU began.
    pub(crate) fn began(&self) -> Instant {
        self.clock.at
    }

    /// The handshake has given these keys.
    pub(crate) fn set_keys(&mut self, keys: &Keys) {
        self.srtp = Srtp::new(&handshake::provider(), keys);
    }

    /// The sections that have a stream, which, and on which it is sent again.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (Mid, Ssrc, Option<Ssrc>)> {
        self.streams
            .iter()
            .map(|stream| (stream.mid, stream.ssrc, stream.resending.as_ref().map(|resending| resending.ssrc)))
    }

    /// Forgets the streams of all other sections.
    pub(crate) fn keep(&mut self, mids: &[Mid]) {
        self.streams.retain(|stream| mids.contains(&stream.mid));
    }

    /// A section has this stream from now on, and one on which packets are sent again as this type. `accepted` is what the
    /// client takes there.
    pub(crate) fn add(&mut self, media: &Media, ssrc: Ssrc, again: Option<Ssrc>, accepted: &[PayloadParams]) {
        let again = again.zip(accepted.iter().find_map(PayloadParams::resend));
        let resending = again.map(|(ssrc, payload_type)| Resending::new(ssrc, payload_type));
        let ids = Ids::of(media, accepted.iter().any(PayloadParams::fb_transport_cc));
        if ids.transport.is_some() {
            self.bandwidth.set_measured();
        }
        let is_kept = resending.is_none() && media.kind().is_video() && accepted.iter().any(PayloadParams::fb_nack);
        let mut stream = Stream::new(media.mid(), ssrc, media.cname().to_owned(), ids, resending);
        stream.sealed = is_kept.then(History::default);
        self.streams.push(stream);
    }

    /// Seals a packet, and a report where one is due. Nothing, where the section has no stream or there are no keys yet.
    pub(crate) fn seal(
        &mut self,
        now: Instant,
        leaving: &Leaving<'_>,
        buffers: &mut Buffers,
    ) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let way = self.way(now, buffers);
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.mid == leaving.mid) else {
            return (None, None);
        };
        let Some(srtp) = &mut self.srtp else { return (None, None) };
        let header = stream.header(leaving, way);
        let payload = match leaving.patch {
            Some(patch) => {
                self.scratch.clear();
                self.scratch.extend_from_slice(leaving.payload);
                patch.apply(&mut self.scratch);
                &self.scratch
            }
            None => leaving.payload,
        };
        let Some(packet) = srtp.seal(header, *stream.ssrc, leaving.sequence, payload) else { return (None, None) };
        stream.note(now, leaving);
        if let Some(sealed) = &mut stream.sealed {
            sealed.keep(now, leaving.sequence, packet.len(), packet.clone());
        }
        let report = stream.report(now, self.clock, leaving).and_then(|report| srtp.seal_rtcp(&report));
        if stream.ids.transport.is_some() {
            self.bandwidth.sent(now, packet.len());
        }
        (Some(packet), report)
    }

    /// The padding that is to leave now.
    pub(crate) fn pad(&mut self, now: Instant, buffers: &mut Buffers) -> Vec<Vec<u8>> {
        let (mut missing, mut packets) = (self.bandwidth.pad(now), Vec::new());
        while missing > 0 {
            let Some(packet) = self.padding(now, buffers) else { break };
            missing = missing.saturating_sub(packet.len());
            packets.push(packet);
        }
        packets
    }

    /// Takes in a client's reports.
    pub(crate) fn hear(&mut self, now: Instant, packet: &[u8], buffers: &mut Buffers) -> Told {
        let mut told = Told::default();
        let Some(opened) = self.srtp.as_mut().and_then(|srtp| srtp.open_rtcp(packet)) else { return told };
        self.hear_receptions(now, &opened);
        for said in feedback::read(&opened) {
            match said {
                Feedback::Arrivals(arrivals) => {
                    self.packet_reports.learn(&arrivals, &mut self.packet_losses);
                    told.estimate = self.bandwidth.learn(now, arrivals.base, &arrivals.times).or(told.estimate);
                }
                Feedback::Missing(ssrc, numbers) => {
                    told.nacks += 1;
                    told.again.extend(numbers.into_iter().filter_map(|number| self.again(now, ssrc, number, buffers)));
                }
                Feedback::Keyframe(ssrc) => {
                    let stream = self.streams.iter().find(|stream| *stream.ssrc == ssrc);
                    told.keyframes.extend(stream.map(|stream| stream.mid));
                }
                Feedback::Most(most) => told.estimate = self.bandwidth.learn_from_client(most).or(told.estimate),
            }
        }
        told.lost = self.packet_losses.take(TELLING_SOON);
        told
    }

    /// What was heard lately.
    pub(crate) fn heard(&self, now: Instant) -> Heard {
        let is_recent = self.heard_at.is_some_and(|at| now.saturating_duration_since(at) < HOLDS);
        if is_recent { self.heard } else { Heard::default() }
    }

    fn hear_receptions(&mut self, now: Instant, opened: &[u8]) {
        for reception in report::receptions(opened) {
            let Some(stream) = self.streams.iter_mut().find(|stream| *stream.ssrc == reception.ssrc) else { continue };
            stream.is_known = true;
            stream.told.learn(&reception, stream.packets, &mut self.losses);
            if reception.last_report != 0 {
                let passed = report::middle(self.clock.ntp(now)).wrapping_sub(reception.last_report);
                let ticks = passed.wrapping_sub(reception.delay) as i32;
                self.heard.round_trip = Some(Duration::from_secs_f64(f64::from(ticks.max(0)) / 65_536.0));
                self.heard_at = Some(now);
            }
        }
        if let Some(loss) = self.losses.take(TELLING) {
            self.heard.loss = Some(loss);
            self.heard_at = Some(now);
        }
    }

    /// The packet of this number of a stream once more.
    fn again(&mut self, now: Instant, ssrc: u32, number: u16, buffers: &mut Buffers) -> Option<Vec<u8>> {
        let way = self.way(now, buffers);
        let stream = self.streams.iter_mut().find(|stream| *stream.ssrc == ssrc)?;
        if let Some(sealed) = &mut stream.sealed {
            return sealed.again(now, number).cloned();
        }
        let (header, sequence) = stream.again(now, number, way, &mut self.scratch)?;
        let (ssrc, is_measured) = (stream.resending.as_ref()?.ssrc, stream.ids.transport.is_some());
        let packet = self.srtp.as_mut()?.seal(header, *ssrc, sequence, &self.scratch)?;
        if is_measured {
            self.bandwidth.sent(now, packet.len());
        }
        Some(packet)
    }

    /// A packet of padding.
    fn padding(&mut self, now: Instant, buffers: &mut Buffers) -> Option<Vec<u8>> {
        let way = self.way(now, buffers);
        let is_able = |stream: &&mut Stream| stream.resending.is_some() && stream.ids.transport.is_some();
        let stream = self.streams.iter_mut().find(is_able)?;
        let (header, sequence) = stream.padding(way)?;
        let ssrc = stream.resending.as_ref()?.ssrc;
        let mut padding = [0; PADDING];
        padding[PADDING - 1] = PADDING as u8;
        let packet = self.srtp.as_mut()?.seal(header, *ssrc, sequence, &padding)?;
        self.bandwidth.sent(now, packet.len());
        Some(packet)
    }

    fn way(&self, now: Instant, buffers: &mut Buffers) -> Way {
        Way { number: self.bandwidth.number(), unix: self.clock.unix(now), buffer: buffers.take() }
    }
}

#[cfg(test)]
mod tests;
