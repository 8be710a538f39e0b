//! `roundturn import` and `roundturn show`, as somebody types them.

use std::path::Path;
use std::process::{Command, Output};

fn roundturn(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundturn"));
    command.args(arguments).env_remove("ROUNDTURN_CONFIG");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/fixtures"));
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_file_becomes_toml_on_stdout_and_a_count_on_stderr() {
    let output = roundturn(&["import", "jitsi.conf"]);
    assert_eq!(output.status.code(), Some(0));
    let toml: toml::Table = text(&output.stdout).parse().expect("TOML");
    assert_eq!(toml["auth"]["secret"].as_str(), Some("kQ2vN9xYb3TfLrW7"));
    let summary = text(&output.stderr);
    assert!(summary.starts_with("0 refused, 0 unknown, 0 changed, 3 dropped"), "{summary}");
}

#[test]
fn a_refusal_is_told_on_stderr_and_by_the_exit_code_without_secrets() {
    let output = roundturn(&["import", "--", "-n", "--no-auth", "--user=alice:wonderland", "--static-auth-secrt=hush"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("refused: no-auth") && told.contains("unknown: static-auth-secrt"), "{told}");
    assert!(!told.contains("wonderland") && !told.contains("hush"), "{told}");
}

#[test]
fn a_missing_file_is_named() {
    let output = roundturn(&["import", "missing.conf"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("missing.conf"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn applications_are_listed_shown_or_guessed() {
    assert!(text(&roundturn(&["show"]).stdout).lines().any(|name| name == "synapse"));
    let config = std::env::temp_dir().join(format!("roundturn-show-{}.toml", std::process::id()));
    std::fs::write(&config, "address.external = \"turn.example.org\"\nauth.secret = \"sixteen bytes or more\"\n")
        .unwrap();
    let file = config.to_str().expect("a path in UTF-8");
    let shown = roundturn(&["--config", file, "show", "matrix"]);
    let hidden = roundturn(&["--config", file, "show", "matrix", "--hide-secret"]);
    let unknown = roundturn(&["--config", file, "show", "synaps"]);
    std::fs::remove_file(&config).unwrap();
    assert!(text(&shown.stdout).contains("turn_shared_secret: \"sixteen bytes or more\""));
    assert!(text(&hidden.stdout).contains("turn:turn.example.org:3478") && !text(&hidden.stdout).contains("sixteen"));
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("did you mean synapse?"));
}

#[test]
fn programs_get_json_with_every_note() {
    let output = roundturn(&["import", "--json", "--", "-n", "--no-auth", "--static-auth-secret=kQ2vN9xYb3TfLrW7"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["ok"], false);
    assert!(answer["toml"].as_str().is_some_and(|toml| toml.contains("kQ2vN9xYb3TfLrW7")));
    let notes = answer["notes"].as_array().expect("notes");
    let refused = notes.iter().find(|note| note["option"] == "no-auth").expect("a note");
    assert_eq!((refused["kind"].as_str(), refused["place"].as_str()), (Some("refused"), Some("command_line")));
}
