//! Permissions, channels and the data that passes (RFC 8656 §9 to §12).

use roundturn_turn::Why;

use crate::dsl::*;

#[test]
fn rfc8656_12_data_passes_both_ways_on_a_channel() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
    alice.sends_on(0x4000, b"hello").reaches(relay, "9.9.9.9:9000", b"hello");
    world.peer("9.9.9.9:9000").sends(relay, b"hello").reaches_on(&alice, 0x4000);
    world.peer("9.9.9.9:9001").sends(relay, b"hello").reaches_as_indication(&alice, "9.9.9.9:9001");
    world.peer("9.9.9.8:9000").sends(relay, b"hello").nobody_hears(Why::NoPermission);
}

#[test]
fn rfc8656_11_data_passes_both_ways_in_indications() {
    let world = World::new();
    let alice = world.client("[2a02::1]:4000");
    let relay = alice.allocates();
    alice.sends_to("[2a03::1]:9000", b"early").nobody_hears(Why::NoPermission);
    alice.says(create_permission(&["[2a03::1]:1"])).hears(success());
    for data in [&b""[..], b"1", b"12", b"123", b"1234"] {
        alice.sends_to("[2a03::1]:9000", data).reaches(relay, "[2a03::1]:9000", data);
        world.peer("[2a03::1]:9000").sends(relay, data).reaches_as_indication(&alice, "[2a03::1]:9000");
    }
}
