//! Bit rates of users and of all, over all shards: shared arrival times, asked without a lock for each packet.
//!
//! ```text
//!  allocation ──► meter ──► Budget of its user     exact: one word for each direction, whatever the shard
//!                   └─────► Purse of its shard ──► Budget of all     a millisecond's worth at a time
//! ```
//!
//! A budget works by the generic cell rate algorithm: a packet moves the theoretical arrival time on by what it takes at
//! the permitted rate, and one that finds it too far ahead of the clock is lost: whoever sends more than its rate loses
//! what comes after [`BURST`], and when all together do, those lose who come next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use roundturn_turn::{Direction, Meter, Why};

use crate::month::Month;

/// What is limited, and what all users have spent of it together.
#[derive(Debug)]
pub struct Rates {
    /// What the nanoseconds of budgets are counted from.
    start: Instant,
    /// Bits per second of one user in each direction; 0: no limit.
    user: AtomicU64,
    /// The same of all.
    all: AtomicU64,
    budget: Budget,
    month: Month,
}

/// What one user, or all of them, may send.
#[derive(Debug, Default)]
pub struct Budget {
    /// Theoretical arrival times of each direction, in nanoseconds.
    arrivals: [AtomicU64; 2],
    /// When packets of the user began to be lost without a pause, and when the last one was.
    excess_began: AtomicU64,
    excess_latest: AtomicU64,
}

/// One shard's share of the budget of all, taken out in advance. Only its shard touches it.
#[derive(Debug)]
pub struct Purse {
    rates: Arc<Rates>,
    bytes: [AtomicU64; 2],
}

/// How far a sender may run ahead of its rate: enough for a key frame that is paced as WebRTC does.
pub const BURST: Duration = Duration::from_millis(200);

/// Losses that follow each other within this are one excess.
const PAUSE: Duration = Duration::from_secs(1);
/// An excess of this length shows that the sender does not give way: no more allocations then, until it pauses.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a shard takes out of the budget of all at a time: a thousandth of a second's worth, and no more than this.
const LARGEST_DRAW: u64 = 1 << 20;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Rates {
    /// Bits per second, of one user and of all; 0: no limit. `start` is no later than any time told afterwards.
    pub fn new(start: Instant, user: u64, all: u64, monthly_bytes: u64) -> Arc<Self> {
        let (user, all, budget) = (AtomicU64::new(user), AtomicU64::new(all), Budget::default());
        Arc::new(Self { start, user, all, budget, month: Month::new(monthly_bytes) })
    }

    /// Other limits from now on, for allocations that are there too.
    pub fn set(&self, user: u64, all: u64, monthly_bytes: u64) {
        self.user.store(user, Relaxed);
        if self.all.swap(all, Relaxed) != all {
            self.budget.forgive();
        }
        self.month.set_limit(monthly_bytes);
    }

    /// The bytes of this month.
    pub fn month(&self) -> &Month {
        &self.month
    }

    /// Whether all together have kept sending beyond their rate until `now`.
    pub fn is_exceeded(&self, now: Instant) -> bool {
        self.budget.is_exceeded(self.nanos(now))
    }

    /// The same for the user that has `budget`.
    pub fn is_exceeded_by(&self, budget: &Budget, now: Instant) -> bool {
        budget.is_exceeded(self.nanos(now))
    }

    /// Whether `budget` is at `now` as good as a new one.
    pub fn is_settled(&self, budget: &Budget, now: Instant) -> bool {
        let now = self.nanos(now);
        let is_paid = budget.arrivals.iter().all(|arrival| arrival.load(Relaxed) <= now);
        is_paid && !budget.is_exceeded(now)
    }

    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }
}

impl Budget {
    /// Forgets what was spent: at another rate it means nothing.
    pub fn forgive(&self) {
        self.arrivals.iter().for_each(|arrival| arrival.store(0, Relaxed));
    }

    /// Whether nothing was ever counted.
    pub fn is_untouched(&self) -> bool {
        self.arrivals.iter().all(|arrival| arrival.load(Relaxed) == 0)
    }

    /// Takes `bytes` out, unless more than [`BURST`] was already taken in advance. A packet that is longer than that
    /// passes, and the next ones wait for it.
    fn spend(&self, bits_per_second: u64, now: u64, direction: Direction, bytes: u64) -> bool {
        if bits_per_second == 0 {
            return true;
        }
        let cost = bytes.saturating_mul(8 * NANOS_PER_SECOND) / bits_per_second;
        let arrival = &self.arrivals[direction as usize];
        let spent = arrival.fetch_update(Relaxed, Relaxed, |arrival| {
            let arrival = arrival.max(now);
            (arrival - now <= BURST.as_nanos() as u64).then_some(arrival.saturating_add(cost))
        });
        // Whoever sends to a user must not decide whether that user may allocate.
        if spent.is_err() && direction == Direction::ToPeers {
            self.exceed(now);
        }
        spent.is_ok()
    }

    /// Takes out `bytes` that have passed already.
    fn charge(&self, bits_per_second: u64, now: u64, direction: Direction, bytes: u64) {
        if let Some(cost) = bytes.saturating_mul(8 * NANOS_PER_SECOND).checked_div(bits_per_second) {
            let charged = |arrival: u64| Some(arrival.max(now).saturating_add(cost));
            let _ = self.arrivals[direction as usize].fetch_update(Relaxed, Relaxed, charged);
        }
    }

    /// When something may be taken out: `now` or later.
    fn opens(&self, bits_per_second: u64, now: u64, direction: Direction) -> u64 {
        let arrival = if bits_per_second > 0 { self.arrivals[direction as usize].load(Relaxed) } else { 0 };
        arrival.saturating_sub(BURST.as_nanos() as u64).max(now)
    }

    /// Shards may do this at the same time: they write about the same.
    fn exceed(&self, now: u64) {
        let latest = self.excess_latest.load(Relaxed);
        if now.saturating_sub(latest) > PAUSE.as_nanos() as u64 {
            self.excess_began.store(now, Relaxed);
        }
        if latest < now {
            self.excess_latest.store(now, Relaxed);
        }
    }

    fn is_exceeded(&self, now: u64) -> bool {
        let (began, latest) = (self.excess_began.load(Relaxed), self.excess_latest.load(Relaxed));
        let is_recent = now.saturating_sub(latest) <= PAUSE.as_nanos() as u64;
        is_recent && latest.saturating_sub(began) >= PATIENCE.as_nanos() as u64
    }
}

impl Purse {
    /// An empty one, for one shard.
    pub fn new(rates: Arc<Rates>) -> Arc<Self> {
        Arc::new(Self { rates, bytes: Default::default() })
    }

    /// What the payload of an allocation of the user with `budget` is measured by.
    pub fn meter(self: &Arc<Self>, budget: Arc<Budget>) -> Box<dyn Meter> {
        Box::new(PayloadMeter { budget, purse: Arc::clone(self) })
    }

    fn spend(&self, now: u64, direction: Direction, bytes: u64) -> bool {
        let rate = self.rates.all.load(Relaxed);
        if rate == 0 {
            return true;
        }
        let left = &self.bytes[direction as usize];
        let mut have = left.load(Relaxed);
        if have < bytes {
            let draw = bytes.max((rate / 8000).min(LARGEST_DRAW));
            if !self.rates.budget.spend(rate, now, direction, draw) {
                return false;
            }
            have += draw;
        }
        left.store(have - bytes, Relaxed);
        true
    }

    fn charge(&self, now: u64, direction: Direction, bytes: u64) {
        let left = &self.bytes[direction as usize];
        let have = left.load(Relaxed);
        left.store(have.saturating_sub(bytes), Relaxed);
        self.rates.budget.charge(self.rates.all.load(Relaxed), now, direction, bytes.saturating_sub(have));
    }

    fn opens(&self, now: u64, direction: Direction) -> u64 {
        let has_left = self.bytes[direction as usize].load(Relaxed) > 0;
        if has_left { now } else { self.rates.budget.opens(self.rates.all.load(Relaxed), now, direction) }
    }
}

/// Measures one allocation: the month, then its user, then all. A user who is over its rate takes nothing from others.
struct PayloadMeter {
    budget: Arc<Budget>,
    purse: Arc<Purse>,
}

impl Meter for PayloadMeter {
    fn pass(&mut self, now: Instant, direction: Direction, bytes: usize) -> Result<(), Why> {
        let (rates, bytes) = (&self.purse.rates, bytes as u64);
        if rates.month.is_used_up() {
            return Err(Why::MonthlyBytes);
        }
        let now = rates.nanos(now);
        if !self.budget.spend(rates.user.load(Relaxed), now, direction, bytes) {
            return Err(Why::UserRate);
        }
        if self.purse.spend(now, direction, bytes) { Ok(()) } else { Err(Why::TotalRate) }
    }

    fn opens(&mut self, now: Instant, direction: Direction) -> Result<Instant, Why> {
        let rates = &self.purse.rates;
        if rates.month.is_used_up() {
            return Err(Why::MonthlyBytes);
        }
        let nanos = rates.nanos(now);
        let of_user = self.budget.opens(rates.user.load(Relaxed), nanos, direction);
        Ok(now + Duration::from_nanos(of_user.max(self.purse.opens(nanos, direction)) - nanos))
    }

    fn charge(&mut self, now: Instant, direction: Direction, bytes: usize) {
        let (rates, bytes) = (&self.purse.rates, bytes as u64);
        let now = rates.nanos(now);
        self.budget.charge(rates.user.load(Relaxed), now, direction, bytes);
        self.purse.charge(now, direction, bytes);
    }
}

#[cfg(test)]
mod tests;
