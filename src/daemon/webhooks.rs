//! Webhooks: what happens in rooms, brought to the application, signed, in order, and again where it was not taken.
//!
//! ```text
//!  signaling ─► a queue ─┬─► a queue for each URL ─► one at a time: try, wait, try … ─► next
//!                        └─► …
//! ```
//!
//! Every queue has an end: what finds no place is dropped and counted, so that an application that is away costs nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::body::Bytes;
use metrics::counter;
use serde::Serialize;
use sha2::Sha256;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::Settings;
use crate::fetch::{FetchError, Fetcher};
use crate::signal::happening::Happening;

/// Events that wait for all URLs, and for each.
pub const QUEUE: usize = 1000;
/// How long after each try the next one comes; after the last one the event is given up.
const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25), Duration::from_secs(125)];
/// The header with the signature.
const SIGNATURE: &str = "roundturn-signature";

/// What is brought: the event with a number of its own, by which an application knows one that it has had.
#[derive(Serialize)]
struct Letter<'a> {
    id: String,
    #[serde(flatten)]
    happening: &'a Happening,
}

/// Starts, until the handle aborts it or signaling ends.
///
/// # Panics
/// Outside a Tokio runtime.
pub fn spawn(settings: watch::Receiver<Arc<Settings>>, happenings: mpsc::Receiver<Happening>) -> JoinHandle<()> {
    tokio::spawn(async move {
        match Fetcher::new() {
            Ok(fetcher) => sort(settings, happenings, fetcher).await,
            Err(error) => tracing::error!("no webhook can be called: {error}"),
        }
    })
}

/// Gives every URL its events.
async fn sort(settings: watch::Receiver<Arc<Settings>>, mut happenings: mpsc::Receiver<Happening>, fetcher: Fetcher) {
    let started = clock::unix().as_millis();
    let mut carriers: HashMap<String, mpsc::Sender<Bytes>> = HashMap::new();
    let mut number = 0_u64;
    while let Some(happening) = happenings.recv().await {
        let urls = settings.borrow().webhooks.urls.clone();
        carriers.retain(|url, _| urls.contains(url));
        if urls.is_empty() {
            continue;
        }
        number += 1;
        let letter = Letter { id: format!("evt_{started}_{number}"), happening: &happening };
        let Ok(body) = serde_json::to_vec(&letter).map(Bytes::from) else { continue };
        for url in urls {
            let carrier = carriers.entry(url.clone()).or_insert_with(|| {
                let (letters, waiting) = mpsc::channel(QUEUE);
                tokio::spawn(carry(url, settings.clone(), waiting, fetcher.clone()));
                letters
            });
            if carrier.try_send(body.clone()).is_err() {
                count("dropped");
            }
        }
    }
}

/// Brings one URL its events, one after the other.
async fn carry(
    url: String,
    settings: watch::Receiver<Arc<Settings>>,
    mut letters: mpsc::Receiver<Bytes>,
    fetcher: Fetcher,
) {
    while let Some(body) = letters.recv().await {
        let mut waits = WAITS.iter();
        loop {
            let webhooks = settings.borrow().webhooks.clone();
            if !webhooks.urls.contains(&url) {
                // What still waits for a URL that is not told any more is nobody's, and no secret signs it.
                break count("dropped");
            }
            let signature = sign(webhooks.secret.expose().as_bytes(), clock::unix_secs(), &body);
            let error = match fetcher.post(&url, &[(SIGNATURE, signature)], body.clone()).await {
                Ok(()) => break count("delivered"),
                Err(error) => error,
            };
            match waits.next().filter(|_| may_change(&error)) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => {
                    tracing::warn!("webhooks: an event is given up: {error}");
                    break count("failed");
                }
            }
        }
    }
}

/// Whether another try may end otherwise.
fn may_change(error: &FetchError) -> bool {
    match error {
        FetchError::Refused { status, .. } => !status.is_client_error() || matches!(status.as_u16(), 408 | 425 | 429),
        FetchError::Unreachable { .. } | FetchError::Unusable { .. } => true,
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds, a dot and the body. Who compares the seconds with the clock is safe from
/// old ones that are sent again.
fn sign(secret: &[u8], unix_secs: u64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{unix_secs}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={unix_secs},v1={hex}")
}

fn count(result: &'static str) {
    counter!("roundturn_webhooks_total", "result" => result).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_it() {
        // printf '1795176000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected = "4945253154786c4239b670f18853b4e856597cd79ae0e8d4244dd670d7ea0991";
        assert_eq!(sign(b"0123456789abcdef", 1_795_176_000, b"{}"), format!("t=1795176000,v1={expected}"));
    }

    #[test]
    fn what_the_application_refuses_is_not_brought_again() {
        let refused = |status: u16| FetchError::Refused { url: String::new(), status: status.try_into().unwrap() };
        assert!([500, 503, 429, 408, 301].into_iter().all(|status| may_change(&refused(status))));
        assert!([400, 401, 404, 410].into_iter().all(|status| !may_change(&refused(status))));
    }
}
