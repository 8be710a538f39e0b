//! What the daemon knows about its own fitness: written by its parts, read by `/health`, `/livez` and `/readyz`.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared, off the packet path.
#[derive(Debug, Default)]
pub struct Health {
    serving: AtomicBool,
    draining: AtomicBool,
    stuck: AtomicBool,
    sessions: AtomicU64,
    participants: AtomicU64,
    self_test: RwLock<String>,
}

impl Health {
    /// Whether everything listens.
    pub fn serving(&self) -> bool {
        self.serving.load(Ordering::Relaxed)
    }

    /// Everything listens, or no longer.
    pub fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Relaxed);
    }

    /// Whether nobody new is let in.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// From now on nobody new is let in.
    pub fn set_draining(&self, draining: bool) {
        self.draining.store(draining, Ordering::Relaxed);
    }

    /// Whether a shard has stopped answering.
    pub fn stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// A shard has stopped answering, or every one answers again.
    pub fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Ordering::Relaxed);
    }

    /// Rooms with somebody in them, and participants in all.
    pub fn occupancy(&self) -> (u64, u64) {
        (self.sessions.load(Ordering::Relaxed), self.participants.load(Ordering::Relaxed))
    }

    /// The hub tells how many rooms and participants there are.
    pub fn set_occupancy(&self, sessions: u64, participants: u64) {
        self.sessions.store(sessions, Ordering::Relaxed);
        self.participants.store(participants, Ordering::Relaxed);
    }

    /// The latest self-test in one line; empty before the first.
    pub fn self_test(&self) -> String {
        self.self_test.read().map(|text| text.clone()).unwrap_or_default()
    }

    /// The latest self-test in one line. It informs, and gates nothing.
    pub fn set_self_test(&self, text: String) {
        if let Ok(mut slot) = self.self_test.write() {
            *slot = text;
        }
    }
}
