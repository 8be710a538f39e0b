//! Where we differ from a SHOULD or a MUST, on purpose: each with its reason, and pinned by a conversation.

use roundturn_turn::message::{Class, Encoder, Method, TransactionId, attribute};
use roundturn_turn::{Config, Family, Why};

use crate::dsl::*;

/// RFC 8489 §6.3.1.1 and RFC 8656 §5: "the server SHOULD include the SOFTWARE attribute". It tells an attacker what to
/// look up and makes every answer to a stranger larger; RFC 8489 §16.1.2 asks for a way to leave it out, and that is
/// what we do.
#[test]
fn no_answer_names_the_software() {
    let alice = World::new().client("84.1.1.1:4000");
    let answers = [
        alice.says_bare(binding()).hears(success()),
        alice.says_bare(allocate()).hears(error(401)),
        alice.says(allocate()).hears(success()),
        alice.says(refresh(600)).hears(success()),
    ];
    assert!(answers.iter().all(|answer| answer.attribute(attribute::SOFTWARE).is_none()));
}

/// RFC 8489 §6.3.1.1: "The reason phrase is not fixed but SHOULD be something suitable". Strangers get the number
/// alone: a challenge can be sent to anybody in anybody's name.
#[test]
fn strangers_get_no_reason_phrase() {
    let alice = World::new().client("84.1.1.1:4000");
    let challenge = alice.says_bare(allocate()).hears(error(401));
    assert_eq!(challenge.attribute(attribute::ERROR_CODE).map(|value| value.len()), Some(4));
    let refusal = alice.says(refresh(600)).hears(error(437));
    assert!(refusal.attribute(attribute::ERROR_CODE).is_some_and(|value| value.ends_with(b"Allocation Mismatch")));
}

/// RFC 8489 §6.3.1: 420 lists the unknown attributes. No more than eight of them: an answer does not grow with what is
/// made up.
#[test]
fn at_most_eight_unknown_attributes_are_listed() {
    let alice = World::new().client("84.1.1.1:4000");
    let ask = (0..100).fold(binding(), |ask, kind| ask.with(0x7000 + kind, &[]));
    let answer = alice.says_bare(ask).hears(error(420));
    assert_eq!(answer.attribute(attribute::UNKNOWN_ATTRIBUTES).map(|kinds| kinds.len()), Some(16));
}

/// RFC 8489 §9.2: "To indicate that it supports this specification, a server MUST prepend the NONCE". Unless the
/// operator wants password algorithms offered, we do not indicate it: the cookie and the offer cost 28 bytes of every
/// challenge, and of the clients of today none looks for them. Such a server is one of RFC 5389 to them, and to the
/// offer's rules: 401 and 438 carry no PASSWORD-ALGORITHMS.
#[test]
fn nothing_is_offered_by_default() {
    let alice = World::new().client("84.1.1.1:4000");
    let challenge = alice.says_bare(allocate()).hears(error(401));
    assert!(!challenge.attribute(attribute::NONCE).unwrap().starts_with(b"obMatJos2"));
    assert_eq!(challenge.attribute(attribute::PASSWORD_ALGORITHMS), None);
}

/// RFC 8489 §9.2.4 asks for the nonce after name and integrity. As RFC 5389 §10.2.2 has it, we ask first: whoever has
/// not been here before costs no key.
#[test]
fn the_nonce_is_asked_for_before_the_proof() {
    let mallory = World::new().client_as("84.1.1.1:4000", "nobody", "guess");
    *mallory.nonce.borrow_mut() = Some(b"made up".to_vec());
    mallory.says_raw(&mallory.signed(&allocate())).hears(error(438));
}

/// RFC 8489 §14.4: USERHASH stands for static users only. A time-limited name is unknown until it is presented, so that
/// its hash says nothing; the "Username anonymity" bit is therefore not set where there are secrets.
#[test]
fn time_limited_names_cannot_be_hidden() {
    let world = World::with(Config { password_algorithms: true, ..config() });
    let mut alice = world.client("84.1.1.1:4000");
    let challenge = alice.says_bare(allocate()).hears(error(401));
    assert!(challenge.attribute(attribute::NONCE).unwrap().starts_with(b"obMatJos2AAAB"));
    alice.style.hashed = true;
    alice.says(allocate()).hears(error(401));
}

/// RFC 8489 §12: "Stand-alone STUN servers SHOULD support backwards compatibility with clients using RFC 3489". Those
/// are gone, and their answers amplify; RFC 8656 §5: "TURN does not use the backwards-compatibility mechanism".
#[test]
fn classic_stun_is_not_answered() {
    let mut request = vec![0, 1, 0, 0];
    request.extend_from_slice(&[9; 16]);
    World::new().client("84.1.1.1:4000").says_raw(&request).nobody_hears(Why::Malformed);
}

/// RFC 8656 §7.2, check 7: "If the REQUESTED-ADDRESS-FAMILY attribute is absent and the server supports the IPv4
/// address family, the server MUST allocate an IPv4 relayed transport address". A client that came over IPv6 gets IPv6:
/// browsers name no family, and one behind NAT64 could not use the other.
#[test]
fn the_family_follows_the_client() {
    assert_eq!(World::new().client("[2a02::1]:4000").allocates().family, Family::V6);
}

/// RFC 8656 §12.2: "The channel number is in the range 0x4000 through 0x4FFF". Clients of RFC 5766 use all up to
/// 0x7FFF, and over ports that speak nothing but TURN there is nothing to confuse them with.
#[test]
fn channel_numbers_of_rfc5766_are_served() {
    let alice = World::new().client("84.1.1.1:4000");
    let relay = alice.allocates();
    for number in [0x5000, 0x7FFE, 0x7FFF] {
        let peer = format!("9.9.9.9:{number}");
        alice.says(channel_bind(number, &peer)).hears(success());
        alice.sends_on(number, b"x").reaches(relay, &peer, b"x");
    }
}

/// RFC 8656 §7.2: a reservation "is a server-wide reservation", and anybody with the token may use it. We want the same
/// user, so that an overheard token is worth nothing and the port stays on the account of who reserved it.
#[test]
fn a_reservation_is_its_users() {
    let world = World::new();
    let answer = world.client("84.1.1.1:4000").says(allocate().with(attribute::EVEN_PORT, &[0x80])).hears(success());
    let token = answer.attribute(attribute::RESERVATION_TOKEN).unwrap();
    let bob = world.client("84.1.1.1:4001");
    bob.says(allocate().with(attribute::RESERVATION_TOKEN, &token)).hears(error(508));
}

/// RFC 8489 §6.3: beyond their rate, strangers get no answer at all rather than an error.
#[test]
fn a_flood_of_strangers_is_not_answered() {
    let limits =
        roundturn_turn::Limits { stranger_answers_per_second: 1, stranger_answers_burst: 1, ..config().limits };
    let world = World::with(Config { limits, ..config() });
    world.client("84.1.1.1:4000").says_bare(binding()).hears(success());
    world.client("84.1.1.2:4000").says_bare(binding()).nobody_hears(Why::RateLimited);
}

/// RFC 8489 §9.2.4 knows no 420 for methods that are not ours: 6062's Connect and the like are discarded as unsupported
/// (§6.3), not answered, unless they are switched on.
#[test]
fn tcp_allocations_are_not_known_by_default() {
    let mut connect = Vec::new();
    Encoder::new(&mut connect, Class::Request, Method(0x00A), TransactionId([1; 12]));
    World::new().client("84.1.1.1:4000").says_raw(&connect).nobody_hears(Why::Unexpected);
}
