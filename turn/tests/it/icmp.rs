//! ICMP errors, passed on (RFC 8656 §11.5, §18.13).

use roundturn_turn::message::{Class, Message, Method, attribute};
use roundturn_turn::{Icmp, Peer, Relay, Verdict, Why};

use crate::dsl::*;

const V4_PEER: &str = "9.9.9.9:9000";
const V6_PEER: &str = "[2a03::1]:9000";

fn icmp(kind: u8, code: u8, mtu: u32) -> Icmp {
    Icmp { kind, code, mtu }
}

/// A client with both families, and permissions for a peer of each.
fn alice() -> (World, Speaker, Relay, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let both = allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let relays = alice.says(both).hears(success()).relays();
    alice.says(create_permission(&[V4_PEER, V6_PEER])).hears(success());
    (world, alice, relays[0], relays[1])
}

/// The ICMP attribute of what the client hears, if anything.
fn heard(world: &World, relay: Relay, peer: &str, icmp: Icmp) -> Result<Vec<u8>, Why> {
    let (verdict, transmit) = world.with_server(|server, now| {
        let verdict = server.handle_icmp(now, relay, Peer(addr(peer)), icmp);
        (verdict, server.poll_transmit())
    });
    match (verdict, transmit) {
        (Verdict::Drop(why), None) => Err(why),
        (Verdict::Reply, Some(transmit)) => {
            let message = Message::decode(&transmit.bytes).unwrap();
            assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
            assert_eq!(message.xor_address(attribute::XOR_PEER_ADDRESS), Some(addr(peer)));
            assert_eq!(message.attribute(attribute::DATA), None);
            assert_eq!(transmit.to.remote, addr("84.1.1.1:4000"));
            Ok(message.attribute(attribute::ICMP).unwrap().to_vec())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_reaches_the_client_with_type_and_code() {
    let (world, _, v4, v6) = alice();
    assert_eq!(heard(&world, v4, V4_PEER, icmp(3, 3, 0)), Ok(vec![0, 0, 6, 3, 0, 0, 0, 0]));
    assert_eq!(heard(&world, v4, V4_PEER, icmp(11, 0, 9)), Ok(vec![0, 0, 22, 0, 0, 0, 0, 0]));
    assert_eq!(heard(&world, v6, V6_PEER, icmp(1, 4, 9)), Ok(vec![0, 0, 2, 4, 0, 0, 0, 0]));
    assert_eq!(heard(&world, v6, "[2a03::1]:1", icmp(3, 0, 0)), Ok(vec![0, 0, 6, 0, 0, 0, 0, 0]));
}

#[test]
fn an_mtu_is_told_where_the_packet_was_too_big() {
    let (world, _, v4, v6) = alice();
    assert_eq!(heard(&world, v4, V4_PEER, icmp(3, 4, 1280)), Ok(vec![0, 0, 6, 4, 0, 0, 5, 0]));
    assert_eq!(heard(&world, v6, V6_PEER, icmp(2, 0, 1280)), Ok(vec![0, 0, 4, 0, 0, 0, 5, 0]));
}

#[test]
fn other_types_are_dropped() {
    let (world, _, v4, v6) = alice();
    let is_passed = |relay, peer, kind: u8| heard(&world, relay, peer, icmp(kind, 0, 0)).is_ok();
    let passed = |relay, peer| (0..=255).filter(|kind| is_passed(relay, peer, *kind)).collect::<Vec<u8>>();
    assert_eq!(passed(v4, V4_PEER), [3, 11]);
    assert_eq!(passed(v6, V6_PEER), [1, 2, 3]);
}

#[test]
fn peers_without_permission_and_relays_of_nobody_are_not_told_of() {
    let (world, alice, v4, _) = alice();
    assert_eq!(heard(&world, v4, "9.9.9.8:9000", icmp(3, 3, 0)), Err(Why::NoPermission));
    let nobodys = Relay { port: v4.port - 1, ..v4 };
    assert_eq!(heard(&world, nobodys, V4_PEER, icmp(3, 3, 0)), Err(Why::NoAllocation));
    world.later_unnoticed(secs(300));
    assert_eq!(heard(&world, v4, V4_PEER, icmp(3, 3, 0)), Err(Why::NoPermission));
    alice.says(create_permission(&[V4_PEER])).hears(success());
    world.later_unnoticed(secs(300));
    assert_eq!(heard(&world, v4, V4_PEER, icmp(3, 3, 0)), Err(Why::NoAllocation));
}
