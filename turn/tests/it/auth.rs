//! The long-term mechanism (RFC 8489 §9.2) and time-limited credentials.

use roundturn_turn::message::{Integrity, Key, PasswordAlgorithm, attribute};
use roundturn_turn::{Config, Label, Secret, StaticUser, Validity, mint};

use crate::dsl::*;

fn failures(world: &World, label: &str) -> u64 {
    world.with_server(|server, _| {
        server.stats().auth_failures.iter().find(|(name, _)| *name == label).map(|(_, count)| count).unwrap()
    })
}

#[test]
fn rfc8489_9_2_4_a_request_without_integrity_is_challenged() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    for ask in [allocate(), refresh(600), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9")] {
        let challenge = alice.says_bare(ask).hears(error(401));
        assert_eq!(challenge.kinds(), [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE]);
        assert_eq!(challenge.attribute(attribute::REALM), Some(REALM.into()));
        assert!(!challenge.message().has_integrity());
    }
}

#[test]
fn rfc8489_9_2_4_integrity_without_its_company_gets_400() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    for missing in 0..3 {
        let mut bytes = Vec::new();
        let company = [(attribute::USERNAME, "x"), (attribute::REALM, REALM), (attribute::NONCE, "y")];
        let (class, method) = (roundturn_turn::message::Class::Request, roundturn_turn::message::Method::REFRESH);
        let transaction = roundturn_turn::message::TransactionId([3; 12]);
        let mut encoder = roundturn_turn::message::Encoder::new(&mut bytes, class, method, transaction);
        for (at, (kind, value)) in company.iter().enumerate() {
            if at != missing {
                encoder = encoder.attribute(*kind, value.as_bytes());
            }
        }
        encoder.integrity(&Key::short_term("z"));
        alice.says_raw(&bytes).hears(error(400));
    }
}

#[test]
fn rfc8489_9_2_4_an_old_or_foreign_nonce_gets_438_and_a_new_one() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let old = alice.nonce.borrow().clone().unwrap();
    world.later(minutes(9));
    alice.says(refresh(1200)).hears(success());
    world.later(minutes(1));
    let challenge = alice.says_raw(&alice.signed(&refresh(600))).hears(error(438));
    assert_eq!(challenge.kinds(), [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE]);
    let new = challenge.attribute(attribute::NONCE).unwrap();
    assert_ne!(new, old);
    *alice.nonce.borrow_mut() = Some(new.clone());
    alice.says_raw(&alice.signed(&refresh(600))).hears(success());

    let mallory = world.client("84.1.1.1:4001");
    *mallory.nonce.borrow_mut() = Some(new);
    mallory.says_raw(&mallory.signed(&allocate())).hears(error(438));
    assert_eq!(failures(&world, "stale_nonce"), 2);
}

#[test]
fn rfc8489_9_2_4_a_wrong_password_is_challenged_again() {
    let world = World::new();
    let mallory = world.client_as("84.1.1.1:4000", &format!("{}:alice", BEGIN + 60), "guess");
    let challenge = mallory.says(allocate()).hears(error(401));
    assert_eq!(challenge.kinds(), [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE]);
    assert_eq!(failures(&world, "bad_integrity"), 1);
    world.client_as("84.1.1.1:4001", "carol", "guess").says(allocate()).hears(error(401));
    assert_eq!(failures(&world, "bad_integrity"), 2);
    world.client_as("84.1.1.1:4002", "nobody", "guess").says(allocate()).hears(error(401));
    assert_eq!(failures(&world, "unknown_user"), 1);
}

#[test]
fn every_form_of_a_time_limited_name_is_accepted() {
    let world = World::new();
    let time = BEGIN + 60;
    let forms = [
        (format!("{time}:bob"), "bob".to_owned()),
        (format!("{time}"), time.to_string()),
        (format!("{time}:@bob:example.org"), "@bob:example.org".into()),
        (format!("{time}:"), format!("{time}:")),
        (format!(":{time}"), format!(":{time}")),
        (format!("{time};bob"), "bob".into()),
        (format!("bob:{time}"), "bob".into()),
    ];
    for (port, (username, counted_as)) in forms.iter().enumerate() {
        let client = world.client_as(&format!("84.1.1.1:{}", 4000 + port), username, &mint(SECRET, username));
        let relay = client.allocates();
        assert_eq!(world.with_relays(|relays| relays.open[&relay].clone()), *counted_as);
    }
    let username = format!("{time}.5:bob");
    let client = world.client_as("84.1.1.1:5000", &username, &mint(SECRET, &username));
    client.says(allocate()).hears(error(401));
}

#[test]
fn any_of_several_secrets_may_have_signed_from_its_beginning_to_its_end() {
    let secret = |value: &str, not_before, not_after| Secret {
        name: value.into(),
        value: value.into(),
        validity: Validity { not_before, not_after },
    };
    let next = secret("next", Some(BEGIN + 60), None);
    let secrets = vec![next, secret("new", None, None), secret("old", None, Some(BEGIN + 60))];
    let world = World::with(Config { secrets, ..config() });
    let name = format!("{}:bob", BEGIN + 3600);
    world.client_as("84.1.1.1:4000", &name, &mint(b"new", &name)).allocates();
    let old = world.client_as("84.1.1.1:4001", &name, &mint(b"old", &name));
    old.allocates();
    world.client_as("84.1.1.1:4004", &name, &mint(b"next", &name)).says(allocate()).hears(error(401));
    world.later(secs(60));
    world.client_as("84.1.1.1:4004", &name, &mint(b"next", &name)).allocates();
    old.says(refresh(600)).hears(success());
    world.client_as("84.1.1.1:4002", &name, &mint(b"new", &name)).allocates();
    world.client_as("84.1.1.1:4003", &name, &mint(b"old", &name)).says(allocate()).hears(error(401));
}

#[test]
fn static_users_stand_beside_secrets() {
    let world = World::new();
    let carol = world.client_as("84.1.1.1:4000", "carol", "wonder");
    let relay = carol.allocates();
    assert_eq!(world.with_relays(|relays| relays.open[&relay].clone()), "carol");
    world.client("84.1.1.1:4001").allocates();
}

#[test]
fn an_expired_credential_opens_nothing_and_keeps_what_it_has() {
    let world = World::new();
    let name = format!("{}:bob", BEGIN + 300);
    let bob = world.client_as("84.1.1.1:4000", &name, &mint(SECRET, &name));
    bob.allocates();
    world.later(secs(301));
    bob.says(refresh(600)).hears(success());
    bob.says(create_permission(&["9.9.9.9:9"])).hears(success());
    bob.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
    let again = world.client_as("84.1.1.1:4001", &name, &mint(SECRET, &name));
    again.says(allocate()).hears(error(401));
    assert_eq!(failures(&world, "expired"), 1);
}

#[test]
fn a_strict_server_asks_for_time_at_every_request() {
    let world = World::with(Config { strict_expiry: true, ..config() });
    let name = format!("{}:bob", BEGIN + 300);
    let bob = world.client_as("84.1.1.1:4000", &name, &mint(SECRET, &name));
    bob.allocates();
    world.later(secs(100));
    assert_eq!(bob.says(refresh(600)).hears(success()).lifetime(), 200, "no longer than the credential");
    world.later(secs(200));
    assert!(world.with_relays(|relays| relays.open.is_empty()));
    bob.says(refresh(600)).hears(error(401));
}

#[test]
fn rfc8656_5_another_user_on_an_allocation_gets_441() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let carol = world.client_as("84.1.1.1:4000", "carol", "wonder");
    for ask in [refresh(0), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9")] {
        carol.says(ask).hears(error(441));
    }
    carol.says(allocate()).hears(error(437));
    alice.says(refresh(600)).hears(success());
}

#[test]
fn a_revoked_credential_loses_its_allocations_and_opens_no_more() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let second = world.client_as("84.1.1.1:4001", &alice.username, &alice.password);
    second.allocates();
    let bob = world.client("84.1.1.1:4002");
    bob.allocates();
    world.with_server(|server, now| server.revoke(now, &alice.username));
    assert_eq!(world.with_server(|server, _| server.stats().allocations), 1);
    assert!(world.with_relays(|relays| relays.open.len() == 1));
    alice.says(refresh(600)).hears(error(437));
    alice.says(allocate()).hears(error(401));
    bob.says(refresh(600)).hears(success());
    assert_eq!(failures(&world, "revoked"), 1);
}

#[test]
fn rfc8489_14_5_what_comes_after_the_integrity_is_ignored() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let ask = refresh(600).trailed_by(attribute::LIFETIME, &[0; 4]).fingerprinted();
    assert_eq!(alice.says(ask).hears(success()).lifetime(), 600);
    let bare = roundturn_turn::message::Method::REFRESH;
    let ask = ask_request(bare).trailed_by(attribute::LIFETIME, &[0; 4]);
    assert_eq!(alice.says(ask).hears(success()).lifetime(), 600);
    alice.says(create_permission(&["9.9.9.9:9"]).trailed_by(0x7001, &[])).hears(success());
}

fn ask_request(method: roundturn_turn::message::Method) -> Ask {
    ask(roundturn_turn::message::Class::Request, method)
}

fn reconfigured(world: &World, config: Config) {
    world.with_server(|server, now| server.reconfigure(now, config));
}

#[test]
fn an_allocation_lives_until_its_refresh_when_its_secret_is_taken_away() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
    let secrets = vec![Secret { name: "next".into(), value: b"south".into(), validity: Validity::default() }];
    reconfigured(&world, Config { secrets, ..config() });
    world.client("84.1.1.1:4001").says(allocate()).hears(error(401));
    alice.sends_on(0x4000, b"x").reaches(relay, "9.9.9.9:9000", b"x");
    alice.says(refresh(600)).hears(error(401));
    assert_eq!(failures(&world, "revoked"), 1);
    world.later(minutes(10));
    assert_eq!(world.with_server(|server, _| server.stats().allocations), 0);
}

#[test]
fn a_secret_that_only_moved_or_got_another_name_keeps_its_allocations() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let named =
        |name: &str, value: &[u8]| Secret { name: name.into(), value: value.into(), validity: Validity::default() };
    let secrets = vec![named("next", b"south"), named("last", SECRET)];
    reconfigured(&world, Config { secrets, ..config() });
    alice.says(refresh(600)).hears(success());
    reconfigured(&world, Config { realm: "other".into(), ..config() });
    alice.says(refresh(600)).hears(success());
}

#[test]
fn a_static_user_that_is_gone_or_has_another_password_refreshes_no_more() {
    for users in [Vec::new(), vec![("carol".to_owned(), StaticUser::Password("other".into()))]] {
        let world = World::new();
        let carol = world.client_as("84.1.1.1:4000", "carol", "wonder");
        carol.allocates();
        let others = Config { users: users.into_iter().collect(), ..config() };
        reconfigured(&world, others);
        carol.says(refresh(600)).hears(error(401));
        reconfigured(&world, config());
        carol.says(refresh(600)).hears(success());
    }
}

/// MD5 and SHA-256 of `dave:example.org:wonder`, as `md5sum` and `sha256sum` tell them.
const MD5_KEY: &str = "f17be351e02d70f038c556c6cded2c33";
const SHA256_KEY: &str = "f1074edadd24ea17a2ce01b91b50e5adbb36660807bde1e3d4d773589bd867dc";

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn rfc8489_18_5_1_a_user_kept_by_its_key_is_proved_by_that_algorithm_alone() {
    let md5 = StaticUser::Md5Key(bytes(MD5_KEY));
    let sha256 = StaticUser::Sha256Key(bytes(SHA256_KEY));
    let answers = [
        (&md5, None, Integrity::Sha1, 0),
        (&md5, None, Integrity::Sha256, 0),
        (&md5, Some(PasswordAlgorithm::Md5), Integrity::Sha256, 0),
        (&md5, Some(PasswordAlgorithm::Sha256), Integrity::Sha256, 401),
        (&sha256, Some(PasswordAlgorithm::Sha256), Integrity::Sha256, 0),
        (&sha256, Some(PasswordAlgorithm::Md5), Integrity::Sha256, 401),
        (&sha256, None, Integrity::Sha1, 401),
    ];
    for (user, algorithm, integrity, code) in answers {
        let users = [("dave".to_owned(), user.clone())].into();
        let world = World::with(Config { users, password_algorithms: algorithm.is_some(), ..config() });
        let mut dave = world.client_as("84.1.1.1:4000", "dave", "wonder");
        dave.style = Style { hashed: false, algorithm, integrity };
        let heard = dave.says(allocate());
        if code == 0 {
            heard.hears(success());
            dave.says(refresh(600)).hears(success());
        } else {
            heard.hears(error(code));
        }
    }
}

#[test]
fn a_static_name_that_looks_time_limited_is_static() {
    let users = [("1:dave".to_owned(), StaticUser::Password("pw".into()))].into();
    let world = World::with(Config { users, ..config() });
    let dave = world.client_as("84.1.1.1:4000", "1:dave", "pw");
    dave.allocates();
    world.client_as("84.1.1.1:4001", "1:dave", &mint(SECRET, "1:dave")).says(allocate()).hears(error(401));
}

#[test]
fn who_looks_after_the_server_can_see_why_a_credential_was_refused() {
    let world = World::new();
    let name = format!("{}:bob", BEGIN + 300);
    let bob = world.client_as("84.1.1.1:4000", &name, &mint(SECRET, &name));
    world.later(secs(335));
    bob.says(allocate()).hears(error(401));
    let rejection = world.with_server(|server, _| server.poll_rejection()).unwrap();
    assert_eq!((rejection.failure.label(), rejection.username.as_str()), ("expired", name.as_str()));
    assert_eq!((rejection.expires, rejection.unix_secs), (Some(BEGIN + 300), BEGIN + 335));
    assert_eq!(world.with_server(|server, _| server.poll_rejection()), None);
}
