//! A room: who is in it, what they publish, and who spoke last.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::TrackId;
use crate::speaker::Speakers;

/// The people and tracks of one room.
#[derive(Default)]
pub(crate) struct Room {
    /// Keys of the participants, in the order of their joins.
    pub(crate) participants: Vec<usize>,
    pub(crate) tracks: Vec<TrackId>,
    pub(crate) speakers: Speakers,
    spoken: HashMap<usize, u64, RandomState>,
    turns: u64,
}

impl Room {
    /// These spoke just now, loudest first. Whether the order of the most recent speakers changed.
    pub(crate) fn spoke(&mut self, keys: &[usize]) -> bool {
        let mut changed = false;
        for key in keys.iter().rev() {
            // Someone who goes on speaking keeps the turn, so that nothing moves while nobody new speaks.
            let latest = self.turns.saturating_sub(keys.len() as u64);
            if self.spoken.get(key).is_some_and(|turn| *turn > latest) {
                continue;
            }
            self.turns += 1;
            self.spoken.insert(*key, self.turns);
            changed = true;
        }
        changed
    }

    /// When someone last spoke, as a number that grows; 0 is never.
    pub(crate) fn last_turn(&self, key: usize) -> u64 {
        self.spoken.get(&key).copied().unwrap_or(0)
    }

    /// Someone left.
    pub(crate) fn remove(&mut self, key: usize) {
        self.participants.retain(|other| *other != key);
        self.spoken.remove(&key);
    }
}
