//! Whether a participant has fallen silent: less than a second after its path is lost, long before ICE would notice.
//!
//! How often a client sends differs widely: whoever speaks or sees pictures is heard fifty times a second, a mere listener
//! once in five. So its silence is held against its own habit.

use std::time::{Duration, Instant};

/// Over how long a habit is watched; the one before counts as well.
const HABIT: Duration = Duration::from_secs(3);
/// Whoever has longer pauses than this is not expected to be heard at any time.
const PAUSE: Duration = Duration::from_millis(250);
/// A silence of so long is none of the usual ones.
const SILENCE: Duration = Duration::from_millis(700);

/// When one participant was heard, and how regularly.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    last: Option<Instant>,
    began: Option<Instant>,
    /// The longest pause of the watch that goes on.
    pause: Duration,
    /// That of the watch before; none: there was not a whole one yet.
    habit: Option<Duration>,
    /// Whether somebody was told of the silence that lasts.
    told: bool,
}

impl Pulse {
    /// Something came.
    pub(crate) fn beat(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let pause = now.saturating_duration_since(self.last.replace(now).unwrap_or(now));
        self.pause = self.pause.max(pause);
        self.told = false;
        if now.saturating_duration_since(began) >= HABIT {
            self.habit = Some(std::mem::take(&mut self.pause));
            self.began = Some(now);
        }
    }

    /// Whether it was heard all the time, and is not any more: once for each silence.
    pub(crate) fn falls_silent(&mut self, now: Instant) -> bool {
        let is_regular = self.habit.is_some_and(|habit| habit.max(self.pause) <= PAUSE);
        let is_silent = self.last.is_some_and(|last| now.saturating_duration_since(last) >= SILENCE);
        is_regular && is_silent && !std::mem::replace(&mut self.told, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    /// A pulse that beat every so many milliseconds for ten seconds, and the time of its last beat.
    fn beaten(every_ms: u64) -> (Pulse, Instant) {
        let (mut pulse, mut now) = (Pulse::default(), start());
        for _ in 0..10_000 / every_ms {
            now += Duration::from_millis(every_ms);
            assert!(!pulse.falls_silent(now));
            pulse.beat(now);
        }
        (pulse, now)
    }

    #[test]
    fn whoever_was_heard_all_the_time_falls_silent_once() {
        let (mut pulse, now) = beaten(100);
        assert!(!pulse.falls_silent(now + Duration::from_millis(699)));
        assert!(pulse.falls_silent(now + Duration::from_millis(700)));
        assert!(!pulse.falls_silent(now + Duration::from_millis(2000)), "that was said");
    }

    #[test]
    fn whoever_is_seldom_heard_is_not_missed() {
        let (mut pulse, now) = beaten(500);
        assert!(!pulse.falls_silent(now + Duration::from_secs(30)));
    }

    #[test]
    fn a_link_that_stutters_is_left_alone() {
        let (mut pulse, now) = beaten(20);
        let after = now + Duration::from_millis(900);
        assert!(pulse.falls_silent(after));
        pulse.beat(after);
        assert!(!pulse.falls_silent(after + Duration::from_secs(2)), "such pauses are its habit now");
    }

    #[test]
    fn a_newcomer_is_given_time() {
        let (mut pulse, now) = (Pulse::default(), start());
        (0..20).for_each(|beat| pulse.beat(now + Duration::from_millis(beat * 100)));
        assert!(!pulse.falls_silent(now + Duration::from_secs(5)));
    }
}
