//! One allocation (RFC 8656 §3.2): a client's relay and what may pass through it.

use std::time::Instant;

use crate::channel::Channels;
use crate::message::{Key, TransactionId};
use crate::permission::Permissions;
use crate::stats::Traffic;
use crate::{Client, Relay};

/// A client's relay and what may pass through it.
pub(crate) struct Allocation {
    pub(crate) client: Client,
    pub(crate) relay: Relay,
    /// The user name as it was presented; every later request must carry the same.
    pub(crate) username: Box<str>,
    /// The key of that user, so that no later request derives it anew.
    pub(crate) key: Key,
    /// The transaction of the Allocate that made it, by which a retransmission is known.
    pub(crate) transaction: TransactionId,
    /// The lifetime that its first answer granted.
    pub(crate) granted_secs: u32,
    pub(crate) opened: Instant,
    pub(crate) expires: Instant,
    pub(crate) permissions: Permissions,
    pub(crate) channels: Channels,
    pub(crate) to_peers: Traffic,
    pub(crate) to_client: Traffic,
}

impl Allocation {
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.expires > now
    }

    /// The first moment at which something in it expires.
    pub(crate) fn deadline(&self) -> Instant {
        let inner = [self.permissions.next_expiry(), self.channels.next_expiry()];
        inner.into_iter().flatten().fold(self.expires, Instant::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_allocations_fit_into_a_few_megabytes() {
        assert!(size_of::<Allocation>() <= 512, "{} bytes", size_of::<Allocation>());
    }
}
