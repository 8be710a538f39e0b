//! Allocate, Refresh and the life of an allocation (RFC 8656 §7, §8).

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{CloseReason, Event, Family, OpenError};

use crate::dsl::*;

#[test]
fn rfc8656_7_a_client_gets_a_relay_of_its_own_family() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let answer = alice.says(allocate()).hears(success());
    assert_eq!(answer.relay().family, Family::V4);
    assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), addr("84.1.1.1:4000"));
    assert_eq!(answer.lifetime(), 600);
    assert!(answer.is_signed_by(&alice));
    let relay = answer.relay();
    assert_eq!(world.events(), [Event::Opened { client: alice.client, relay, username: alice.username.clone() }]);

    let bob = world.client("[2a02::1]:4000");
    assert_eq!(bob.says(allocate()).hears(success()).relay().family, Family::V6);
}

#[test]
fn rfc8656_7_2_a_requested_family_is_honoured_or_refused_with_440() {
    let world = World::new();
    let family = |byte: u8| allocate().with(attribute::REQUESTED_ADDRESS_FAMILY, &[byte, 0, 0, 0]);
    let alice = world.client("84.1.1.1:4000");
    assert_eq!(alice.says(family(2)).hears(success()).relay().family, Family::V6);
    world.client("84.1.1.1:4001").says(family(3)).hears(error(440));
    world.client("84.1.1.1:4001").says(allocate().with(attribute::REQUESTED_ADDRESS_FAMILY, &[1])).hears(error(400));

    let world = World::with(roundturn_turn::Config { external_v6: None, ..config() });
    let bob = world.client("[2a02::1]:4000");
    bob.says(family(2)).hears(error(440));
    assert_eq!(bob.says(allocate()).hears(success()).relay().family, Family::V4, "the family that there is");
    assert_eq!(world.with_server(|server, _| server.stats().failed.total()), 1);
}

#[test]
fn rfc8656_7_2_a_retransmitted_allocate_gets_the_same_answer() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says_bare(binding()).hears(success());
    let first = alice.says(allocate().in_transaction(9)).hears(success());
    world.later(secs(2));
    let second = alice.says(allocate().in_transaction(9)).hears(success());
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(world.events().len(), 1, "one relay was opened");
    alice.says(allocate().in_transaction(10)).hears(error(437));
}

#[test]
fn rfc8656_7_2_the_transport_must_be_udp() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(bare_allocate()).hears(error(400));
    alice.says(bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])).hears(error(442));
    alice.says(bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[17])).hears(error(400));
}

#[test]
fn rfc8656_7_2_lifetimes_lie_between_the_default_and_the_maximum() {
    let world = World::new();
    for (port, asked, granted) in [(1, 0, 600), (2, 1, 600), (3, 700, 700), (4, 3600, 3600), (5, u32::MAX, 3600)] {
        let client = world.client(&format!("84.1.1.1:{port}"));
        let answer = client.says(allocate().with(attribute::LIFETIME, &u32::to_be_bytes(asked))).hears(success());
        assert_eq!(answer.lifetime(), granted);
    }
}

#[test]
fn rfc8656_18_2_a_lifetime_that_is_no_number_gets_400() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    for value in [&[][..], &[0, 0, 2], &[0, 0, 0, 0, 0, 0, 2, 88]] {
        alice.says(allocate().with(attribute::LIFETIME, value)).hears(error(400));
    }
    assert_eq!(world.events(), [], "nothing was opened");
    alice.allocates();
    alice.says(ask(Class::Request, Method::REFRESH).with(attribute::LIFETIME, &[0])).hears(error(400));
    alice.says(refresh(600)).hears(success());
}

#[test]
fn unknown_attributes_get_420() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let ask = allocate().with(0x7002, &[]).with(0x7001, b"x").with(0x8001, b"optional");
    let answer = alice.says(ask).hears(error(420));
    assert_eq!(answer.attribute(attribute::UNKNOWN_ATTRIBUTES), Some(vec![0x70, 0x02, 0x70, 0x01]));
    assert!(answer.is_signed_by(&alice));
}

#[test]
fn quotas_and_full_ranges_get_486_and_508() {
    let world = World::new();
    let cases = [
        (OpenError::UserQuota, 486, "quota_user"),
        (OpenError::PrefixQuota, 486, "quota_prefix"),
        (OpenError::TotalQuota, 508, "quota_total"),
        (OpenError::NoPort, 508, "ports_exhausted"),
        (OpenError::Family, 440, "family"),
    ];
    let alice = world.client("84.1.1.1:4000");
    for (refusal, code, label) in cases {
        world.with_relays(|relays| relays.refusal = Some(refusal));
        alice.says(allocate()).hears(error(code));
        world.with_server(|server, _| assert!(server.stats().failed.iter().any(|count| count == (label, 1))));
    }
    assert_eq!(world.events(), []);
    world.with_relays(|relays| relays.refusal = None);
    alice.says(allocate()).hears(success());
}

#[test]
fn rfc8656_8_a_refresh_gives_time_and_none_ends_the_allocation() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(refresh(600)).hears(error(437));
    let relay = alice.allocates();
    world.later(secs(599));
    assert_eq!(alice.says(refresh(1200)).hears(success()).lifetime(), 1200);
    world.later(secs(1199));
    assert_eq!(alice.says(refresh(600)).hears(success()).lifetime(), 600);
    world.later(secs(600));
    alice.says(refresh(600)).hears(error(437));
    let events = world.events();
    assert!(matches!(events[1], Event::Closed { relay: closed, reason: CloseReason::Expired, lived, .. }
            if closed == relay && lived == secs(599 + 1199 + 600)));
}

#[test]
fn rfc8656_8_a_lifetime_of_0_closes_at_once() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    let answer = alice.says(refresh(0)).hears(success());
    assert_eq!(answer.lifetime(), 0);
    assert!(answer.is_signed_by(&alice));
    assert!(matches!(world.events()[1], Event::Closed { relay: closed, reason: CloseReason::RefreshZero, .. }
        if closed == relay));
    alice.says(refresh(0)).hears(error(437));
    assert_ne!(alice.allocates(), relay);
}

#[test]
fn rfc8656_8_2_a_refresh_of_another_family_gets_443() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    alice.says(refresh(600).with(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])).hears(error(443));
    alice.says(refresh(600).with(attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0])).hears(success());
}

#[test]
fn an_allocation_whose_time_has_come_is_gone_before_the_timer_says_so() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    world.later_unnoticed(secs(600));
    alice.sends_on(0x4000, b"x").nobody_hears(roundturn_turn::Why::NoAllocation);
    world.peer("9.9.9.9:9").sends(relay, b"x").nobody_hears(roundturn_turn::Why::NoAllocation);
    alice.says(allocate()).hears(success());
}

#[test]
fn an_allocation_belongs_to_the_whole_5_tuple() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let mut other = alice.clone();
    other.nonce = Default::default();
    other.client.local = addr("5.9.0.2:3478");
    other.says(refresh(600)).hears(error(437));
    other.allocates();
    assert_eq!(world.with_server(|server, _| server.stats().allocations), 2);
}

#[test]
fn a_shutdown_closes_every_allocation() {
    let world = World::new();
    for port in 0..3 {
        world.client(&format!("84.1.1.1:{}", 4000 + port)).allocates();
    }
    world.events();
    world.with_server(|server, now| server.shutdown(now));
    assert_eq!(world.events().len(), 3);
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}
