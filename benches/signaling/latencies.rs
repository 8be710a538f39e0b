//! How long messages took, from every client at once.

use std::sync::{Mutex, PoisonError};

use crate::common::numbers::sorted;

/// Times in nanoseconds.
#[derive(Debug, Default)]
pub struct Latencies(Mutex<Vec<u64>>);

impl Latencies {
    /// Another one.
    pub fn add(&self, nanos: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(nanos);
    }

    /// All since they were taken the last time, in milliseconds, the shortest first.
    pub fn take(&self) -> Vec<f64> {
        let times = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        sorted(times.into_iter().map(|nanos| nanos as f64 / 1e6))
    }
}
