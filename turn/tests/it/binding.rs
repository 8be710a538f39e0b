//! Binding (RFC 8489 §3), and what is no request at all.

use roundturn_turn::Why;
use roundturn_turn::message::attribute;

use crate::dsl::*;

#[test]
fn rfc8489_3_binding_is_answered_with_the_address_and_nothing_else() {
    let world = World::new();
    for remote in ["84.1.1.1:4000", "[2a02::1]:4000"] {
        let answer = world.client(remote).says_bare(binding()).hears(success());
        assert_eq!(answer.kinds(), [attribute::XOR_MAPPED_ADDRESS]);
        assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), addr(remote));
        world.client(remote).says_bare(binding().fingerprinted()).hears(success());
    }
    assert_eq!(world.with_server(|server, _| server.stats().allocations), 0);
}

#[test]
fn rfc8489_6_3_1_unknown_required_attributes_get_420_and_optional_ones_are_ignored() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let answer = alice.says_bare(binding().with(0x0003, &[0, 0, 0, 6])).hears(error(420));
    assert_eq!(answer.attribute(attribute::UNKNOWN_ATTRIBUTES), Some(vec![0, 3]));
    alice.says_bare(binding().with(0x8023, &[0; 8])).hears(success());
    let many = (0..100).fold(binding(), |ask, kind| ask.with(0x4000 + kind, &[]));
    let answer = alice.says_bare(many).hears(error(420));
    assert_eq!(answer.attribute(attribute::UNKNOWN_ATTRIBUTES).map(|kinds| kinds.len()), Some(16));
}

#[test]
fn rfc3489_requests_without_a_cookie_get_no_answer() {
    let world = World::new();
    let mut request = vec![0, 1, 0, 0];
    request.extend_from_slice(&[9; 16]);
    world.client("84.1.1.1:4000").says_raw(&request).nobody_hears(Why::Malformed);
}

#[test]
fn rfc8489_6_3_a_wrong_fingerprint_gets_no_answer() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let mut bytes = alice.signed(&allocate().fingerprinted());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    alice.says_raw(&bytes).nobody_hears(Why::Unauthenticated);
}

#[test]
fn what_is_no_request_gets_no_answer() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says_raw(&[]).nobody_hears(Why::Malformed);
    alice.says_raw(&[0x80; 40]).nobody_hears(Why::Malformed);
    alice.says_raw(&[0; 19]).nobody_hears(Why::Malformed);
    let answer = alice.says_bare(binding()).hears(success());
    alice.says_raw(&answer.bytes).nobody_hears(Why::Unexpected);
    use roundturn_turn::message::{Class, Method};
    alice.says_bare(ask(Class::Indication, Method::BINDING)).nobody_hears(Why::Unexpected);
    alice.says_bare(ask(Class::Indication, Method::DATA)).nobody_hears(Why::Unexpected);
    alice.says_bare(ask(Class::Request, Method::SEND)).nobody_hears(Why::Unexpected);
    alice.says_bare(ask(Class::Request, Method(0x00A))).nobody_hears(Why::Unexpected);
}
