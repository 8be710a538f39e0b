//! The only reader of clocks: everything else is told the time.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime};

use nix::time::{ClockId, clock_gettime};

/// The monotonic clock: for deadlines and durations.
pub fn now() -> Instant {
    Instant::now()
}

/// How long the calling thread has worked: for what it spends on one engine.
pub fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// The wall clock, since 1970: for credentials and what people read. Zero where it is set before 1970.
pub fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The wall clock in whole seconds since 1970.
pub fn unix_secs() -> u64 {
    unix().as_secs()
}
