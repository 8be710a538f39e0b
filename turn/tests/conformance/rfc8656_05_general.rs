//! RFC 8656 §5 and §6: general behaviour, and what an allocation is.

use roundturn_turn::Why;
use roundturn_turn::message::attribute;

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";

/// §5: "the server MUST demand that all requests from the client be authenticated using this mechanism".
#[test]
fn every_request_is_authenticated() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let asks = [allocate(), refresh(0), create_permission(&[PEER]), channel_bind(0x4000, PEER)];
    asks.into_iter().for_each(|ask| drop(alice.says_bare(ask).hears(error(401))));
    alice.says(refresh(600)).hears(success());
}

/// §5: "Note that the long-term credential mechanism applies only to requests and cannot be used to authenticate
/// indications; thus, indications in TURN are never authenticated."
#[test]
fn indications_need_no_proof() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(create_permission(&[PEER])).hears(success());
    alice.sends_to(PEER, b"x").reaches(relay, PEER, b"x");
}

/// §5: if "the request does not use the same username as used to create the allocation, then the request MUST be rejected
/// with a 441 (Wrong Credentials) error".
#[test]
fn another_user_gets_441() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let carol = world.client_as("84.1.1.1:4000", "carol", "wonder");
    for ask in [refresh(0), create_permission(&[PEER]), channel_bind(0x4000, PEER)] {
        assert!(carol.says(ask).hears(error(441)).is_signed_by(&carol));
    }
    alice.says(refresh(600)).hears(success());
}

/// §5: "if the 5-tuple does not identify an existing allocation, then the message MUST either be rejected with a 437
/// Allocation Mismatch error (if it is a request) or be silently ignored (if it is an indication or a ChannelData
/// message)".
#[test]
fn without_an_allocation_437_or_silence() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    for ask in [refresh(0), refresh(600), create_permission(&[PEER]), channel_bind(0x4000, PEER)] {
        assert!(alice.says(ask).hears(error(437)).is_signed_by(&alice));
    }
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoAllocation);
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoAllocation);
}

/// §5: "To ensure interoperability, a TURN server MUST support the use of UDP transport between the client and the
/// server".
#[test]
fn udp_is_supported_over_both_families() {
    let world = World::new();
    world.client("84.1.1.1:4000").allocates();
    world.client("[2a02::1]:4000").allocates();
}

/// §5: "the server may receive two (or more) requests with the same 5-tuple and same transaction id. STUN requires that
/// the server recognize this case and treat the request as idempotent".
#[test]
fn a_repeated_allocate_is_no_second_one() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(refresh(600)).hears(error(437));
    let asks = [
        allocate(),
        allocate().with(attribute::EVEN_PORT, &[0x80]),
        allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]),
    ];
    for (number, ask) in (1..).zip(asks) {
        let first = alice.says(ask.clone().in_transaction(number)).hears(success());
        assert_eq!(alice.says(ask.in_transaction(number)).hears(success()).bytes, first.bytes);
        alice.says(refresh(0)).hears(success());
    }
}

/// §6: "the 5-tuple: (client's IP address, client's port, server IP address, server port, and transport protocol)".
#[test]
fn an_allocation_is_found_by_all_of_its_5_tuple() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let moved = |change: fn(&mut Speaker)| {
        let mut other = alice.clone();
        other.nonce = std::rc::Rc::default();
        change(&mut other);
        other.says(refresh(600)).hears(error(437));
    };
    moved(|other| other.client.remote = addr("84.1.1.2:4000"));
    moved(|other| other.client.remote = addr("84.1.1.1:4001"));
    moved(|other| other.client.local = addr("5.9.0.2:3478"));
    moved(|other| other.client.local = addr("5.9.0.1:443"));
}

/// §6: "By default, each Allocate or Refresh transaction resets this timer to the default lifetime value of 600 seconds";
/// "sending data to a peer does not refresh an allocation".
#[test]
fn an_allocation_lives_ten_minutes_whatever_is_sent() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.later(secs(599));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    world.later(secs(1));
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoAllocation);
}
