//! How long subscribers wait for a picture.

use std::time::{Duration, Instant};

use crate::TrackId;
use crate::participant::Participant;

/// The upper bounds of all but the last bucket, in milliseconds.
const BOUNDS: [u64; 8] = [50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/// Times by how long they were: how many were at most as long as each bound, but longer than the one before, and their
/// sum in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    buckets: [(u64, u64); BOUNDS.len() + 1],
}

/// How long it took to the first picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstFrames {
    /// From the moment at which a slot could show its track.
    pub since_slot: Times,
    /// From a participant's join, where there was something to see by then.
    pub since_join: Times,
}

impl Times {
    /// Count and sum in milliseconds of each bucket, the shortest times first. None of them ever falls.
    pub fn buckets(&self) -> &[(u64, u64)] {
        &self.buckets
    }

    fn add(&mut self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (count, sum) = &mut self.buckets[BOUNDS.partition_point(|bound| *bound < millis)];
        *count += 1;
        *sum = sum.saturating_add(millis);
    }
}

impl FirstFrames {
    /// A picture of this track begins in one of the participant's slots.
    pub(crate) fn note(&mut self, now: Instant, participant: &mut Participant, track: TrackId) {
        let Some(slot) = participant.slots.with(track) else { return };
        let is_first = !std::mem::replace(&mut slot.shown, true);
        let Some(begun) = slot.begun.filter(|_| is_first) else { return };
        self.since_slot.add(now.saturating_duration_since(begun));
        let (joined, tracks) = participant.joined;
        if !std::mem::replace(&mut participant.pictured, true) && track <= tracks {
            self.since_join.add(now.saturating_duration_since(joined));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_the_first_bucket_that_holds_it() {
        let mut times = Times::default();
        for millis in [0, 50, 51, 700, 10_000, 10_001, 60_000] {
            times.add(Duration::from_millis(millis));
        }
        let counts: Vec<_> = times.buckets().iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 1, 0, 0, 1, 2]);
        assert_eq!(times.buckets()[8].1, 70_001);
    }
}
