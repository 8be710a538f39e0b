//! Offers that are taken and offers that are not.

use super::*;
use crate::{ParticipantId, SlotRequest, TrackRequest};

const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n";
const COMMON: &str = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
    a=fingerprint:sha-256 7A:D9:2D:A3:E3:45:62:FF:27:B1:8A:A9:0B:5A:8D:48:8A:D0:48:0E:E0:32:7D:07:5B:0B:4C:4B:2B:23:E1:6D\r\n\
    a=setup:actpass\r\na=rtcp-mux\r\n";

fn config() -> Config {
    Config {
        candidates: Vec::new(),
        tcp_candidates: Vec::new(),
        relays: (Vec::new(), 1..=2),
        shard: 0,
        audio_slots: 1,
        video_slots: 1,
        keyframe_cache: false,
        tracks: 2,
        participants: 9,
        unix: std::time::Duration::ZERO,
        clock,
    }
}

/// Stands still.
fn clock() -> std::time::Duration {
    unreachable!("an offer is read without it")
}

fn section(kind: &str, mid: &str, direction: &str, codec: &str) -> String {
    format!("m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\n{COMMON}a=mid:{mid}\r\na={direction}\r\na=rtpmap:96 {codec}\r\n")
}

fn data(mid: &str) -> String {
    format!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{COMMON}a=mid:{mid}\r\na=sctp-port:5000\r\n")
}

fn good() -> Offer {
    let sdp = HEAD.to_owned()
        + &section("audio", "0", "sendonly", "opus/48000/2")
        + &section("video", "1", "sendonly", "VP8/90000")
        + &section("video", "2", "recvonly", "VP8/90000");
    let track = |mid: &str, source| TrackRequest { mid: mid.to_owned(), source, name: String::new() };
    Offer {
        participant: ParticipantId(1),
        generation: 1,
        sdp,
        tracks: vec![track("0", Source::Microphone), track("1", Source::Camera)],
        slots: SlotRequest { audio: Vec::new(), video: vec!["2".to_owned()] },
    }
}

/// The reason and message for which the good offer is refused once it was changed.
fn refused(change: impl FnOnce(&mut Offer)) -> (RejectReason, String) {
    let mut offer = good();
    change(&mut offer);
    let refusal = read(&offer, &config(), &[]).err().expect("to be refused");
    (refusal.reason, refusal.message)
}

#[test]
fn a_good_offer_is_taken() {
    let plan = read(&good(), &config(), &[]).ok().unwrap();
    let kinds: Vec<_> = plan.sections.iter().map(|(mid, kind)| (mid.as_str(), *kind)).collect();
    assert_eq!(kinds, [("0", Some(Kind::Audio)), ("1", Some(Kind::Video)), ("2", Some(Kind::Video))]);
    assert!(plan.fingerprint.starts_with("sha-256 7A"));
}

#[test]
fn what_the_protocol_limits_is_refused_by_name() {
    use RejectReason::{NoCommonCodec, SdpRejected, TooManySlots, TooManyTracks};
    let reason = |change: fn(&mut Offer)| refused(change).0;
    assert_eq!(reason(|offer| offer.tracks.extend(good().tracks)), TooManyTracks);
    assert_eq!(reason(|offer| offer.slots.video.push("3".to_owned())), TooManySlots);
    assert_eq!(reason(|offer| offer.sdp = offer.sdp.replace("VP8", "VP7")), NoCommonCodec);
    assert_eq!(reason(|offer| offer.sdp.push_str(&"a=x\r\n".repeat(20_000))), SdpRejected);
    assert_eq!(reason(|offer| offer.sdp.clear()), SdpRejected);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let message = |change: fn(&mut Offer)| refused(change).1;
    assert!(message(|offer| offer.sdp = offer.sdp.replace("a=fingerprint", "a=x")).contains("fingerprint"));
    assert!(message(|offer| offer.sdp = offer.sdp.replace("a=ice-pwd", "a=x")).contains("ice-pwd"));
    assert!(message(|offer| offer.sdp = offer.sdp.replace("a=mid:1", "a=mid:0")).contains("twice"));
    assert!(message(|offer| offer.sdp = offer.sdp.replace("a=mid:1", "a=mid:12345678901234567")).contains("mid"));
    assert!(message(|offer| offer.sdp = offer.sdp.replace("recvonly", "sendrecv")).contains("sendonly"));
    assert!(message(|offer| offer.tracks[0].source = Source::Camera).contains("kind"));
    assert!(message(|offer| offer.tracks[0].mid = "7".to_owned()).contains("no section 7"));
    assert!(message(|offer| offer.tracks[1].mid = "2".to_owned()).contains("sendonly"));
    assert!(message(|offer| offer.slots.video[0] = "1".to_owned()).contains("recvonly"));
    assert!(message(|offer| offer.sdp = offer.sdp.replace("m=audio", "m=application")).contains("neither"));
    assert!(message(|offer| offer.sdp += &(data("3") + &data("4"))).contains("two sections"));
}

#[test]
fn one_section_of_data_channels_may_stand_beside_media_or_alone() {
    let mut offer = good();
    offer.sdp += &data("3");
    let plan = read(&offer, &config(), &[]).ok().unwrap();
    assert_eq!(plan.sections.last(), Some(&("3".to_owned(), None)));
    assert!(read(&offer, &config(), &plan.sections).is_ok());
    offer.slots.video.push("3".to_owned());
    offer.slots.video.remove(0);
    assert!(read(&offer, &config(), &[]).is_err(), "it is no slot");
    let alone = HEAD.to_owned() + &data("0");
    let offer = Offer { sdp: alone, tracks: Vec::new(), slots: SlotRequest::default(), ..good() };
    assert!(read(&offer, &config(), &[]).is_ok());
}

#[test]
fn sections_keep_their_place() {
    let before =
        |mids: &[(&str, Kind)]| -> Vec<_> { mids.iter().map(|(mid, kind)| ((*mid).to_owned(), Some(*kind))).collect() };
    let taken = |mids: &[(&str, Kind)]| read(&good(), &config(), &before(mids)).is_ok();
    assert!(taken(&[("0", Kind::Audio), ("1", Kind::Video)]));
    assert!(taken(&[("0", Kind::Audio), ("9", Kind::Video)]), "a stopped section may be replaced");
    assert!(!taken(&[("1", Kind::Video), ("0", Kind::Audio)]));
    assert!(!taken(&[("0", Kind::Video)]));
    let four = [("0", Kind::Audio), ("1", Kind::Video), ("2", Kind::Video), ("3", Kind::Audio)];
    assert!(!taken(&four));
}

#[test]
fn port_0_inside_the_bundle_is_no_rejection() {
    let mut offer = good();
    offer.sdp = offer.sdp.replace("m=video 9", "m=video 0");
    assert!(read(&offer, &config(), &[]).is_ok());
    offer.sdp = offer.sdp.replace("BUNDLE 0 1 2", "BUNDLE 0 1");
    assert!(read(&offer, &config(), &[]).is_err());
}

#[test]
fn h264_counts_only_as_baseline_in_mode_1() {
    let h264 = |format: &str| {
        let mut offer = good();
        let codec = format!("H264/90000\r\na=fmtp:96 {format}");
        offer.sdp = offer.sdp.replace("VP8/90000", &codec);
        read(&offer, &config(), &[]).map(|_| ()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(h264("packetization-mode=1;profile-level-id=42e01f"), Ok(()));
    assert_eq!(h264("packetization-mode=0;profile-level-id=42e01f"), Err(RejectReason::NoCommonCodec));
    assert_eq!(h264("packetization-mode=1;profile-level-id=64001f"), Err(RejectReason::NoCommonCodec));
}

#[test]
fn candidates_are_not_read_and_layers_are() {
    let mut offer = good();
    offer.sdp.push_str("a=candidate:0 1 UDP 1 x.local 9 typ host\r\na=rid:q send\r\na=simulcast:send q\r\n");
    let plan = read(&offer, &config(), &[]).ok().unwrap();
    let text = plan.offer.to_sdp_string();
    assert!(!text.contains("candidate") && text.contains("simulcast") && text.contains("rid:q"));
}

#[test]
fn layers_are_few_and_have_names() {
    let with = |lines: &'static str| refused(move |offer| offer.sdp.push_str(lines)).1;
    assert!(with("a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\n").contains("more than 3"));
    assert!(with("a=rid:a send\r\na=rid:a send\r\n").contains("twice"));
    assert!(with("a=rid:waytoolong send\r\n").contains("letters"));
    assert!(with("a=rid:a;b send\r\n").contains("letters"));
}
