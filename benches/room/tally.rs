//! What arrived: how much of what was sent, how late, and when a first picture could be shown.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::media::Mark;

/// The packets of one stream at one receiver, of those that were sent within the window.
#[derive(Debug, Clone, Copy)]
struct Stream {
    first: u32,
    last: u32,
    count: u64,
}

/// What all receivers got.
#[derive(Default)]
pub struct Tally {
    /// Nanoseconds since the start of the load: what was sent within counts.
    pub window: Range<u64>,
    streams: HashMap<(usize, u16, bool), Stream, RandomState>,
    latencies: Vec<u32>,
    /// Receivers whose first keyframe has begun, and since its end when.
    pictures: HashMap<usize, Option<u64>, RandomState>,
}

impl Tally {
    /// A packet reached a receiver.
    pub fn add(&mut self, receiver: usize, now: u64, mark: Mark) {
        if mark.keyframe {
            self.picture(receiver, now);
        }
        if !self.window.contains(&mark.stamp) {
            return;
        }
        self.latencies.push(u32::try_from(now.saturating_sub(mark.stamp) / 1000).unwrap_or(u32::MAX));
        let fresh = Stream { first: mark.count, last: mark.count, count: 0 };
        let stream = self.streams.entry((receiver, mark.publisher, mark.video)).or_insert(fresh);
        stream.first = stream.first.min(mark.count);
        stream.last = stream.last.max(mark.count);
        stream.count += 1;
    }

    /// Packets that arrived.
    pub fn delivered(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// How many streams they came on.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Packets that are missing between the first and the last of each stream.
    pub fn gaps(&self) -> u64 {
        let missing = |stream: &Stream| (u64::from(stream.last - stream.first) + 1).saturating_sub(stream.count);
        self.streams.values().map(missing).sum()
    }

    /// The latency in microseconds that so many of a hundred stayed below.
    pub fn percentile(&mut self, percent: usize) -> u32 {
        self.latencies.sort_unstable();
        let at = self.latencies.len() * percent / 100;
        self.latencies.get(at.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0)
    }

    /// When the first picture of a receiver was complete.
    pub fn first_picture(&self, receiver: usize) -> Option<u64> {
        self.pictures.get(&receiver).copied().flatten()
    }

    /// A keyframe begins or ends: the second of both completes a picture.
    fn picture(&mut self, receiver: usize, now: u64) {
        self.pictures.entry(receiver).and_modify(|done| *done = done.or(Some(now))).or_insert(None);
    }
}
