//! Token buckets: one for the frames of a connection, and a table of them for those who ask.

use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// For ever.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// Full at the start; fills at a steady rate up to its burst.
#[derive(Debug)]
pub struct Bucket {
    /// When the bucket will be full again: the only state there is.
    full_at: Instant,
    rate: Rate,
}

impl Bucket {
    /// A full one.
    pub fn new(now: Instant, rate: Rate) -> Self {
        Self { full_at: now, rate }
    }

    /// Takes one token; `false` when there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        self.rate.take(&mut self.full_at, now).is_ok()
    }
}

/// A bucket for each of those who ask, in a table that never grows.
///
/// ```text
/// set = hash(who) ──► [ tag, full_at ] [ tag, full_at ] [ tag, full_at ] [ tag, full_at ]
/// ```
///
/// A bucket that is full again is free for anyone. Who finds the whole set taken shares the bucket that will be full
/// first: those who ask lose to others who ask, and memory stays as it is.
pub struct Buckets {
    rate: Rate,
    hasher: RandomState,
    sets: Vec<[Slot; WAYS]>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u64,
    /// `None` before the first one took from it.
    full_at: Option<Instant>,
}

const SETS: usize = 1024;
const WAYS: usize = 4;

impl Buckets {
    /// Each of them full.
    pub fn new(rate: Rate) -> Self {
        Self { rate, hasher: RandomState::default(), sets: vec![[Slot::default(); WAYS]; SETS] }
    }

    /// Takes one token of `who`.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn take(&mut self, now: Instant, who: impl Hash) -> Result<(), Duration> {
        let tag = self.hasher.hash_one(who);
        let Some(set) = self.sets.get_mut(tag as usize % SETS) else { return Ok(()) };
        let is_theirs = |slot: &&mut Slot| slot.tag == tag && slot.full_at > Some(now);
        let slot = if set.iter_mut().any(|slot| is_theirs(&slot)) {
            set.iter_mut().find(is_theirs)
        } else {
            set.iter_mut().min_by_key(|slot| slot.full_at)
        };
        let Some(slot) = slot else { return Ok(()) };
        let mut full_at = slot.full_at.unwrap_or(now);
        self.rate.take(&mut full_at, now)?;
        *slot = Slot { tag, full_at: Some(full_at) };
        Ok(())
    }
}

impl Rate {
    fn take(self, full_at: &mut Instant, now: Instant) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / self.per_second.max(1);
        let next = (*full_at).max(now) + interval;
        let ahead = next.saturating_duration_since(now);
        match ahead.checked_sub(interval * self.burst.max(1)).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                *full_at = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::tests::epoch;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = epoch();
        let mut bucket = Bucket::new(start, Rate { per_second: 50, burst: 200 });
        assert_eq!((0..300).filter(|_| bucket.take(start)).count(), 200);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..300).filter(|_| bucket.take(later)).count(), 50);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!((0..300).filter(|_| bucket.take(much_later)).count(), 200);
    }

    #[test]
    fn each_has_a_bucket_of_its_own_and_is_told_how_long_to_wait() {
        let start = epoch();
        let mut buckets = Buckets::new(Rate { per_second: 2, burst: 3 });
        assert_eq!((0..10).filter(|_| buckets.take(start, "ana").is_ok()).count(), 3);
        assert_eq!(buckets.take(start, "ana"), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take(start, "bo"), Ok(()));
        assert_eq!(buckets.take(start + Duration::from_millis(500), "ana"), Ok(()));
    }

    #[test]
    fn a_crowd_takes_no_more_memory_and_leaves_the_table_to_the_next() {
        let start = epoch();
        let mut buckets = Buckets::new(Rate { per_second: 1, burst: 1 });
        let served = (0..100_000_u32).filter(|who| buckets.take(start, who).is_ok()).count();
        assert!((SETS * WAYS * 9 / 10..=SETS * WAYS).contains(&served), "{served}");
        assert_eq!(buckets.take(start + Duration::from_secs(1), "somebody else"), Ok(()));
    }
}
