//! `roundturn credentials`: TURN credentials for an application or a try by hand, and what is wrong with others'.

mod verify;

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::cli;
use crate::clock;
use crate::config::{Address, NamedSecret, Settings};
use crate::moment;
use crate::nat::Addresses;

/// Credentials live at most this long, in seconds.
const LONGEST_SECS: u64 = 3600;

/// Prints user name, password, expiry and URLs.
pub fn run(file: Option<&Path>, arguments: &cli::Credentials) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    if let Some([username, password]) = arguments.verify.as_deref() {
        return Ok(verify::run(&settings, username, password, arguments.output.json));
    }
    ensure!(
        !settings.auth.secret_is_random,
        "no secret is configured, so the daemon made a random one that only it knows; \
         set auth.secret or auth.secret_file, reload the daemon, and ask again"
    );
    let ttl_secs = arguments.ttl.unwrap_or(settings.auth.credential_ttl).as_secs();
    ensure!(ttl_secs <= LONGEST_SECS, "--ttl must be at most 60m");
    let now = clock::unix_secs();
    let secret = NamedSecret::signing(&settings.auth.secrets, now, ttl_secs)
        .context("no secret of auth.secrets is accepted at this time; roundturn check shows them")?;
    let expires = secret.expiry(now, ttl_secs);
    let ttl_secs = expires - now;
    let username = match &arguments.name {
        Some(name) => format!("{expires}:{name}"),
        None => expires.to_string(),
    };
    let password = roundturn_turn::mint(secret.value.expose().as_bytes(), &username);
    let urls = urls(&settings)?;
    let rows = [
        ("username", username.clone()),
        ("password", password.clone()),
        ("expires", moment::rfc3339(expires)),
        ("urls", urls.join(" ")),
    ];
    if arguments.output.json {
        let expires = moment::rfc3339(expires);
        let answer = json!({
            "username": username, "password": password, "ttl": ttl_secs, "expires": expires, "urls": urls,
        });
        super::print(&format!("{answer:#}"));
    } else {
        super::print(&super::columns(&rows.map(|(name, value)| (name.to_owned(), value))));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where clients reach the first TURN listener, and the first for TLS if there is a certificate.
fn urls(settings: &Settings) -> anyhow::Result<Vec<String>> {
    let listener = settings.listen.turn.first().context("listen.turn names no address")?;
    let hosts = match &settings.address {
        Address::Name(name) => vec![name.clone()],
        other => Addresses::find(other)?.external().into_iter().map(bracketed).collect(),
    };
    let plain = |transport| move |host: &String| format!("turn:{host}:{}?transport={transport}", listener.port());
    let tls = settings.listen.turns.first().filter(|_| settings.tls.is_some());
    let secure = hosts.iter().zip(tls.into_iter().cycle());
    let secure = secure.map(|(host, listener)| format!("turns:{host}:{}?transport=tcp", listener.port()));
    Ok(hosts.iter().map(plain("udp")).chain(hosts.iter().map(plain("tcp"))).chain(secure).collect())
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
