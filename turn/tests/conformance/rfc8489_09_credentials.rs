//! RFC 8489 §9.2: the long-term credential mechanism.

use std::collections::HashSet;

use roundturn_turn::Config;
use roundturn_turn::message::{Integrity, PasswordAlgorithm, TransactionId, attribute};

use crate::dsl::*;

const CHALLENGE: [u16; 3] = [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE];

fn offering() -> World {
    World::with(Config { password_algorithms: true, ..config() })
}

fn styled(mut speaker: Speaker, algorithm: Option<PasswordAlgorithm>, integrity: Integrity) -> Speaker {
    speaker.style = Style { hashed: false, algorithm, integrity };
    speaker
}

fn asks() -> [Ask; 4] {
    [allocate(), refresh(600), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9000")]
}

/// §9.2: "To indicate that it supports this specification, a server MUST prepend the NONCE attribute value with the
/// character string composed of "obMatJos2" concatenated with the (4-character) base64 encoding of the 24-bit STUN
/// Security Features".
#[test]
fn s9_2_the_nonce_of_a_server_that_offers_more_begins_with_the_cookie() {
    let nonce = |world: World| {
        let challenge = world.client("84.1.1.1:4000").says_bare(allocate()).hears(error(401));
        challenge.attribute(attribute::NONCE).unwrap()
    };
    assert!(nonce(offering()).starts_with(b"obMatJos2AAAB"));
    let known = Config { password_algorithms: true, secrets: Vec::new(), ..config() };
    assert!(nonce(World::with(known)).starts_with(b"obMatJos2AAAD"));
}

/// §9.2.4: "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute, the server MUST
/// generate an error response with an error code of 401 (Unauthenticated). This response MUST include a REALM value. The
/// response MUST include a NONCE ... The response SHOULD NOT contain a USERNAME, USERHASH, MESSAGE-INTEGRITY, or
/// MESSAGE-INTEGRITY-SHA256 attribute."
#[test]
fn s9_2_4_without_a_proof_401_with_realm_and_nonce_and_nothing_else() {
    let alice = World::new().client("84.1.1.1:4000");
    for ask in asks() {
        let challenge = alice.says_bare(ask).hears(error(401));
        assert_eq!(challenge.kinds(), CHALLENGE);
        assert!(!challenge.message().has_integrity());
    }
}

/// §9.2.4: "The server MUST NOT choose the same NONCE for two requests unless they have the same source IP address and
/// port."
#[test]
fn s9_2_4_every_source_has_a_nonce_of_its_own() {
    let world = World::new();
    let remotes = (0..100).flat_map(|n| [format!("84.1.1.{n}:4000"), format!("84.1.2.1:{}", 4000 + n)]);
    let nonce =
        |remote: String| world.client(&remote).says_bare(allocate()).hears(error(401)).attribute(attribute::NONCE);
    assert_eq!(remotes.map(nonce).collect::<HashSet<_>>().len(), 200);
}

/// §9.2.4: "If the server adds a PASSWORD-ALGORITHMS attribute, it MUST set the STUN Security Feature "Password
/// algorithms" bit to 1." And for an invalid name or a stale nonce: "The response MUST include a PASSWORD-ALGORITHMS
/// attribute."
#[test]
fn s9_2_4_every_challenge_makes_the_same_offer() {
    let world = offering();
    let alice = world.client("84.1.1.1:4000");
    let nobody = world.client_as("84.1.1.1:4001", "nobody", "guess");
    let stale = world.client("84.1.1.1:4002");
    *stale.nonce.borrow_mut() = Some(b"made up".to_vec());
    let challenges = [
        alice.says_bare(allocate()).hears(error(401)),
        nobody.says(allocate()).hears(error(401)),
        stale.says_raw(&stale.signed(&allocate())).hears(error(438)),
    ];
    for challenge in challenges {
        assert_eq!(challenge.kinds(), [&CHALLENGE[..], &[attribute::PASSWORD_ALGORITHMS]].concat());
        assert!(challenge.attribute(attribute::NONCE).unwrap().starts_with(b"obMatJos2AAAB"));
    }
}

/// §9.2.4: "If the message contains a MESSAGE-INTEGRITY or a MESSAGE-INTEGRITY-SHA256 attribute, but is missing either
/// the USERNAME or USERHASH, REALM, or NONCE attribute, the server MUST generate an error response with an error code
/// of 400 (Bad Request). This response SHOULD NOT include a USERNAME, USERHASH, NONCE, or REALM attribute."
#[test]
fn s9_2_4_a_proof_without_its_company_gets_400() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let nonce = alice.nonce.borrow().clone().unwrap();
    let names = [(attribute::USERNAME, alice.username.clone().into_bytes()), (attribute::USERHASH, vec![7; 32])];
    for (name, integrity) in names.into_iter().zip([Integrity::Sha1, Integrity::Sha256]) {
        for missing in 0..3 {
            let mut attributes =
                vec![name.clone(), (attribute::REALM, REALM.into()), (attribute::NONCE, nonce.clone())];
            attributes.remove(missing);
            let proof = Proof { attributes, key: alice.key(), integrity };
            let bytes = refresh(600).encode(TransactionId([3; 12]), Some(&proof));
            assert_eq!(alice.says_raw(&bytes).hears(error(400)).kinds(), [attribute::ERROR_CODE]);
        }
    }
}

/// §9.2.4: "If the request contains neither the PASSWORD-ALGORITHMS nor the PASSWORD-ALGORITHM algorithm, then the
/// request is processed as though PASSWORD-ALGORITHM were MD5." And then "the MESSAGE-INTEGRITY attribute MUST be used
/// instead of the MESSAGE-INTEGRITY-SHA256 attribute" in the answer.
#[test]
fn s9_2_4_who_chooses_nothing_is_served_with_md5() {
    for integrity in [Integrity::Sha1, Integrity::Sha256] {
        let alice = styled(offering().client("84.1.1.1:4000"), None, integrity);
        let answer = alice.says(allocate()).hears(success());
        assert_eq!(answer.message().integrity(), Some(Integrity::Sha1));
        assert!(answer.is_signed_by(&alice));
    }
}

/// §9.2.4: "Otherwise, unless (1) PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS are both present, (2) PASSWORD-ALGORITHMS
/// matches the value sent in the response that sent this NONCE, and (3) PASSWORD-ALGORITHM matches one of the entries
/// in PASSWORD-ALGORITHMS, the server MUST generate an error response with an error code of 400 (Bad Request)."
#[test]
fn s9_2_4_an_agreement_that_does_not_match_the_offer_gets_400() {
    let alice = styled(offering().client("84.1.1.1:4000"), None, Integrity::Sha256);
    let offer = (attribute::PASSWORD_ALGORITHMS, &PasswordAlgorithm::OFFERED[..]);
    let cases = [
        vec![offer],
        vec![(attribute::PASSWORD_ALGORITHM, &[0, 2, 0, 0][..])],
        vec![(attribute::PASSWORD_ALGORITHMS, &[0, 1, 0, 0][..]), (attribute::PASSWORD_ALGORITHM, &[0, 1, 0, 0][..])],
        vec![offer, (attribute::PASSWORD_ALGORITHM, &[0, 9, 0, 0][..])],
    ];
    alice.says(refresh(600)).hears(error(437));
    for case in cases {
        let ask = case.iter().fold(allocate(), |ask, (kind, value)| ask.with(*kind, value));
        alice.says(ask).hears(error(400));
    }
}

/// §9.2.4: "Any response generated by the server MUST include the MESSAGE-INTEGRITY-SHA256 attribute, computed using the
/// username and password utilized to authenticate the request".
#[test]
fn s9_2_4_who_agreed_on_an_algorithm_is_answered_with_sha256() {
    for algorithm in [PasswordAlgorithm::Md5, PasswordAlgorithm::Sha256] {
        let alice = styled(offering().client("84.1.1.1:4000"), Some(algorithm), Integrity::Sha256);
        for (ask, expected) in [(refresh(600), error(437)), (allocate(), success()), (bare_allocate(), error(437))] {
            let answer = alice.says(ask).hears(expected);
            assert_eq!(answer.message().integrity(), Some(Integrity::Sha256));
            assert!(answer.is_signed_by(&alice));
        }
    }
}

/// §9.2.4: "If the value of the USERNAME or USERHASH attribute is not valid, the server MUST generate an error response
/// with an error code of 401 (Unauthenticated). This response MUST include a REALM value. The response MUST include a
/// NONCE. ... The response SHOULD NOT contain a USERNAME or USERHASH attribute."
#[test]
fn s9_2_4_an_unknown_name_is_challenged() {
    let world = World::new();
    for hashed in [false, true] {
        let mut nobody = world.client_as("84.1.1.1:4000", "nobody", "guess");
        nobody.style.hashed = hashed;
        assert_eq!(nobody.says(allocate()).hears(error(401)).kinds(), CHALLENGE);
    }
}

/// §9.2.4: "If the resulting value does not match the contents of the MESSAGE-INTEGRITY attribute or the
/// MESSAGE-INTEGRITY-SHA256 attribute, the server MUST reject the request with an error response. This response MUST
/// use an error code of 401 (Unauthenticated). It MUST include the REALM and NONCE attributes and SHOULD NOT include
/// the USERNAME, USERHASH, MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256 attribute."
#[test]
fn s9_2_4_a_wrong_proof_is_challenged() {
    let world = World::new();
    for integrity in [Integrity::Sha1, Integrity::Sha256] {
        let mallory = styled(world.client_as("84.1.1.1:4000", "carol", "guess"), None, integrity);
        let challenge = mallory.says(allocate()).hears(error(401));
        assert_eq!(challenge.kinds(), CHALLENGE);
        assert!(!challenge.message().has_integrity());
    }
}

/// §9.2.4: "If the NONCE is no longer valid, the server MUST generate an error response with an error code of 438 (Stale
/// Nonce). This response MUST include NONCE, REALM ... attributes and SHOULD NOT include the USERNAME and USERHASH
/// attributes. The NONCE attribute value MUST be valid."
#[test]
fn s9_2_4_a_stale_nonce_is_replaced_by_a_valid_one() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    alice.says(refresh(3600)).hears(success());
    world.later(minutes(10));
    let challenge = alice.says_raw(&alice.signed(&refresh(600))).hears(error(438));
    assert_eq!(challenge.kinds(), CHALLENGE);
    *alice.nonce.borrow_mut() = challenge.attribute(attribute::NONCE);
    alice.says_raw(&alice.signed(&refresh(600))).hears(success());
}

/// §9.2.4: "In that case, ... the REALM, NONCE, USERNAME, and USERHASH attributes SHOULD NOT be included."
#[test]
fn s9_2_4_answers_to_the_proven_do_not_repeat_the_credentials() {
    let alice = World::new().client("84.1.1.1:4000");
    let credentials = [attribute::REALM, attribute::NONCE, attribute::USERNAME, attribute::USERHASH];
    for ask in asks() {
        let answer = alice.says(ask).hears(success());
        assert!(answer.kinds().iter().all(|kind| !credentials.contains(kind)));
        assert!(answer.is_signed_by(&alice));
    }
}
