//! What to write into an application so that it uses this relay: the exact lines, with this host's names in them.

mod apps;
mod quote;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde::Serialize;
use thiserror::Error;

use crate::config::{Secret, nearest};
use apps::By;

/// Stands where a secret is still to be made.
pub const TO_CHANGE: &str = "CHANGE-ME";

/// What an application has to know about this daemon.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The name or the address that clients use.
    pub host: String,
    /// The port of TURN and STUN.
    pub turn_port: u16,
    /// The port of TURN over TLS, where it is served.
    pub tls_port: Option<u16>,
    /// The shared secret; `None` where it is a random one of each start.
    pub secret: Option<Secret>,
    /// A static user and its password, for applications that know nothing else.
    pub user: Option<(String, Secret)>,
    /// Where HTTP is, as seen from this host, and a key of the credential API, where there is one.
    pub api: Option<(SocketAddr, Secret)>,
}

/// The answer: for each place, what to write there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What the application is called.
    pub title: &'static str,
    /// What must be set in `roundturn.toml` first, if anything.
    pub first: Option<String>,
    /// Places, and the lines for each.
    pub blocks: Vec<Block>,
    /// What to do afterwards, and how to see that it works.
    pub then: &'static str,
}

/// The lines for one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// A file, a shell or a page of settings.
    pub place: &'static str,
    /// What to paste there.
    pub lines: String,
}

/// An application by a name that nobody knows.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("no application called {name:?} is known{}; there are {}", hint(.near), names().join(", "))]
pub struct UnknownApp {
    /// The name.
    pub name: String,
    /// The one that was probably meant.
    pub near: Option<&'static str>,
}

/// The lines for one application.
///
/// # Errors
/// [`UnknownApp`], with the nearest name and the list.
pub fn show(app: &str, facts: &Facts) -> Result<Shown, UnknownApp> {
    let wanted = app.to_ascii_lowercase().replace([' ', '_'], "-");
    let all = || apps::APPS.iter();
    let found = all().find(|app| app.name == wanted || app.aliases.contains(&wanted.as_str()));
    let Some(app) = found else {
        let words = all().flat_map(|app| std::iter::once(&app.name).chain(app.aliases)).copied();
        let near = nearest::nearest(&wanted, words);
        return Err(UnknownApp { name: app.to_owned(), near });
    };
    Ok(Shown {
        title: app.title,
        first: match app.by {
            By::Secret => facts.first_a_secret(),
            By::User => facts.first_a_user(),
            By::ApiOrUser => facts.first_a_user().filter(|_| facts.api.is_none()),
        },
        blocks: (app.blocks)(facts),
        then: app.then,
    })
}

/// The names of all applications.
pub fn names() -> Vec<&'static str> {
    apps::APPS.iter().map(|app| app.name).collect()
}

impl Facts {
    fn first_a_secret(&self) -> Option<String> {
        let text = "This daemon makes another secret at each start. Set one in roundturn.toml first (openssl rand -base64 32), restart, and ask again:";
        self.secret.is_none().then(|| format!("{text}\n\n[auth]\nsecret = \"{TO_CHANGE}\"\n"))
    }

    fn first_a_user(&self) -> Option<String> {
        let text = "This application knows users and passwords only. Add one to roundturn.toml first, with a long random password (openssl rand -hex 20), reload, and ask again:";
        self.user.is_none().then(|| format!("{text}\n\n[auth.users]\ncalls = \"{TO_CHANGE}\"\n"))
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = format!("{}\n", self.title);
        if let Some(first) = &self.first {
            let _ = write!(out, "\n{first}");
        }
        for block in &self.blocks {
            let _ = write!(out, "\n{}:\n\n{}", block.place, block.lines);
        }
        let _ = write!(out, "\n{}", self.then);
        f.write_str(&out)
    }
}

fn hint(near: &Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}
