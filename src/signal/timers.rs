//! Deadlines of the hub, in order.

use std::collections::BTreeSet;
use std::time::Instant;

use roundturn_sfu::{ParticipantId, RoomId};

use super::hub::ConnectionId;

/// What a deadline is for. Whoever is woken looks whether it still stands: a deadline that moved is simply not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A room's end by age: the first of what is due at once, because it settles the rest.
    Room(RoomId),
    /// A room's end by emptiness. A timer of its own: it is taken back when somebody comes, and the room still ends.
    EmptyRoom(RoomId),
    /// A connection that has not joined.
    Join(ConnectionId),
    /// A participant whose connection is lost.
    Resume(ParticipantId),
    /// A participant's credentials grow old.
    Credentials(ParticipantId),
}

/// The deadlines. Its length is bounded by what they are for: a few for each connection, participant and room.
#[derive(Debug, Default)]
pub struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    /// Wakes for `timer` at `at`.
    pub fn set(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    /// Takes a deadline back.
    pub fn unset(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    /// The first deadline.
    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes one that is due.
    pub fn due(&mut self, now: Instant) -> Option<Timer> {
        let first = *self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.remove(&first);
        Some(first.1)
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
