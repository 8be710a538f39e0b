//! RFC 8656 §8.2: receiving a Refresh request.

use roundturn_turn::message::{Class, Method, attribute};

use crate::dsl::*;

fn of(ask: Ask, family: u8) -> Ask {
    ask.with(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0])
}

/// "If the server receives a Refresh Request with a REQUESTED-ADDRESS-FAMILY attribute and the attribute value does not
/// match the address family of the allocation, the server MUST reply with a 443 (Peer Address Family Mismatch)".
#[test]
fn another_family_gets_443() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    alice.says(of(refresh(600), 2)).hears(error(443));
    alice.says(of(refresh(0), 2)).hears(error(443));
    alice.says(of(refresh(600), 1)).hears(success());
}

/// §8.1: of a dual allocation, the attribute names the one that is to be refreshed; without it, the request applies to
/// both.
#[test]
fn of_a_dual_allocation_the_named_relay_or_both() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])).hears(success());
    world.later(secs(300));
    alice.says(of(refresh(600), 1)).hears(success());
    world.later(secs(300));
    alice.says(of(refresh(600), 2)).hears(error(443));
    alice.says(refresh(600)).hears(success());
    world.later(secs(599));
    alice.says(of(refresh(0), 1)).hears(success());
    alice.says(refresh(600)).hears(error(437));
}

/// "If the request contains a LIFETIME attribute and the attribute value is zero, then the "desired lifetime" is zero.
/// Otherwise ... the minimum of the client's requested lifetime and the server's maximum allowed lifetime. If this
/// computed value is greater than the default lifetime ... Otherwise, the "desired lifetime" is the default lifetime."
/// The answer has "A LIFETIME attribute containing the current value of the time-to-expiry timer."
#[test]
fn the_desired_lifetime() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    for (asked, granted) in [(1, 600), (600, 600), (1234, 1234), (u32::MAX, 3600)] {
        let answer = alice.says(refresh(asked)).hears(success());
        assert_eq!((answer.lifetime(), answer.kinds()), (granted, vec![attribute::LIFETIME]));
    }
    let bare = ask(Class::Request, Method::REFRESH);
    assert_eq!(alice.says(bare).hears(success()).lifetime(), 600);
    world.later(secs(600));
    alice.says(refresh(600)).hears(error(437));
}

/// "If the "desired lifetime" is zero, then the request succeeds and the allocation is deleted."
#[test]
fn zero_deletes() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(create_permission(&["9.9.9.9:9"])).hears(success());
    assert_eq!(alice.says(refresh(0)).hears(success()).lifetime(), 0);
    world.peer("9.9.9.9:9").sends(relay, b"x").nobody_hears(roundturn_turn::Why::NoAllocation);
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}

/// §8.3: a client that hears 437 to a deletion "should consider its request as having effectively succeeded": so may be
/// answered whose deletion is repeated.
#[test]
fn a_repeated_deletion_gets_437() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let bytes = alice.signed(&refresh(0));
    alice.says_raw(&bytes).hears(success());
    alice.says_raw(&bytes).hears(error(437));
}
