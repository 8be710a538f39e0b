//! When each allocation wants attention next: one entry for each, in order of time.

use std::collections::BTreeSet;
use std::time::Instant;

/// One deadline for each slot. Refreshing moves deadlines back all the time; an entry that is too early is left where it
/// is and put right when its time comes, so that a refresh touches nothing here.
#[derive(Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, usize)>,
    armed: Vec<Option<Instant>>,
}

impl Timers {
    /// Makes sure that `slot` is due at `deadline` or earlier.
    pub(crate) fn arm(&mut self, slot: usize, deadline: Instant) {
        if self.armed.len() <= slot {
            self.armed.resize(slot + 1, None);
        }
        if self.armed[slot].is_none_or(|armed| deadline < armed) {
            self.disarm(slot);
            self.armed[slot] = Some(deadline);
            self.queue.insert((deadline, slot));
        }
    }

    /// Forgets `slot`.
    pub(crate) fn disarm(&mut self, slot: usize) {
        if let Some(armed) = self.armed.get_mut(slot).and_then(Option::take) {
            self.queue.remove(&(armed, slot));
        }
    }

    /// Takes out a slot that is due at `now`; it has no deadline afterwards.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        let &(deadline, slot) = self.queue.first()?;
        if deadline > now {
            return None;
        }
        self.disarm(slot);
        Some(slot)
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(deadline, _)| *deadline)
    }

    /// How many slots have a deadline.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
