//! Whatever arrives, nothing panics, and nothing comes to be without a valid credential.

use proptest::prelude::*;
use roundturn_turn::message::attribute;
use roundturn_turn::{Family, Peer, Relay, Verdict};

use crate::dsl::*;

fn asks(which: usize) -> Ask {
    match which {
        0 => allocate(),
        1 => refresh(600).fingerprinted(),
        2 => create_permission(&["9.9.9.9:9", "8.8.8.8:9"]),
        3 => channel_bind(0x4000, "9.9.9.9:9000"),
        4 => send("9.9.9.9:9000", b"hello"),
        _ => binding().with(attribute::SOFTWARE, b"anything"),
    }
}

/// Damage to a message: bytes changed, its end cut off, something appended.
type Damage = (Vec<(prop::sample::Index, u8)>, prop::sample::Index, Vec<u8>);

fn damage() -> impl Strategy<Value = Damage> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (changes, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..8))
}

fn damaged(mut bytes: Vec<u8>, (changes, end, more): &Damage, cut: bool) -> Vec<u8> {
    for (at, to) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *to;
    }
    if cut {
        bytes.truncate(end.index(bytes.len()));
    }
    bytes.extend_from_slice(more);
    bytes
}

proptest! {
    #[test]
    fn arbitrary_bytes_make_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200), stun: bool) {
        let world = World::new();
        let alice = world.client("84.1.1.1:4000");
        let mut bytes = bytes;
        if stun && bytes.len() >= 20 {
            let length = (bytes.len() - 20) as u16 & !3;
            bytes.truncate(20 + usize::from(length));
            bytes[0] &= 0x01;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        alice.says_raw(&bytes);
        prop_assert_eq!(world.events(), []);
    }

    #[test]
    fn damaged_requests_make_nothing(which in 0..6usize, damage in damage(), cut: bool) {
        let world = World::new();
        let alice = world.client("84.1.1.1:4000");
        let challenge = alice.says_bare(allocate()).hears(error(401));
        *alice.nonce.borrow_mut() = challenge.attribute(attribute::NONCE);
        let whole = alice.signed(&asks(which));
        let bytes = damaged(whole.clone(), &damage, cut);
        alice.says_raw(&bytes);
        prop_assert!(world.events().is_empty() || bytes == whole);
    }

    #[test]
    fn damaged_requests_to_an_allocation_change_nothing(which in 0..5usize, damage in damage(), cut: bool) {
        let world = World::new();
        let alice = world.client("84.1.1.1:4000");
        alice.allocates();
        world.events();
        // Without FINGERPRINT, whatever is damaged is covered by the integrity.
        let whole = alice.signed(&asks(if which == 1 { 2 } else { which }));
        let bytes = damaged(whole.clone(), &damage, cut);
        let verdict = alice.says_raw(&bytes).verdict;
        if bytes != whole {
            world.with_server(|server, _| assert_eq!((server.stats().permissions, server.stats().channels), (0, 0)));
            assert_eq!(world.events(), []);
        }
        assert!(!matches!(verdict, Verdict::ToPeer { .. }));
    }

    #[test]
    fn arbitrary_peers_reach_nobody(port: u16, v6: bool, peer: std::net::SocketAddr, len in 0..70_000usize) {
        let world = World::new();
        let alice = world.client("84.1.1.1:4000");
        alice.allocates();
        let relay = Relay { family: if v6 { Family::V6 } else { Family::V4 }, port };
        let verdict = world.with_server(|server, now| server.handle_peer(now, relay, Peer(peer), len));
        prop_assert!(matches!(verdict, Verdict::Drop(_)));
    }

    #[test]
    fn what_passes_lies_within_the_datagram(bytes in prop::collection::vec(any::<u8>(), 0..64), head in 0..3usize) {
        let world = World::new();
        let alice = world.client("84.1.1.1:4000");
        alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(error(437));
        alice.allocates();
        alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
        let mut datagram = [&[0x40, 0, 0][..], &[0x40, 0], &[]][head].to_vec();
        datagram.extend_from_slice(&bytes);
        if let Verdict::ToPeer { data, .. } = alice.says_raw(&datagram).verdict {
            prop_assert!(data.start <= data.end && data.end <= datagram.len());
        }
    }
}
