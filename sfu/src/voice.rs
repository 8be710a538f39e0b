//! Audio leaves past the engine: it is neither paced, nor sent again, nor counted for the estimate of the link, so that
//! an engine would mostly look, packet by packet, whether there is anything else to do.
//!
//! ```text
//!  publisher's packet ──► Voice: numbers, extensions ──► Srtp ──► packet, now and then with a sender report
//!  client's reports   ──► Srtp ──► what was lost, and the round trip
//! ```
//!
//! The engine still negotiates the section, and with it the SSRC; after each answer its stream is taken out of it.

mod header;
pub(crate) mod keys;
mod losses;
mod report;
mod srtp;

use std::time::{Duration, Instant, SystemTime};

use str0m::media::{Media, Mid, Pt};
use str0m::rtp::{Extension, ExtensionValues, Ssrc};

use header::Header;
use keys::Keys;
use losses::{Losses, PacketReports, StreamReports};
use report::SenderReport;
use srtp::Srtp;

/// A stream is reported of at once, again after the first of these, and then every so often.
const REPORTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
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

/// A packet of audio as it is to leave.
#[derive(Debug)]
pub(crate) struct Speech<'a> {
    pub(crate) mid: Mid,
    pub(crate) payload_type: Pt,
    pub(crate) marker: bool,
    /// The extended sequence number.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) clock_rate: u32,
    /// When it came.
    pub(crate) came: Instant,
    pub(crate) extensions: &'a ExtensionValues,
    pub(crate) payload: &'a [u8],
}

/// What clients say of the audio that was sent to them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Heard {
    /// The share of packets that were lost.
    pub(crate) loss: Option<f32>,
    pub(crate) round_trip: Option<Duration>,
}

/// The audio that one participant is sent.
#[derive(Debug)]
pub(crate) struct Voices {
    clock: WallClock,
    srtp: Option<Srtp>,
    all: Vec<Voice>,
    losses: Losses,
    /// The same of what the engine sends, of which clients tell packet by packet.
    packet_losses: Losses,
    packet_reports: PacketReports,
    heard: Heard,
    heard_at: Option<Instant>,
}

/// The stream of one section.
#[derive(Debug)]
struct Voice {
    mid: Mid,
    ssrc: Ssrc,
    cname: String,
    ids: Ids,
    packets: u32,
    octets: u32,
    reports: usize,
    report_at: Option<Instant>,
    /// Whether the client knows to which section the stream belongs: it has reported of it (RFC 8843 §9.2).
    is_known: bool,
    told: StreamReports,
}

/// Under which numbers the client takes extensions.
#[derive(Debug)]
struct Ids {
    mid: Option<u8>,
    level: Option<u8>,
    capture_time: Option<u8>,
}

impl WallClock {
    fn ntp(&self, now: Instant) -> u64 {
        report::ntp(self.unix + now.saturating_duration_since(self.at))
    }
}

impl Voices {
    pub(crate) fn new(clock: WallClock) -> Self {
        Self {
            clock,
            srtp: None,
            all: Vec::new(),
            losses: Losses::default(),
            packet_losses: Losses::default(),
            packet_reports: PacketReports::default(),
            heard: Heard::default(),
            heard_at: None,
        }
    }

    /// Leaves none: another engine has others, under other keys.
    pub(crate) fn take(&mut self) -> Self {
        let none = Self::new(self.clock);
        std::mem::replace(self, none)
    }

    /// The handshake has given these keys.
    pub(crate) fn set_keys(&mut self, keys: &Keys) {
        self.srtp = Srtp::new(&keys::provider(), keys);
    }

    /// The sections that have a stream, and which.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (Mid, Ssrc)> {
        self.all.iter().map(|voice| (voice.mid, voice.ssrc))
    }

    /// Forgets the streams of all other sections.
    pub(crate) fn keep(&mut self, mids: &[Mid]) {
        self.all.retain(|voice| mids.contains(&voice.mid));
    }

    /// A section has this stream from now on.
    pub(crate) fn add(&mut self, media: &Media, ssrc: Ssrc) {
        let id = |extension| media.remote_extmap().id_of(extension);
        let ids = Ids {
            mid: id(Extension::RtpMid),
            level: id(Extension::AudioLevel),
            capture_time: id(Extension::AbsoluteCaptureTime),
        };
        self.all.push(Voice::new(media.mid(), ssrc, media.cname().to_owned(), ids));
    }

    /// Seals a packet, and a report where one is due. Nothing, where the section has no stream or there are no keys yet.
    pub(crate) fn seal(&mut self, now: Instant, speech: &Speech<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let Some(voice) = self.all.iter_mut().find(|voice| voice.mid == speech.mid) else { return (None, None) };
        let Some(srtp) = &mut self.srtp else { return (None, None) };
        let header = voice.header(speech);
        let packet = srtp.seal(header, *voice.ssrc, speech.sequence, speech.payload);
        voice.packets = voice.packets.wrapping_add(1);
        voice.octets = voice.octets.wrapping_add(speech.payload.len() as u32);
        let report = voice.report(now, self.clock, speech).and_then(|report| srtp.seal_rtcp(&report));
        (packet, report)
    }

    /// Takes in a client's reports. The share of pictures' packets that it lost, where that can be told.
    pub(crate) fn hear(&mut self, now: Instant, packet: &[u8]) -> Option<f32> {
        let opened = self.srtp.as_mut()?.open_rtcp(packet)?;
        for reception in report::receptions(&opened) {
            let Some(voice) = self.all.iter_mut().find(|voice| *voice.ssrc == reception.ssrc) else { continue };
            voice.is_known = true;
            voice.told.learn(&reception, voice.packets, &mut self.losses);
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
        for arrivals in report::arrivals(&opened) {
            self.packet_reports.learn(&arrivals, &mut self.packet_losses);
        }
        self.packet_losses.take(TELLING_SOON)
    }

    /// What was heard lately.
    pub(crate) fn heard(&self, now: Instant) -> Heard {
        let is_recent = self.heard_at.is_some_and(|at| now.saturating_duration_since(at) < HOLDS);
        if is_recent { self.heard } else { Heard::default() }
    }
}

impl Voice {
    fn new(mid: Mid, ssrc: Ssrc, cname: String, ids: Ids) -> Self {
        let (packets, octets, reports) = (0, 0, 0);
        Self {
            mid,
            ssrc,
            cname,
            ids,
            packets,
            octets,
            reports,
            report_at: None,
            is_known: false,
            told: StreamReports::default(),
        }
    }

    fn header(&self, speech: &Speech<'_>) -> Vec<u8> {
        let values = speech.extensions;
        // The level below the loudest, and whether somebody speaks (RFC 6464 §3).
        let is_speech = u8::from(values.voice_activity.unwrap_or(false));
        let level = values.audio_level.map(|level| [is_speech << 7 | level.unsigned_abs() & 0x7f]);
        let captured = values.abs_capture_time.map(|time| {
            let since = time.capture_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let mut bytes = report::ntp(since).to_be_bytes().to_vec();
            bytes.extend(time.clock_offset.into_iter().flat_map(i64::to_be_bytes));
            bytes
        });
        let extensions = [
            self.ids.mid.filter(|_| !self.is_known).map(|id| (id, self.mid.as_bytes())),
            self.ids.level.zip(level.as_ref().map(<[u8; 1]>::as_slice)),
            self.ids.capture_time.zip(captured.as_deref()),
        ];
        let header = Header {
            marker: speech.marker,
            payload_type: *speech.payload_type,
            sequence: speech.sequence as u16,
            timestamp: speech.timestamp,
            ssrc: *self.ssrc,
        };
        header.write(extensions.into_iter().flatten(), speech.payload.len() + Srtp::OVERHEAD)
    }

    /// The report that is due with this packet.
    fn report(&mut self, now: Instant, clock: WallClock, speech: &Speech<'_>) -> Option<Vec<u8>> {
        if self.report_at.is_some_and(|at| now < at) {
            return None;
        }
        self.report_at = REPORTS.get(self.reports).or(REPORTS.last()).map(|interval| now + *interval);
        self.reports += 1;
        let passed = now.saturating_duration_since(speech.came).as_secs_f64();
        let report = SenderReport {
            ssrc: *self.ssrc,
            ntp: clock.ntp(now),
            timestamp: speech.timestamp.wrapping_add((passed * f64::from(speech.clock_rate)) as u32),
            packets: self.packets,
            octets: self.octets,
        };
        Some(report.write(&self.cname))
    }
}

#[cfg(test)]
mod tests;
