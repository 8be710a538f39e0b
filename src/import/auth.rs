//! `[auth]`: secrets and users.

use super::draft::{Draft, lines, text};
use super::given::{Entry, Given};
use super::note::{Kind, Notes, Place};
use super::rows::is_sqlite;

/// The shortest secret that is accepted, in bytes.
const SHORTEST_SECRET: usize = 16;
/// The longest USERNAME (RFC 8489 §14.3), in bytes.
const LONGEST_NAME: usize = 508;
const NO_SECRET: &str = "no secret was found, so nobody but this daemon's own rooms could use the relay; if it is in coturn's database, import again with --sqlite /var/lib/turn/turndb, otherwise set auth.secret";

/// Which static users there are: they share what is counted by user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// None.
    None,
    /// Some: probably one that all clients share.
    Static,
}

/// Writes realm, secrets and users.
pub fn decide(given: &Given, draft: &mut Draft, notes: &mut Notes) -> Users {
    let realm = realm(given, draft, notes);
    databases(given, notes);
    if let Some(entry) = given.on("stun-only") {
        notes.add(
            Kind::Changed,
            entry,
            "TURN is served too, but no secret and no user is set, so that nobody can use the relay",
        );
        return Users::None;
    }
    let by_secret = given.on("use-auth-secret").or_else(|| given.last("static-auth-secret"));
    let secrets = secrets(given, draft, notes);
    let users = users(given, realm, notes);
    for flag in ["use-auth-secret", "lt-cred-mech"] {
        given.on(flag).into_iter().for_each(|entry| notes.same(entry));
    }
    if let Some(asked) = by_secret {
        if secrets == 0 {
            notes.add(Kind::Refused, asked, NO_SECRET);
        }
        if let Some((first, ..)) = users.first() {
            notes.add(Kind::Changed, first, "coturn ignores users while there is a secret; they are written as comments. Here both may be used side by side: take the # away for those that shall");
            draft.comment("auth.users", "coturn ignored these:");
            users.iter().for_each(|(_, name, value)| draft.set_off("auth.users", name, value));
        }
        return Users::None;
    }
    nobody(given, users.is_empty(), notes);
    users.iter().for_each(|(_, name, value)| draft.set("auth.users", name, value));
    if users.is_empty() { Users::None } else { Users::Static }
}

/// Writes the realm. Returns whether there is one.
fn realm(given: &Given, draft: &mut Draft, notes: &mut Notes) -> bool {
    let Some(entry) = given.last("realm").filter(|entry| !entry.value.is_empty()) else { return false };
    let odd = |c: char| c.is_control() || c == '"' || c == '\\';
    if entry.value.chars().count() > 127 || entry.value.chars().any(odd) {
        notes.add(
            Kind::Refused,
            entry,
            "a realm has 1 to 127 characters without quotes and backslashes; the default is taken",
        );
        return false;
    }
    draft.set("auth", "realm", text(&entry.value));
    true
}

/// Notes where a SQLite database is named that was not read.
fn databases(given: &Given, notes: &mut Notes) {
    let read = given.iter().any(|entry| entry.place == Place::Database);
    for entry in given.iter().filter(|entry| is_sqlite(entry.option)) {
        if read {
            notes.same(entry);
        } else {
            notes.add(
                Kind::Dropped,
                entry,
                "the database was not read; if it holds users or secrets, import again with --sqlite and its path",
            );
        }
    }
}

/// Writes the secrets, and tells how many there are.
fn secrets(given: &Given, draft: &mut Draft, notes: &mut Notes) -> usize {
    let mut secrets: Vec<&str> = Vec::new();
    for entry in given.all("static-auth-secret") {
        if entry.value.len() < SHORTEST_SECRET {
            notes.add(Kind::Refused, entry, "a secret of less than 16 bytes can be guessed from one credential; make a new one (openssl rand -base64 32), and give it to the application too");
        } else if !secrets.contains(&entry.value.as_str()) {
            secrets.push(&entry.value);
        }
    }
    match secrets.as_slice() {
        [] => {}
        [one] => draft.set("auth", "secret", text(one)),
        several => {
            let named = |(index, secret): (usize, &&str)| {
                format!("{{ name = \"coturn-{}\", value = {} }}", index + 1, text(secret))
            };
            draft.set("auth", "secrets", lines(&several.iter().enumerate().map(named).collect::<Vec<_>>()));
        }
    }
    secrets.len()
}

/// The users with their passwords or keys as TOML. The last one of a name counts.
fn users<'a>(given: &'a Given, realm: bool, notes: &mut Notes) -> Vec<(&'a Entry, &'a str, String)> {
    let mut users: Vec<(&Entry, &str, String)> = Vec::new();
    for entry in given.all("user") {
        match user(&entry.value) {
            Ok((name, value)) => {
                if value.starts_with('{') && !realm {
                    notes.add(Kind::Refused, entry, "a key is made for one realm, and no realm is given: coturn takes the host's domain name; set auth.realm to it");
                }
                if let Some(same) = users.iter_mut().find(|(_, other, _)| *other == name) {
                    notes.add(Kind::Changed, entry, "this user is there twice; the last password counts, as in coturn");
                    *same = (entry, name, value);
                } else {
                    users.push((entry, name, value));
                }
            }
            Err((kind, why)) => notes.add(kind, entry, why),
        }
    }
    users
}

/// `name:password`, or `name:0xKEY` with a key of MD5 or SHA-256.
fn user(written: &str) -> Result<(&str, String), (Kind, &'static str)> {
    let malformed = (Kind::Dropped, "this is not name:password; coturn skips it too");
    let (name, password) = written.split_once(':').ok_or(malformed)?;
    let password = password.trim_start_matches([' ', '\t']);
    if name.is_empty() || password.is_empty() {
        return Err(malformed);
    }
    if name.len() > LONGEST_NAME {
        return Err((Kind::Refused, "a user's name has 508 bytes at most; no client can send this one"));
    }
    if name.chars().all(|c| c.is_ascii_digit()) {
        return Err((
            Kind::Refused,
            "a user's name that is a number is a credential with an expiry here; rename the user",
        ));
    }
    let Some(key) = password.strip_prefix("0x") else { return Ok((name, text(password))) };
    if [32, 64].contains(&key.len()) && key.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok((name, format!("{{ key = \"0x{}\" }}", key.to_ascii_lowercase())))
    } else {
        Err((
            Kind::Refused,
            "a key has 32 (MD5) or 64 (SHA-256) hexadecimal digits after 0x; make it anew, or write the password",
        ))
    }
}

/// Notes what is missing where there is no secret.
fn nobody(given: &Given, no_users: bool, notes: &mut Notes) {
    if !no_users || given.on("no-auth").is_some() {
        return;
    }
    match given.on("lt-cred-mech") {
        Some(entry) => {
            let text = "no user was found, so nobody but this daemon's own rooms could use the relay; if users are in coturn's database, import again with --sqlite /var/lib/turn/turndb, otherwise set auth.secret or auth.users";
            notes.add(Kind::Refused, entry, text);
        }
        None => {
            let text = "no secret and no user is given: coturn relays for everybody then; here a random secret is made at each start. Set auth.secret and give it to your application";
            notes.say(Kind::Changed, "authentication", Place::Absent, text);
        }
    }
}
