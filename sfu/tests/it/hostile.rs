//! Whatever arrives: nothing panics, nobody else notices.

use std::net::SocketAddr;

use proptest::prelude::*;
use roundturn_sfu::{Command, Event, Offer};

use crate::support::{Setup, World};

#[test]
fn a_forged_ufrag_reaches_nobody_and_pins_no_address() {
    let mut world = World::new();
    world.enter(Setup::default());
    world.enter(Setup::default());
    world.run_ms(1000);
    let stranger = SocketAddr::from(([203, 0, 113, 9], 7000));
    let ufrag = world.answer_of(world.clients[0].id);
    let ufrag = ufrag.split("a=ice-ufrag:").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    let unknown = world.sfu.stats().unknown_datagrams;
    let mut forged = ufrag.clone();
    forged.replace_range(12..16, "aaaa");
    assert!(!world.sfu.handle_datagram(world.now, world.address, stranger, &check(&forged)));
    assert_eq!(world.sfu.stats().unknown_datagrams, unknown + 1);
    // The right ufrag, which is no secret, with a wrong password.
    world.sfu.handle_datagram(world.now, world.address, stranger, &check(&ufrag));
    world.run_ms(100);
    assert!(!world.sfu.handle_datagram(world.now, world.address, stranger, &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(world.sent_to.get(&stranger), None);
}

#[test]
fn an_address_that_goes_to_someone_else_takes_nothing_along() {
    let mut world = World::new();
    world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    let address = world.clients[bo].address;
    world.command(Command::Leave { participant: world.clients[bo].id });
    world.clients.pop();
    assert!(!world.sfu.handle_datagram(world.now, world.address, address, &[22, 254, 253, 0]));
    let cy = world.enter(Setup::default());
    assert_eq!(world.clients[cy].address, address);
    world.run_ms(2000);
    assert!(world.clients[cy].connected);
    assert!(world.clients[cy].received.len() > 100);
}

#[test]
fn garbage_from_a_proven_address_ends_nothing() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    let address = world.clients[bo].address;
    for first in 0..=255 {
        for len in [1, 2, 3, 12, 13, 20, 28, 60, 200] {
            let mut bytes = vec![0xa5; len];
            bytes[0] = first;
            world.sfu.handle_datagram(world.now, world.address, address, &bytes);
        }
    }
    let before = world.clients[ana].received.len();
    world.run_ms(1500);
    assert!(world.clients[ana].received.len() > before + 100);
    assert!(!world.events.iter().any(|event| matches!(event, Event::Failed { .. })));
}

/// RTP with this SSRC that no key belongs to; the mid of the first section stands in its one-byte header extension.
fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x90, 96];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([0xbe, 0xde, 0, 1, 0x40, b'0', 0, 0]);
    bytes.extend([7; 40]);
    bytes
}

/// What reached Ana in three seconds in which Bo sends `flood` every 50 µs beside its media, and what was not read of it.
fn flooded(flood: impl Fn(u32) -> Vec<u8>, strange: bool) -> (usize, roundturn_sfu::Limited) {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    let cy = world.enter(Setup::default());
    world.run_ms(1500);
    let from = if strange { SocketAddr::from(([203, 0, 113, 9], 7000)) } else { world.clients[bo].address };
    let before = world.clients[ana].received.len();
    for round in 0..3000_u32 {
        for one in 0..20 {
            let bytes = flood(round * 20 + one);
            world.sfu.handle_datagram(world.now, world.address, from, &bytes);
        }
        world.run_ms(1);
    }
    assert!(!world.events.iter().any(|event| matches!(event, Event::Failed { .. })));
    assert!(world.clients[cy].connected);
    (world.clients[ana].received.len() - before, world.sfu.stats().limited.clone())
}

#[test]
fn floods_of_one_are_cut_off_and_nobody_else_notices() {
    let (usual, limited) = flooded(|_| Vec::new(), false);
    assert_eq!(limited, roundturn_sfu::Limited::default(), "a call alone is far from every limit");
    let (received, limited) = flooded(|number| rtp(number, 1), false);
    assert!(received * 100 > usual * 45, "the other one's media");
    assert!(limited.streams > 15_000, "{limited:?}");
    assert!(limited.streams + limited.packets > 59_800, "what is read of it: {limited:?}");
    let (received, limited) = flooded(|number| rtp(9, number as u16), false);
    assert!(received * 100 > usual * 45);
    assert!(limited.packets > 60_000 - 5_000 * 4 - 1_000, "{limited:?}");
    let report = |number: u32| [&[0x81, 206, 0, 2][..], &number.to_be_bytes(), &[0; 20]].concat();
    let (received, limited) = flooded(report, false);
    assert!(received * 100 > usual * 45);
    assert!(limited.packets > 39_000, "{limited:?}");
    let (received, limited) =
        flooded(|_| [&[23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16][..], &[0; 16]].concat(), false);
    assert!(received * 100 > usual * 45);
    assert!(limited.records > 5_000, "{limited:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_datagrams_never_panic(
        datagrams in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..120)), 1..200),
    ) {
        let mut world = World::new();
        world.enter(Setup::default());
        world.run_ms(300);
        let known = world.clients[0].address;
        for (from_known, bytes) in datagrams {
            let from = if from_known { known } else { SocketAddr::from(([203, 0, 113, 9], 7000)) };
            world.sfu.handle_datagram(world.now, world.address, from, &bytes);
        }
        world.run_ms(1000);
        prop_assert!(world.clients[0].connected);
        prop_assert_eq!(world.sfu.stats().failures, 0);
    }

    #[test]
    fn mutated_offers_never_panic_and_harm_nobody_else(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<prop::sample::Index>()), 1..12),
        firefox in any::<bool>(),
    ) {
        let mut world = World::new();
        let ana = world.enter(Setup::default());
        let text = if firefox { include_str!("offers/firefox.sdp") } else { include_str!("offers/chromium.sdp") };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, what, other) in changes {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match what {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => lines.insert(at, lines[other].clone()),
                _ => {
                    let digit = lines[at].rfind(|letter: char| letter.is_ascii_digit());
                    if let Some(digit) = digit {
                        lines[at].replace_range(digit..=digit, "7");
                    }
                }
            }
        }
        let id = world.stranger();
        let offer = Offer { participant: id, generation: 1, sdp: lines.join("\r\n") + "\r\n", ..browser_offer() };
        world.command(Command::Offer(offer));
        let replies = world.events.iter().filter(|event| match event {
            Event::Answer { participant, .. } | Event::Rejected { participant, .. } => *participant == id,
            _ => false,
        });
        prop_assert_eq!(replies.count(), 1);
        world.run_ms(1000);
        prop_assert!(world.clients[ana].connected);
    }
}

/// An offer as the browsers' fixtures need it, without the SDP.
fn browser_offer() -> Offer {
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    Offer {
        participant: roundturn_sfu::ParticipantId(0),
        generation: 0,
        sdp: String::new(),
        tracks: vec![roundturn_sfu::TrackRequest {
            mid: "0".to_owned(),
            source: roundturn_sfu::Source::Microphone,
            name: String::new(),
        }],
        slots: roundturn_sfu::SlotRequest { audio: names(["2", "3"]), video: names(["4", "5"]) },
    }
}

/// A STUN Binding request with this ufrag and a wrong MESSAGE-INTEGRITY.
fn check(ufrag: &str) -> Vec<u8> {
    let username = format!("{ufrag}:peer");
    let mut body = vec![0, 6, 0, username.len() as u8];
    body.extend(username.bytes());
    body.resize(4 + username.len().div_ceil(4) * 4, 0);
    body.extend([0, 0x24, 0, 4, 1, 2, 3, 4]);
    body.extend([0, 0x08, 0, 20]);
    body.extend([0; 20]);
    let mut message = vec![0, 1, 0, body.len() as u8, 0x21, 0x12, 0xa4, 0x42];
    message.extend([9; 12]);
    message.extend(body);
    message
}
