//! What credentials coturn accepts, form by form, and where we do better: the promise to whoever changes servers.

use roundturn_turn::message::{Message, attribute};
use roundturn_turn::{Config, Secret, StaticUser, Validity, mint};

use crate::dsl::*;

/// What becomes of an Allocate.
enum Result {
    Allocates,
    Refused,
}
use Result::{Allocates, Refused};

const SECOND: &[u8] = b"the second secret";

/// Two secrets with a static user beside them.
fn server() -> Config {
    let secret = |value: &[u8]| Secret { name: "of many".into(), value: value.into(), validity: Validity::default() };
    let users = [("alice".to_owned(), StaticUser::Password("wonder".into()))].into();
    Config { secrets: vec![secret(SECRET), secret(SECOND)], users, ..config() }
}

/// The error code of an answer; `None` for success.
fn code(heard: &Heard) -> Option<u16> {
    let bytes = heard.bytes().unwrap();
    let message = Message::decode(&bytes).unwrap();
    let value = message.attribute(attribute::ERROR_CODE)?;
    Some(u16::from(value[2]) * 100 + u16::from(value[3]))
}

#[test]
fn every_form_of_credential_has_the_result_that_it_has_with_coturn() {
    let (later, over) = (BEGIN + 3600, BEGIN - 1);
    let signed = |secret: &[u8], username: String| (mint(secret, &username), username);
    let table = [
        ("EXP:bob", signed(SECRET, format!("{later}:bob")), Allocates),
        ("EXP", signed(SECRET, format!("{later}")), Allocates),
        ("EXP:@bob:example.org", signed(SECRET, format!("{later}:@bob:example.org")), Allocates),
        ("EXP:", signed(SECRET, format!("{later}:")), Allocates),
        (":EXP", signed(SECRET, format!(":{later}")), Allocates),
        ("EXP;bob", signed(SECRET, format!("{later};bob")), Allocates),
        ("bob:EXP", signed(SECRET, format!("bob:{later}")), Allocates),
        ("EXP:bob by the second secret", signed(SECOND, format!("{later}:bob")), Allocates),
        ("EXP by the second secret", signed(SECOND, format!("{later}")), Allocates),
        ("EXP.5:bob", signed(SECRET, format!("{later}.5:bob")), Refused),
        ("expired, EXP:bob", signed(SECRET, format!("{over}:bob")), Refused),
        ("expired, EXP", signed(SECRET, format!("{over}")), Refused),
        ("expired, bob:EXP", signed(SECRET, format!("bob:{over}")), Refused),
        ("expiring this second", signed(SECRET, format!("{BEGIN}:bob")), Refused),
        ("another secret", signed(b"nobody's", format!("{later}:bob")), Refused),
        ("the password of another name", (mint(SECRET, &format!("{later}:bob")), format!("{later}:eve")), Refused),
        ("no time at all", signed(SECRET, "bob".into()), Refused),
        // coturn ignores static users where there is a secret.
        ("a static user beside secrets", ("wonder".into(), "alice".into()), Allocates),
        ("a static user's wrong password", ("guess".into(), "alice".into()), Refused),
        ("a static user's name, signed", signed(SECRET, "alice".into()), Refused),
        ("an unknown static user", ("wonder".into(), "mallory".into()), Refused),
    ];
    let world = World::with(server());
    for (port, (form, (password, username), result)) in table.iter().enumerate() {
        let client = world.client_as(&format!("84.1.1.1:{}", 4000 + port), username, password);
        let expected = if matches!(result, Allocates) { None } else { Some(401) };
        assert_eq!(code(&client.says(allocate())), expected, "{form}");
    }
}

#[test]
fn every_form_refreshes_after_its_time_and_opens_nothing_more_unless_the_operator_is_strict() {
    let soon = BEGIN + 300;
    let forms = ["EXP:bob", "EXP", "EXP:@bob:example.org", "EXP:", ":EXP", "EXP;bob", "bob:EXP"];
    for strict_expiry in [false, true] {
        let world = World::with(Config { strict_expiry, ..server() });
        let clients: Vec<Speaker> = forms
            .iter()
            .enumerate()
            .map(|(port, form)| {
                let username = form.replace("EXP", &soon.to_string());
                world.client_as(&format!("84.1.1.1:{}", 4000 + port), &username, &mint(SECRET, &username))
            })
            .collect();
        let alice = world.client_as("84.1.1.2:4000", "alice", "wonder");
        alice.allocates();
        for client in &clients {
            client.allocates();
        }
        world.later(secs(299));
        for client in &clients {
            client.says(refresh(600)).hears(success());
        }
        world.later(secs(1));
        alice.says(refresh(600)).hears(success());
        for (port, (form, client)) in forms.iter().zip(&clients).enumerate() {
            let refreshed = client.says(refresh(600));
            if strict_expiry {
                assert_eq!(code(&refreshed), Some(401), "{form}");
            } else {
                assert_eq!(refreshed.hears(success()).lifetime(), 600, "{form}");
            }
            let again = world.client_as(&format!("84.1.1.3:{}", 4000 + port), &client.username, &client.password);
            assert_eq!(code(&again.says(allocate())), Some(401), "{form}");
        }
    }
}
