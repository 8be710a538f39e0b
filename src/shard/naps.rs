//! Hundreds of people who wait for a meeting send something all the time, each for itself: checks that keep paths open, reports of
//! nothing. A shard that woke up for each of these would do little else, so it sleeps a little, and reads them together.
//!
//! ```text
//!  a second with many of these and nothing else ──► naps before it waits ──► the next second is judged the same way
//!         ▲                                                  │
//!         └────────── anything else: at once ◄───────────────┘
//! ```

use std::time::Duration;

/// So many datagrams in a second make naps worth while: a hundred browsers send them.
const MANY: u64 = 40;
/// What nobody notices who only waits: the first packet of a call may come so much later, once. Messages from other threads
/// end a nap.
const NAP: Duration = Duration::from_millis(100);

/// Whether a shard naps.
#[derive(Debug, Default)]
pub(super) struct Naps {
    is_drowsy: bool,
    /// In this second: whether something else came, and how many datagrams of people at rest.
    is_disturbed: bool,
    at_rest: u64,
}

impl Naps {
    /// A turn ended in which so many datagrams came, so many of them of people at rest, and perhaps something else.
    pub(super) fn note(&mut self, received: u64, at_rest: u64, else_came: bool) {
        self.at_rest += at_rest;
        if else_came || received > at_rest {
            self.is_disturbed = true;
            self.is_drowsy = false;
        }
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        self.is_drowsy = !self.is_disturbed && self.at_rest >= MANY;
        (self.is_disturbed, self.at_rest) = (false, 0);
    }

    /// How long to sleep before waiting for `timeout`.
    pub(super) fn length(&self, timeout: Duration) -> Option<Duration> {
        (self.is_drowsy && !timeout.is_zero()).then(|| NAP.min(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// After a second in which so many people at rest sent something.
    fn after(many: u64) -> Naps {
        let mut naps = Naps::default();
        (0..many).for_each(|_| naps.note(1, 1, false));
        assert_eq!(naps.length(SECOND), None);
        naps.tick();
        naps
    }

    #[test]
    fn a_shard_naps_while_there_is_nothing_but_many_people_at_rest() {
        let mut naps = after(MANY);
        assert_eq!(naps.length(SECOND), Some(NAP));
        assert_eq!(naps.length(Duration::from_millis(3)), Some(Duration::from_millis(3)), "a deadline comes before");
        assert_eq!(naps.length(Duration::ZERO), None, "something is left to do");
        naps.note(MANY, MANY, false);
        naps.tick();
        assert_eq!(naps.length(SECOND), Some(NAP), "another second of that");
        naps.tick();
        assert_eq!(naps.length(SECOND), None, "a second of nothing");
    }

    #[test]
    fn few_people_are_no_trouble() {
        assert_eq!(after(MANY - 1).length(SECOND), None);
    }

    #[test]
    fn anything_else_wakes_it_at_once_and_for_more_than_a_second() {
        for (received, at_rest, else_came) in [(3, 2, false), (2, 2, true), (0, 0, true)] {
            let mut naps = after(MANY);
            naps.note(received, at_rest, else_came);
            assert_eq!(naps.length(SECOND), None);
            naps.note(MANY, MANY, false);
            naps.tick();
            assert_eq!(naps.length(SECOND), None, "its second began awake");
            naps.note(MANY, MANY, false);
            naps.tick();
            assert_eq!(naps.length(SECOND), Some(NAP));
        }
    }
}
