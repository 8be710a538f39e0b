//! How long the shard's thread works for one engine: what takes more than any call needs is ended.
//!
//! An engine has corners where a few bytes cost much, and not all of them can be seen from outside. So drives are timed:
//! every one that reads what is no media, of the others
//! one in [`SAMPLE`].

use std::time::{Duration, Instant};

/// One in so many cheap drives is timed and counts for all of them.
const SAMPLE: u32 = 16;
/// A sample that took longer was interrupted, or the engine is in trouble: it counts for itself, and the next drives are
/// timed one by one.
const TYPICAL: Duration = Duration::from_millis(1);
/// What an engine may take of each second. A busy one takes a tenth of it.
const RATE: Duration = Duration::from_millis(100);
/// What it may take at once: a handshake takes a twentieth of it.
const BURST: Duration = Duration::from_millis(500);

/// The account of one engine.
#[derive(Debug)]
pub(crate) struct Work {
    clock: fn() -> Instant,
    drives: u32,
    /// So many drives are timed one by one.
    watched: u32,
    left: Duration,
    filled: Option<Instant>,
}

impl Work {
    /// An account that nothing was taken of yet.
    pub(crate) fn new(clock: fn() -> Instant) -> Self {
        Self { clock, drives: 0, watched: 0, left: BURST, filled: None }
    }

    /// The next drive is to be timed.
    pub(crate) fn watch(&mut self) {
        self.watched = self.watched.max(1);
    }

    /// A drive begins. When, where it is timed, and whether it stands for others.
    pub(crate) fn begin(&mut self) -> Option<(Instant, bool)> {
        self.drives = (self.drives + 1) % SAMPLE;
        let is_watched = self.watched > 0;
        self.watched = self.watched.saturating_sub(1);
        (is_watched || self.drives == 0).then(|| ((self.clock)(), !is_watched))
    }

    /// It ended. Whether the engine may go on.
    pub(crate) fn end(&mut self, begun: Option<(Instant, bool)>) -> bool {
        let Some((begun, is_sample)) = begun else { return true };
        let now = (self.clock)();
        let passed = now.saturating_duration_since(self.filled.replace(now).unwrap_or(now));
        let taken = now.saturating_duration_since(begun);
        let is_typical = taken <= TYPICAL;
        if !is_typical {
            self.watched = SAMPLE;
        }
        let others = if is_sample && is_typical { taken * (SAMPLE - 1) } else { Duration::ZERO };
        let earned = RATE.mul_f64(passed.as_secs_f64().min(60.0));
        match (self.left + earned).min(BURST).checked_sub(taken + others) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    #[allow(clippy::disallowed_methods)]
    fn clock() -> Instant {
        NOW.with(|now| {
            let at = now.get().unwrap_or_else(Instant::now);
            now.set(Some(at));
            at
        })
    }

    fn pass(time: Duration) {
        let later = clock() + time;
        NOW.with(|now| now.set(Some(later)));
    }

    /// Drives of this length, so far apart, until the account is overdrawn; at most a minute's worth.
    fn drives(reads: bool, each: Duration, apart: Duration) -> Option<u32> {
        let mut work = Work::new(clock);
        let most = Duration::from_secs(60).as_micros() / (each + apart).as_micros().max(1);
        (0..most as u32).find(|_| {
            if reads {
                work.watch();
            }
            let begun = work.begin();
            pass(each);
            let goes_on = work.end(begun);
            pass(apart);
            !goes_on
        })
    }

    #[test]
    fn a_busy_call_is_far_from_its_limit() {
        let each = Duration::from_micros(20);
        assert_eq!(drives(true, each, Duration::from_micros(480)), None);
        assert_eq!(drives(false, each, Duration::from_micros(480)), None);
    }

    #[test]
    fn what_takes_all_the_time_is_ended_soon() {
        let ended = drives(true, Duration::from_millis(5), Duration::ZERO).expect("to be ended");
        assert!(ended < 250, "{ended} drives");
        let ended = drives(false, Duration::from_millis(5), Duration::ZERO).expect("to be ended");
        assert!(ended < 1000, "{ended} drives");
    }

    #[test]
    fn being_interrupted_now_and_then_ends_nothing() {
        let mut work = Work::new(clock);
        for drive in 0..10_000 {
            if drive % 3 == 0 {
                work.watch();
            }
            let begun = work.begin();
            pass(if drive % 500 == 0 { Duration::from_millis(20) } else { Duration::from_micros(10) });
            assert!(work.end(begun));
            pass(Duration::from_millis(1));
        }
    }
}
