//! `[tokens]`: keys wherever they are kept, and what they mean for rooms.

use super::refusals::all_refused;
use super::*;

const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tokens/tests/ec.pub.pem");
const PRIVATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tokens/tests/ec.pem");

#[test]
fn a_key_closes_rooms_to_those_without_a_token() {
    let key = format!("[tokens]\nkeys = [{PUBLIC:?}]\nissuer = \"us\"");
    for (text, open, keys) in [
        ("", true, 0),
        ("[rooms]\nopen = false", false, 0),
        ("[tokens]\nsecret = \"0123456789abcdef\"", false, 1),
        ("[rooms]\nopen = true\n[tokens]\nsecret = \"0123456789abcdef\"", false, 1),
        (&key, false, 1),
        ("[tokens]\njwks = \"https://id.example.org/keys\"", false, 0),
    ] {
        let settings = parse(text).unwrap();
        assert_eq!(settings.rooms.open, open, "{text}");
        assert_eq!(settings.tokens.map_or(0, |tokens| tokens.keys.len()), keys, "{text}");
    }
}

#[test]
fn what_is_no_key_is_refused_in_its_place() {
    all_refused(&[
        (
            "[tokens]\nsecret = \"let me in\"",
            "r.toml:2: tokens.secret: a secret for tokens must have 16 bytes or more, this one has 9",
        ),
        (
            "[tokens]\nkeys = [\"/nowhere/room.pem\"]",
            "r.toml:2: tokens.keys = \"/nowhere/room.pem\": cannot read /nowhere/room.pem",
        ),
        (
            &format!("[tokens]\nkeys = [{PRIVATE:?}]"),
            &format!("r.toml:2: tokens.keys = {PRIVATE:?}: {PRIVATE} holds a private key"),
        ),
        (
            &format!("[tokens]\njwks = {PUBLIC:?}"),
            &format!("r.toml:2: tokens.jwks = {PUBLIC:?}: {PUBLIC} is no JSON Web Key Set"),
        ),
        (
            "[tokens]\njwks = \"http://id.example.org/keys\"",
            "r.toml:2: tokens.jwks = \"http://id.example.org/keys\": must be a file, or an https:// URL",
        ),
        (
            "[tokens]\njwks = \"http://localhost.example.org/keys\"",
            "r.toml:2: tokens.jwks = \"http://localhost.example.org/keys\": must be a file, or an https:// URL",
        ),
        ("[tokens]\nissuer = \"us\"", "r.toml:2: tokens.issuer = \"us\": needs a key that tokens are checked with"),
    ]);
    assert!(parse("[tokens]\njwks = \"http://localhost:8000/keys\"").is_ok(), "nobody is on the way to this host");
}
