//! The bench's own clock: nanoseconds since it was first read.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds on the monotonic clock.
#[allow(clippy::disallowed_methods, reason = "a bench measures real time; this is its only reader")]
pub fn now_nanos() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Seconds since 1970, for the expiry of credentials.
#[allow(clippy::disallowed_methods, reason = "a bench measures real time; this is its only reader")]
pub fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
