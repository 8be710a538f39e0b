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
fn the_first_that_outlives_what_it_signs_signs() {
    let settings = parse(&format!(
        "[auth]\nsecrets = [{{ name = \"a\", value = \"{LONG}\", not_after = 10000 }}, {{ name = \"b\", value = \"{LONG}\" }}]"
    ));
    let settings = settings.unwrap();
    let ttl = settings.auth.credential_ttl.as_secs();
    assert_eq!(settings.signing_secret(10_000 - ttl).unwrap().name, "a");
    assert_eq!(settings.signing_secret(10_001 - ttl).unwrap().name, "b");
    assert!(settings.warnings(10_000).iter().any(|warning| warning.contains("\"a\"")));
}

#[test]
fn one_that_is_not_accepted_yet_does_not_sign() {
    let next = "{ name = \"next\", value = \"a-secret-of-the-future\", not_before = \"2027-01-01T00:00:00Z\" }";
    let now = format!("{{ name = \"now\", value = \"{LONG}\", not_after = 1798761600 }}");
    let settings = parse(&format!("[auth]\nsecrets = [{next}, {now}]")).unwrap();
    let signing = |time| settings.signing_secret(time).map(|secret| secret.name.as_str());
    assert_eq!((signing(1_798_761_599), signing(1_798_761_600)), (Some("now"), Some("next")));
    let alone = parse(&format!("[auth]\nsecrets = [{next}]")).unwrap();
    assert!(alone.signing_secret(7).is_none());
    assert!(alone.warnings(7).iter().any(|warning| warning.starts_with("no secret of auth.secrets is accepted")));
}

#[test]
fn a_variable_holds_one_or_several() {
    let with =
        |name: &str, value: &str| Settings::parse(Path::new("r.toml"), "", &[(name.to_owned(), value.to_owned())]);
    assert_eq!(with("ROUNDTURN_AUTH__SECRET", LONG).unwrap().auth.secrets[0].value.expose(), LONG);
    let file = Scratch::new("by-variable", LONG);
    let from_file = with("ROUNDTURN_AUTH__SECRET_FILE", &file.0.display().to_string()).unwrap();
    assert_eq!(from_file.auth.secrets[0].value.expose(), LONG);
    let one = format!("[{{ name = \"a\", value = \"{LONG}\", not_before = 7 }}]");
    assert_eq!(with("ROUNDTURN_AUTH__SECRETS", &one).unwrap().auth.secrets[0].validity.not_before, Some(7));
    let refused = with("ROUNDTURN_AUTH__SECRET", "tell-nobody").unwrap_err().to_string();
    assert!(refused.starts_with("ROUNDTURN_AUTH__SECRET: auth.secret: a secret must have 16 bytes"), "{refused}");
    assert!(!refused.contains("tell-nobody"));
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
            format!("[auth]\nsecrets = [{{ name = \"a\", value = \"{LONG}\", not_before = 7, not_after = 7 }}]"),
            "r.toml:2: auth.secrets[0].not_before: must be before not_after",
        ),
        (
            format!("[auth]\nsecrets = [{{ name = \"a\", value = \"{LONG}\", not_befour = 7 }}]"),
            "r.toml:2: auth.secrets[0].not_befour: unknown field; did you mean not_before?",
        ),
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
