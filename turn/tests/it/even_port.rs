//! Even ports, and the port after (RFC 8656 §7.2).

use roundturn_turn::message::attribute;
use roundturn_turn::{Event, OpenError, Relay};

use crate::dsl::*;

fn even() -> Ask {
    allocate().with(attribute::EVEN_PORT, &[0])
}

fn even_and_next() -> Ask {
    allocate().with(attribute::EVEN_PORT, &[0x80])
}

fn reserved(token: &[u8]) -> Ask {
    allocate().with(attribute::RESERVATION_TOKEN, token)
}

/// An allocation with an even port, and the token of the next.
fn pair(client: &Speaker) -> (Relay, Vec<u8>) {
    let answer = client.says(even_and_next()).hears(success());
    (answer.relay(), answer.attribute(attribute::RESERVATION_TOKEN).unwrap())
}

#[test]
fn an_even_port_is_even_and_nothing_is_reserved_unasked() {
    let world = World::new();
    world.client("84.1.1.1:4000").allocates();
    let answer = world.client("84.1.1.1:4001").says(even()).hears(success());
    assert_eq!(answer.relay().port % 2, 0);
    assert_eq!(answer.attribute(attribute::RESERVATION_TOKEN), None);
    assert_eq!(world.with_relays(|relays| relays.open.len()), 2);
}

#[test]
fn the_next_port_is_kept_for_the_same_user_from_any_5_tuple() {
    let world = World::new();
    world.client("84.1.1.1:3999").allocates();
    let alice = world.client("84.1.1.1:4000");
    let (relay, token) = pair(&alice);
    assert_eq!((relay.port % 2, token.len()), (0, 8));
    world.later(secs(29));
    let second = world.client_as("84.9.9.9:4001", &alice.username, &alice.password);
    let thief = world.client("84.1.1.1:4002");
    thief.says(reserved(&token)).hears(error(508));
    let next = second.says(reserved(&token)).hears(success()).relay();
    assert_eq!(next, Relay { port: relay.port + 1, ..relay });
    world.client_as("84.9.9.9:4003", &alice.username, &alice.password).says(reserved(&token)).hears(error(508));
    world.later(secs(60));
    second.says(refresh(600)).hears(success());
    assert!(!world.events().iter().any(|event| matches!(event, Event::Released { .. })));
}

#[test]
fn a_port_that_nobody_comes_for_is_given_back_after_30_seconds() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let (relay, token) = pair(&alice);
    let next = Relay { port: relay.port + 1, ..relay };
    world.peer("9.9.9.9:9").sends(next, b"x").nobody_hears(roundturn_turn::Why::NoAllocation);
    world.later(secs(30));
    assert_eq!(world.events()[1..], [Event::Released { relay: next }]);
    assert_eq!(world.with_relays(|relays| relays.open.len()), 1);
    world.client_as("84.1.1.1:4001", &alice.username, &alice.password).says(reserved(&token)).hears(error(508));
}

#[test]
fn a_port_is_kept_when_its_even_neighbour_is_gone_and_not_beyond_its_user_or_the_server() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let (_, token) = pair(&alice);
    alice.says(refresh(0)).hears(success());
    alice.says(reserved(&token)).hears(success());
    alice.says(refresh(0)).hears(success());

    pair(&alice);
    world.with_server(|server, now| server.revoke(now, &alice.username));
    assert!(world.with_relays(|relays| relays.open.is_empty()));

    pair(&world.client("84.1.1.1:4001"));
    world.with_server(|server, now| server.shutdown(now));
    assert!(world.with_relays(|relays| relays.open.is_empty()));
    assert_eq!(world.with_server(|server, _| server.poll_timeout()), None);
}

#[test]
fn a_retransmission_gets_the_same_token() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(refresh(600)).hears(error(437));
    let first = alice.says(even_and_next().in_transaction(9)).hears(success());
    let second = alice.says(even_and_next().in_transaction(9)).hears(success());
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(world.with_relays(|relays| relays.open.len()), 2);
}

/// A reservation may be claimed at another server of the process, its port given back, and reserved here once more.
#[test]
fn a_port_that_is_reserved_again_is_kept_for_its_whole_time() {
    let world = World::new();
    let again = |port: u16, remote: &str| {
        world.with_relays(|relays| relays.next = port);
        let answer = world.client(remote).says(even_and_next()).hears(success());
        Relay { port: answer.relay().port + 1, ..answer.relay() }
    };
    let next = again(50_000, "84.1.1.1:4000");
    world.later(secs(20));
    world.client("84.1.1.1:4000").says(refresh(0)).hears(success());
    world.with_relays(|relays| {
        relays.reserved.remove(&next);
        relays.close(next);
    });
    assert_eq!(again(50_000, "84.1.1.1:4001"), next);
    world.events();
    world.later(secs(15));
    assert_eq!(world.events(), []);
    world.later(secs(15));
    assert_eq!(world.events(), [Event::Released { relay: next }]);
}

#[test]
fn a_pair_that_cannot_be_had_gets_508_and_leaves_nothing() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    world.with_relays(|relays| relays.most = 1);
    alice.says(even_and_next()).hears(error(508));
    assert!(world.with_relays(|relays| relays.open.is_empty()));
    alice.says(even()).hears(success());
    world.with_relays(|relays| relays.refusal = Some(OpenError::UserQuota));
    world.client("84.1.1.1:4001").says(even()).hears(error(486));
}

#[test]
fn what_contradicts_itself_gets_400() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let (v4, v6) = ([1, 0, 0, 0], [2, 0, 0, 0]);
    let token = || reserved(&[1; 8]);
    alice.says(token()).hears(error(508));
    alice.says(reserved(&[1; 7])).hears(error(508));
    alice.says(token().with(attribute::EVEN_PORT, &[0])).hears(error(400));
    alice.says(token().with(attribute::REQUESTED_ADDRESS_FAMILY, &v4)).hears(error(400));
    alice.says(token().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &v6)).hears(error(400));
    alice.says(even_and_next().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &v6)).hears(error(400));
    alice.says(allocate().with(attribute::EVEN_PORT, &[])).hears(error(400));
    alice.says(allocate().with(attribute::EVEN_PORT, &[0, 0])).hears(error(400));
    assert_eq!(world.events(), []);
}
