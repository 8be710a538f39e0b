//! Watches over the shards: each must answer a question through its mailbox, and only then is systemd told that all is
//! well.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::health::Health;
use crate::shard::mailbox::{Shards, ToShard};
use crate::systemd::Notifier;

/// How often the shards are asked where systemd asks for nothing.
const EVERY: Duration = Duration::from_secs(5);

/// How long a shard may take for one turn of its loop before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks for ever.
pub async fn run(notifier: Notifier, shards: Shards, health: Arc<Health>) {
    let every = notifier.watchdog_interval().map_or(EVERY, |interval| interval.min(EVERY));
    let mut tick = tokio::time::interval(every);
    let mut stuck = false;
    loop {
        tick.tick().await;
        let answered = tokio::time::timeout(PATIENCE, all_answer(&shards)).await.unwrap_or(false);
        if answered {
            notifier.alive();
        }
        if answered == stuck {
            stuck = !answered;
            health.set_stuck(stuck);
            if stuck {
                tracing::error!("a shard does not answer");
            } else {
                tracing::info!("every shard answers again");
            }
        }
    }
}

async fn all_answer(shards: &Shards) -> bool {
    let mut answers = Vec::with_capacity(shards.count());
    for shard in 0..shards.count() {
        let (answer, answered) = oneshot::channel();
        if shards.send(shard, ToShard::Ping(answer)).is_err() {
            return false;
        }
        answers.push(answered);
    }
    for answered in answers {
        if answered.await.is_err() {
            return false;
        }
    }
    true
}
