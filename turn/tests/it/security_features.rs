//! Password algorithms, anonymous names and their protection (RFC 8489 §9.2, §14.4, §14.6, §14.11, §14.12).

use roundturn_turn::message::{
    Class, Encoder, Integrity, Key, Message, Method, PasswordAlgorithm, TransactionId, attribute, user_hash,
};
use roundturn_turn::{Config, Why};

use crate::dsl::*;

/// A server that offers everything.
fn world() -> World {
    World::with(Config { password_algorithms: true, ..config() })
}

/// The same with static users alone.
fn anonymous_world() -> World {
    World::with(Config { password_algorithms: true, secrets: Vec::new(), ..config() })
}

fn agreeing(mut client: Speaker, algorithm: PasswordAlgorithm, integrity: Integrity) -> Speaker {
    client.style = Style { hashed: false, algorithm: Some(algorithm), integrity };
    client
}

fn nonce_of(client: &Speaker) -> Vec<u8> {
    client.says_bare(allocate()).hears(error(401)).attribute(attribute::NONCE).unwrap()
}

/// Sends an Allocate whose proof says `attributes`, signed with `key`.
fn proving(client: &Speaker, attributes: &[(u16, &[u8])], key: &Key) -> Heard {
    let attributes = attributes.iter().map(|(kind, value)| (*kind, value.to_vec())).collect();
    let proof = Proof { attributes, key: key.clone(), integrity: Integrity::Sha256 };
    client.says_raw(&allocate().encode(TransactionId([4; 12]), Some(&proof)))
}

#[test]
fn nothing_is_offered_unless_the_operator_says_so() {
    let challenge = World::new().client("84.1.1.1:4000").says_bare(allocate()).hears(error(401));
    assert_eq!(challenge.kinds(), [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE]);
    assert_eq!(challenge.attribute(attribute::NONCE).map(|nonce| nonce.len()), Some(16));
}

#[test]
fn the_offer_is_in_the_challenge_and_in_the_nonce_and_costs_28_bytes() {
    let ask = || world().client("84.1.1.1:4000").says_bare(allocate()).hears(error(401));
    let bare = World::new().client("84.1.1.1:4000").says_bare(allocate()).hears(error(401));
    assert_eq!(ask().attribute(attribute::PASSWORD_ALGORITHMS), Some(vec![0, 2, 0, 0, 0, 1, 0, 0]));
    assert!(ask().attribute(attribute::NONCE).unwrap().starts_with(b"obMatJos2AAAB"));
    assert_eq!(ask().bytes.len(), bare.bytes.len() + 28);
    let nonce = nonce_of(&anonymous_world().client("84.1.1.1:4000"));
    assert!(nonce.starts_with(b"obMatJos2AAAD"), "anonymity where every name is known");
}

#[test]
fn every_agreement_works_with_minted_and_static_credentials() {
    let world = world();
    let styles = [
        (PasswordAlgorithm::Sha256, Integrity::Sha256),
        (PasswordAlgorithm::Md5, Integrity::Sha256),
        (PasswordAlgorithm::Sha256, Integrity::Sha1),
    ];
    for (port, (algorithm, integrity)) in (4000..).step_by(2).zip(styles) {
        let minted = world.client(&format!("84.1.1.1:{port}"));
        let carol = world.client_as(&format!("84.1.1.1:{}", port + 1), "carol", "wonder");
        for client in [minted, carol] {
            let client = agreeing(client, algorithm, integrity);
            for ask in [allocate(), refresh(600), create_permission(&["9.9.9.9:9"])] {
                let answer = client.says(ask).hears(success());
                assert_eq!(answer.message().integrity(), Some(Integrity::Sha256));
                assert!(answer.is_signed_by(&client));
            }
            let refusal = client.says(channel_bind(0x4000, "127.0.0.1:9000")).hears(error(403));
            assert!(refusal.is_signed_by(&client));
        }
    }
}

#[test]
fn who_knows_nothing_of_it_is_served_as_ever() {
    let world = world();
    let alice = world.client("84.1.1.1:4000");
    let answer = alice.says(allocate()).hears(success());
    assert_eq!(answer.message().integrity(), Some(Integrity::Sha1));
    assert!(answer.is_signed_by(&alice));
}

#[test]
fn sha256_integrity_is_understood_unasked_and_answered_as_rfc8489_9_2_4_says() {
    let world = World::new();
    let mut alice = world.client("84.1.1.1:4000");
    alice.style.integrity = Integrity::Sha256;
    let answer = alice.says(allocate()).hears(success());
    assert_eq!(answer.message().integrity(), Some(Integrity::Sha1), "processed as though the algorithm were MD5");
    assert!(answer.is_signed_by(&alice));
}

#[test]
fn an_offer_that_was_thinned_out_or_changed_gets_400() {
    let world = world();
    let alice = world.client("84.1.1.1:4000");
    let nonce = nonce_of(&alice);
    let (md5, sha256) = (PasswordAlgorithm::Md5.encode(), PasswordAlgorithm::Sha256.encode());
    let offer = PasswordAlgorithm::OFFERED;
    let cases = [
        (Some(&offer[..]), None),
        (None, Some(&sha256[..])),
        (Some(&md5[..]), Some(&md5[..])),
        (Some(&[0, 1, 0, 0, 0, 2, 0, 0][..]), Some(&sha256[..])),
        (Some(&offer[..]), Some(&[0, 3, 0, 0][..])),
        (Some(&offer[..]), Some(&[0, 2, 0, 4, 0, 0, 0, 0][..])),
        (Some(&[][..]), Some(&[][..])),
    ];
    for (offer, choice) in cases {
        let mut attributes: Vec<(u16, &[u8])> = vec![
            (attribute::USERNAME, alice.username.as_bytes()),
            (attribute::REALM, REALM.as_bytes()),
            (attribute::NONCE, &nonce),
        ];
        attributes.extend(offer.map(|value| (attribute::PASSWORD_ALGORITHMS, value)));
        attributes.extend(choice.map(|value| (attribute::PASSWORD_ALGORITHM, value)));
        let refusal = proving(&alice, &attributes, &alice.key()).hears(error(400));
        assert_eq!(refusal.kinds(), [attribute::ERROR_CODE]);
    }
}

#[test]
fn a_nonce_whose_cookie_was_taken_off_is_not_ours() {
    let world = world();
    let alice = world.client("84.1.1.1:4000");
    let bare = nonce_of(&alice).split_off(13);
    *alice.nonce.borrow_mut() = Some(bare);
    let challenge = alice.says_raw(&alice.signed(&allocate())).hears(error(438));
    assert!(challenge.attribute(attribute::PASSWORD_ALGORITHMS).is_some());
}

#[test]
fn static_users_may_hide_their_name_and_time_limited_ones_cannot() {
    for world in [World::new(), world(), anonymous_world()] {
        let mut carol = world.client_as("84.1.1.1:4000", "carol", "wonder");
        carol.style.hashed = true;
        let relay = carol.allocates();
        assert_eq!(world.with_relays(|relays| relays.open[&relay].clone()), "carol");
        carol.says(refresh(600)).hears(success());
        let mut stranger = world.client_as("84.1.1.1:4001", "dave", "wonder");
        stranger.style.hashed = true;
        stranger.says(allocate()).hears(error(401));
    }
    let world = World::new();
    let mut alice = world.client("84.1.1.1:4000");
    alice.style.hashed = true;
    alice.says(allocate()).hears(error(401));
}

#[test]
fn an_allocation_survives_a_change_of_what_is_offered() {
    let world = World::new();
    let mut alice = world.client("84.1.1.1:4000");
    alice.allocates();
    world.with_server(|server, now| server.reconfigure(now, Config { password_algorithms: true, ..config() }));
    world.later(minutes(9));
    alice.says(refresh(3600)).hears(success());
    world.later(minutes(2));
    // The nonce was stale, and the new one came with an offer.
    alice.says(refresh(3600)).hears(success());
    alice = agreeing(alice, PasswordAlgorithm::Sha256, Integrity::Sha256);
    assert!(alice.says(refresh(3600)).hears(success()).is_signed_by(&alice));
}

#[test]
fn rfc8489_14_6_the_proof_is_whole_and_what_follows_it_is_ignored() {
    let world = World::new();
    let mut alice = world.client("84.1.1.1:4000");
    alice.style.integrity = Integrity::Sha256;
    alice.allocates();
    let ask = ask(Class::Request, Method::REFRESH).trailed_by(attribute::LIFETIME, &[0; 4]).fingerprinted();
    assert_eq!(alice.says(ask).hears(success()).lifetime(), 600);

    let mut truncated = Vec::new();
    Encoder::new(&mut truncated, Class::Request, Method::REFRESH, TransactionId([1; 12]))
        .attribute(attribute::MESSAGE_INTEGRITY_SHA256, &[0; 16]);
    alice.says_raw(&truncated).nobody_hears(Why::Malformed);
}

#[test]
fn of_two_proofs_the_stronger_counts_and_covers_the_weaker() {
    let (right, wrong) = (Key::short_term("right"), Key::short_term("wrong"));
    let both = |first: &Key, second: &Key| {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, Class::Request, Method::REFRESH, TransactionId([1; 12]))
            .number(attribute::LIFETIME, 7)
            .integrity(first)
            .integrity_sha256(second)
            .fingerprint();
        let message = Message::decode(&bytes).unwrap();
        assert_eq!((message.integrity(), message.attributes().count()), (Some(Integrity::Sha256), 1));
        message.verify(&right)
    };
    assert!(both(&right, &right) && both(&wrong, &right) && !both(&right, &wrong));
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, Class::Request, Method::REFRESH, TransactionId([1; 12]))
        .integrity_sha256(&wrong)
        .integrity(&right);
    assert!(!Message::decode(&bytes).unwrap().verify(&right), "a weaker proof after the stronger is ignored");
}

/// RFC 8489 appendix B.1. Its header counts 20 bytes too many, and its MAC was made over that header; with the length put
/// right, Python's hmac makes this one.
#[test]
fn rfc8489_b_1_sample_request() {
    let (username, realm) = ("\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}", "example.org");
    let transaction = TransactionId([0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e]);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, Class::Request, Method::BINDING, transaction)
        .attribute(attribute::USERHASH, &user_hash(username, realm))
        .attribute(attribute::NONCE, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        .attribute(attribute::REALM, realm.as_bytes())
        .integrity_sha256(&Key::derive(PasswordAlgorithm::Sha256, username, realm, "TheMatrIX"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(&hex[48..112], "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704");
    assert_eq!(&hex[hex.len() - 64..], "234112fbd4e27f983eb4032836f998216f5b23f8d927753fbc4f882bfbdf0dec");
}
