//! A token bucket for the frames of one connection.

use std::time::{Duration, Instant};

/// Full at the start; fills at a steady rate up to its burst.
#[derive(Debug)]
pub struct Bucket {
    /// When the bucket will be full again: the only state there is.
    full_at: Instant,
    interval: Duration,
    depth: Duration,
}

impl Bucket {
    /// Takes `burst` at once and `per_second` for ever.
    pub fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { full_at: now, interval, depth: interval * burst.max(1) }
    }

    /// Takes one token; `false` when there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.interval;
        let taken = full_at.saturating_duration_since(now) <= self.depth;
        if taken {
            self.full_at = full_at;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::tests::epoch;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = epoch();
        let mut bucket = Bucket::new(start, 50, 200);
        assert_eq!((0..300).filter(|_| bucket.take(start)).count(), 200);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..300).filter(|_| bucket.take(later)).count(), 50);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!((0..300).filter(|_| bucket.take(much_later)).count(), 200);
    }
}
