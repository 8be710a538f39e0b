//! One allocation (RFC 8656 §3.2, §6): a client's relays and what may pass through them.

use std::net::SocketAddr;
use std::time::Instant;

use crate::channel::Channels;
use crate::credential::Proof;
use crate::error::Code;
use crate::labels::Label;
use crate::limit::Bucket;
use crate::message::TransactionId;
use crate::mobility::Mobility;
use crate::permission::Permissions;
use crate::stats::Traffic;
use crate::tcp_allocation::Connections;
use crate::{Client, Family, Meter, Peer, Relay};

/// A client's relay, or one of each family (a dual allocation), and what may pass through them. A peer's family tells
/// which relay it is reached through, so that permissions and channels of both stand in one list.
///
/// ```text
///            ┌── relay 5.9.0.1:50000 ──── IPv4 peers
///  client ───┤
///            └── relay [2a01::1]:50001 ── IPv6 peers
/// ```
pub(crate) struct Allocation {
    pub(crate) client: Client,
    relays: [Option<RelayState>; 2],
    /// The user name as it was presented; every later request must carry the same.
    pub(crate) username: Box<str>,
    /// The key of that user, so that no later request derives it anew, and what it came from.
    pub(crate) proof: Proof,
    /// The transaction of the Allocate that made it, by which a retransmission is known.
    pub(crate) transaction: TransactionId,
    /// What its first answer granted besides relays.
    pub(crate) granted: Granted,
    /// Whether and how it may follow its client (RFC 8016).
    pub(crate) mobility: Option<Mobility>,
    pub(crate) opened: Instant,
    pub(crate) permissions: Permissions,
    pub(crate) channels: Channels,
    /// A TCP allocation's connections with peers; `None`: its relays carry UDP.
    pub(crate) tcp: Option<Box<Connections>>,
    /// Its client's requests that prove nothing.
    pub(crate) unproven: Bucket,
    /// What its payload is measured by, where there is such a thing.
    pub(crate) meter: Option<Box<dyn Meter>>,
}

/// One relayed transport address: each has a lifetime of its own (RFC 8656 §6).
pub(crate) struct RelayState {
    pub(crate) port: u16,
    pub(crate) expires: Instant,
    pub(crate) to_peers: Traffic,
    pub(crate) to_client: Traffic,
}

/// What an Allocate got besides relays; a retransmission gets it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) lifetime_secs: u32,
    /// The name of the port after the relay's, which is kept for a second allocation.
    pub(crate) token: Option<Token>,
    /// The one of two families that could not be had, and why.
    pub(crate) missing: Option<(Family, Code)>,
}

/// The value of RESERVATION-TOKEN (RFC 8656 §18.10).
pub(crate) type Token = [u8; 8];

impl Allocation {
    /// An allocation that was just asked for by `client`, without any relay yet.
    pub(crate) fn new(
        now: Instant,
        client: Client,
        username: &str,
        proof: Proof,
        transaction: TransactionId,
        granted: Granted,
    ) -> Self {
        Self {
            client,
            relays: [None, None],
            username: username.into(),
            proof,
            transaction,
            granted,
            mobility: None,
            opened: now,
            permissions: Permissions::default(),
            channels: Channels::default(),
            tcp: None,
            unproven: Bucket::default(),
            meter: None,
        }
    }

    pub(crate) fn add_relay(&mut self, relay: Relay, expires: Instant) {
        let (to_peers, to_client) = (Traffic::default(), Traffic::default());
        self.relays[relay.family.index()] = Some(RelayState { port: relay.port, expires, to_peers, to_client });
    }

    /// Takes out the relay of `family`, and what could pass through it.
    pub(crate) fn remove_relay(&mut self, family: Family) -> Option<RelayState> {
        let is_other = |peer| Family::of(peer) != family;
        self.permissions.retain(|peer, _| is_other(SocketAddr::new(peer, 0)));
        self.channels.retain(|Peer(peer), _| is_other(peer));
        self.relays[family.index()].take()
    }

    /// Its relays, IPv4 first.
    pub(crate) fn relays(&self) -> impl Iterator<Item = Relay> {
        Family::ALL.iter().filter_map(|family| self.relay(*family))
    }

    pub(crate) fn relay(&self, family: Family) -> Option<Relay> {
        self.relays[family.index()].as_ref().map(|state| Relay { family, port: state.port })
    }

    /// The relay of `family` unless it has expired.
    pub(crate) fn alive_relay_mut(&mut self, now: Instant, family: Family) -> Option<&mut RelayState> {
        self.relays[family.index()].as_mut().filter(|relay| relay.expires > now)
    }

    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.relays.iter().flatten().any(|relay| relay.expires > now)
    }

    /// Whether it has a relay of `family`, and its time has come.
    pub(crate) fn has_expired(&self, now: Instant, family: Family) -> bool {
        self.relays[family.index()].as_ref().is_some_and(|relay| relay.expires <= now)
    }

    /// The first moment at which something in it expires.
    pub(crate) fn deadline(&self) -> Instant {
        let connections = self.tcp.as_ref().and_then(|tcp| tcp.next_expiry());
        let inner = [self.permissions.next_expiry(), self.channels.next_expiry(), connections];
        let relays = self.relays.iter().flatten().map(|relay| relay.expires);
        inner.into_iter().flatten().chain(relays).min().unwrap_or(self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_allocations_fit_into_a_few_megabytes() {
        assert!(size_of::<Allocation>() <= 544, "{} bytes", size_of::<Allocation>());
    }
}
