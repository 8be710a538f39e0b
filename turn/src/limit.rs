//! One token bucket for each source prefix of strangers, in a table that never grows.

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
pub(crate) struct Limiter {
    start: Instant,
    hasher: RandomState,
    slots: Vec<[Slot; WAYS]>,
    /// Nanoseconds between two answers at the permitted rate.
    interval: u64,
    /// How many nanoseconds arrivals may run ahead.
    tolerance: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u64,
    arrival: u64,
}

const SETS: usize = 2048;
const WAYS: usize = 4;

impl Limiter {
    /// `per_second` answers to each prefix, `burst` of them at once; 0 a second stands for no limit.
    pub(crate) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let mut limiter = Self {
            start: now,
            hasher: RandomState::default(),
            slots: vec![[Slot::default(); WAYS]; SETS],
            interval: 0,
            tolerance: 0,
        };
        limiter.set_rate(per_second, burst);
        limiter
    }

    /// Changes the rate for all.
    pub(crate) fn set_rate(&mut self, per_second: u32, burst: u32) {
        self.interval = Duration::from_secs(1).as_nanos() as u64 / u64::from(per_second.max(1));
        if per_second == 0 {
            self.interval = 0;
        }
        self.tolerance = self.interval * u64::from(burst.max(1) - 1);
    }

    /// Whether `source` may have one more answer at `now`, and if so, counts it.
    pub(crate) fn allows(&mut self, now: Instant, source: IpAddr) -> bool {
        let now = now.saturating_duration_since(self.start).as_nanos() as u64;
        let tag = self.hasher.hash_one(prefix(source));
        let set = &mut self.slots[tag as usize % SETS];
        let slot = pick(set, tag, now);
        let arrival = slot.arrival.max(now);
        if arrival - now > self.tolerance {
            return false;
        }
        *slot = Slot { tag, arrival: arrival + self.interval };
        true
    }
}

/// The slot of `tag`, else a free one, else the one that is free first.
fn pick(set: &mut [Slot; WAYS], tag: u64, now: u64) -> &mut Slot {
    let mut best = 0;
    for (way, slot) in set.iter().enumerate() {
        if slot.tag == tag && slot.arrival > now {
            best = way;
            break;
        }
        if slot.arrival < set[best].arrival {
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
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)]
    fn start() -> Instant {
        Instant::now()
    }

    fn v4(host: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, host])
    }

    #[test]
    fn a_prefix_has_its_burst_and_then_its_rate() {
        let now = start();
        let mut limiter = Limiter::new(now, 10, 5);
        let granted = (0..100).filter(|host| limiter.allows(now, v4(*host))).count();
        assert_eq!(granted, 5);
        let later = now + Duration::from_secs(60);
        let granted = (0..100).filter(|_| limiter.allows(later, v4(1))).count();
        assert_eq!(granted, 5);
        assert!(limiter.allows(later + Duration::from_millis(100), v4(1)));
        assert!(!limiter.allows(later + Duration::from_millis(150), v4(1)));
    }

    #[test]
    fn prefixes_do_not_spend_each_others_rate() {
        let now = start();
        let mut limiter = Limiter::new(now, 1, 1);
        assert!(limiter.allows(now, v4(1)));
        assert!(!limiter.allows(now, v4(200)));
        assert!(limiter.allows(now, IpAddr::from([198, 51, 101, 1])));
        assert!(limiter.allows(now, "2001:db8:0:100::1".parse().unwrap()));
        assert!(!limiter.allows(now, "2001:db8:0:1ff:2::2".parse().unwrap()));
        assert!(limiter.allows(now, "2001:db8:0:200::1".parse().unwrap()));
    }

    #[test]
    fn a_flood_from_everywhere_leaves_the_table_as_large_as_it_was() {
        let now = start();
        let mut limiter = Limiter::new(now, 10, 20);
        for source in 0..200_000u32 {
            limiter.allows(now, IpAddr::from((source << 8).to_be_bytes()));
        }
        assert_eq!((limiter.slots.len(), limiter.slots.capacity()), (SETS, SETS));
    }
}
