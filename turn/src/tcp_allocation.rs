//! TCP allocations (RFC 6062): relays that listen, and the connections between peers and clients that stand behind them.
//!
//! ```text
//!              control connection: Allocate, Refresh, Connect, ConnectionAttempt
//!            ┌────────────────────────────┐
//!   client ──┤                            ├── relay ──── peer data connections ──── peers
//!            └── client data connections ─┘
//!                one for each, joined by ConnectionBind
//! ```
//!
//! The server decides; whoever embeds it holds the sockets, names each peer data connection by a [`ConnectionId`], and
//! moves the bytes.

mod progress;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use crate::allocation::Allocation;
use crate::auth::Seal;
use crate::message::{Class, Message, Method, TransactionId, attribute, message_type};
use crate::server::Server;
use crate::{Event, Family, Peer};

/// How long a connect may take, and how long a peer data connection waits for its ConnectionBind (RFC 6062 §5.2, §5.3).
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long two joined connections may be without a byte in either direction.
pub(crate) const IDLE: Duration = Duration::from_secs(600);

/// The name of a peer data connection, unique among those that there are: the value of CONNECTION-ID (RFC 6062 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

impl ConnectionId {
    /// The connection that `message` wants to be joined to, if it is a ConnectionBind request. Nothing is proved by it: an
    /// embedder with several servers learns whose affair the stream is.
    pub fn wanted_by(message: &[u8]) -> Option<Self> {
        if !message.starts_with(&message_type(Class::Request, Method::CONNECTION_BIND).to_be_bytes()) {
            return None;
        }
        Message::decode(message).ok()?.number(attribute::CONNECTION_ID).map(Self)
    }
}

/// The peer data connections of one allocation. There are few of them, so that a walk beats a map.
#[derive(Default)]
pub(crate) struct Connections(Vec<Connection>);

/// One peer data connection.
///
/// ```text
///  Connect ──► connecting ──► unbound ──► bound ──► closed
///                  │             │  ▲       idle, either end, or the allocation's
///                447, 30 s     30 s └── a peer connects
/// ```
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) peer: Peer,
    /// Whether the peer is a TCP relay of this process.
    pub(crate) is_ours: bool,
    pub(crate) state: State,
    pub(crate) expires: Instant,
}

/// How far a peer data connection is.
pub(crate) enum State {
    /// The peer has not answered yet, and the client waits.
    Connecting(Waiting),
    /// It stands, and the client's half does not.
    Unbound,
    /// Bytes are moved.
    Bound,
}

/// A Connect that is to be answered.
pub(crate) struct Waiting {
    pub(crate) transaction: TransactionId,
    pub(crate) has_fingerprint: bool,
    pub(crate) seal: Seal,
}

impl Connections {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has_peer(&self, peer: Peer) -> bool {
        self.0.iter().any(|connection| connection.peer == peer)
    }

    pub(crate) fn find(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.0.iter_mut().find(|connection| connection.id == id)
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.0.iter().map(|connection| connection.expires).min()
    }

    /// Takes out those that `goes` picks.
    fn take(&mut self, goes: impl Fn(&Connection) -> bool) -> Vec<Connection> {
        self.0.extract_if(.., |connection| goes(connection)).collect()
    }
}

/// Which allocation's a connection is, by slot.
#[derive(Default)]
pub(crate) struct Owners(HashMap<ConnectionId, usize, RandomState>);

impl Server {
    /// Whether there are TCP allocations at all.
    pub fn has_tcp(&self) -> bool {
        self.config.limits.tcp_connections > 0
    }

    /// Whether the relays of `slot` carry TCP.
    pub(crate) fn is_tcp(&self, slot: usize) -> bool {
        self.table.get(slot).is_some_and(|allocation| allocation.tcp.is_some())
    }

    /// The allocation that connection `id` belongs to.
    pub(crate) fn slot_of_connection(&self, id: ConnectionId) -> Option<usize> {
        self.tcp.0.get(&id).copied()
    }

    /// Takes in a connection of the TCP allocation in `slot`.
    pub(crate) fn add_connection(&mut self, slot: usize, connection: Connection) {
        let Some(tcp) = self.table.get_mut(slot).and_then(|allocation| allocation.tcp.as_mut()) else { return };
        self.tcp.0.insert(connection.id, slot);
        self.stats.tcp_connections += 1;
        tcp.0.push(connection);
        self.table.arm(slot);
    }

    /// Ends the connections of `slot` that `goes` picks; Connects that still wait are answered by nobody.
    pub(crate) fn end_connections(&mut self, slot: usize, goes: impl Fn(&Connection) -> bool) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let ended = allocation.tcp.as_mut().map(|tcp| tcp.take(goes)).unwrap_or_default();
        ended.iter().for_each(|connection| self.forget(connection.id));
    }

    /// Ends all connections of an allocation that is over.
    pub(crate) fn end_all_connections(&mut self, allocation: &mut Allocation) {
        let ended = allocation.tcp.take().map(|tcp| tcp.0).unwrap_or_default();
        ended.iter().for_each(|connection| self.forget(connection.id));
    }

    /// Ends the connections of `slot` whose time is over. A Connect that still waits is refused.
    pub(crate) fn expire_connections(&mut self, now: Instant, slot: usize) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let Some(tcp) = allocation.tcp.as_mut() else { return };
        let client = allocation.client;
        for connection in tcp.take(|connection| connection.expires <= now) {
            self.forget(connection.id);
            if let State::Connecting(waiting) = &connection.state {
                self.answer_connect(client, waiting, None);
            }
        }
    }

    /// Whether index, gauge and allocations tell the same.
    pub(crate) fn has_consistent_connections(&self) -> bool {
        let count: usize =
            self.table.iter().filter_map(|allocation| allocation.tcp.as_ref()).map(|tcp| tcp.len()).sum();
        count == self.tcp.0.len() && count as u64 == self.stats.tcp_connections
    }

    fn forget(&mut self, id: ConnectionId) {
        self.tcp.0.remove(&id);
        self.stats.tcp_connections -= 1;
        self.events.push_back(Event::Disconnected { connection: id });
    }
}

impl Connection {
    pub(crate) fn family(&self) -> Family {
        Family::of(self.peer.0)
    }
}
