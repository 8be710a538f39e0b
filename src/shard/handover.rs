//! What shards tell each other when an allocation follows its client to where the kernel has put it (RFC 8016).
//!
//! ```text
//!  client, new address ──Refresh──► shard B ──Claimed──► every other shard
//!                                      ▲                    A has it
//!                                      └──────Parcel──────────┘
//!  client ◄──success── shard B: the same Refresh, once more
//! ```
//!
//! Whatever is lost on the way is asked for again: the client repeats its Refresh until it is answered.

use roundturn_turn::{Claim, Client, Handover, Relay};

use crate::net::relays::RelaySocket;

/// A shard wants an allocation that it does not have.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which shard.
    pub by: usize,
    /// What proves that it is its client's.
    pub claim: Claim,
    /// The client, where it is now.
    pub client: Client,
    /// Its Refresh.
    pub request: Vec<u8>,
}

/// The allocation, with its sockets and the Refresh that it is wanted for.
#[derive(Debug)]
pub struct Parcel {
    /// The allocation.
    pub handover: Handover,
    /// Its relays.
    pub sockets: Vec<(Relay, RelaySocket)>,
    /// The client, where it is now.
    pub client: Client,
    /// Its Refresh.
    pub request: Vec<u8>,
}
