//! One deadline for each owner, the next one first.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use crate::{RoomId, TrackId};

/// Who waits for a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// The engine of the participant with this key.
    Engine(usize),
    /// The keyframe requests of a track.
    Keyframe(TrackId),
    /// The speakers of a room.
    Speakers(RoomId),
    /// The participant with this key, for whose pictures there has been room for a while.
    Raise(usize),
    /// What a publisher is to be told of the layers of a track.
    Layers(TrackId),
    /// Whether the participant with this key is still heard.
    Pulse(usize),
    /// The padding of the participant with this key.
    Padding(usize),
    /// The data messages that wait for a participant's link.
    Messages(usize),
}

/// Deadlines in order of time.
#[derive(Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Instant, Owner)>,
    deadlines: HashMap<Owner, Instant, RandomState>,
}

/// The first multiple of `every` since `began` that is not before `at`: what is not urgent is done at such times, for all together,
/// so that it wakes the shard up once.
pub(crate) fn together(began: Instant, every: Duration, at: Instant) -> Instant {
    let turns = at.saturating_duration_since(began).as_micros().div_ceil(every.as_micros().max(1));
    began + every * u32::try_from(turns).unwrap_or(u32::MAX)
}

impl Timers {
    /// Sets, moves or (`None`) clears the one deadline of an owner.
    pub(crate) fn set(&mut self, owner: Owner, deadline: Option<Instant>) {
        let before = match deadline {
            Some(at) => self.deadlines.insert(owner, at),
            None => self.deadlines.remove(&owner),
        };
        if before == deadline {
            return;
        }
        if let Some(at) = before {
            self.order.remove(&(at, owner));
        }
        if let Some(at) = deadline {
            self.order.insert((at, owner));
        }
    }

    /// Whether an owner waits for anything.
    pub(crate) fn is_set(&self, owner: Owner) -> bool {
        self.deadlines.contains_key(&owner)
    }

    /// The next owner whose deadline has come; its deadline is cleared.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Owner> {
        let (at, owner) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.set(owner, None);
        Some(owner)
    }

    /// The next deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }
}
