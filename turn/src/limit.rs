//! Token buckets for answers to those who prove nothing: one for each source prefix, in a table that never grows, and one
//! for each client with an allocation.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;

/// Limits answers to senders who have proved no key, by the generic cell rate algorithm: each prefix (IPv4 /24, IPv6 /56)
/// has a theoretical arrival time, and an answer that would come too far ahead of it is not given.
///
/// ```text
/// set = hash(prefix) ──► [ tag, arrival ] [ tag, arrival ] [ tag, arrival ] [ tag, arrival ]
/// ```
///
/// A slot whose arrival time has passed is free for anyone. A prefix that finds its whole set taken shares the slot that
/// will be free first: strangers lose to strangers, and memory stays as it is.
///
/// A flood from many prefixes is a reflector's work even where each of them stays below its rate. Where more answers go
/// out in all than [`CALM`] prefixes may have, each costs its prefix [`PRESSED_COST`] times as much: those who ask for
/// little still get theirs, and what goes out stays far below what comes in.
pub(crate) struct Limiter {
    start: Instant,
    hasher: RandomState,
    slots: Vec<[Slot; WAYS]>,
    /// Of one prefix.
    strangers: Rate,
    /// Of all prefixes together, before answers cost more.
    calm: Rate,
    all: Bucket,
    /// Of one client with an allocation.
    clients: Rate,
}

/// The bucket of one client with an allocation, who suffers from no neighbour. Who can forge its 5-tuple draws no more from
/// it than the bucket gives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    arrival: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u64,
    bucket: Bucket,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Nanoseconds between two answers at the permitted rate.
    interval: u64,
    /// How many nanoseconds arrivals may run ahead.
    tolerance: u64,
}

/// A client with an allocation asks without proof for a new nonce, once for each request that is under way when the old one
/// ends, and for its address now and then.
const CLIENT_ANSWERS_PER_SECOND: u32 = 10;
const CLIENT_ANSWERS_BURST: u32 = 64;

/// So many prefixes may have their full rate at the same time, and a fifth of that number their whole burst.
const CALM: u32 = 20;
const CALM_BURST: u32 = CALM / 5;
/// What an answer costs its prefix while more than that goes out.
const PRESSED_COST: u64 = 8;

const SETS: usize = 2048;
const WAYS: usize = 4;

impl Limiter {
    /// `per_second` answers to each prefix, `burst` of them at once; 0 a second stands for no limit, of prefixes and of
    /// clients.
    pub(crate) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let mut limiter = Self {
            start: now,
            hasher: RandomState::default(),
            slots: vec![[Slot::default(); WAYS]; SETS],
            strangers: Rate::NONE,
            calm: Rate::NONE,
            all: Bucket::default(),
            clients: Rate::NONE,
        };
        limiter.set_rate(per_second, burst);
        limiter
    }

    /// Changes the rate for all.
    pub(crate) fn set_rate(&mut self, per_second: u32, burst: u32) {
        self.strangers = Rate::new(per_second, burst);
        self.calm = Rate::new(per_second.saturating_mul(CALM), burst.saturating_mul(CALM_BURST));
        let is_limited = per_second > 0;
        self.clients = if is_limited { Rate::new(CLIENT_ANSWERS_PER_SECOND, CLIENT_ANSWERS_BURST) } else { Rate::NONE };
    }

    /// Whether `source` may have one more answer at `now`, and if so, counts it.
    pub(crate) fn allows(&mut self, now: Instant, source: IpAddr) -> bool {
        let now = self.nanos(now);
        let tag = self.hasher.hash_one(prefix(source));
        let slot = pick(&mut self.slots[tag as usize % SETS], tag, now);
        if !self.strangers.has_room(&slot.bucket, now) {
            return false;
        }
        let is_calm = self.calm.allows(&mut self.all, now);
        self.strangers.charge(&mut slot.bucket, now, if is_calm { 1 } else { PRESSED_COST });
        slot.tag = tag;
        true
    }

    /// The same for a client with an allocation, whose `bucket` is its own.
    pub(crate) fn allows_client(&self, now: Instant, bucket: &mut Bucket) -> bool {
        self.clients.allows(bucket, self.nanos(now))
    }

    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }
}

impl Rate {
    const NONE: Self = Self { interval: 0, tolerance: 0 };

    fn new(per_second: u32, burst: u32) -> Self {
        if per_second == 0 {
            return Self::NONE;
        }
        let interval = Duration::from_secs(1).as_nanos() as u64 / u64::from(per_second);
        Self { interval, tolerance: interval * u64::from(burst.max(1) - 1) }
    }

    fn allows(&self, bucket: &mut Bucket, now: u64) -> bool {
        let has_room = self.has_room(bucket, now);
        if has_room {
            self.charge(bucket, now, 1);
        }
        has_room
    }

    fn has_room(&self, bucket: &Bucket, now: u64) -> bool {
        bucket.arrival.saturating_sub(now) <= self.tolerance
    }

    fn charge(&self, bucket: &mut Bucket, now: u64, times: u64) {
        bucket.arrival = bucket.arrival.max(now) + self.interval * times;
    }
}

/// The slot of `tag`, else a free one, else the one that is free first.
fn pick(set: &mut [Slot; WAYS], tag: u64, now: u64) -> &mut Slot {
    let mut best = 0;
    for (way, slot) in set.iter().enumerate() {
        if slot.tag == tag && slot.bucket.arrival > now {
            best = way;
            break;
        }
        if slot.bucket.arrival < set[best].bucket.arrival {
            best = way;
        }
    }
    &mut set[best]
}

/// What one customer can vary at will is cut off: an IPv4 /24, an IPv6 /56.
fn prefix(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
        IpAddr::V6(v6) => (v6.to_bits() >> 72) as u64 | 1 << 63,
    }
}

#[cfg(test)]
mod tests;
