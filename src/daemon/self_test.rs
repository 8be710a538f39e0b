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
use crate::nat::Addresses;
use crate::probe::{self, Target};

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Starts testing, until the handle aborts it.
/// `settings` are those in use.
pub fn spawn(settings: watch::Receiver<Arc<Settings>>, addresses: &Addresses, health: Arc<Health>) -> JoinHandle<()> {
    let addresses = addresses.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            let settings = Arc::clone(&settings.borrow());
            let Some(target) = Target::own(&settings, &addresses, clock::unix_secs()) else {
                health.set_self_test("skipped: no secret is accepted at this time".into());
                continue;
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
