//! A token bucket that goes into debt: whatever is let through is paid for, if need be later.

use std::time::{Duration, Instant};

/// So much for each second, and so much at once after a pause.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// Tokens for each second.
    rate: u32,
    burst: u32,
    /// Thousandths of a token; below zero is debt.
    level: i64,
    filled: Option<Instant>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        Self { rate, burst, level: i64::from(burst) * 1000, filled: None }
    }

    /// Another rate from now on.
    pub(crate) fn set_rate(&mut self, now: Instant, rate: u32) {
        self.fill(now);
        self.rate = rate;
    }

    /// Takes `cost` where the bucket is not empty, however little is in it. `false`: it was empty, and nothing was taken.
    pub(crate) fn take(&mut self, now: Instant, cost: u32) -> bool {
        self.fill(now);
        let able = self.level > 0;
        if able {
            self.level -= i64::from(cost) * 1000;
        }
        able
    }

    /// How long it stays empty.
    pub(crate) fn empty_for(&mut self, now: Instant) -> Duration {
        self.fill(now);
        let missing = if self.level > 0 { 0 } else { 1 - self.level };
        Duration::from_millis(missing.unsigned_abs().div_ceil(u64::from(self.rate.max(1))))
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(*self.filled.get_or_insert(now));
        // Whole milliseconds only, so that many small steps do not lose what they round away.
        let millis = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX).min(3_600_000);
        if millis > 0 {
            self.filled = Some(now);
            self.level = (self.level + millis * i64::from(self.rate)).min(i64::from(self.burst) * 1000);
        }
    }
}

#[cfg(test)]
mod tests;
