//! STUN messages: what is well-formed survives being written again, and a seal holds for its key alone.

use roundturn_turn::message::{Encoder, Key, Message, attribute, decode_xor_address};

/// Every accessor of a message is asked; what they tell is written anew and must say the same.
pub fn check(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    read_all(&message);
    let again = encode(&message, |encoder| encoder);
    assert_same(&message, &again);
    if !message.has_integrity() && !message.has_fingerprint() && is_padded_with_zeros(&message, bytes) {
        assert_eq!(again, bytes);
    }

    let (key, other) = (Key::long_term("alice", "example.org", "wonder"), Key::long_term("alice", "", ""));
    for sealed in [
        encode(&message, |encoder| encoder.integrity(&key).fingerprint()),
        encode(&message, |encoder| encoder.integrity_sha256(&key).fingerprint()),
    ] {
        // The longest messages have no room for a seal, and an encoder leaves out what does not fit.
        let sealed = Message::decode(&sealed).expect("what is written is well-formed");
        if sealed.has_integrity() {
            assert!(sealed.verify(&key) && !sealed.verify(&other));
            assert!(sealed.attributes().eq(message.attributes()));
        }
    }
}

fn read_all(message: &Message<'_>) {
    for found in message.attributes() {
        assert!(!matches!(found.kind, attribute::MESSAGE_INTEGRITY | attribute::FINGERPRINT));
        let first = message.attribute(found.kind).expect("an attribute that is there");
        let range = message.range(found.kind).expect("an attribute that is there");
        assert_eq!(range.len(), first.len());
        assert_eq!(message.number(found.kind).is_some(), first.len() == 4);
        assert_eq!(message.xor_address(found.kind), decode_xor_address(first, message.transaction()));
    }
    assert_eq!(message.has_integrity(), message.integrity().is_some());
    assert!(!message.verify(&Key::long_term("nobody", "nowhere", "nothing")));
}

fn encode(message: &Message<'_>, seal: impl FnOnce(Encoder<'_>) -> Encoder<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = Encoder::new(&mut bytes, message.class(), message.method(), message.transaction());
    let encoder =
        message.attributes().fold(encoder, |encoder, attribute| encoder.attribute(attribute.kind, attribute.value));
    seal(encoder);
    bytes
}

fn assert_same(message: &Message<'_>, again: &[u8]) {
    let again = Message::decode(again).expect("what is written is well-formed");
    assert_eq!(
        (again.class(), again.method(), again.transaction()),
        (message.class(), message.method(), message.transaction())
    );
    assert!(again.attributes().eq(message.attributes()));
}

/// Padding may be anything (RFC 8489 §14), and is zero where we write it.
fn is_padded_with_zeros(message: &Message<'_>, bytes: &[u8]) -> bool {
    message.attributes().all(|attribute| {
        let end = attribute.value.as_ptr() as usize - bytes.as_ptr() as usize + attribute.value.len();
        bytes[end..end.next_multiple_of(4)].iter().all(|byte| *byte == 0)
    })
}
