//! RFC 8489 §5: what a message looks like.

use roundturn_turn::Why;
use roundturn_turn::message::attribute;

use crate::dsl::*;

/// "The most significant 2 bits of every STUN message MUST be zeroes."
#[test]
fn the_first_two_bits_are_zero() {
    let alice = World::new().client("84.1.1.1:4000");
    assert_eq!(alice.says_bare(binding()).hears(success()).bytes[0] >> 6, 0);
    for first in [0x80, 0xC0] {
        let mut bytes = alice.signed(&binding());
        bytes[0] |= first;
        alice.says_raw(&bytes).nobody_hears(Why::Malformed);
    }
}

/// "The Magic Cookie field MUST contain the fixed value 0x2112A442 in network byte order."
#[test]
fn the_cookie_is_there() {
    let alice = World::new().client("84.1.1.1:4000");
    assert_eq!(alice.says_bare(binding()).hears(success()).bytes[4..8], [0x21, 0x12, 0xa4, 0x42]);
    let mut bytes = alice.signed(&binding());
    bytes[7] ^= 1;
    alice.says_raw(&bytes).nobody_hears(Why::Malformed);
}

/// "The message length MUST contain the size of the message in bytes, not including the 20-byte STUN header." Since all
/// attributes are padded, "the last 2 bits of this field are always zero".
#[test]
fn the_length_is_right_and_a_multiple_of_four() {
    let alice = World::new().client("84.1.1.1:4000");
    for answer in [alice.says(allocate()).hears(success()), alice.says_bare(allocate()).hears(error(401))] {
        let length = usize::from(u16::from_be_bytes([answer.bytes[2], answer.bytes[3]]));
        assert_eq!((length + 20, length % 4), (answer.bytes.len(), 0));
    }
    let whole = alice.signed(&refresh(600));
    for bytes in [&whole[..whole.len() - 4], &[&whole[..], &[0; 4]].concat(), &whole[..19]] {
        alice.says_raw(bytes).nobody_hears(Why::Malformed);
    }
}

/// "The transaction ID MUST be uniformly and randomly chosen"; "its primary function is to correlate requests with
/// responses".
#[test]
fn answers_have_the_transaction_id_of_their_request_and_indications_one_of_their_own() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let answer = alice.says_bare(binding().in_transaction(77)).hears(success());
    assert_eq!(answer.message().transaction().0, [77; 12]);
    let relay = alice.allocates();
    alice.says(create_permission(&["9.9.9.9:9"])).hears(success());
    let indications = (0..100).map(|_| world.peer("9.9.9.9:9").sends(relay, b"x").reaches(&alice)[8..20].to_vec());
    assert_eq!(indications.collect::<std::collections::HashSet<_>>().len(), 100);
}

/// "All STUN messages ... MUST start with a fixed header followed by ... attributes"; "each attribute MUST be TLV
/// encoded" (§14).
#[test]
fn an_attribute_beyond_the_end_breaks_the_message() {
    let alice = World::new().client("84.1.1.1:4000");
    let mut bytes = vec![0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
    bytes.extend_from_slice(&[7; 12]);
    bytes.extend_from_slice(&attribute::SOFTWARE.to_be_bytes());
    bytes.extend_from_slice(&[0, 5, b'x', b'x', b'x', b'x']);
    alice.says_raw(&bytes).nobody_hears(Why::Malformed);
}
