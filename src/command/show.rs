//! `roundturn show APP`: what to write into an application so that it uses this daemon.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use roundturn_turn::StaticUser;

use crate::clock;
use crate::config::{Address, Settings};
use crate::nat::Addresses;
use crate::show::{Facts, names, show};

/// `show`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The application, like synapse or nextcloud; without one, the list
    pub app: Option<String>,
    /// Put a placeholder where the secret stands
    #[arg(long)]
    pub hide_secret: bool,
}

/// Prints the lines, with the configured secret in them.
pub fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(app) = &arguments.app else {
        super::print(&names().join("\n"));
        return Ok(ExitCode::SUCCESS);
    };
    let settings = super::settings(file)?;
    let shown = show(app, &facts(&settings, arguments.hide_secret)?)?;
    super::print(&shown.to_string());
    Ok(ExitCode::SUCCESS)
}

fn facts(settings: &Settings, hide_secret: bool) -> anyhow::Result<Facts> {
    let host = match &settings.address {
        Address::Name(name) => name.clone(),
        other => Addresses::find(other)?.external().first().context("no address was found")?.to_string(),
    };
    let listener = settings.listen.turn.first().context("listen.turn names no address")?;
    let secret = settings.signing_secret(clock::unix_secs()).filter(|_| !settings.auth.secret_is_random);
    let hidden = || crate::config::Secret::new("YOUR-SECRET");
    let shown = |secret: &crate::config::Secret| if hide_secret { hidden() } else { secret.clone() };
    // The first by name, the same one each time, of those whose password is known.
    let passwords = settings.auth.users.iter().filter_map(|(name, user)| match user {
        StaticUser::Password(password) => Some((name, crate::config::Secret::new(password.clone()))),
        _ => None,
    });
    let user = passwords.min_by_key(|(name, _)| *name);
    Ok(Facts {
        host,
        turn_port: listener.port(),
        tcp: false,
        tls_port: None,
        secret: secret.map(|secret| shown(&secret.value)),
        user: user.map(|(name, password)| (name.clone(), shown(&password))),
    })
}
