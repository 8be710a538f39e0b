//! The test vectors of RFC 5769.

use roundturn_turn::message::{Class, DecodeError, Key, Message, Method, attribute};

use crate::dsl::addr;

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

/// §2.1
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
    802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36\
    000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

/// §2.2
const IPV4_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae\
    8022000b7465737420766563746f7220002000080001a147e112a643\
    000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

/// §2.3
const IPV6_RESPONSE: &str = "010100482112a442b7e7a701bc34d686fa87dfae\
    8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9\
    00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

/// §2.4
const LONG_TERM_REQUEST: &str = "000100602112a44278ad3433c6ad72c029da412e\
    00060012e3839ee38388e383aae38383e382afe382b90000\
    0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341\
    0014000b6578616d706c652e6f726700\
    00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().map(|digit| char::from(digit).to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn section_2_1_sample_request() {
    let bytes = bytes(REQUEST);
    let message = Message::decode(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.attribute(attribute::SOFTWARE), Some(&b"STUN test client"[..]));
    assert_eq!(message.number(0x0024), Some(0x6e00_01ff));
    assert_eq!(message.attribute(attribute::USERNAME), Some(&b"evtj:h6vY"[..]));
    assert!(message.has_fingerprint());
    assert!(message.verify(&Key::short_term(PASSWORD)));
    assert!(!message.verify(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBT")));
}

#[test]
fn section_2_2_sample_ipv4_response() {
    let bytes = bytes(IPV4_RESPONSE);
    let message = Message::decode(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Success, Method::BINDING));
    assert_eq!(message.attribute(attribute::SOFTWARE), Some(&b"test vector"[..]));
    assert_eq!(message.xor_address(attribute::XOR_MAPPED_ADDRESS), Some(addr("192.0.2.1:32853")));
    assert!(message.verify(&Key::short_term(PASSWORD)));
}

#[test]
fn section_2_3_sample_ipv6_response() {
    let bytes = bytes(IPV6_RESPONSE);
    let message = Message::decode(&bytes).unwrap();
    let expected = addr("[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    assert_eq!(message.xor_address(attribute::XOR_MAPPED_ADDRESS), Some(expected));
    assert!(message.verify(&Key::short_term(PASSWORD)));
}

#[test]
fn section_2_4_sample_request_with_long_term_authentication() {
    let bytes = bytes(LONG_TERM_REQUEST);
    let message = Message::decode(&bytes).unwrap();
    let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
    assert_eq!(message.attribute(attribute::USERNAME), Some(username.as_bytes()));
    assert_eq!(message.attribute(attribute::NONCE), Some(&b"f//499k954d6OL34oL9FSTvy64sA"[..]));
    assert!(!message.has_fingerprint());
    assert!(message.verify(&Key::long_term(username, "example.org", "TheMatrIX")));
    assert!(!message.verify(&Key::long_term(username, "example.com", "TheMatrIX")));
}

#[test]
fn every_flipped_bit_is_noticed() {
    for vector in [REQUEST, IPV4_RESPONSE, IPV6_RESPONSE] {
        let bytes = bytes(vector);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match Message::decode(&flipped) {
                // FINGERPRINT became another attribute, or part of one.
                Ok(message) => {
                    let is_behind_integrity = bit / 8 >= bytes.len() - 8;
                    assert!(!message.has_fingerprint(), "bit {bit}");
                    assert_eq!(message.verify(&Key::short_term(PASSWORD)), is_behind_integrity, "bit {bit}");
                }
                Err(error) => assert!(error != DecodeError::NotStun || bit == 6 || bit == 7, "bit {bit}"),
            }
        }
    }
}
