//! RFC 8656 §18: what is reserved in an attribute is ignored.

use roundturn_turn::message::{Class, Method, attribute};

use crate::dsl::*;

/// §18.1: "a two-octet RFFU (Reserved For Future Use) field, which ... MUST be ignored on reception."
#[test]
fn s18_1_channel_number() {
    let alice = World::new().client("84.1.1.1:4000");
    let relay = alice.allocates();
    let ask = ask(Class::Request, Method::CHANNEL_BIND).with(attribute::CHANNEL_NUMBER, &[0x40, 0x01, 0xFF, 0xFF]);
    alice.says(ask.with_peer("9.9.9.9:9000")).hears(success());
    alice.sends_on(0x4001, b"x").reaches(relay, "9.9.9.9:9000", b"x");
}

/// §18.6 and §18.11: "the 24 bits in the Reserved field MUST be ... ignored by the server."
#[test]
fn s18_6_address_families() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.says(allocate().with(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0xFF, 0xFF, 0xFF])).hears(success());
    alice.says(refresh(0).with(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0xFF, 0xFF, 0xFF])).hears(success());
    let both = allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0xFF, 0xFF, 0xFF]);
    assert_eq!(alice.says(both).hears(success()).relays().len(), 2);
}

/// §18.7: the RFFU bits of EVEN-PORT are "ignored on reception".
#[test]
fn s18_7_even_port() {
    let alice = World::new().client("84.1.1.1:4000");
    let answer = alice.says(allocate().with(attribute::EVEN_PORT, &[0x7F])).hears(success());
    assert_eq!((answer.relay().port % 2, answer.attribute(attribute::RESERVATION_TOKEN)), (0, None));
}

/// §18.8: "The RFFU field ... MUST be ignored on reception."
#[test]
fn s18_8_requested_transport() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.says(bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[17, 0xFF, 0xFF, 0xFF])).hears(success());
}
