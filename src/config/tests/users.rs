//! Static users: which are taken, and which refused.

use super::*;

const MD5: &str = "0123456789abcdef0123456789ABCDEF";

#[test]
fn a_user_has_a_password_or_a_key() {
    let text = format!(
        "[auth.users]\nalice = \"0x{MD5}\"\nbob = {{ key = \"0x{MD5}\" }}\ncarol = {{ key = \"0x{MD5}{MD5}\" }}\n\
         [auth.users.dave]\nkey = \"0x{}\"",
        MD5.to_uppercase()
    );
    let users = parse(&text).unwrap().auth.users;
    let md5 = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    assert!(users["alice"] == StaticUser::Password(format!("0x{MD5}")), "a text is a password, whatever it looks like");
    assert!(users["bob"] == StaticUser::Md5Key(md5) && users["dave"] == users["bob"]);
    assert!(matches!(users["carol"], StaticUser::Sha256Key(key) if key[..16] == md5 && key[16..] == md5));
}

#[test]
fn a_key_that_no_client_would_use_is_warned_of() {
    let text = format!("[auth.users]\nbob = {{ key = \"0x{MD5}\" }}\ncarol = {{ key = \"0x{MD5}{MD5}\" }}\n");
    let warned = |offered: bool| {
        let text = format!("[relay]\npassword_algorithms = {offered}\n{text}");
        let warnings = parse(&text).unwrap().warnings(7);
        let about = |name: &str| warnings.iter().any(|warning| warning.starts_with(&format!("the key of \"{name}\"")));
        (about("bob"), about("carol"))
    };
    assert_eq!((warned(false), warned(true)), ((false, true), (true, false)));
}

#[test]
fn refused_ones_are_named_and_not_shown() {
    let rule = "must be { key = \"0x…\" } with 32 (MD5) or 64 (SHA-256) hexadecimal digits";
    let key = |value: &str| (format!("[auth.users]\nbob = {value}"), format!("r.toml:2: auth.users.bob: {rule}"));
    let cases = [
        key("{ key = \"tell-nobody\" }"),
        key(&format!("{{ key = \"{MD5}\" }}")),
        key(&format!("{{ key = \"0x{MD5}0\" }}")),
        key(&format!("{{ key = \"0x{}g\" }}", &MD5[1..])),
        key(&format!("{{ key = \"0x+{}\" }}", &MD5[1..])),
        key(&format!("{{ password = \"0x{MD5}\" }}")),
        key(&format!("{{ key = \"0x{MD5}\", realm = \"x\" }}")),
        key("{}"),
        key("{ key = 7 }"),
        (
            "[auth]\nusers = { \"a:b\" = \"tell-nobody\" }".to_owned(),
            "r.toml:2: auth.users.a:b: a user's name must not contain a colon".to_owned(),
        ),
        (
            "[auth]\nusers = { \"\" = \"tell-nobody\" }".to_owned(),
            "r.toml:2: auth.users.: a user's name must be 1 to 508 bytes".to_owned(),
        ),
        (
            "[auth.users]\nalice = \"\"".to_owned(),
            "r.toml:2: auth.users.alice: the password must not be empty".to_owned(),
        ),
        (
            "[auth.users]\n1795176000 = \"tell-nobody\"".to_owned(),
            "r.toml:2: auth.users.1795176000: a user's name must not be a number".to_owned(),
        ),
        (
            "[auth]\nusers = { alice = 7 }".to_owned(),
            "r.toml:2: auth.users: must be a table of names and passwords".to_owned(),
        ),
    ];
    for (text, beginning) in cases {
        let said = refusal(&text);
        assert!(said.len() == 1 && said[0].starts_with(&beginning), "{text:?} is refused with {said:#?}");
        assert!(!said[0].contains("tell-nobody") && !said[0].contains(&MD5[1..]), "{said:?}");
    }
}
