//! Whatever is written, it is decided or refused, and nothing panics.

use proptest::prelude::*;

use super::*;

/// Values that are wrong in all kinds of ways, and some that are right.
const VALUES: [&str; 16] = [
    "\"\"",
    "\"auto\"",
    "[]",
    "{}",
    "0",
    "-1",
    "9223372036854775807",
    "1.5",
    "nan",
    "true",
    "2027-01-01",
    "[[]]",
    "[{ name = 1 }]",
    "\"1-65535\"",
    "\"99999999999999999999d\"",
    "[\"[::]:1\", \"[::]:1\", \"é\"]",
];

proptest! {
    #[test]
    fn arbitrary_text(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let file = Scratch::new("bytes.toml", "");
        std::fs::write(&file.0, bytes).unwrap();
        let _ = Settings::load(Some(&file.0), []);
    }

    #[test]
    fn the_shipped_file_with_bytes_changed(
        changes in proptest::collection::vec((0..SHIPPED.len(), "\\PC{0,3}", 0..4_usize), 1..6),
    ) {
        let mut text: Vec<char> = SHIPPED.chars().collect();
        for (at, insert, remove) in changes {
            let at = at.min(text.len());
            let end = (at + remove).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(ConfigError::Refused(problems)) = parse(&text) {
            let lines = text.lines().count() + 1;
            for problem in &problems {
                let Place::File(_, line) = problem.place else { panic!("{problem}") };
                prop_assert!((1..=lines).contains(&line), "{problem}");
            }
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn any_value_at_any_key(choices in proptest::collection::vec((0..KEYS.len(), 0..VALUES.len()), 1..8)) {
        let lines: std::collections::BTreeMap<_, _> = choices.into_iter().map(|(key, value)| (KEYS[key].name, VALUES[value])).collect();
        let text: String = lines.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        match parse(&text) {
            Ok(settings) => { settings.warnings(0); }
            Err(error) => prop_assert!(error.to_string().lines().all(|line| line.starts_with("r.toml:")), "{error}"),
        }
    }

    #[test]
    fn any_text_in_any_variable(key in 0..KEYS.len(), text in "\\PC{0,40}") {
        let _ = Settings::parse(Path::new("r.toml"), "", &[(KEYS[key].variable(), text)]);
    }
}

#[test]
fn a_file_without_end_is_refused() {
    let said = refusal(&"#".repeat((1 << 20) + 1));
    assert_eq!(said, ["r.toml:1: a configuration must be at most 1048576 bytes"]);
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let file = Scratch::new("latin1.toml", "");
    std::fs::write(&file.0, b"[auth]\nrealm = \"caf\xe9\"").unwrap();
    let said = Settings::load(Some(&file.0), []).unwrap_err().to_string();
    assert_eq!(said, format!("{}:2: must be UTF-8", file.0.display()));
}
