//! The stream of one section: its header, its reports, and what of it is sent again.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use str0m::media::{Media, Mid, Pt};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, Ssrc};

use super::WallClock;
use super::header::Header;
use super::history::History;
use super::losses::StreamReports;
use super::report::{self, SenderReport};
use crate::dependency::{self, Raw};
use crate::patch::Patch;

/// A stream is reported of at once, again after the first of these, and then every so often.
const REPORTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// What padding has at most: its last byte tells how much there is (RFC 3550 §5.1).
pub(super) const PADDING: usize = 255;
/// Extensions of one packet.
const EXTENSIONS: usize = 8;

/// A packet as it is to leave.
#[derive(Debug)]
pub(crate) struct Leaving<'a> {
    pub(crate) mid: Mid,
    pub(crate) payload_type: Pt,
    /// The type of its retransmissions.
    pub(crate) resend_type: Option<Pt>,
    pub(crate) marker: bool,
    /// The extended sequence number.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) clock_rate: u32,
    /// When it came, and what came with it.
    pub(crate) came: Instant,
    pub(crate) extensions: &'a ExtensionValues,
    pub(crate) payload: &'a [u8],
    /// The number of the frame, where there is one in an extension, and what is another in the payload.
    pub(crate) frame: Option<u16>,
    pub(crate) patch: Option<Patch>,
    /// That of a picture as it came: it may be sent again.
    pub(crate) picture: Option<&'a Arc<RtpPacket>>,
}

/// The stream of one section.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) mid: Mid,
    pub(super) ssrc: Ssrc,
    pub(super) ids: Ids,
    cname: String,
    pub(super) packets: u32,
    octets: u32,
    reports: usize,
    report_at: Option<Instant>,
    /// Whether the client knows to which section the stream belongs: it has reported of it (RFC 8843 §9.2).
    pub(super) is_known: bool,
    pub(super) told: StreamReports,
    pub(super) resending: Option<Resending>,
    /// The packets of a picture, sealed, where there is no such stream: they are sent again as they are. Sealing them once more with
    /// another header would give away the key of GCM.
    pub(super) sealed: Option<History<Vec<u8>>>,
}

/// The stream on which packets of a stream are sent again, and padding (RFC 4588 §4).
#[derive(Debug)]
pub(super) struct Resending {
    pub(super) ssrc: Ssrc,
    /// One that the client takes.
    payload_type: Pt,
    sequence: u64,
    history: History<Again>,
}

/// A picture's packet that may be sent again. What it carries is shared with all others who got it.
#[derive(Debug, Clone)]
pub(super) struct Again {
    timestamp: u32,
    marker: bool,
    /// That of retransmissions.
    payload_type: Pt,
    packet: Arc<RtpPacket>,
    frame: Option<u16>,
    patch: Option<Patch>,
}

/// Under which numbers the client takes extensions.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) mid: Option<u8>,
    pub(super) level: Option<u8>,
    pub(super) capture_time: Option<u8>,
    pub(super) orientation: Option<u8>,
    pub(super) playout_delay: Option<u8>,
    pub(super) descriptor: Option<u8>,
    /// Transport-wide numbers, of pictures only; and where the client does not take those, when a packet left.
    pub(super) transport: Option<u8>,
    pub(super) send_time: Option<u8>,
}

/// What a header says of the way of its packet, besides what came with it, and an empty buffer that it is written into.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) number: u16,
    /// The wall clock's time.
    pub(super) unix: Duration,
    pub(super) buffer: Vec<u8>,
}

impl Ids {
    pub(super) fn of(media: &Media, is_measured: bool) -> Self {
        let id = |extension| media.remote_extmap().id_of(extension);
        let is_picture = media.kind().is_video();
        let transport = id(Extension::TransportSequenceNumber).filter(|_| is_picture && is_measured);
        Self {
            mid: id(Extension::RtpMid),
            level: id(Extension::AudioLevel).filter(|_| !is_picture),
            capture_time: id(Extension::AbsoluteCaptureTime),
            orientation: id(Extension::VideoOrientation).filter(|_| is_picture),
            playout_delay: id(Extension::PlayoutDelay).filter(|_| is_picture),
            descriptor: id(dependency::extension()).filter(|_| is_picture),
            transport,
            send_time: id(Extension::AbsoluteSendTime).filter(|_| is_picture && transport.is_none()),
        }
    }
}

impl Resending {
    pub(super) fn new(ssrc: Ssrc, payload_type: Pt) -> Self {
        Self { ssrc, payload_type, sequence: 0, history: History::default() }
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

impl Stream {
    pub(super) fn new(mid: Mid, ssrc: Ssrc, cname: String, ids: Ids, resending: Option<Resending>) -> Self {
        Self {
            mid,
            ssrc,
            ids,
            cname,
            packets: 0,
            octets: 0,
            reports: 0,
            report_at: None,
            is_known: false,
            told: StreamReports::default(),
            sealed: None,
            resending,
        }
    }

    /// A packet leaves: it counts, and is kept where it may be sent again.
    pub(super) fn note(&mut self, now: Instant, leaving: &Leaving<'_>) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(leaving.payload.len() as u32);
        if let (Some(resending), Some(packet), Some(payload_type)) =
            (&mut self.resending, leaving.picture, leaving.resend_type)
        {
            let again = Again {
                timestamp: leaving.timestamp,
                marker: leaving.marker,
                payload_type,
                packet: Arc::clone(packet),
                frame: leaving.frame,
                patch: leaving.patch,
            };
            resending.history.keep(now, leaving.sequence, packet.payload.len(), again);
        }
    }

    pub(super) fn header(&self, leaving: &Leaving<'_>, way: Way) -> Vec<u8> {
        let header = Header {
            marker: leaving.marker,
            is_padded: false,
            payload_type: *leaving.payload_type,
            sequence: leaving.sequence as u16,
            timestamp: leaving.timestamp,
            ssrc: *self.ssrc,
        };
        self.write(&header, leaving.extensions, leaving.frame, way)
    }

    /// The packet of this number once more: its header and its number among those that are sent again. What it carries stands
    /// in `payload`, behind the number that it had (RFC 4588 §4).
    pub(super) fn again(
        &mut self,
        now: Instant,
        number: u16,
        way: Way,
        payload: &mut Vec<u8>,
    ) -> Option<(Vec<u8>, u64)> {
        let resending = self.resending.as_mut()?;
        let again = resending.history.again(now, number)?.clone();
        let sequence = resending.next();
        payload.clear();
        payload.extend(number.to_be_bytes());
        payload.extend_from_slice(&again.packet.payload);
        if let Some(patch) = again.patch {
            patch.apply(&mut payload[2..]);
        }
        let header = Header {
            marker: again.marker,
            is_padded: false,
            payload_type: *again.payload_type,
            sequence: sequence as u16,
            timestamp: again.timestamp,
            ssrc: *resending.ssrc,
        };
        let values = &again.packet.header.ext_vals;
        Some((self.write(&header, values, again.frame, way), sequence))
    }

    /// The header of a packet of padding, and its number among those that are sent again.
    pub(super) fn padding(&mut self, way: Way) -> Option<(Vec<u8>, u64)> {
        let resending = self.resending.as_mut()?;
        let sequence = resending.next();
        let header = Header {
            marker: false,
            is_padded: true,
            payload_type: *resending.payload_type,
            sequence: sequence as u16,
            timestamp: resending.history.last().map_or(0, |last| last.timestamp),
            ssrc: *resending.ssrc,
        };
        Some((self.write(&header, &ExtensionValues::default(), None, way), sequence))
    }

    fn write(&self, header: &Header, values: &ExtensionValues, frame: Option<u16>, way: Way) -> Vec<u8> {
        let ids = &self.ids;
        // The level below the loudest, and whether somebody speaks (RFC 6464 §3).
        let is_speech = u8::from(values.voice_activity.unwrap_or(false));
        let level = values.audio_level.map(|level| [is_speech << 7 | level.unsigned_abs() & 0x7f]);
        let orientation = values.video_orientation.map(|orientation| [orientation as u8]);
        let (captured, delay) = (captured(values), playout_delay(values));
        let raw = values.user_values.get::<Raw>().filter(|_| ids.descriptor.is_some());
        let numbered = raw.zip(frame).map(|(raw, frame)| raw.with_number(frame));
        let descriptor = numbered.as_ref().or(raw).map(|Raw(bytes)| &bytes[..]);
        let (number, sent) = (way.number.to_be_bytes(), ids.send_time.map(|id| (id, send_time(way.unix))));
        let extensions: [Option<(u8, &[u8])>; EXTENSIONS] = [
            ids.mid.filter(|_| !self.is_known).map(|id| (id, self.mid.as_bytes())),
            ids.level.zip(level.as_ref().map(<[u8; 1]>::as_slice)),
            ids.capture_time.zip(captured.as_deref()),
            ids.orientation.zip(orientation.as_ref().map(<[u8; 1]>::as_slice)),
            ids.playout_delay.zip(delay.as_ref().map(<[u8; 3]>::as_slice)),
            ids.descriptor.zip(descriptor),
            ids.transport.map(|id| (id, &number[..])),
            sent.as_ref().map(|(id, time)| (*id, &time[..])),
        ];
        header.write(extensions.into_iter().flatten(), way.buffer)
    }

    /// The report that is due with this packet.
    pub(super) fn report(&mut self, now: Instant, clock: WallClock, leaving: &Leaving<'_>) -> Option<Vec<u8>> {
        if self.report_at.is_some_and(|at| now < at) {
            return None;
        }
        self.report_at = REPORTS.get(self.reports).or(REPORTS.last()).map(|interval| now + *interval);
        self.reports += 1;
        let passed = now.saturating_duration_since(leaving.came).as_secs_f64();
        let report = SenderReport {
            ssrc: *self.ssrc,
            ntp: clock.ntp(now),
            timestamp: leaving.timestamp.wrapping_add((passed * f64::from(leaving.clock_rate)) as u32),
            packets: self.packets,
            octets: self.octets,
        };
        Some(report.write(&self.cname))
    }
}

/// When it was captured, as NTP tells, and by how much that clock is off.
fn captured(values: &ExtensionValues) -> Option<Vec<u8>> {
    let time = values.abs_capture_time?;
    let since = time.capture_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut bytes = report::ntp(since).to_be_bytes().to_vec();
    bytes.extend(time.clock_offset.into_iter().flat_map(i64::to_be_bytes));
    Some(bytes)
}

/// 2^18ths of a second, modulo 64 seconds, in 24 bits.
fn send_time(unix: Duration) -> [u8; 3] {
    let fraction = ((u64::from(unix.subsec_nanos()) << 18) / 1_000_000_000) as u32;
    let [_, bytes @ ..] = ((unix.as_secs() as u32 & 63) << 18 | fraction).to_be_bytes();
    bytes
}

/// The least and the most, 12 bits each, in hundredths of a second.
fn playout_delay(values: &ExtensionValues) -> Option<[u8; 3]> {
    let hundredths = |seconds: f64| (seconds * 100.0).round() as u32 & 0xfff;
    let (least, most) = (values.play_delay_min?.as_seconds(), values.play_delay_max?.as_seconds());
    let [_, bytes @ ..] = (hundredths(least) << 12 | hundredths(most)).to_be_bytes();
    Some(bytes)
}

#[cfg(test)]
pub(super) mod tests;
