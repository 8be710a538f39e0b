//! What the tests of all parts share.

use std::time::Instant;

/// When a test begins. The only reading of a clock here: there is no other way to have an `Instant`.
#[allow(clippy::disallowed_methods)]
pub(crate) fn start() -> Instant {
    Instant::now()
}
