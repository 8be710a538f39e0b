//! `roundturn show APP`: what to write into an application so that it uses this daemon.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use roundturn_turn::StaticUser;
use serde_json::json;

use crate::cli;
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
    /// How the answer looks.
    #[command(flatten)]
    pub output: cli::Json,
}

/// Prints the lines, with the configured secret in them.
pub fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let as_json = arguments.output.json;
    let Some(app) = &arguments.app else {
        super::print(&if as_json { format!("{:#}", json!(names())) } else { names().join("\n") });
        return Ok(ExitCode::SUCCESS);
    };
    let settings = super::settings(file)?;
    let shown = show(app, &facts(&settings, arguments.hide_secret)?)?;
    super::print(&if as_json { format!("{:#}", json!(shown)) } else { shown.to_string() });
    Ok(ExitCode::SUCCESS)
}

fn facts(settings: &Settings, hide_secret: bool) -> anyhow::Result<Facts> {
    let host = match &settings.address {
        Address::Name(name) => name.clone(),
        other => Addresses::find(other)?.external().first().context("no address was found")?.to_string(),
    };
    let listener = settings.listen.turn.first().context("listen.turn names no address")?;
    let secret = settings.signing_secret(clock::unix_secs()).filter(|_| !settings.auth.secret_is_random);
    ensure!(
        secret.is_some() || settings.auth.secret_is_random,
        "no secret of auth.secrets is accepted at this time, so that nobody could use what is shown; add one, reload the \
         daemon, and ask again"
    );
    let hidden = || crate::config::Secret::new("YOUR-SECRET");
    let shown = |secret: &crate::config::Secret| if hide_secret { hidden() } else { secret.clone() };
    // The first by name, the same one each time, of those whose password is known.
    let passwords = settings.auth.users.iter().filter_map(|(name, user)| match user {
        StaticUser::Password(password) => Some((name, crate::config::Secret::new(password.clone()))),
        _ => None,
    });
    let user = passwords.min_by_key(|(name, _)| *name);
    let api = settings.listen.http.first().zip(settings.auth.api_keys.first());
    Ok(Facts {
        host,
        turn_port: listener.port(),
        tls_port: settings.tls_listeners().first().map(SocketAddr::port),
        secret: secret.map(|secret| shown(&secret.value)),
        user: user.map(|(name, password)| (name.clone(), shown(&password))),
        api: api.map(|(address, key)| (reached(*address), shown(key))),
    })
}

/// How a program on this host reaches a listener: the one for every address is also this host's own.
fn reached(listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, listener.port()).into() } else { listener }
}
