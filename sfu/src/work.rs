//! How long the shard's thread works for one engine: what takes more than any call needs is ended.
//!
//! An engine has corners where a few bytes cost much, and not all of them can be seen from outside. So drives are timed:
//! every one that reads what is no media, of the others one in [`SAMPLE`], drawn by lot, for calls have a rhythm.

use std::time::{Duration, Instant};

/// One in so many cheap drives is timed and counts for all of them.
const SAMPLE: u32 = 16;
/// A sample that took longer tells that the engine may be in trouble: it counts for itself, and the next drives are timed one
/// by one.
const TYPICAL: Duration = Duration::from_millis(1);
/// What an engine may take of each second. A busy one takes a tenth of it.
const RATE: Duration = Duration::from_millis(100);
/// What it may take at once: a handshake takes a twentieth of it.
const BURST: Duration = Duration::from_millis(500);

/// The account of one engine.
#[derive(Debug)]
pub(crate) struct Work {
    clock: fn() -> Duration,
    lot: u32,
    /// So many drives are timed one by one.
    watched: u32,
    left: Duration,
    filled: Option<Instant>,
}

impl Work {
    /// An account that nothing was taken of yet.
    pub(crate) fn new(clock: fn() -> Duration) -> Self {
        Self { clock, lot: 0, watched: 0, left: BURST, filled: None }
    }

    /// The next drive is to be timed.
    pub(crate) fn watch(&mut self) {
        self.watched = self.watched.max(1);
    }

    /// A drive begins. When, where it is timed, and whether it stands for others.
    pub(crate) fn begin(&mut self) -> Option<(Duration, bool)> {
        // A linear congruential generator: its upper bits are random enough.
        self.lot = self.lot.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let is_watched = self.watched > 0;
        self.watched = self.watched.saturating_sub(1);
        (is_watched || (self.lot >> 16).is_multiple_of(SAMPLE)).then(|| ((self.clock)(), !is_watched))
    }

    /// It ended, at about this time. Whether the engine may go on.
    pub(crate) fn end(&mut self, begun: Option<(Duration, bool)>, now: Option<Instant>) -> bool {
        let Some((begun, is_sample)) = begun else { return true };
        let passed = match (self.filled, now) {
            (Some(before), Some(now)) => now.saturating_duration_since(before),
            _ => Duration::ZERO,
        };
        self.filled = self.filled.max(now);
        let taken = (self.clock)().saturating_sub(begun);
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
    use crate::tests::start;

    thread_local! {
        static WORKED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// The CPU time of the test's thread, as the test tells it.
    fn clock() -> Duration {
        WORKED.get()
    }

    fn work_for(time: Duration) {
        WORKED.set(WORKED.get() + time);
    }

    /// Drives of this length, so far apart, until the account is overdrawn; at most a minute's worth.
    fn drives(reads: bool, each: Duration, apart: Duration) -> Option<u32> {
        let (mut work, mut now) = (Work::new(clock), start());
        let most = Duration::from_secs(60).as_micros() / (each + apart).as_micros().max(1);
        (0..most as u32).find(|_| {
            if reads {
                work.watch();
            }
            let begun = work.begin();
            work_for(each);
            let goes_on = work.end(begun, Some(now));
            now += each + apart;
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
    fn a_long_drive_now_and_then_ends_nothing() {
        let (mut work, mut now) = (Work::new(clock), start());
        for drive in 0..10_000 {
            if drive % 3 == 0 {
                work.watch();
            }
            let begun = work.begin();
            work_for(if drive % 500 == 0 { Duration::from_millis(20) } else { Duration::from_micros(10) });
            assert!(work.end(begun, Some(now)));
            now += Duration::from_millis(1);
        }
    }

    #[test]
    fn a_rhythm_of_cheap_and_dear_drives_does_not_fool_the_samples() {
        let (mut work, mut now) = (Work::new(clock), start());
        for drive in 0..100_000 {
            let begun = work.begin();
            work_for(if drive % 16 == 15 { Duration::from_micros(300) } else { Duration::from_micros(5) });
            assert!(work.end(begun, Some(now)), "drive {drive}");
            now += Duration::from_micros(500);
        }
    }
}
