//! What the server has to say besides verdicts: answers, and the life of allocations.

use std::time::Duration;

use crate::labels::labels;
use crate::mobility::Claim;
use crate::policy::Rule;
use crate::stats::AuthFailure;
use crate::{Client, ConnectionId, Peer, Relay};

/// An answer to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Who it is for; it leaves from `to.local`.
    pub to: Client,
    /// One STUN message.
    pub bytes: Vec<u8>,
}

/// The life cycle of allocations, for the holder of the relay sockets and for the log. A dual allocation has one of
/// each for both of its relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An allocation was made; its relay is open.
    Opened {
        /// The allocation's owner.
        client: Client,
        /// Its relay.
        relay: Relay,
        /// The user name as it was presented.
        username: String,
    },
    /// An allocation ended: the relay's socket must be closed and its lease given back.
    Closed {
        /// The allocation's former owner.
        client: Client,
        /// The relay to close.
        relay: Relay,
        /// Why it ended.
        reason: CloseReason,
        /// How long it lived.
        lived: Duration,
        /// Payload bytes from client to peers.
        bytes_to_peers: u64,
        /// Payload bytes from peers to client.
        bytes_to_client: u64,
    },
    /// An allocation has followed its client (RFC 8016).
    Moved {
        /// Where the client is now.
        client: Client,
        /// The relay.
        relay: Relay,
    },
    /// An allocation that another server of the process has is wanted here: [`Server::surrender`] there,
    /// [`Server::adopt`] here, and then the same datagram once more. It is the one that was handed in last.
    ///
    /// [`Server::surrender`]: crate::Server::surrender
    /// [`Server::adopt`]: crate::Server::adopt
    Claimed {
        /// Who sent the Refresh.
        client: Client,
        /// What to show to the other server.
        claim: Claim,
    },
    /// A connection with a peer has ended: both its halves must be closed (RFC 6062 §5.5). It comes before the
    /// [`Closed`](Event::Closed) of its relay.
    Disconnected {
        /// The connection.
        connection: ConnectionId,
    },
    /// The time of a port that [`Relays::open_even`](crate::Relays::open_even) had kept is over: unless it has been opened by
    /// another server of the process, it must be given back.
    Released {
        /// The port.
        relay: Relay,
    },
}

/// A peer that the rules denied to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// Who asked.
    pub client: Client,
    /// For whom.
    pub peer: Peer,
    /// The rule.
    pub rule: Rule,
}

/// A credential that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Who showed it.
    pub client: Client,
    /// Whose it was to be.
    pub username: String,
    /// Why.
    pub failure: AuthFailure,
    /// When it expires or has expired, in seconds since 1970; `None`: it names no time.
    pub expires: Option<u64>,
    /// The server's clock, in seconds since 1970.
    pub unix_secs: u64,
}

/// Why an allocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// Its lifetime passed without a Refresh.
    Expired,
    /// The client asked for it with a Refresh of lifetime 0.
    RefreshZero,
    /// Its credential was revoked: the participant left or was removed. Or its kind is not offered any more.
    Revoked,
    /// The daemon stops.
    Shutdown,
    /// The stream that it was made over has ended.
    Disconnected,
}

labels!(CloseReason {
    Expired => "expired",
    RefreshZero => "refresh_zero",
    Revoked => "admin",
    Shutdown => "shutdown",
    Disconnected => "disconnected",
});
