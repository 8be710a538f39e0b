//! The daemon is its own first client: after the start and every ten minutes it walks through its own relay.
//! The result informs the log, `/readyz` and the metrics; no failure of it stops anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::Settings;
use crate::health::Health;
use crate::http::metrics;
use crate::ledger::Ledger;
use crate::nat::Addresses;
use crate::probe::{self, Target};

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Starts testing, until the handle aborts it.
/// `settings` are those in use.
pub fn spawn(
    settings: watch::Receiver<Arc<Settings>>,
    addresses: &Addresses,
    ledger: Arc<Ledger>,
    health: Arc<Health>,
) -> JoinHandle<()> {
    let addresses = addresses.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            let settings = Arc::clone(&settings.borrow());
            let target = match (no_use(&settings, &ledger), Target::own(&settings, &addresses, clock::unix_secs())) {
                (None, Some(target)) => target,
                (why, _) => {
                    let why = why.unwrap_or("no secret of auth.secrets is accepted at this time");
                    health.set_self_test(format!("skipped: {why}"));
                    continue;
                }
            };
            let report = probe::run(target, |_| {}).await;
            metrics::self_test(clock::unix_secs(), report.is_ok(), report.round_trip());
            let text = report.summary();
            if report.is_ok() {
                tracing::info!("self-test: {text}");
            } else {
                tracing::warn!("self-test: {text}");
            }
            health.set_self_test(text);
        }
    })
}

/// Why nobody gets a new allocation at this time, though nothing is broken.
fn no_use(settings: &Settings, ledger: &Ledger) -> Option<&'static str> {
    if !settings.relay.alternate_servers.is_empty() {
        return Some("relay.alternate_servers sends new clients elsewhere");
    }
    ledger.month().is_used_up().then_some("limits.monthly_bytes is used up")
}
