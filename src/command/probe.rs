//! `roundturn probe`: tries a TURN server out and says what works, or what to do.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::cli;
use crate::clock;
use crate::nat::Addresses;
use crate::probe::{self, Report, Step, Target, milliseconds};

/// The port of TURN over UDP (RFC 8656 §19).
const PORT: u16 = 3478;
/// Credentials that are made here last for one walk, in seconds.
const TTL_SECS: u64 = 600;

/// Prints each step as it is done; exit code 1 where one fails.
pub fn run(file: Option<&Path>, arguments: &cli::Probe) -> anyhow::Result<ExitCode> {
    let target = target(file, arguments)?;
    let port = target.port;
    let as_json = arguments.output.json;
    if !as_json {
        super::print(&format!("Trying {} as {}", named(&target.host, port), target.username));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(probe::run(target, |step| {
        if !as_json {
            super::print(&line(step));
        }
    }));
    super::print(&if as_json { format!("{:#}", in_json(&report, port)) } else { conclusion(&report, port) });
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whom to try, and as whom: as the command line says, and for the rest as the configuration does.
fn target(file: Option<&Path>, arguments: &cli::Probe) -> anyhow::Result<Target> {
    let settings = super::settings(file)?;
    let now = clock::unix_secs();
    let (username, password) = match (&arguments.username, &arguments.password, &arguments.secret) {
        (Some(username), Some(password), _) => (username.clone(), password.clone()),
        (_, _, Some(secret)) => minted(secret, now),
        _ if settings.auth.secret_is_random => bail!(
            "no secret is configured, and the daemon's random one is known to itself alone; give --secret, or \
             --username and --password, or set auth.secret or auth.secret_file and reload the daemon"
        ),
        _ => {
            let secret = settings.signing_secret(now).context("no secret of auth.secrets is accepted at this time")?;
            minted(secret.value.expose(), now)
        }
    };
    let (host, port) = match &arguments.host {
        Some(host) => host_and_port(host)?,
        None => {
            let own = Target::own(&settings, &Addresses::find(&settings.address)?, now);
            own.map(|own| (own.host, own.port)).context("no secret of auth.secrets is accepted at this time")?
        }
    };
    Ok(Target { host, port, username, password, timeout: arguments.timeout })
}

fn minted(secret: &str, now: u64) -> (String, String) {
    let username = format!("{}:probe", now + TTL_SECS);
    let password = roundturn_turn::mint(secret.as_bytes(), &username);
    (username, password)
}

/// `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
fn host_and_port(text: &str) -> anyhow::Result<(String, u16)> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok((address.ip().to_string(), address.port()));
    }
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok((address.to_string(), PORT));
    }
    match text.split_once(':') {
        None => Ok((text.to_owned(), PORT)),
        Some((host, port)) => {
            let port = port.parse().with_context(|| format!("{text}: the port must be a number up to 65535"))?;
            Ok((host.to_owned(), port))
        }
    }
}

fn named(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// One step in aligned columns.
fn line(step: &Step) -> String {
    let (mark, words) = match &step.outcome {
        Ok(words) => ("ok", words.clone()),
        Err(trouble) => ("failed", trouble.to_string()),
    };
    format!("  {:18}  {:>10}  {mark:6}  {words}", step.name, milliseconds(step.took))
}

fn conclusion(report: &Report, port: u16) -> String {
    match report.failure() {
        Some((step, trouble)) => {
            format!("It failed at {step:?}. What to do: {}.", trouble.advice(step, port, clock::unix_secs()))
        }
        None => format!("It works: {}.", report.summary()),
    }
}

fn in_json(report: &Report, port: u16) -> Value {
    let steps: Vec<_> = report
        .steps
        .iter()
        .map(|step| {
            let (ok, said) = match &step.outcome {
                Ok(words) => (true, words.clone()),
                Err(trouble) => (false, trouble.to_string()),
            };
            json!({ "step": step.name, "ok": ok, "milliseconds": step.took.as_secs_f64() * 1000.0, "said": said })
        })
        .collect();
    let advice = report.failure().map(|(step, trouble)| trouble.advice(step, port, clock::unix_secs()));
    json!({
        "ok": report.is_ok(),
        "summary": report.summary(),
        "advice": advice,
        "round_trip_milliseconds": report.round_trip().map(|trip| trip.as_secs_f64() * 1000.0),
        "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_carry_a_port() {
        let read = |text| host_and_port(text).unwrap();
        assert_eq!(read("turn.example.org"), ("turn.example.org".to_owned(), 3478));
        assert_eq!(read("turn.example.org:80"), ("turn.example.org".to_owned(), 80));
        assert_eq!(read("[2001:db8::7]:80"), ("2001:db8::7".to_owned(), 80));
        assert_eq!(read("2001:db8::7"), ("2001:db8::7".to_owned(), 3478));
        assert_eq!(read("192.0.2.1:80"), ("192.0.2.1".to_owned(), 80));
        assert!(host_and_port("turn.example.org:many").is_err());
    }
}
