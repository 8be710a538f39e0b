//! A real TURN client that tries a server out, step by step: what a browser behind a bad network would need of it.
//!
//! ```text
//!   we ── Allocate ──► relay A ─┐
//!                               │ Send indication, then channel: there and back
//!   we ── Allocate ──► relay B ─┘
//! ```

mod party;
mod tap;
mod trouble;
mod walk;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use trouble::Trouble;

use crate::config::Settings;
use crate::nat::Addresses;

/// The name in the credentials that a daemon tries itself out with.
const SELF: &str = "self-test";
/// Such credentials need to last for one walk only, in seconds.
const SELF_TTL_SECS: u64 = 120;

/// Whom to try out, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// A name or an address.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
    /// The user name.
    pub username: String,
    /// Its password.
    pub password: String,
    /// How long each step may take.
    pub timeout: Duration,
}

impl Target {
    /// This host's own daemon, by its settings. `None` where no secret is accepted any more.
    pub fn own(settings: &Settings, addresses: &Addresses, unix_secs: u64) -> Option<Self> {
        let listener = *settings.listen.turn.first()?;
        let secret = settings.signing_secret(unix_secs)?;
        let username = format!("{}:{SELF}", unix_secs + SELF_TTL_SECS);
        let password = roundturn_turn::mint(secret.value.expose().as_bytes(), &username);
        Some(Self {
            host: reachable(listener, addresses).to_string(),
            port: listener.port(),
            username,
            password,
            timeout: Duration::from_secs(5),
        })
    }
}

/// What has been tried, in order.
#[derive(Debug, Clone)]
pub struct Step {
    /// What.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What it showed, or why it failed.
    pub outcome: Result<String, Trouble>,
}

/// How it went.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every step until the first that failed.
    pub steps: Vec<Step>,
    /// The round trips of the last step.
    pub echo: Option<Echo>,
}

/// Packets that went through both relays and came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    /// How many were sent.
    pub sent: usize,
    /// How many came back.
    pub received: usize,
    /// The shortest round trip.
    pub shortest: Duration,
    /// The one in the middle.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Report {
    /// Whether every step succeeded.
    pub fn is_ok(&self) -> bool {
        self.echo.is_some()
    }

    /// The round trip through both relays; `None` where none was made.
    pub fn round_trip(&self) -> Option<Duration> {
        self.echo.map(|echo| echo.median)
    }

    /// The step that failed, and why.
    pub fn failure(&self) -> Option<(&'static str, &Trouble)> {
        self.steps.iter().find_map(|step| step.outcome.as_ref().err().map(|trouble| (step.name, trouble)))
    }

    /// The whole in one line, for logs and `/readyz`.
    pub fn summary(&self) -> String {
        match (self.echo, self.failure()) {
            (Some(echo), _) => {
                format!("relayed {} of {} packets, round trip {}", echo.received, echo.sent, milliseconds(echo.median))
            }
            (None, Some((step, trouble))) => format!("failed at {step}: {trouble}"),
            (None, None) => "nothing was tried".to_owned(),
        }
    }
}

/// Walks through all steps and calls `on_step` after each, until one fails.
pub async fn run(target: Target, on_step: impl FnMut(&Step)) -> Report {
    walk::run(&target, on_step).await
}

/// A duration for people.
pub fn milliseconds(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    let decimals = if milliseconds < 10.0 { 2 } else { 0 };
    format!("{milliseconds:.decimals$} ms")
}

/// Where this host reaches its own listener: behind a NAT the external address may lead nowhere from inside.
fn reachable(listener: SocketAddr, addresses: &Addresses) -> IpAddr {
    if !listener.ip().is_unspecified() {
        return listener.ip();
    }
    let v4 = addresses.local_v4.map(IpAddr::V4);
    let v6 = addresses.local_v6.map(IpAddr::V6).filter(|_| listener.is_ipv6());
    v4.or(v6).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

#[cfg(test)]
mod tests;
