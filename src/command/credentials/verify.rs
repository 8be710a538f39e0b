//! `roundturn credentials --verify`: whether a name and a password open an allocation now, and if not, why.

use std::process::ExitCode;

use roundturn_turn::{TimeLimited, mint};
use serde_json::json;

use crate::clock;
use crate::command;
use crate::config::{NamedSecret, Settings};
use crate::moment;

/// What is found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Finding<'a> {
    is_good: bool,
    text: String,
    secret: Option<&'a str>,
    expires: Option<u64>,
}

/// Prints it; exit code 1 where the credential opens nothing.
pub fn run(settings: &Settings, username: &str, password: &str, as_json: bool) -> ExitCode {
    let finding = judge(settings, username, password, clock::unix_secs());
    if as_json {
        let expires = finding.expires.map(moment::rfc3339);
        let answer = json!({
            "good": finding.is_good, "reason": finding.text, "secret": finding.secret, "expires": expires,
        });
        command::print(&format!("{answer:#}"));
    } else {
        command::print(&finding.text);
    }
    if finding.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn judge<'a>(settings: &'a Settings, username: &str, password: &str, now: u64) -> Finding<'a> {
    let auth = &settings.auth;
    if let Some(user) = auth.users.get(username) {
        let is_good = user.is_proved_by(username, &auth.realm, password);
        let text = if is_good { "Good: a user of auth.users." } else { "Another password than that of auth.users." };
        return Finding { is_good, text: text.to_owned(), ..Finding::default() };
    }
    let Some(TimeLimited { expires, user }) = TimeLimited::parse(username) else {
        let text = "No user of auth.users has this name, and it tells no time: such names are like 1795176000:alice.";
        return Finding { text: text.to_owned(), ..Finding::default() };
    };
    let Some(secret) = auth.secrets.iter().find(|secret| mint(secret.value.expose().as_bytes(), username) == password)
    else {
        return Finding { text: unsigned(settings), expires: Some(expires), ..Finding::default() };
    };
    let found = |is_good, text| Finding { is_good, text, secret: Some(&secret.name), expires: Some(expires) };
    if let Some(text) = not_accepted(secret, now) {
        return found(false, text);
    }
    let name = &secret.name;
    if expires <= now {
        let ago = now - expires;
        let clock = moment::rfc3339(now);
        let others = if auth.strict_expiry { "" } else { " Allocations that were made with it may be refreshed." };
        let text =
            format!("Expired {ago} s ago, signed with the secret \"{name}\"; this host's clock is {clock}.{others}");
        return found(false, text);
    }
    let counted = if user.is_empty() { username } else { user };
    let left = expires - now;
    found(true, format!("Good for {left} s, signed with the secret \"{name}\"; quotas count it as \"{counted}\"."))
}

fn unsigned(settings: &Settings) -> String {
    let auth = &settings.auth;
    if auth.secret_is_random {
        return "No secret is configured: the daemon made a random one that only it knows, and whoever signed this used \
                another."
            .to_owned();
    }
    let names: Vec<_> = auth.secrets.iter().map(|secret| format!("\"{}\"", secret.name)).collect();
    format!("Signed with another secret than {}, or for another name.", names.join(", "))
}

/// Why nothing that `secret` signed is accepted at `now`.
fn not_accepted(secret: &NamedSecret, now: u64) -> Option<String> {
    let name = &secret.name;
    let begin = secret.validity.not_before.filter(|begin| now < *begin);
    let end = secret.validity.not_after.filter(|end| *end <= now);
    match (begin, end) {
        (Some(begin), _) => {
            Some(format!("Signed with the secret \"{name}\", which is not accepted before {}.", moment::rfc3339(begin)))
        }
        (_, Some(end)) => {
            Some(format!("Signed with the secret \"{name}\", which is not accepted since {}.", moment::rfc3339(end)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const NOW: u64 = 1_795_176_000;

    fn settings() -> Settings {
        let text = format!(
            "[auth]\nusers = {{ alice = \"wonder\", bob = {{ key = \"0x{}\" }} }}\nsecrets = [\n\
             {{ name = \"next\", value = \"the secret of tomorrow\", not_before = {} }},\n\
             {{ name = \"this\", value = \"the secret of today\" }},\n\
             {{ name = \"last\", value = \"the secret of yesterday\", not_after = {NOW} }} ]",
            // printf bob:roundturn:wonder | md5sum
            "715354f77db3dbfd9fdec9293cbb6660",
            NOW + 1
        );
        Settings::parse(Path::new("r.toml"), &text, &[]).unwrap()
    }

    fn found(username: &str, password: &str) -> (bool, String) {
        let settings = settings();
        let finding = judge(&settings, username, password, NOW);
        (finding.is_good, finding.text)
    }

    #[test]
    fn every_form_is_verified_and_its_secret_named() {
        let later = NOW + 60;
        let forms = [
            (format!("{later}:bob"), "bob"),
            (format!("{later}:@bob:example.org"), "@bob:example.org"),
            (format!("{later};bob"), "bob"),
            (format!("bob:{later}"), "bob"),
            (format!("{later}"), "1795176060"),
            (format!("{later}:"), "1795176060:"),
            (format!(":{later}"), ":1795176060"),
        ];
        for (username, counted) in forms {
            let text = format!("Good for 60 s, signed with the secret \"this\"; quotas count it as \"{counted}\".");
            assert_eq!(found(&username, &mint(b"the secret of today", &username)), (true, text), "{username}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (later, over) = (format!("{}:bob", NOW + 60), format!("{}:bob", NOW - 7));
        let said = |username: &str, secret: &str| {
            let (is_good, text) = found(username, &mint(secret.as_bytes(), username));
            assert!(!is_good, "{text}");
            text
        };
        assert_eq!(
            said(&over, "the secret of today"),
            "Expired 7 s ago, signed with the secret \"this\"; this host's clock is 2026-11-20T12:00:00Z. Allocations that \
             were made with it may be refreshed."
        );
        assert_eq!(
            said(&later, "the secret of tomorrow"),
            "Signed with the secret \"next\", which is not accepted before 2026-11-20T12:00:01Z."
        );
        assert_eq!(
            said(&later, "the secret of yesterday"),
            "Signed with the secret \"last\", which is not accepted since 2026-11-20T12:00:00Z."
        );
        assert_eq!(
            said(&later, "nobody's secret"),
            "Signed with another secret than \"next\", \"this\", \"last\", or for another name."
        );
        assert!(said("1795176060.5:bob", "the secret of today").contains("tells no time"));
        let random = Settings::parse(Path::new("r.toml"), "", &[]).unwrap();
        assert!(judge(&random, &later, "x", NOW).text.starts_with("No secret is configured"));
    }

    #[test]
    fn users_are_verified_by_password_and_by_key() {
        for name in ["alice", "bob"] {
            assert_eq!(found(name, "wonder"), (true, "Good: a user of auth.users.".to_owned()));
            assert!(!found(name, "guess").0);
        }
        assert!(!found("carol", "wonder").0);
    }
}
