//! Where secrets come from, which are refused, and that none is shown.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const LONG: &str = "a-secret-of-some-length";

#[test]
fn without_one_a_random_one_is_made_each_time() {
    let (first, second) = (parse("").unwrap(), parse("").unwrap());
    assert!(first.auth.secret_is_random);
    assert_eq!(first.auth.secrets[0].value.expose().len(), 44, "32 bytes in base64");
    assert_ne!(first.auth.secrets[0].value, second.auth.secrets[0].value);
}

#[test]
fn a_file_holds_it_without_its_line_break() {
    let file = Scratch::new("secret", &format!("{LONG}\n"));
    let settings = parse(&format!("[auth]\nsecret_file = {:?}", file.0)).unwrap();
    assert_eq!(settings.auth.secrets[0].value.expose(), LONG);
    assert!(!settings.auth.secret_is_random);
}

#[test]
fn systemds_credential_serves_where_nothing_else_is_set() {
    let directory = std::env::temp_dir().join(format!("roundturn-credentials-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("auth-secret"), LONG).unwrap();
    let env = [("CREDENTIALS_DIRECTORY".to_owned(), directory.display().to_string())];
    let file = Path::new("r.toml");
    let from_systemd = Settings::parse(file, "", &env).unwrap();
    let from_file = Settings::parse(file, "[auth]\nsecret = \"another-secret-of-length\"", &env).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(from_systemd.auth.secrets[0].value.expose(), LONG);
    assert_eq!(from_file.auth.secrets[0].value.expose(), "another-secret-of-length");
    assert!(Settings::parse(file, "", &env).unwrap().auth.secret_is_random, "an absent credential is none");
}

#[test]
fn the_first_that_is_still_accepted_signs() {
    let settings = parse(&format!(
        "[auth]\nsecrets = [{{ name = \"a\", value = \"{LONG}\", not_after = 100 }}, {{ name = \"b\", value = \"{LONG}\" }}]"
    ));
    let settings = settings.unwrap();
    assert_eq!(settings.signing_secret(99).unwrap().name, "a");
    assert_eq!(settings.signing_secret(100).unwrap().name, "b");
    assert!(settings.warnings(100).iter().any(|warning| warning.contains("\"a\"")));
}

#[test]
fn refused_ones_are_named_and_not_shown() {
    let missing = "[auth]\nsecret_file = \"/nonexistent/secret\"";
    let cases = [
        (
            "[auth]\nsecret = \"tell-nobody\"".to_owned(),
            "r.toml:2: auth.secret: a secret must have 16 bytes or more, this one has 11",
        ),
        (
            format!("[auth]\nsecret = \"{LONG}\"\nsecret_file = \"/x\""),
            "r.toml:3: auth.secret_file = \"/x\": only one of secret, secret_file and secrets",
        ),
        (
            format!("[auth]\nsecret = \"{LONG}\"\nsecrets = [{{ name = \"a\", value = \"{LONG}\" }}]"),
            "r.toml:3: auth.secrets: only one of",
        ),
        (
            missing.to_owned(),
            "r.toml:2: auth.secret_file = \"/nonexistent/secret\": /nonexistent/secret cannot be read: No such file",
        ),
        (
            "[auth]\nsecret_file = \"/proc\"".to_owned(),
            "r.toml:2: auth.secret_file = \"/proc\": /proc must be a file of at most 4096 bytes",
        ),
        (
            format!("[auth]\nsecrets = [{{ name = \"a\", valeu = \"{LONG}\" }}]"),
            "r.toml:2: auth.secrets[0].valeu: unknown field; did you mean value?",
        ),
        (
            format!("[auth]\nsecrets = [{{ value = \"{LONG}\" }}]"),
            "r.toml:2: auth.secrets[0]: must have a name and a value",
        ),
        (
            "[auth]\nsecrets = [\n  { name = \"a\", value = \"tell-nobody\" },\n]".to_owned(),
            "r.toml:3: auth.secrets[0].value: a secret must have 16 bytes",
        ),
        (
            format!("[auth]\nsecrets = [{{ name = \"a\", value = \"{LONG}\", not_after = \"soon\" }}]"),
            "r.toml:2: auth.secrets[0].not_after: must be a time like",
        ),
        (
            "[auth]\nusers = { \"a:b\" = \"tell-nobody\" }".to_owned(),
            "r.toml:2: auth.users.a:b: a user's name must not contain a colon",
        ),
        (
            "[auth]\nusers = { \"\" = \"tell-nobody\" }".to_owned(),
            "r.toml:2: auth.users.: a user's name must be 1 to 508 bytes",
        ),
        ("[auth.users]\nalice = \"\"".to_owned(), "r.toml:2: auth.users.alice: the password must not be empty"),
        (
            "[auth.users]\n1795176000 = \"tell-nobody\"".to_owned(),
            "r.toml:2: auth.users.1795176000: a user's name must not be a number",
        ),
        ("[auth]\nusers = { alice = 7 }".to_owned(), "r.toml:2: auth.users: must be a table of names and passwords"),
    ];
    for (text, beginning) in cases {
        let said = refusal(&text);
        assert!(said.len() == 1 && said[0].starts_with(beginning), "{text:?} is refused with {said:#?}");
        assert!(!said[0].contains("tell-nobody") && !said[0].contains(LONG), "{said:?}");
    }
}

#[test]
fn an_unreadable_file_is_refused_with_its_owner_and_mode() {
    let file = Scratch::new("locked", LONG);
    std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o000)).unwrap();
    let decided = parse(&format!("[auth]\nsecret_file = {:?}", file.0));
    // The superuser reads every file, and is not refused.
    match decided {
        Ok(settings) => assert_eq!(settings.auth.secrets[0].value.expose(), LONG),
        Err(error) => assert!(error.to_string().contains("with mode 0000, and this process is user"), "{error}"),
    }
}

#[test]
fn settings_do_not_show_them() {
    let text = format!("[auth]\nsecret = \"{LONG}\"\nusers = {{ alice = \"tell-nobody\" }}");
    let shown = format!("{:?}", parse(&text).unwrap());
    assert!(!shown.contains(LONG) && !shown.contains("tell-nobody"), "{shown}");
}
