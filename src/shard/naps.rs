//! Hundreds of people who wait for a meeting send something all the time, each for itself: checks that keep paths open, reports of
//! nothing. A shard that woke up for each of these would do little else, so it sleeps a little, and reads them together.
//!
//! ```text
//!  a turn with nothing else ──► counted ── often enough ──► naps before it waits
//!         ▲                                                  │
//!         └────────── anything else: at once ◄───────────────┘
//! ```

use std::time::Duration;

/// Turns in a row with nothing else: a second or two of hundreds of people.
const TURNS: u32 = 400;
/// What nobody notices who only waits: the first packet of a call may come so much later, once.
const NAP: Duration = Duration::from_millis(40);

/// Whether a shard naps.
#[derive(Debug, Default)]
pub(super) struct Naps {
    turns: u32,
}

impl Naps {
    /// A turn ended in which so many datagrams came, so many of them of people at rest, and perhaps something else.
    pub(super) fn note(&mut self, received: u64, at_rest: u64, else_came: bool) {
        if else_came || received > at_rest {
            self.turns = 0;
        } else if received > 0 {
            self.turns = self.turns.saturating_add(1);
        }
    }

    /// How long to sleep before waiting for `timeout`.
    pub(super) fn length(&self, timeout: Duration) -> Option<Duration> {
        (self.turns >= TURNS && !timeout.is_zero()).then(|| NAP.min(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_shard_naps_while_there_is_nothing_but_people_at_rest() {
        let mut naps = Naps::default();
        assert_eq!(naps.length(SECOND), None);
        (0..TURNS).for_each(|_| naps.note(2, 2, false));
        assert_eq!(naps.length(SECOND), Some(NAP));
        assert_eq!(naps.length(Duration::from_millis(3)), Some(Duration::from_millis(3)), "a deadline comes before");
        assert_eq!(naps.length(Duration::ZERO), None, "something is left to do");
        naps.note(0, 0, false);
        assert_eq!(naps.length(SECOND), Some(NAP), "a deadline is nothing that came");
    }

    #[test]
    fn anything_else_wakes_it_at_once() {
        for (received, at_rest, else_came) in [(3, 2, false), (2, 2, true), (0, 0, true)] {
            let mut naps = Naps::default();
            (0..TURNS).for_each(|_| naps.note(1, 1, false));
            naps.note(received, at_rest, else_came);
            assert_eq!(naps.length(SECOND), None);
        }
    }
}
