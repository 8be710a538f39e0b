//! Which addresses this host has: relays must not reach its other services under one that came later.

use tokio::task::spawn_blocking;

use crate::nat::Addresses;

/// The addresses with those of today, and whether any was new.
pub async fn learn(addresses: &Addresses) -> (Addresses, bool) {
    let mut addresses = addresses.clone();
    let before = addresses.clone();
    let learned = spawn_blocking(move || {
        let is_new = addresses.learn().unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot read the network interfaces");
            false
        });
        (addresses, is_new)
    });
    learned.await.unwrap_or((before, false))
}
