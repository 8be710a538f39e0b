//! `roundturn check`: what the configuration decides, what is doubtful about it, or why it is refused.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::clock;
use crate::config::{self, Address, ConfigError, LogFormat, Place, Problem, Relay, RoomMode, Settings};
use crate::daemon;

/// Prints it; exit code 78 where it is refused.
pub fn run(file: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = match super::settings(file) {
        Ok(settings) => settings,
        Err(error) if as_json => {
            let problems = match &error {
                ConfigError::Refused(problems) => problems.iter().map(problem).collect(),
                other => vec![json!({ "rule": other.to_string() })],
            };
            super::print(&format!("{:#}", json!({ "ok": false, "problems": problems })));
            return Ok(ExitCode::from(super::EXIT_CONFIG));
        }
        Err(error) => return Err(error.into()),
    };
    if let Err(error) = daemon::examine(&settings) {
        if as_json {
            let problem = json!({ "key": "tls", "rule": error.to_string() });
            super::print(&format!("{:#}", json!({ "ok": false, "problems": [problem] })));
            return Ok(ExitCode::from(super::EXIT_CONFIG));
        }
        return Err(error.into());
    }
    let warnings: Vec<String> = settings
        .warnings(clock::unix_secs())
        .into_iter()
        .chain(config::kernel_ports(&settings))
        .chain(elsewhere(&settings))
        .collect();
    let decided = decided(&settings);
    if as_json {
        let file = settings.file.as_ref().map(|file| file.display().to_string());
        let decided: serde_json::Map<_, _> = decided.into_iter().map(|(name, keys)| (name.to_owned(), keys)).collect();
        super::print(&format!("{:#}", json!({ "ok": true, "file": file, "settings": decided, "warnings": warnings })));
    } else {
        super::print(&in_words(&settings, &decided, &warnings));
    }
    Ok(ExitCode::SUCCESS)
}

/// Listeners at addresses that this host does not have now.
fn elsewhere(settings: &Settings) -> impl Iterator<Item = String> {
    let listen = &settings.listen;
    let all = [("turn", &listen.turn[..]), ("turns", settings.tls_listeners()), ("http", &listen.http[..])];
    let all = all.into_iter().flat_map(|(key, addresses)| addresses.iter().map(move |address| (key, *address)));
    let is_missing = |address: &SocketAddr| {
        let bound = UdpSocket::bind((address.ip(), 0));
        bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
    };
    all.filter(move |(_, address)| is_missing(address))
        .map(|(key, address)| format!("listen.{key} holds {address}, which is no address of this host at this time"))
}

fn problem(problem: &Problem) -> Value {
    let mut value = json!({ "key": problem.key, "value": problem.value, "rule": problem.rule });
    match &problem.place {
        Place::File(file, line) => {
            value["file"] = json!(file.display().to_string());
            value["line"] = json!(line);
        }
        Place::Variable(name) => value["variable"] = json!(name),
        Place::Default => {}
    }
    value
}

fn in_words(settings: &Settings, decided: &[(&str, Value)], warnings: &[String]) -> String {
    let mut text = match &settings.file {
        Some(file) => format!("{} is in order.\n\n", file.display()),
        None => "No configuration file: the defaults serve.\n\n".to_owned(),
    };
    let mut rows = Vec::new();
    for (section, keys) in decided {
        for (key, value) in keys.as_object().into_iter().flatten() {
            rows.push((format!("{section}.{key}"), plain(value)));
        }
    }
    text += &super::columns(&rows);
    if !warnings.is_empty() {
        text += "\nWarnings:\n";
    }
    for warning in warnings {
        text += &format!("- {warning}\n");
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => "off".to_owned(),
        other => other.to_string(),
    }
}

/// The settings that stand, by section and key; secrets and passwords by their names only.
fn decided(settings: &Settings) -> Vec<(&'static str, Value)> {
    let Settings { listen, relay, auth, peers, limits, rooms, shards, log, .. } = settings;
    let secrets: Vec<_> = auth.secrets.iter().map(|secret| secret.name.as_str()).collect();
    let mut users: Vec<_> = auth.users.keys().map(String::as_str).collect();
    users.sort_unstable();
    let mut sections = Vec::new();
    let mut section = |name, keys| sections.push((name, keys));
    section(
        "listen",
        json!({
            "turn": listen.turn, "turns": listen.turns, "http": listen.http, "metrics": listen.metrics,
            "origins": listen.origins, "proxy_protocol_from": listen.proxy_protocol_from,
        }),
    );
    section("address", json!({ "external": external(&settings.address), "stun_servers": settings.stun_servers }));
    section("ports", json!({ "udp": format!("{}-{}", settings.ports.start(), settings.ports.end()) }));
    let Relay { tcp_allocations, mobility, behavior_discovery, password_algorithms, alternate_servers } = relay;
    section(
        "relay",
        json!({
            "tcp_allocations": tcp_allocations, "mobility": mobility,
            "behavior_discovery": behavior_discovery.map(|found| found.alternate),
            "password_algorithms": password_algorithms, "alternate_servers": alternate_servers,
        }),
    );
    section(
        "auth",
        json!({
            "realm": auth.realm, "secrets": secrets, "users": users, "strict_expiry": auth.strict_expiry,
            "api_keys": auth.api_keys.len(), "credential_ttl": in_units(auth.credential_ttl.as_secs()),
        }),
    );
    section("peers", json!({ "allow": peers.allow, "deny": peers.deny }));
    if let Some(tokens) = &settings.tokens {
        let keys: Vec<String> = tokens.keys.iter().map(|key| format!("{:?}", key.algorithm())).collect();
        let (issuer, audience) = (&tokens.issuer, &tokens.audience);
        section("tokens", json!({ "keys": keys, "jwks": tokens.url, "issuer": issuer, "audience": audience }));
    }
    section("webhooks", json!({ "urls": settings.webhooks.urls }));
    section(
        "limits",
        json!({
            "allocations": limits.allocations, "allocations_per_user": limits.allocations_per_user,
            "allocations_per_prefix": limits.allocations_per_prefix, "user_rate": limits.user_rate,
            "total_rate": limits.total_rate, "monthly_bytes": limits.monthly_bytes,
        }),
    );
    let mode = match rooms.mode {
        RoomMode::Sfu => "sfu",
        RoomMode::Mesh => "mesh",
    };
    section(
        "rooms",
        json!({
            "open": rooms.open, "mode": mode, "max_participants": rooms.max_participants,
            "audio_slots": rooms.audio_slots, "video_slots": rooms.video_slots,
            "keyframe_cache": rooms.keyframe_cache,
            "ttl": in_units(rooms.ttl.as_secs()), "empty_timeout": in_units(rooms.empty_timeout.as_secs()),
            "resume": in_units(rooms.resume.as_secs()),
        }),
    );
    let tls = settings.tls.as_ref();
    section("tls", json!({ "certificate": tls.map(|tls| &tls.certificate), "key": tls.map(|tls| &tls.key) }));
    section("shards", json!({ "count": shards.count, "hairpin": shards.hairpin }));
    let format = match log.format {
        LogFormat::Journal => "journal",
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    section("log", json!({ "level": log.level, "format": format }));
    sections
}

fn external(address: &Address) -> Vec<String> {
    match address {
        Address::Auto => vec!["auto".to_owned()],
        Address::Name(name) => vec![name.clone()],
        Address::Fixed(addresses) => addresses
            .iter()
            .map(|address| match address.local {
                Some(local) => format!("{}/{local}", address.external),
                None => address.external.to_string(),
            })
            .collect(),
    }
}

/// Seconds in the largest unit that divides them, as the configuration writes them.
fn in_units(secs: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    match units.into_iter().find(|(unit, _)| secs > 0 && secs.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", secs / unit),
        None => format!("{secs}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_written() {
        assert_eq!(
            ["4h", "5m", "30s", "0s", "2d", "90s"],
            [14_400, 300, 30, 0, 172_800, 90].map(in_units).each_ref().map(String::as_str)
        );
    }
}
