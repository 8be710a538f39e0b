//! Plain counters: written on the way of a packet, read once a second by whoever exports them.

/// Monotonic counters and current gauges of one [`Server`](crate::Server).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Allocations alive now.
    pub allocations: u64,
    /// Permissions installed now.
    pub permissions: u64,
    /// Channels bound now.
    pub channels: u64,
}
