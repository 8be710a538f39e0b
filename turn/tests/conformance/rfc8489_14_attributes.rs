//! RFC 8489 §14: attributes.

use roundturn_turn::message::{Class, Encoder, Method, TransactionId, attribute};
use roundturn_turn::{Config, StaticUser, Why};

use crate::dsl::*;

/// §14: "The padding bits MUST be set to zero on sending and MUST be ignored by the receiver."
#[test]
fn s14_padding_is_zero_when_sent_and_anything_when_received() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let mut bytes = binding().with(attribute::SOFTWARE, b"x").encode(TransactionId([1; 12]), None);
    bytes[25..28].copy_from_slice(&[1, 2, 3]);
    alice.says_raw(&bytes).hears(success());
    let relay = alice.allocates();
    alice.says(create_permission(&["9.9.9.9:9"])).hears(success());
    let indication = world.peer("9.9.9.9:9").sends(relay, b"x").reaches(&alice);
    assert_eq!(indication[indication.len() - 4..], [b'x', 0, 0, 0]);
}

/// §14: "only the first occurrence needs to be processed by a receiver, and any duplicates MAY be ignored by a receiver."
#[test]
fn s14_the_first_of_two_counts() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let ask = refresh(700).with(attribute::LIFETIME, &[0; 4]);
    assert_eq!(alice.says(ask).hears(success()).lifetime(), 700);
}

/// §14.3: "A compliant implementation MUST be able to parse a UTF-8-encoded sequence of 763 or fewer octets".
#[test]
fn s14_3_long_names_are_read() {
    let name = "\u{30DE}".repeat(254);
    let users = [(name.clone(), StaticUser::Password("wonder".into()))].into();
    let world = World::with(Config { users, ..config() });
    assert_eq!(name.len(), 762);
    world.client_as("84.1.1.1:4000", &name, "wonder").allocates();
    world.client_as("84.1.1.1:4001", &"x".repeat(764), "wonder").says(allocate()).hears(error(401));
}

/// §14.5 and §14.6: attributes after the integrity "MUST" be ignored, with the exception of the stronger one and
/// FINGERPRINT.
#[test]
fn s14_5_nothing_after_the_integrity_counts() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let bare = ask(Class::Request, Method::REFRESH);
    let answer = alice.says(bare.trailed_by(attribute::LIFETIME, &[0; 4]).trailed_by(0x7FFF, &[])).hears(success());
    assert_eq!(answer.lifetime(), 600);
    let peer = [0, 1, 0, 9, 9, 9, 9, 9];
    alice.says(create_permission(&[]).trailed_by(attribute::XOR_PEER_ADDRESS, &peer)).hears(error(400));
}

/// §14.6: "The value must be the full 32 bytes unless the STUN Usage explicitly specifies that truncation is allowed."
#[test]
fn s14_6_a_truncated_proof_is_none() {
    let alice = World::new().client("84.1.1.1:4000");
    for len in [0, 16, 28, 36] {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, Class::Request, Method::ALLOCATE, TransactionId([1; 12]))
            .attribute(attribute::MESSAGE_INTEGRITY_SHA256, &vec![0; len]);
        alice.says_raw(&bytes).nobody_hears(Why::Malformed);
    }
}

/// §14.7: "When present, the FINGERPRINT attribute MUST be the last attribute in the message".
#[test]
fn s14_7_the_fingerprint_is_last() {
    let alice = World::new().client("84.1.1.1:4000");
    let answer = alice.says(allocate().fingerprinted()).hears(success());
    assert_eq!(answer.bytes[answer.bytes.len() - 8..answer.bytes.len() - 4], [0x80, 0x28, 0, 4]);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12])).fingerprint();
    bytes.extend_from_slice(&[0x80, 0x22, 0, 0]);
    bytes[3] += 4;
    alice.says_raw(&bytes).nobody_hears(Why::Unauthenticated);
}

/// §14.8: "The Class ... MUST be between 3 and 6. The Number ... MUST be between 0 and 99"; "the reason phrase MUST be a
/// UTF-8-encoded sequence of fewer than 128 characters".
#[test]
fn s14_8_error_codes_are_well_formed() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let refused = [
        (allocate(), 437),
        (refresh(600).with(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]), 443),
        (create_permission(&["127.0.0.1:9"]), 403),
        (channel_bind(0x3FFF, "9.9.9.9:9000"), 400),
    ];
    for (ask, code) in refused {
        let value = alice.says(ask).hears(error(code)).attribute(attribute::ERROR_CODE).unwrap();
        assert_eq!(value[..2], [0, 0]);
        assert!((3..=6).contains(&value[2]) && value[3] < 100);
        assert!(!value[4..].is_empty() && std::str::from_utf8(&value[4..]).is_ok_and(|text| text.len() < 128));
    }
}

/// §14.10: "The NONCE attribute MUST be fewer than 128 characters", of "qdtext or quoted-pair".
#[test]
fn s14_10_nonces_are_short_and_plain() {
    for password_algorithms in [false, true] {
        let world = World::with(Config { password_algorithms, ..config() });
        let challenge = world.client("84.1.1.1:4000").says_bare(allocate()).hears(error(401));
        let nonce = challenge.attribute(attribute::NONCE).unwrap();
        assert!(nonce.len() < 128 && nonce.iter().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(byte)));
    }
}
