//! ALTERNATE-SERVER (RFC 8489 §10, §14.15): a server that is drained.

use roundturn_turn::Config;
use roundturn_turn::message::attribute;

use crate::dsl::*;

fn drained(alternates: &[&str]) -> Config {
    Config { alternate_servers: alternates.iter().map(|address| addr(address)).collect(), ..config() }
}

const V4: [u8; 8] = [0, 1, 0x0d, 0x96, 5, 9, 0, 7];
const V6: [u8; 20] = [0, 2, 0x0d, 0x96, 0x2a, 1, 4, 0xf8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

fn alternates(answer: &Answer) -> Vec<Vec<u8>> {
    let message = answer.message();
    let attributes = message.attributes().filter(|attribute| attribute.kind == attribute::ALTERNATE_SERVER);
    attributes.map(|attribute| attribute.value.to_vec()).collect()
}

#[test]
fn a_new_client_is_sent_elsewhere_in_its_own_family_first() {
    let world = World::with(drained(&["[2a01:4f8::7]:3478", "5.9.0.7:3478", "5.9.0.8:3478"]));
    let alice = world.client("84.1.1.1:4000");
    let answer = alice.says(allocate()).hears(error(300));
    assert_eq!(alternates(&answer), [&V4[..], &V6[..]]);
    assert!(answer.is_signed_by(&alice));
    let bob = world.client("[2a02::1]:4000");
    assert_eq!(alternates(&bob.says(allocate()).hears(error(300))), [&V6[..], &V4[..]]);
    assert_eq!(world.events(), []);
}

#[test]
fn who_could_not_get_there_is_served_here() {
    let world = World::with(drained(&["5.9.0.7:3478"]));
    world.client("[2a02::1]:4000").allocates();
    world.client("84.1.1.1:4000").says(allocate()).hears(error(300));
}

#[test]
fn strangers_are_challenged_and_bindings_answered() {
    let world = World::with(drained(&["5.9.0.7:3478"]));
    let alice = world.client("84.1.1.1:4000");
    alice.says_bare(allocate()).hears(error(401));
    alice.says_bare(binding()).hears(success());
}

#[test]
fn who_has_an_allocation_keeps_it() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says(refresh(600)).hears(error(437));
    let first = alice.says(allocate().in_transaction(9)).hears(success());
    world.with_server(|server, now| server.reconfigure(now, drained(&["5.9.0.7:3478"])));
    assert_eq!(alice.says(allocate().in_transaction(9)).hears(success()).bytes, first.bytes);
    alice.says(refresh(600)).hears(success());
    alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
    alice.says(refresh(0)).hears(success());
    alice.says(allocate()).hears(error(300));
}

#[test]
fn the_second_of_a_pair_of_ports_is_had_where_it_is_kept() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let token = alice.says(allocate().with(attribute::EVEN_PORT, &[0x80])).hears(success());
    let token = token.attribute(attribute::RESERVATION_TOKEN).unwrap();
    world.with_server(|server, now| server.reconfigure(now, drained(&["5.9.0.7:3478"])));
    let second = world.client_as("84.1.1.1:4001", &alice.username, &alice.password);
    second.says(allocate().with(attribute::RESERVATION_TOKEN, &token)).hears(success());
}
