//! Reads an offer before the engine does: what it may hold, and what is taken out of it.

use std::collections::HashSet;

use str0m::change::SdpOffer;

use crate::{Config, Kind, Offer, RejectReason, Source};

/// Longer offers are not read: a signaling frame has at most 64 KiB.
const LENGTH: usize = 64 * 1024;
/// Sections in one offer.
const SECTIONS: usize = 32;
/// The engine keeps no more characters of a section's name than that.
const MID: usize = 16;
/// Lines that the engine is spared: an ICE-lite agent learns its peer from the checks that reach it, and simulcast is by
/// rid.
const UNREAD: [&str; 3] = ["a=candidate:", "a=end-of-candidates", "a=ssrc-group:SIM"];
/// Layers of one section.
const RIDS: usize = 3;
/// The engine keeps no more characters of a rid than that.
const RID: usize = 8;

/// Why an offer is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: RejectReason,
    pub(crate) message: String,
}

/// An offer that may be handed to the engine.
pub(crate) struct Plan {
    pub(crate) offer: SdpOffer,
    /// The client's certificate.
    pub(crate) fingerprint: String,
    /// Name and kind of each section, in order; data has none.
    pub(crate) sections: Vec<(String, Option<Kind>)>,
}

/// One `m=` section, as far as it matters here.
struct Section<'a> {
    kind: Option<Kind>,
    is_data: bool,
    /// Port 0 outside of the bundle; inside it only says that another section has the port (RFC 9143 §6).
    stopped: bool,
    mid: &'a str,
    direction: &'a str,
    usable_codec: bool,
    rids: Vec<&'a str>,
}

impl Refusal {
    pub(crate) fn new(reason: RejectReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// Reads an offer of a participant whose last one had the sections `before`.
pub(crate) fn read(offer: &Offer, config: &Config, before: &[(String, Option<Kind>)]) -> Result<Plan, Refusal> {
    check_counts(offer, config)?;
    if offer.sdp.len() > LENGTH {
        return Err(rejected("the SDP is longer than 64 KiB"));
    }
    let sections = split(&offer.sdp)?;
    let fingerprint = check_session(&offer.sdp)?;
    let named = check_sections(&sections)?;
    check_order(&sections, &named, before)?;
    check_requests(offer, &sections)?;
    let cleaned: String = offer.sdp.lines().filter(|line| is_read(line)).flat_map(|line| [line, "\r\n"]).collect();
    let parsed = SdpOffer::from_sdp_string(&cleaned).map_err(|error| rejected(error.to_string()))?;
    Ok(Plan { offer: parsed, fingerprint, sections: named })
}

fn check_counts(offer: &Offer, config: &Config) -> Result<(), Refusal> {
    if offer.tracks.len() > config.tracks {
        let message = format!("at most {} tracks", config.tracks);
        return Err(Refusal::new(RejectReason::TooManyTracks, message));
    }
    if offer.slots.audio.len() > config.audio_slots || offer.slots.video.len() > config.video_slots {
        let message = format!("at most {} audio and {} video slots", config.audio_slots, config.video_slots);
        return Err(Refusal::new(RejectReason::TooManySlots, message));
    }
    Ok(())
}

fn split(sdp: &str) -> Result<Vec<Section<'_>>, Refusal> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut h264 = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            if sections.len() == SECTIONS {
                return Err(rejected(format!("more than {SECTIONS} sections")));
            }
            h264.clear();
            sections.push(Section::open(media));
        } else if let Some(section) = sections.last_mut() {
            section.take(line, &mut h264);
        }
    }
    if sections.is_empty() {
        return Err(rejected("no sections"));
    }
    let bundle = sdp.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap_or("");
    for section in &mut sections {
        section.stopped &= !bundle.split(' ').any(|mid| mid == section.mid);
    }
    Ok(sections)
}

impl<'a> Section<'a> {
    /// `audio 9 UDP/TLS/RTP/SAVPF 111 …`
    fn open(media: &str) -> Self {
        let mut words = media.split(' ');
        let is_data = media.starts_with("application ") && media.ends_with("/DTLS/SCTP webrtc-datachannel");
        let kind = match words.next() {
            Some("audio") => Some(Kind::Audio),
            Some("video") => Some(Kind::Video),
            _ => None,
        };
        Self {
            kind,
            is_data,
            stopped: words.next() == Some("0"),
            mid: "",
            direction: "sendrecv",
            usable_codec: false,
            rids: Vec::new(),
        }
    }

    fn take(&mut self, line: &'a str, h264: &mut Vec<&'a str>) {
        let Some(attribute) = line.strip_prefix("a=") else { return };
        if let Some(mid) = attribute.strip_prefix("mid:") {
            self.mid = mid;
        } else if let Some((payload_type, codec)) =
            attribute.strip_prefix("rtpmap:").and_then(|map| map.split_once(' '))
        {
            let codec = codec.to_ascii_lowercase();
            self.usable_codec |=
                codec.starts_with("opus/48000") || matches!(&*codec, "vp8/90000" | "vp9/90000" | "av1/90000");
            if codec == "h264/90000" {
                h264.push(payload_type);
            }
        } else if let Some((payload_type, format)) = attribute.strip_prefix("fmtp:").and_then(|map| map.split_once(' '))
        {
            self.usable_codec |= h264.contains(&payload_type)
                && format.contains("packetization-mode=1")
                && format.contains("profile-level-id=42");
        } else if matches!(attribute, "sendonly" | "recvonly" | "sendrecv" | "inactive") {
            self.direction = attribute;
        } else if let Some((rid, _)) = attribute.strip_prefix("rid:").and_then(|rest| rest.split_once(' ')) {
            self.rids.push(rid);
        }
    }
}

/// What must stand somewhere in the offer. Returns the fingerprint.
fn check_session(sdp: &str) -> Result<String, Refusal> {
    let find = |name: &str| sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
    if find("ice-ufrag:").is_none() || find("ice-pwd:").is_none() {
        return Err(rejected("no a=ice-ufrag or a=ice-pwd"));
    }
    if find("ice-lite").is_some() {
        return Err(rejected("this server is ICE-lite, so the client must not be"));
    }
    find("fingerprint:").map(str::to_owned).ok_or_else(|| rejected("no a=fingerprint"))
}

fn check_sections(sections: &[Section<'_>]) -> Result<Vec<(String, Option<Kind>)>, Refusal> {
    let mut seen = HashSet::new();
    let mut named = Vec::with_capacity(sections.len());
    let mut has_data = false;
    for section in sections {
        if section.kind.is_none() && !section.is_data {
            return Err(rejected("a section is neither audio nor video nor data channels"));
        }
        // What RFC 8866 allows in a token.
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
        if section.mid.is_empty() || section.mid.len() > MID || !section.mid.bytes().all(sound) {
            return Err(rejected("a=mid must be a token of 1 to 16 characters"));
        }
        if !seen.insert(section.mid) {
            return Err(rejected(format!("a=mid:{} stands twice", section.mid)));
        }
        check_rids(section)?;
        if section.is_data && std::mem::replace(&mut has_data, true) {
            return Err(rejected("two sections of data channels"));
        }
        if section.direction == "sendrecv" && !section.stopped && !section.is_data {
            return Err(rejected(format!("section {} must be sendonly, recvonly or inactive", section.mid)));
        }
        named.push((section.mid.to_owned(), section.kind));
    }
    Ok(named)
}

/// The layers of a section, by name (RFC 8851 §10).
fn check_rids(section: &Section<'_>) -> Result<(), Refusal> {
    let sound = |rid: &&str| {
        (1..=RID).contains(&rid.len()) && rid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if section.rids.len() > RIDS {
        return Err(rejected(format!("section {} has more than {RIDS} simulcast layers", section.mid)));
    }
    if !section.rids.iter().all(sound) {
        return Err(rejected(format!("a=rid in section {} must have 1 to {RID} letters and digits", section.mid)));
    }
    if section.rids.iter().collect::<HashSet<_>>().len() < section.rids.len() {
        return Err(rejected(format!("an a=rid stands twice in section {}", section.mid)));
    }
    Ok(())
}

/// A section stays where it was and what it was (RFC 8829 §5.2.2); only a stopped one may be replaced.
fn check_order(
    sections: &[Section<'_>],
    named: &[(String, Option<Kind>)],
    before: &[(String, Option<Kind>)],
) -> Result<(), Refusal> {
    if named.len() < before.len() {
        return Err(rejected("sections of the last offer are missing"));
    }
    for ((old, kind), (name, new_kind)) in before.iter().zip(named) {
        let moved = sections.iter().zip(named).any(|(_, (other, _))| other == old) && old != name;
        if moved || old == name && kind != new_kind {
            return Err(rejected(format!("section {old} changed its place or kind")));
        }
    }
    Ok(())
}

fn check_requests(offer: &Offer, sections: &[Section<'_>]) -> Result<(), Refusal> {
    let mut used = HashSet::new();
    let mut check = |mid: &str, kind: Kind, direction: &str| {
        let section = sections.iter().find(|section| section.mid == mid && !section.stopped);
        let section = section.ok_or_else(|| rejected(format!("no section {mid}")))?;
        if section.kind != Some(kind) || section.direction != direction {
            return Err(rejected(format!("section {mid} must be {direction} and of the right kind")));
        }
        if !used.insert(mid.to_owned()) {
            return Err(rejected(format!("section {mid} is named twice")));
        }
        if !section.usable_codec {
            let message =
                format!("section {mid} offers none of Opus, VP8, VP9, AV1, H264 (baseline, packetization mode 1)");
            return Err(Refusal::new(RejectReason::NoCommonCodec, message));
        }
        Ok(())
    };
    for track in &offer.tracks {
        check(&track.mid, Source::kind(track.source), "sendonly")?;
    }
    for mid in &offer.slots.audio {
        check(mid, Kind::Audio, "recvonly")?;
    }
    for mid in &offer.slots.video {
        check(mid, Kind::Video, "recvonly")?;
    }
    Ok(())
}

fn is_read(line: &str) -> bool {
    !line.is_empty() && !UNREAD.iter().any(|prefix| line.starts_with(prefix))
}

fn rejected(message: impl Into<String>) -> Refusal {
    Refusal::new(RejectReason::SdpRejected, message)
}

#[cfg(test)]
mod tests;
