//! What to do with the datagram that was handed in.

use std::ops::Range;

use crate::labels::labels;
use crate::{Client, ConnectionId, Peer, Relay};

/// The decision about one datagram. It speaks about the caller's own buffer: nothing is borrowed, copied or allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing leaves. The reason is counted.
    Drop(Why),
    /// An answer was queued for [`Server::poll_transmit`](crate::Server::poll_transmit).
    Reply,
    /// The answer will be queued once a connection with a peer stands, or does not (RFC 6062 §5.2).
    Later,
    /// An answer was queued, and the stream that the message came on is the client's half of this connection: what follows
    /// in it is the peer's, and what the peer says goes to it as it is (RFC 6062 §5.4).
    Splice(ConnectionId),
    /// Send `data` of the datagram from `relay` to `peer`.
    ToPeer {
        /// The relay socket to send from.
        relay: Relay,
        /// Where to.
        peer: Peer,
        /// The payload within the datagram that was handed in.
        data: Range<usize>,
        /// Whether it must reach the peer whole or not at all: the DF bit over IPv4, no fragment header over IPv6
        /// (RFC 8656 §14).
        dont_fragment: bool,
    },
    /// Send `header`, then the whole datagram that was handed in, then `header.padding()` zero bytes to `client`.
    ToClient {
        /// The owner of the relay.
        client: Client,
        /// A ChannelData or Data indication header.
        header: Header,
    },
}

/// What goes before a peer's payload on its way to the client: 4 bytes of ChannelData (RFC 8656 §12.4) or a Data
/// indication up to its DATA attribute's value (§11.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; Header::MAX],
    len: u8,
    padding: u8,
}

impl Header {
    /// The longest header: a Data indication with an IPv6 XOR-PEER-ADDRESS.
    pub const MAX: usize = 20 + 24 + 4;

    /// # Panics
    /// If `bytes` is longer than [`Header::MAX`]: headers are built inside this crate only.
    pub(crate) fn new(bytes: &[u8], padding: usize) -> Self {
        let mut header = Self { bytes: [0; Self::MAX], len: bytes.len() as u8, padding: padding as u8 };
        header.bytes[..bytes.len()].copy_from_slice(bytes);
        header
    }

    /// The bytes to send before the payload.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// How many zero bytes to send after the payload (0 to 3): Data indications, and ChannelData over streams.
    pub fn padding(&self) -> usize {
        usize::from(self.padding)
    }
}

/// Why a datagram was dropped without an answer. Each is a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Neither STUN nor ChannelData by its first bits, or shorter than it says.
    Malformed,
    /// A STUN message whose method or class means nothing to a server.
    Unexpected,
    /// Integrity or fingerprint missing or wrong where no answer is due.
    Unauthenticated,
    /// No allocation belongs to this 5-tuple or relay.
    NoAllocation,
    /// A channel number that is not bound, or no longer.
    NoChannel,
    /// The peer has no permission.
    NoPermission,
    /// The peer may not be reached by the operator's or the built-in rules.
    PeerDenied,
    /// An answer to a stranger whose source prefix has used up its rate.
    RateLimited,
    /// A Refresh whose allocation another server of the process has: it is being fetched (RFC 8016).
    Elsewhere,
    /// A peer's connection to a TCP relay that has as many as it may.
    TooManyConnections,
    /// Payload beyond the rate of its user.
    UserRate,
    /// Payload beyond the rate of all.
    TotalRate,
    /// Payload beyond the bytes of this month.
    MonthlyBytes,
}

labels!(Why {
    Malformed => "malformed",
    Unexpected => "unexpected",
    Unauthenticated => "unauthenticated",
    NoAllocation => "no_allocation",
    NoChannel => "no_channel",
    NoPermission => "no_permission",
    PeerDenied => "peer_denied",
    RateLimited => "rate_limited",
    Elsewhere => "elsewhere",
    TooManyConnections => "too_many_connections",
    UserRate => "user_rate",
    TotalRate => "total_rate",
    MonthlyBytes => "monthly_bytes",
});
