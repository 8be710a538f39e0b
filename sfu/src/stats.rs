//! Plain counters: written on the way of a packet, read once a second by whoever exports them.

/// Monotonic counters and current gauges of one [`Sfu`](crate::Sfu).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms open now.
    pub rooms: u64,
    /// Participants now.
    pub participants: u64,
}
