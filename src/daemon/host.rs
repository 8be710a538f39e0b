//! Watches which addresses this host has: relays must not reach its other services under one that came later.

use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use super::parts;
use crate::config::Settings;
use crate::nat::Addresses;
use crate::shard::mailbox::{Shards, ToShard};

/// How often. A provider's new prefix or a VPN that comes up is denied to relays within that time.
const EVERY: Duration = Duration::from_secs(30);

/// Starts watching, until the handle aborts it.
pub fn spawn(settings: Settings, mut addresses: Addresses, shards: Shards) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        // Shards whose mailbox was full when they were to be told.
        let mut is_due = false;
        loop {
            tick.tick().await;
            let asked = addresses.clone();
            let Ok((found, is_new)) = spawn_blocking(move || learn(asked)).await else { return };
            addresses = found;
            if is_new || is_due {
                is_due = !tell(&settings, &addresses, &shards);
            }
        }
    })
}

/// The addresses with those of today, and whether any was new.
fn learn(mut addresses: Addresses) -> (Addresses, bool) {
    let is_new = addresses.learn().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot read the network interfaces");
        false
    });
    (addresses, is_new)
}

/// Whether every shard could be told.
fn tell(settings: &Settings, addresses: &Addresses, shards: &Shards) -> bool {
    tracing::info!("this host has a new address: relays do not reach it");
    let config = parts::turn(settings, addresses);
    (0..shards.count()).fold(true, |all, shard| {
        let told = shards.send(shard, ToShard::Turn(Box::new(config.clone())));
        if let Err(error) = &told {
            tracing::warn!("{error}; it is told later");
        }
        all && told.is_ok()
    })
}
