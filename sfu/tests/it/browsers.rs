//! Offers as browsers write them: microphone, camera, two audio and two video slots.

use roundturn_sfu::{Command, Event, Offer, ParticipantId, SlotRequest, Source, TrackRequest};

use crate::support::{ROOM, World};

const CHROMIUM: &str = include_str!("offers/chromium.sdp");
const FIREFOX: &str = include_str!("offers/firefox.sdp");

fn answer(sdp: &str) -> String {
    let mut world = World::new();
    let participant = ParticipantId(1);
    world.command(Command::Join {
        room: ROOM,
        participant,
        order: 1,
        may_publish: true,
        may_subscribe: true,
        may_message: true,
    });
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let track = |mid: &str, source| TrackRequest { mid: mid.to_owned(), source, name: String::new() };
    world.command(Command::Offer(Offer {
        participant,
        generation: 1,
        sdp: sdp.to_owned(),
        tracks: vec![track("0", Source::Microphone), track("1", Source::Camera)],
        slots: SlotRequest { audio: names(["2", "3"]), video: names(["4", "5"]) },
    }));
    assert!(!world.events.iter().any(|event| matches!(event, Event::Rejected { .. })), "{:?}", world.events);
    world.answer_of(participant)
}

/// The sections of an SDP, without its head.
fn sections(sdp: &str) -> Vec<&str> {
    sdp.split("\r\nm=").skip(1).collect()
}

fn check(sdp: &str, opus: &str, vp8: &str) {
    let answer = answer(sdp);
    assert!(answer.contains("a=group:BUNDLE 0 1 2 3 4 5\r\n"), "{answer}");
    assert!(answer.contains("a=ice-lite\r\n"));
    assert!(answer.contains("192.0.2.1 49160 typ host"));
    let sections = sections(&answer);
    assert_eq!(sections.len(), 6);
    for (index, section) in sections.iter().enumerate() {
        let (kind, codec) = if matches!(index, 1 | 4 | 5) { ("video", vp8) } else { ("audio", opus) };
        let head = format!("{kind} 9 UDP/TLS/RTP/SAVPF {codec}");
        assert!(section.starts_with(&head), "{head} asked of section {index}:\n{section}");
        let slot = index > 1;
        assert_eq!(section.contains("a=sendonly"), slot, "{section}");
        assert_eq!(section.contains("a=recvonly"), !slot, "{section}");
        assert_eq!(section.contains("a=ssrc:"), slot, "{section}");
        assert!(section.contains("transport-wide-cc"), "{section}");
        assert!(section.contains("sdes:mid"), "{section}");
        assert_eq!(section.contains(&format!("a=msid:slot{} ", index % 2)), slot, "{section}");
    }
    assert!(sections[4].contains("a=rtcp-fb") && sections[4].contains("nack pli"), "{}", sections[4]);
    assert!(sections[4].contains("rtx/90000"), "{}", sections[4]);
    assert_eq!(extensions(&answer, sdp), Vec::<String>::new(), "extensions that were not offered so");
}

/// Extensions of the answer whose number and name do not stand in the offer.
fn extensions(answer: &str, offer: &str) -> Vec<String> {
    let map = |line: &str| -> Option<String> { line.strip_prefix("a=extmap:").map(|map| map.replace("/recvonly", "")) };
    let offered: Vec<_> = offer.lines().filter_map(map).collect();
    answer.lines().filter_map(map).filter(|map| !offered.contains(map)).collect()
}

#[test]
fn chromium_is_answered_with_vp8_first_and_h264_after_it() {
    check(CHROMIUM, "111", "96 97 ");
    let answer = answer(CHROMIUM);
    assert!(sections(&answer)[4].contains("H264/90000"));
}

#[test]
fn firefox_is_answered_under_its_own_numbers() {
    check(FIREFOX, "109", "120 124");
}
