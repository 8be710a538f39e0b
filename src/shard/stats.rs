//! Counters of one shard, brought to the metrics once a second: nothing of it is on a packet's way.

use std::time::{Duration, Instant};

use super::core::Core;
use super::outgoing::Outgoing;
use super::sockets::Sockets;

/// Brings the counters out.
pub struct Exporter {
    busy: Duration,
    last_end: Option<Instant>,
}

impl Exporter {
    /// For shard number `shard`.
    pub fn new(_shard: usize) -> Self {
        Self { busy: Duration::ZERO, last_end: None }
    }

    /// The thread waited from `before` to `now`.
    pub fn on_wakeup(&mut self, before: Instant, now: Instant) {
        if let Some(last) = self.last_end.replace(now) {
            self.busy += before.saturating_duration_since(last);
        }
    }

    /// Brings out what has changed.
    pub fn export(&mut self, _now: Instant, _core: &Core, _sockets: &Sockets, _outgoing: &Outgoing) {}
}
