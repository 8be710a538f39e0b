//! coturn's user database, as the options that its rows stand for.

use std::collections::BTreeSet;

use super::given::{Entry, Given};
use super::note::{Kind, Notes, Place};
use super::options::{self, Known};

/// What coturn's tables hold.
#[derive(Clone, Default)]
pub struct Database {
    /// `turnusers_lt`
    pub users: Vec<UserRow>,
    /// `turn_secret`: realm and secret.
    pub secrets: Vec<Row>,
    /// `allowed_peer_ip`: realm and range.
    pub allowed_peers: Vec<Row>,
    /// `denied_peer_ip`: realm and range.
    pub denied_peers: Vec<Row>,
    /// `turn_realm_option`: realm and `name=value`.
    pub realm_options: Vec<Row>,
    /// How many rows of `turn_origin_to_realm` there are.
    pub origins: usize,
    /// How many rows of `oauth_key` there are.
    pub oauth_keys: usize,
}

/// A user of one realm.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The realm that the key is made for.
    pub realm: String,
    /// The name.
    pub name: String,
    /// The long-term key in hexadecimal digits.
    pub key: String,
}

/// Something that belongs to one realm; an empty one stands for the default.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The realm.
    pub realm: String,
    /// What belongs to it.
    pub value: String,
}

/// The entries that the rows of one realm stand for: the configured one, or the only one there is.
pub fn entries(database: &Database, given: &Given, notes: &mut Notes) -> Vec<Entry> {
    let mut entries = Vec::new();
    let configured = given.last("realm").map(|entry| entry.value.clone());
    let realm = configured.clone().or_else(|| only_realm(database));
    let mut add = |name: &str, value: String| {
        if let Some(option) = options::find(name) {
            entries.push(Entry { option, value, place: Place::Database });
        }
    };
    if let (None, Some(realm)) = (&configured, &realm) {
        add("realm", realm.clone());
    }
    let realm = realm.unwrap_or_default();
    let here = |of: &str| of == realm || of.is_empty();
    let mut elsewhere = 0;
    let mut take = |name: &str, rows: &[Row]| {
        for row in rows {
            if here(&row.realm) { add(name, row.value.clone()) } else { elsewhere += 1 }
        }
    };
    take("allowed-peer-ip", &database.allowed_peers);
    take("denied-peer-ip", &database.denied_peers);
    let asked = given.on("use-auth-secret").or_else(|| given.on("static-auth-secret"));
    if asked.is_some() {
        take("static-auth-secret", &database.secrets);
    } else if !database.secrets.is_empty() {
        notes.say(
            Kind::Dropped,
            "turn_secret",
            Place::Database,
            "coturn does not use these secrets without use-auth-secret",
        );
    }
    for row in &database.realm_options {
        let (name, value) = row.value.split_once('=').unwrap_or((&row.value, ""));
        if !["max-bps", "user-quota", "total-quota"].contains(&name) {
            notes.say(
                Kind::Unknown,
                "turn_realm_option",
                Place::Database,
                "an option that coturn does not read from there",
            );
        } else if here(&row.realm) {
            add(name, value.to_owned());
        } else {
            elsewhere += 1;
        }
    }
    for user in &database.users {
        if user.realm != realm {
            elsewhere += 1;
        } else if user.name.contains(':') {
            notes.say(
                Kind::Refused,
                "turnusers_lt",
                Place::Database,
                "a user name with a colon is a credential with an expiry here; rename that user",
            );
        } else {
            add("user", format!("{}:0x{}", user.name, user.key));
        }
    }
    about_the_rest(database, elsewhere, notes);
    entries
}

/// The realm that all users and secrets share.
fn only_realm(database: &Database) -> Option<String> {
    let users = database.users.iter().map(|user| &user.realm);
    let all: BTreeSet<_> =
        users.chain(database.secrets.iter().map(|row| &row.realm)).filter(|realm| !realm.is_empty()).collect();
    match all.len() {
        1 => all.first().map(|realm| (*realm).clone()),
        _ => None,
    }
}

fn about_the_rest(database: &Database, elsewhere: usize, notes: &mut Notes) {
    let mut say = |kind, table, text: String| notes.say(kind, table, Place::Database, text);
    if elsewhere > 0 {
        let text = format!(
            "{elsewhere} rows belong to other realms, and there is one realm here; import again with --realm=OTHER, for a daemon of its own"
        );
        say(Kind::Refused, "realm", text);
    }
    if database.origins > 0 {
        say(
            Kind::Dropped,
            "turn_origin_to_realm",
            "there is one realm; browsers send no ORIGIN to choose by".to_owned(),
        );
    }
    if database.oauth_keys > 0 {
        say(
            Kind::Refused,
            "oauth_key",
            "OAuth (RFC 7635) is not offered; use a shared secret (auth.secret)".to_owned(),
        );
    }
}

/// The options that name a user database in SQLite.
pub fn is_sqlite(option: &Known) -> bool {
    option.name == "userdb" || option.name == "db"
}
