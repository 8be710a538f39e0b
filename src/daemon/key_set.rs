//! The key set at `tokens.jwks`, where that is a URL: fetched at the start, again and again, and at once when a token comes
//! that none of the keys signed. While its server is away, the keys of before count.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::config::Settings;
use crate::fetch::Fetcher;
use crate::signal::SignalHandle;
use crate::tokens::{Key, keys_of_jwks};

/// How long fetched keys count as new.
const FRESH: Duration = Duration::from_secs(600);
/// How soon it is asked for again after a failure.
const AGAIN: Duration = Duration::from_secs(30);
/// Tokens of strangers have it asked for no more often than this.
const APART: Duration = Duration::from_secs(3);

/// Starts, until the handle aborts it or the settings are gone.
///
/// # Panics
/// Outside a Tokio runtime.
pub fn spawn(settings: watch::Receiver<Arc<Settings>>, signal: SignalHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        match Fetcher::new() {
            Ok(fetcher) => follow(settings, signal, fetcher).await,
            Err(error) => tracing::error!("no key set can be fetched: {error}"),
        }
    })
}

async fn follow(mut settings: watch::Receiver<Arc<Settings>>, signal: SignalHandle, fetcher: Fetcher) {
    let mut known: Option<(String, Vec<Key>)> = None;
    loop {
        let url = settings.borrow_and_update().tokens.as_ref().and_then(|tokens| tokens.url.clone());
        let Some(url) = url else {
            known = None;
            match settings.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let fetched = read(&fetcher, &url).await;
        let wait = if fetched.is_some() { FRESH } else { AGAIN };
        if let Some(keys) = fetched
            && known.as_ref().is_none_or(|(of, before)| *of != url || *before != keys)
        {
            tracing::info!("tokens.jwks: {} key{} fetched", keys.len(), if keys.len() == 1 { "" } else { "s" });
            known = Some((url.clone(), keys.clone()));
            // Signaling ends with the daemon only.
            let _ = signal.set_fetched_keys(url, keys).await;
        }
        let asked = Instant::from(clock::now());
        tokio::select! {
            changed = settings.changed() => if changed.is_err() { return },
            () = sleep_until(asked + wait) => {}
            () = signal.keys_wanted() => sleep_until(asked + APART).await,
        }
    }
}

async fn read(fetcher: &Fetcher, url: &str) -> Option<Vec<Key>> {
    let keys = match fetcher.get(url).await {
        Ok(text) => keys_of_jwks(&text).map_err(|rule| format!("{url} {rule}")),
        Err(error) => Err(error.to_string()),
    };
    keys.map_err(|reason| tracing::warn!("tokens.jwks: {reason}; what was fetched before still counts")).ok()
}
