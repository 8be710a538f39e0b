//! Opening a relay port is a capability that the embedder passes in for the length of one call.

use std::net::{IpAddr, SocketAddr};

use crate::{ConnectionId, Family, Meter, Peer, Relay};

/// Opens relay ports and knows which addresses are this process's own. The port is bound when `open` returns: an
/// Allocate is answered only after that. Closing goes the other way, by [`Event::Closed`](crate::Event::Closed).
pub trait Relays {
    /// Takes a port of the shared range for one allocation of `holder` and binds it.
    ///
    /// # Errors
    /// [`OpenError`] says which quota or resource is used up.
    fn open(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError>;

    /// The same with an even port (RFC 8656 §7.2); where `with_next`, the port after it is taken too, on the account of
    /// the same holder, and kept for [`Relays::open_reserved`] until [`Event::Released`](crate::Event::Released). Whoever
    /// cannot do so leaves it out.
    ///
    /// # Errors
    /// [`OpenError`], and then nothing is open or kept.
    fn open_even(&mut self, family: Family, with_next: bool, holder: Holder<'_>) -> Result<Relay, OpenError> {
        let _ = (family, with_next, holder);
        Err(OpenError::NoPort)
    }

    /// Binds a port that was kept by [`Relays::open_even`] of this or another server of the process.
    ///
    /// # Errors
    /// [`OpenError::NoPort`] where it is kept no longer.
    fn open_reserved(&mut self, relay: Relay) -> Result<(), OpenError> {
        let _ = relay;
        Err(OpenError::NoPort)
    }

    /// What the payload of the allocation that has `relay`, one that was just opened, is measured by. Asked for once; whoever
    /// limits nothing leaves it out.
    fn meter(&mut self, relay: Relay) -> Option<Box<dyn Meter>> {
        let _ = relay;
        None
    }

    /// Whether `address` is, right now, a relay or an SFU port of this very process, on whatever shard.
    fn is_ours(&self, address: SocketAddr) -> bool;

    /// The same as [`Relays::open`] for a TCP allocation: a port that peers can connect to (RFC 6062 §5.1). Whoever has
    /// none leaves this and the two below out.
    ///
    /// # Errors
    /// [`OpenError`] says which quota or resource is used up.
    fn open_tcp(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError> {
        let _ = (family, holder);
        Err(OpenError::NoPort)
    }

    /// Begins to connect from `relay` to `peer`; [`Server::handle_connected`](crate::Server::handle_connected) is to be told
    /// what came of it. `None` where that is known not to work.
    fn connect(&mut self, relay: Relay, peer: Peer) -> Option<ConnectionId> {
        let _ = (relay, peer);
        None
    }

    /// Whether `address` is, right now, a TCP relay of this very process, on whatever shard.
    fn is_ours_tcp(&self, address: SocketAddr) -> bool {
        let _ = address;
        false
    }
}

/// On whose account an allocation is counted.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The name by which quotas count: the user name without its expiry.
    pub user: &'a str,
    /// Where the client comes from.
    pub prefix: Prefix,
}

/// A source prefix: a single IPv4 address, or an IPv6 /64. One customer of one provider, as far as addresses can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix(IpAddr);

impl Prefix {
    /// The prefix that `address` belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(v6) => Self(IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into())),
        }
    }
}

/// Why no relay port could be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// This user holds as many allocations as it may: 486.
    UserQuota,
    /// This source prefix holds as many allocations as it may: 486.
    PrefixQuota,
    /// The server holds as many allocations as it may: 508.
    TotalQuota,
    /// This user has kept sending beyond its rate: 486.
    UserRate,
    /// All users together have kept sending beyond the server's rate: 508.
    TotalRate,
    /// The bytes of this month are used up: 508.
    MonthlyBytes,
    /// No port of the shared range is free, or none could be bound: 508.
    NoPort,
    /// This host has no address of that family: 440.
    Family,
}
