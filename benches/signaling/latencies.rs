//! How long messages took, from every client at once.

use std::sync::{Mutex, PoisonError};

/// Times in nanoseconds.
#[derive(Debug, Default)]
pub struct Latencies(Mutex<Vec<u64>>);

impl Latencies {
    /// Another one.
    pub fn add(&self, nanos: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(nanos);
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All, the shortest first.
    pub fn sorted(&self) -> Vec<u64> {
        let mut times = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_unstable();
        times
    }
}
