//! Both families at once (RFC 8656 §7.2, §8).

use roundturn_turn::message::attribute;
use roundturn_turn::{CloseReason, Config, Event, Family, OpenError, Relay, Why};

use crate::dsl::*;

const V4_PEER: &str = "9.9.9.9:9000";
const V6_PEER: &str = "[2a03::1]:9000";

fn both() -> Ask {
    allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])
}

fn refresh_of(family: u8, lifetime_secs: u32) -> Ask {
    refresh(lifetime_secs).with(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0])
}

fn alice() -> (World, Speaker, Relay, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relays = alice.says(both()).hears(success()).relays();
    assert_eq!([relays[0].family, relays[1].family], [Family::V4, Family::V6]);
    (world, alice, relays[0], relays[1])
}

#[test]
fn each_peer_is_reached_through_the_relay_of_its_family() {
    let (world, alice, v4, v6) = alice();
    alice.says(create_permission(&[V4_PEER, V6_PEER])).hears(success());
    alice.sends_to(V4_PEER, b"x").reaches(v4, V4_PEER, b"x");
    alice.sends_to(V6_PEER, b"x").reaches(v6, V6_PEER, b"x");
    alice.says(channel_bind(0x4000, V4_PEER)).hears(success());
    alice.says(channel_bind(0x4001, V6_PEER)).hears(success());
    alice.sends_on(0x4000, b"y").reaches(v4, V4_PEER, b"y");
    alice.sends_on(0x4001, b"y").reaches(v6, V6_PEER, b"y");
    world.peer(V4_PEER).sends(v4, b"z").reaches_on(&alice, 0x4000);
    world.peer(V6_PEER).sends(v6, b"z").reaches_on(&alice, 0x4001);
    world.with_server(|server, _| assert_eq!(server.stats().allocations, 2));
}

#[test]
fn a_retransmission_gets_the_same_answer() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(refresh(600)).hears(error(437));
    let first = alice.says(both().in_transaction(9)).hears(success());
    assert_eq!(first.bytes, alice.says(both().in_transaction(9)).hears(success()).bytes);
    assert_eq!(world.events().len(), 2);
}

#[test]
fn each_relay_has_a_lifetime_of_its_own() {
    let (world, alice, v4, v6) = alice();
    alice.says(create_permission(&[V4_PEER, V6_PEER])).hears(success());
    alice.says(refresh_of(2, 1200)).hears(success());
    world.later(secs(599));
    alice.says(create_permission(&[V4_PEER, V6_PEER])).hears(success());
    world.later_unnoticed(secs(1));
    world.peer(V4_PEER).sends(v4, b"x").nobody_hears(Why::NoAllocation);
    alice.sends_to(V4_PEER, b"x").nobody_hears(Why::NoAllocation);
    world.peer(V6_PEER).sends(v6, b"x").reaches_as_indication(&alice, V6_PEER);
    world.later(secs(0));
    world.with_server(|server, _| assert_eq!((server.stats().allocations, server.stats().permissions), (1, 1)));
    let closed = world.events().pop();
    assert!(matches!(closed, Some(Event::Closed { relay, reason: CloseReason::Expired, .. }) if relay == v4));
    alice.says(create_permission(&[V4_PEER])).hears(error(443));
    alice.says(refresh_of(1, 600)).hears(error(443));
    alice.says(refresh(600)).hears(success());
    world.later(secs(600));
    alice.says(refresh(600)).hears(error(437));
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}

#[test]
fn one_relay_or_both_may_be_given_up() {
    let (world, alice, v4, v6) = alice();
    alice.says(channel_bind(0x4000, V4_PEER)).hears(success());
    alice.says(channel_bind(0x4001, V6_PEER)).hears(success());
    alice.says(refresh_of(2, 0)).hears(success());
    assert_eq!(world.with_relays(|relays| relays.open.keys().copied().collect::<Vec<_>>()), [v4]);
    alice.sends_on(0x4001, b"x").nobody_hears(Why::NoChannel);
    alice.sends_on(0x4000, b"x").reaches(v4, V4_PEER, b"x");
    world.peer(V6_PEER).sends(v6, b"x").nobody_hears(Why::NoAllocation);
    alice.says(refresh_of(1, 0)).hears(success());
    alice.says(refresh(600)).hears(error(437));

    alice.says(both()).hears(success());
    alice.says(refresh(0)).hears(success());
    assert!(world.with_relays(|relays| relays.open.is_empty()));
    world.with_server(|server, _| assert!(server.is_consistent() && server.stats().closed.total() == 4));
}

#[test]
fn bytes_are_told_for_each_relay() {
    let (world, alice, v4, _) = alice();
    alice.says(create_permission(&[V4_PEER, V6_PEER])).hears(success());
    alice.sends_to(V4_PEER, &[0; 30]);
    alice.sends_to(V6_PEER, &[0; 5]);
    world.peer(V4_PEER).sends(v4, &[0; 7]);
    world.events();
    alice.says(refresh(0)).hears(success());
    let bytes = |event: &Event| match *event {
        Event::Closed { bytes_to_peers, bytes_to_client, .. } => (bytes_to_peers, bytes_to_client),
        ref event => panic!("{event:?}"),
    };
    assert_eq!(world.events().iter().map(bytes).collect::<Vec<_>>(), [(30, 7), (5, 0)]);
}

#[test]
fn what_can_be_had_is_given_and_the_rest_explained() {
    let partial = |world: World| {
        let answer = world.client("84.1.1.1:4000").says(both()).hears(success());
        let reason = answer.attribute(attribute::ADDRESS_ERROR_CODE).unwrap();
        (answer.relay().family, reason[..4].to_vec())
    };
    let without_v6 = World::with(Config { external_v6: None, ..config() });
    assert_eq!(partial(without_v6), (Family::V4, vec![2, 0, 4, 40]));
    let without_v4 = World::with(Config { external_v4: None, ..config() });
    assert_eq!(partial(without_v4), (Family::V6, vec![1, 0, 4, 40]));
    let one_port = World::new();
    one_port.with_relays(|relays| relays.most = 1);
    assert_eq!(partial(one_port), (Family::V4, vec![2, 0, 5, 8]));
    let one_each = World::new();
    one_each.with_relays(|relays| relays.most_per_user = 1);
    assert_eq!(partial(one_each), (Family::V4, vec![2, 0, 5, 8]));
}

#[test]
fn where_neither_can_be_had_the_reason_is_told() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    for (refusal, code) in [(OpenError::NoPort, 508), (OpenError::UserQuota, 486), (OpenError::TotalQuota, 508)] {
        world.with_relays(|relays| relays.refusal = Some(refusal));
        alice.says(both()).hears(error(code));
    }
    assert_eq!(world.events(), []);
}

#[test]
fn only_ipv6_is_additional_and_stands_alone() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let additional = |value: &[u8]| allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, value);
    for value in [&[1, 0, 0, 0][..], &[3, 0, 0, 0], &[2], &[]] {
        alice.says(additional(value)).hears(error(400));
    }
    alice.says(both().with(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])).hears(error(400));
    let relays = alice.says(both().with(attribute::EVEN_PORT, &[0])).hears(success()).relays();
    assert!(relays.iter().all(|relay| relay.port % 2 == 0));
}

#[test]
fn the_attribute_is_known_by_the_number_that_it_had_in_drafts() {
    let world = World::new();
    let drafted = |value: &[u8]| allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY_DRAFT, value);
    let alice = world.client("84.1.1.1:4000");
    alice.says(drafted(&[1, 0, 0, 0])).hears(error(400));
    let relays = alice.says(drafted(&[2, 0, 0, 0])).hears(success()).relays();
    assert_eq!([relays[0].family, relays[1].family], [Family::V4, Family::V6]);
}
