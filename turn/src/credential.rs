//! Who may use the relay: static users, and time-limited names signed with a shared secret.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::config::{Config, StaticUser};
use crate::message::{Key, Message, PasswordAlgorithm, keyed, user_hash};
use crate::stats::AuthFailure;

/// The password of the time-limited `username` under `secret`: base64 of HMAC-SHA1, as every application that knows
/// "TURN REST" makes it.
pub fn mint(secret: &[u8], username: &str) -> String {
    password(&keyed(secret), username)
}

/// All that can prove a user, keyed and ready.
pub(crate) struct Credentials {
    realm: String,
    secrets: Vec<SharedSecret>,
    users: HashMap<String, StaticUser>,
    /// Static users by USERHASH. Time-limited names cannot be found by theirs: this server never heard of them before.
    names: HashMap<[u8; 32], String>,
}

struct SharedSecret {
    key: Hmac<Sha1>,
    not_after: Option<u64>,
}

impl Credentials {
    pub(crate) fn new(config: &Config) -> Self {
        let secrets = config.secrets.iter();
        Self {
            realm: config.realm.clone(),
            secrets: secrets.map(|s| SharedSecret { key: keyed(&s.value), not_after: s.not_after }).collect(),
            names: config.users.keys().map(|name| (user_hash(name, &config.realm), name.clone())).collect(),
            users: config.users.clone(),
        }
    }

    /// The static user whose USERHASH is `hash`.
    pub(crate) fn name_of(&self, hash: &[u8]) -> Option<&str> {
        self.names.get(hash).map(String::as_str)
    }

    /// Whether every user can be found by USERHASH.
    pub(crate) fn knows_all_names(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The key that `username` made `message` with, derived by `algorithm`.
    ///
    /// # Errors
    /// Why it is not proved.
    pub(crate) fn prove(
        &self,
        username: &str,
        algorithm: PasswordAlgorithm,
        message: &Message<'_>,
        unix_secs: u64,
    ) -> Result<Key, AuthFailure> {
        if let Some(StaticUser::Password(password)) = self.users.get(username) {
            let key = Key::derive(algorithm, username, &self.realm, password);
            return if message.verify(&key) { Ok(key) } else { Err(AuthFailure::BadIntegrity) };
        }
        if TimeLimited::parse(username).is_none() {
            return Err(AuthFailure::UnknownUser);
        }
        let accepted = self.secrets.iter().filter(|secret| secret.not_after.is_none_or(|end| unix_secs < end));
        accepted
            .map(|secret| Key::derive(algorithm, username, &self.realm, &password(&secret.key, username)))
            .find(|key| message.verify(key))
            .ok_or(AuthFailure::BadIntegrity)
    }

    /// When `username` expires, in seconds since 1970; `None` for static users.
    pub(crate) fn expiry(&self, username: &str) -> Option<u64> {
        if self.users.contains_key(username) {
            return None;
        }
        TimeLimited::parse(username).map(|name| name.expires)
    }

    /// The name by which quotas count.
    pub(crate) fn quota_name<'a>(&self, username: &'a str) -> &'a str {
        if self.users.contains_key(username) {
            return username;
        }
        match TimeLimited::parse(username) {
            // A bare expiry names nobody: it stands for itself, or all of an application's users would share one quota.
            Some(name) if !name.user.is_empty() => name.user,
            _ => username,
        }
    }
}

/// A user name that tells when it expires, in every form that applications make and coturn accepts.
///
/// | username | expires | user |
/// |---|---|---|
/// | `1700000000:bob` | 1700000000 | `bob` |
/// | `1700000000:@bob:example.org` | 1700000000 | `@bob:example.org` |
/// | `1700000000` and `1700000000:` | 1700000000 | |
/// | `bob:1700000000` | 1700000000 | `bob` |
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TimeLimited<'a> {
    pub(crate) expires: u64,
    pub(crate) user: &'a str,
}

impl<'a> TimeLimited<'a> {
    /// `None` where the name tells no time.
    pub(crate) fn parse(username: &'a str) -> Option<Self> {
        let Some((first, rest)) = username.split_once(':') else {
            let (expires, rest) = leading_number(username)?;
            return Some(Self { expires, user: rest.trim_start_matches(|c: char| !c.is_alphanumeric()) });
        };
        if !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self { expires: first.parse().ok()?, user: rest });
        }
        let (expires, _) = leading_number(rest)?;
        Some(Self { expires, user: first })
    }
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

fn password(secret: &Hmac<Sha1>, username: &str) -> String {
    let mut mac = secret.clone();
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_password_is_what_others_mint() {
        // printf %s 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(mint(b"north", "1700000000:alice"), "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
    }

    #[test]
    fn every_form_of_a_time_limited_name_is_read() {
        let forms = [
            ("1700000000:bob", 1_700_000_000, "bob"),
            ("1700000000", 1_700_000_000, ""),
            ("1700000000:", 1_700_000_000, ""),
            (":1700000000", 1_700_000_000, ""),
            ("1700000000:@bob:example.org", 1_700_000_000, "@bob:example.org"),
            ("1700000000;bob", 1_700_000_000, "bob"),
            ("bob:1700000000", 1_700_000_000, "bob"),
        ];
        for (username, expires, user) in forms {
            assert_eq!(TimeLimited::parse(username), Some(TimeLimited { expires, user }), "{username}");
        }
    }

    #[test]
    fn names_that_tell_no_time_are_not_time_limited() {
        for username in ["", "bob", "bob:", "1700000000.5:bob", "99999999999999999999999:bob", ":bob", "-5"] {
            assert_eq!(TimeLimited::parse(username), None, "{username}");
        }
    }
}
