//! What the tests of signaling share.

use std::time::Instant;

/// Some point in time; tests own what comes after it.
#[allow(clippy::disallowed_methods)]
pub fn epoch() -> Instant {
    Instant::now()
}
