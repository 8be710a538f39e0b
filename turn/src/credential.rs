//! Who may use the relay: static users, and time-limited names signed with a shared secret.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::config::{Config, StaticUser, Validity};
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
    origins: HashSet<Origin>,
}

struct SharedSecret {
    key: Hmac<Sha1>,
    origin: Origin,
    validity: Validity,
}

/// Which secret, or which static user with which password, a key comes from: the same at every reconfiguration, and
/// nothing that leads back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin(u64);

/// A key, and where it comes from.
#[derive(Clone)]
pub(crate) struct Proof {
    pub(crate) key: Key,
    pub(crate) origin: Origin,
}

impl Credentials {
    pub(crate) fn new(config: &Config) -> Self {
        let secrets: Vec<SharedSecret> = config.secrets.iter().map(SharedSecret::new).collect();
        let of_users = config.users.iter().map(|(name, user)| user.origin(name));
        Self {
            realm: config.realm.clone(),
            origins: secrets.iter().map(|secret| secret.origin).chain(of_users).collect(),
            secrets,
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

    /// Whether what a key came from is configured still.
    pub(crate) fn knows(&self, origin: Origin) -> bool {
        self.origins.contains(&origin)
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
    ) -> Result<Proof, AuthFailure> {
        if let Some(user) = self.users.get(username) {
            let key = user.key(algorithm, username, &self.realm).filter(|key| message.verify(key));
            let origin = user.origin(username);
            return key.map(|key| Proof { key, origin }).ok_or(AuthFailure::BadIntegrity);
        }
        if TimeLimited::parse(username).is_none() {
            return Err(AuthFailure::UnknownUser);
        }
        let accepted = self.secrets.iter().filter(|secret| secret.validity.holds(unix_secs));
        accepted
            .map(|secret| Proof {
                key: Key::derive(algorithm, username, &self.realm, &password(&secret.key, username)),
                origin: secret.origin,
            })
            .find(|proof| message.verify(&proof.key))
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

impl SharedSecret {
    fn new(secret: &crate::Secret) -> Self {
        let key = keyed(&secret.value);
        let origin = origin(&key, b"secret");
        Self { key, origin, validity: secret.validity }
    }
}

impl StaticUser {
    /// Whether `password` is the one that the user `name` of `realm` has, or what it has comes from.
    pub fn is_proved_by(&self, name: &str, realm: &str, password: &str) -> bool {
        let algorithm = match self {
            Self::Password(own) => return own == password,
            Self::Md5Key(_) => PasswordAlgorithm::Md5,
            Self::Sha256Key(_) => PasswordAlgorithm::Sha256,
        };
        let key = self.key(algorithm, name, realm);
        key.is_some_and(|key| key.bytes() == Key::derive(algorithm, name, realm, password).bytes())
    }

    /// The key of the user `name` by `algorithm`, unless only another one is known.
    fn key(&self, algorithm: PasswordAlgorithm, name: &str, realm: &str) -> Option<Key> {
        match (self, algorithm) {
            (Self::Password(password), _) => Some(Key::derive(algorithm, name, realm, password)),
            (Self::Md5Key(key), PasswordAlgorithm::Md5) => Some(Key::new(algorithm, key)),
            (Self::Sha256Key(key), PasswordAlgorithm::Sha256) => Some(Key::new(algorithm, key)),
            _ => None,
        }
    }

    fn origin(&self, name: &str) -> Origin {
        match self {
            Self::Password(password) => origin(&keyed(password.as_bytes()), name.as_bytes()),
            Self::Md5Key(key) => origin(&keyed(key), name.as_bytes()),
            Self::Sha256Key(key) => origin(&keyed(key), name.as_bytes()),
        }
    }
}

fn origin(key: &Hmac<Sha1>, whose: &[u8]) -> Origin {
    let mut mac = key.clone();
    mac.update(b"origin:");
    mac.update(whose);
    let mac = mac.finalize().into_bytes();
    Origin(mac.first_chunk().map_or(0, |first| u64::from_be_bytes(*first)))
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
pub struct TimeLimited<'a> {
    /// When it expires, in seconds since 1970.
    pub expires: u64,
    /// Whom it names; empty where nobody.
    pub user: &'a str,
}

impl<'a> TimeLimited<'a> {
    /// `None` where the name tells no time.
    pub fn parse(username: &'a str) -> Option<Self> {
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
