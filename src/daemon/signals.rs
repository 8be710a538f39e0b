//! What the process is told by signals.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Those that would end the process where nobody listens for them. To be made before anything that takes time: a reload
/// that is asked for meanwhile comes after the start.
pub struct Signals {
    /// SIGHUP: read settings anew.
    pub hangups: Option<Signal>,
    /// SIGUSR1 and SIGUSR2, which some programs are asked for statistics by, with their names.
    pub others: Vec<(&'static str, Signal)>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn listen() -> Self {
        let others = [("SIGUSR1", SignalKind::user_defined1()), ("SIGUSR2", SignalKind::user_defined2())];
        let others = others.into_iter().filter_map(|(name, kind)| Some((name, listen(kind)?)));
        Self { hangups: listen(SignalKind::hangup()), others: others.collect() }
    }
}

/// Says what a signal means that means nothing here.
pub async fn explain(signals: Vec<(&'static str, Signal)>) {
    for (name, mut signal) in signals {
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                tracing::warn!(
                    "{name} means nothing here: SIGHUP reads settings anew, SIGTERM stops, metrics are at listen.metrics"
                );
            }
        });
    }
}

/// Waits until the process is to stop; by what.
pub async fn told_to_stop() -> &'static str {
    tokio::select! {
        () = next(SignalKind::terminate()) => "SIGTERM",
        () = next(SignalKind::interrupt()) => "SIGINT",
    }
}

/// The next signal of a kind; never where the kernel gives none, and then the default action ends the process.
async fn next(kind: SignalKind) {
    match listen(kind) {
        Some(mut signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::error!(%error, "signals cannot be received")).ok()
}
