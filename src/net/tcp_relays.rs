//! The TCP relays of one shard (RFC 6062): sockets that peers connect to, and the connections with peers.
//!
//! ```text
//!  client ═══ stream ═══ waiting ──► socket ═══ peer
//!                      ◄──────────── one read at a time; what the stream does not take is not read
//! ```

mod peer;

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use foldhash::quality::RandomState;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use roundturn_turn::{ConnectionId, Family, Relay};
use slab::Slab;

pub use self::peer::{Finding, PeerConnection};
use super::tcp;
use crate::ledger::Ticket;
use crate::ports::Lease;
use crate::rates::Budget;

/// The listening sockets and the connections with peers.
pub struct TcpRelays {
    registry: Registry,
    shard: u8,
    listeners: HashMap<Relay, TcpRelay, RandomState>,
    peers: Slab<PeerConnection>,
    /// Told apart from those that had the same place before.
    generation: u8,
    /// Relays that somebody may wait at.
    waiting: Vec<Relay>,
    /// Relays where nobody could be accepted for want of a descriptor.
    starved: Vec<Relay>,
    /// Connections that something may be done about.
    ready: VecDeque<usize>,
    /// Connections that have moved all that the rates allow, and until when: no more of them than there are connections.
    resting: Vec<(Instant, usize)>,
    /// Streams of clients whose connections with peers are gone.
    orphans: Vec<(u16, ConnectionId)>,
}

/// One relay. Dropped in this order: the socket, then the right to its port, then its place in the quotas.
struct TcpRelay {
    socket: TcpListener,
    _lease: Lease,
    ticket: Ticket,
}

/// Connections with peers of one shard. Beyond it, Connects fail and peers are turned away.
const MOST: usize = 1 << 14;

/// Connections that are accepted at one relay in one turn.
const ACCEPTS_PER_TURN: usize = 8;

const FIRST_LISTENER: usize = 1 << 18;
const FIRST_PEER: usize = 1 << 19;

impl TcpRelays {
    /// None yet, on shard number `shard`; they will be polled by `registry`.
    pub fn new(registry: Registry, shard: usize) -> Self {
        Self {
            registry,
            shard: shard as u8,
            listeners: HashMap::default(),
            peers: Slab::new(),
            generation: 0,
            waiting: Vec::new(),
            starved: Vec::new(),
            ready: VecDeque::new(),
            resting: Vec::new(),
            orphans: Vec::new(),
        }
    }

    /// Whether the poller's `token` is one of ours.
    pub fn owns(token: Token) -> bool {
        (FIRST_LISTENER..FIRST_PEER + (1 << 16)).contains(&token.0)
    }

    /// The shard whose connection `id` is.
    pub fn shard_of(id: ConnectionId) -> usize {
        (id.0 >> 24) as usize
    }

    /// The poller says that something may be accepted, read or written.
    pub fn on_event(&mut self, event: &Event) {
        let token = event.token().0;
        match token.checked_sub(FIRST_PEER) {
            Some(place) => {
                if let Some(peer) = self.peers.get_mut(place) {
                    peer.hung_up |= event.is_read_closed() || event.is_error();
                    self.queue(place);
                }
            }
            None => self.waiting.push(of_token(token)),
        }
    }

    /// Whether there is something to do without waiting for the poller.
    pub fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.ready.is_empty() || !self.orphans.is_empty()
    }

    /// How many connections something may be done about.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Takes in a socket that listens at the port of `lease`.
    pub(super) fn keep(&mut self, family: Family, lease: Lease, socket: TcpListener, ticket: Ticket) -> Relay {
        let relay = Relay { family, port: lease.port() };
        self.listeners.insert(relay, TcpRelay { socket, _lease: lease, ticket });
        relay
    }

    /// Binds a relay's port and has it polled.
    pub(super) fn bind(&self, family: Family, local: Option<std::net::IpAddr>, port: u16) -> io::Result<TcpListener> {
        let mut socket = tcp::listen_at_relay(family, local, port)?;
        self.registry.register(&mut socket, token(Relay { family, port }), Interest::READABLE)?;
        Ok(socket)
    }

    /// Closes `relay`. Its connections are ended by [`TcpRelays::disconnect`].
    pub(super) fn close(&mut self, relay: Relay) {
        self.listeners.remove(&relay);
    }

    /// What the user of `relay` has spent.
    pub(super) fn budget(&self, relay: Relay) -> Option<Arc<Budget>> {
        Some(self.listeners.get(&relay)?.ticket.budget())
    }

    /// Begins to connect from `relay` to `peer`.
    pub(super) fn connect(&mut self, relay: Relay, peer: SocketAddr) -> Option<ConnectionId> {
        let socket = tcp::connect_from(&self.listeners.get(&relay)?.socket, peer).ok()?;
        let id = self.vacant()?;
        self.add(id, socket, true).then_some(id)
    }

    /// Who has connected to relays since; whoever is welcome is to be [taken in](Self::take_in).
    pub fn accept(&mut self) -> Vec<(Relay, SocketAddr, TcpStream)> {
        let mut accepted = Vec::new();
        for relay in std::mem::take(&mut self.waiting) {
            for turn in 0..=ACCEPTS_PER_TURN {
                // Whoever is still there has the next turn.
                if turn == ACCEPTS_PER_TURN {
                    self.waiting.push(relay);
                    break;
                }
                let Some(listener) = self.listeners.get(&relay) else { break };
                match listener.socket.accept() {
                    Ok((socket, source)) => accepted.push((relay, source, socket)),
                    Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => {
                        self.starved.push(relay);
                        break;
                    }
                }
            }
        }
        accepted
    }

    /// The name of the next connection that is taken in, where there is room for one.
    pub fn vacant(&self) -> Option<ConnectionId> {
        let generation = self.generation.wrapping_add(1);
        let id = u32::from(self.shard) << 24 | u32::from(generation) << 16 | self.peers.vacant_key() as u32;
        (self.peers.len() < MOST).then_some(ConnectionId(id))
    }

    /// Takes in a peer that has connected, under the [vacant](Self::vacant) name. Whether it worked.
    pub fn take_in(&mut self, id: ConnectionId, socket: TcpStream) -> bool {
        self.add(id, socket, false)
    }

    /// The next second may bring the descriptors that were missing in the last one.
    pub fn tick(&mut self) {
        self.waiting.append(&mut self.starved);
    }

    /// The connection whose turn it is, by its place.
    pub fn next_ready(&mut self) -> Option<usize> {
        let place = self.ready.pop_front()?;
        if let Some(peer) = self.peers.get_mut(place) {
            peer.queued = false;
        }
        Some(place)
    }

    /// The connection at this place waits `until` then, whatever happens at its ends.
    pub fn rest(&mut self, place: usize, until: Instant) {
        if let Some(peer) = self.peers.get_mut(place)
            && !std::mem::replace(&mut peer.rests, true)
        {
            self.resting.push((until, place));
        }
    }

    /// When a connection has rested long enough.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.resting.iter().map(|(until, _)| *until).min()
    }

    /// Connections that have rested long enough have a turn.
    pub fn handle_timeout(&mut self, now: Instant) {
        let rested: Vec<_> = self.resting.extract_if(.., |(until, _)| *until <= now).collect();
        for (_, place) in rested {
            if let Some(peer) = self.peers.get_mut(place) {
                peer.rests = false;
            }
            self.queue(place);
        }
    }

    /// The connection at this place.
    pub fn at(&mut self, place: usize) -> Option<&mut PeerConnection> {
        self.peers.get_mut(place)
    }

    /// The connection at this place wants another turn.
    pub fn queue(&mut self, place: usize) {
        if let Some(peer) = self.peers.get_mut(place)
            && !peer.rests
            && !std::mem::replace(&mut peer.queued, true)
        {
            self.ready.push_back(place);
        }
    }

    /// Joins `connection` to stream number `stream`, whose client has said `first` already. Whether there is one.
    pub fn join(&mut self, connection: ConnectionId, stream: u16, first: &[u8]) -> bool {
        let place = place(connection);
        let Some(peer) = self.peers.get_mut(place).filter(|peer| peer.id == connection) else { return false };
        peer.join(stream, first);
        self.queue(place);
        true
    }

    /// Something happened to the stream that `connection` is joined to.
    pub fn wake(&mut self, connection: ConnectionId) {
        self.queue(place(connection));
    }

    /// Closes `connection`; its client's stream is to be ended.
    pub fn disconnect(&mut self, connection: ConnectionId) {
        let place = place(connection);
        if self.peers.get(place).is_some_and(|peer| peer.id == connection) {
            let peer = self.peers.remove(place);
            if peer.rests {
                self.resting.retain(|(_, resting)| *resting != place);
            }
            self.orphans.extend(peer.stream.map(|stream| (stream, connection)));
        }
    }

    /// The next stream whose connection with a peer is gone, and what that was.
    pub fn next_orphan(&mut self) -> Option<(u16, ConnectionId)> {
        self.orphans.pop()
    }

    /// Takes in a connection under its name, 32 bits that say whose it is:
    ///
    /// ```text
    ///  | shard 8 | generation 8 | place 16 |
    /// ```
    fn add(&mut self, id: ConnectionId, mut socket: TcpStream, is_connecting: bool) -> bool {
        let entry = self.peers.vacant_entry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut socket, Token(FIRST_PEER + entry.key()), interest).is_err() {
            return false;
        }
        tcp::prepare_data(&socket);
        entry.insert(PeerConnection::new(id, socket, is_connecting));
        self.generation = self.generation.wrapping_add(1);
        true
    }
}

fn place(id: ConnectionId) -> usize {
    (id.0 & 0xFFFF) as usize
}

fn token(relay: Relay) -> Token {
    Token(FIRST_LISTENER | usize::from(relay.family == Family::V6) << 16 | usize::from(relay.port))
}

fn of_token(token: usize) -> Relay {
    let family = if token & 1 << 16 == 0 { Family::V4 } else { Family::V6 };
    Relay { family, port: (token & 0xFFFF) as u16 }
}
