//! The relay sockets of one shard: opened on behalf of the TURN server, found by family and port.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use roundturn_turn::{ConnectionId, Family, Holder, Meter, OpenError, Peer, Relay, Relays};

use super::mmsg::{self, SendBatch, Sent, Undelivered};
use super::tcp_relays::TcpRelays;
use super::udp::{self, Reading};
use crate::clock;
use crate::ledger::{Ledger, Ticket};
use crate::nat::Addresses;
use crate::ports::{Lease, Leased, Ports};
use crate::rates::Purse;
use crate::shard::core::House;
use crate::shard::outbox::Datagram;

/// The relay sockets of one shard, in an array for each family: finding one is an index, not a hash.
pub struct RelaySockets {
    shard: usize,
    registry: Registry,
    ports: Arc<Ports>,
    ledger: Arc<Ledger>,
    purse: Arc<Purse>,
    /// Payload bytes that the month was told of.
    told: u64,
    addresses: Addresses,
    first_port: u16,
    v4: Vec<Option<Box<RelaySocket>>>,
    v6: Vec<Option<Box<RelaySocket>>>,
    /// Those that carry TCP.
    pub tcp: TcpRelays,
    bind_failures: u64,
}

/// One relay. Dropped in this order: the socket, then the right to its port, then its place in the quotas.
#[derive(Debug)]
pub struct RelaySocket {
    /// The socket.
    pub socket: UdpSocket,
    /// How far it was read.
    pub reading: Reading,
    /// Whether it waits in the list of sockets whose error queue is to be read.
    pub troubled: bool,
    /// Where a datagram was last sent that must not be fragmented.
    whole_to: Option<SocketAddr>,
    _lease: Lease,
    ticket: Ticket,
}

impl RelaySocket {
    /// Sends `datagrams`, none of which may be fragmented. The kernel knows of no such thing for a single datagram, so
    /// that the socket is switched over and back: few clients ask for it, and for few datagrams.
    pub fn send_whole(&mut self, family: Family, sending: &mut SendBatch, datagrams: &[Datagram<'_>]) -> Sent {
        self.whole_to = datagrams.last().map(|datagram| datagram.to);
        let socket = self.socket.as_fd();
        if mmsg::set_whole(socket, family, true).is_err() {
            return Sent { refused: datagrams.len() as u64, ..Sent::default() };
        }
        let sent = sending.send(socket, datagrams);
        // It was switched over a moment ago, and takes no less to switch back.
        let _ = mmsg::set_whole(socket, family, false);
        sent
    }

    /// The port of an error that the kernel tells without: it was about what had to stay whole. Where that is not known any
    /// more there is nobody to tell.
    pub fn complete(&self, mut error: Undelivered) -> Option<Undelivered> {
        if error.to.port() == 0
            && let Some(whole) = self.whole_to.filter(|whole| whole.ip() == error.to.ip())
        {
            error.to = whole;
        }
        (error.to.port() != 0).then_some(error)
    }
}

/// The poller's token of a relay; smaller numbers are other sockets.
pub fn token(relay: Relay) -> Token {
    Token(TOKENS | usize::from(relay.family == Family::V6) << 16 | usize::from(relay.port))
}

/// The relay of a token, if it is one's.
pub fn of_token(token: Token) -> Option<Relay> {
    let family = if token.0 & 1 << 16 == 0 { Family::V4 } else { Family::V6 };
    (token.0 & TOKENS != 0).then_some(Relay { family, port: (token.0 & 0xFFFF) as u16 })
}

const TOKENS: usize = 1 << 17;

impl RelaySockets {
    /// None yet, on shard number `shard`; they will be polled by `registry`.
    pub fn new(
        shard: usize,
        registry: Registry,
        tcp: TcpRelays,
        ports: Arc<Ports>,
        ledger: Arc<Ledger>,
        addresses: Addresses,
    ) -> Self {
        let range = ports.range();
        let none = || (0..range.len()).map(|_| None).collect();
        let (v4, v6) = (none(), none());
        let purse = ledger.purse();
        Self {
            shard,
            registry,
            first_port: *range.start(),
            ports,
            ledger,
            purse,
            told: 0,
            addresses,
            v4,
            v6,
            tcp,
            bind_failures: 0,
        }
    }

    /// The socket of `relay`, if it is open on this shard.
    pub fn find(&mut self, relay: Relay) -> Option<&mut RelaySocket> {
        let index = usize::from(relay.port.checked_sub(self.first_port)?);
        self.family_mut(relay.family).get_mut(index)?.as_deref_mut()
    }

    /// Takes the socket of `relay` out, for another shard.
    pub fn give(&mut self, relay: Relay) -> Option<RelaySocket> {
        let index = usize::from(relay.port.checked_sub(self.first_port)?);
        let mut open = *self.family_mut(relay.family).get_mut(index)?.take()?;
        // It fails only for what is not polled, and then there is nothing to undo.
        let _ = self.registry.deregister(&mut open.socket);
        Some(open)
    }

    /// Takes in what another shard [gave](Self::give).
    ///
    /// # Errors
    /// What the poller says; the relay is closed then.
    pub fn take(&mut self, relay: Relay, mut open: RelaySocket) -> io::Result<()> {
        self.registry.register(&mut open.socket, token(relay), Interest::READABLE)?;
        // Whatever waits in it is told by the poller.
        (open.reading.queued, open.troubled) = (false, false);
        let index = relay.port.checked_sub(self.first_port).map(usize::from);
        if let Some(place) = index.and_then(|index| self.family_mut(relay.family).get_mut(index)) {
            *place = Some(Box::new(open));
        }
        Ok(())
    }

    /// The ports that relays are opened on, and who has how many of them.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// How many relays could not be opened because no port could be had, monotonic.
    pub fn bind_failures(&self) -> u64 {
        self.bind_failures
    }

    /// The name of a peer that has connected, and whether it is a TCP relay of this process.
    pub fn name_of_peer(&self, source: SocketAddr) -> (SocketAddr, bool) {
        let external = self.addresses.to_external(source);
        if self.is_ours_tcp(external) { (external, true) } else { (source, false) }
    }

    /// Counts what this shard has relayed in all, `bytes` of payload, for the month.
    pub fn count(&mut self, bytes: u64) {
        self.ledger.month().add(bytes.saturating_sub(self.told));
        self.told = bytes;
    }

    fn family(&self, family: Family) -> &[Option<Box<RelaySocket>>] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    fn family_mut(&mut self, family: Family) -> &mut [Option<Box<RelaySocket>>] {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    fn bind(&self, family: Family, port: u16) -> io::Result<UdpSocket> {
        let local = self.addresses.local_of(family).or(self.addresses.external_of(family));
        let mut socket = udp::open_relay(family, local, port)?;
        self.registry.register(&mut socket, token(Relay { family, port }), Interest::READABLE)?;
        Ok(socket)
    }

    fn keep(&mut self, family: Family, lease: Lease, socket: UdpSocket, ticket: Ticket) -> Relay {
        let relay = Relay { family, port: lease.port() };
        let index = usize::from(relay.port - self.first_port);
        let entry =
            RelaySocket { socket, reading: Reading::default(), troubled: false, whole_to: None, _lease: lease, ticket };
        self.family_mut(family)[index] = Some(Box::new(entry));
        relay
    }

    fn refuse(&mut self, error: &(dyn std::error::Error + 'static)) -> OpenError {
        tracing::debug!(error, "no relay port");
        self.bind_failures += 1;
        OpenError::NoPort
    }
}

impl Relays for RelaySockets {
    fn open(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError> {
        if self.addresses.external_of(family).is_none() {
            return Err(OpenError::Family);
        }
        let ticket = self.ledger.take(clock::now(), holder)?;
        let leased = self.ports.lease_relay(family, |port| self.bind(family, port));
        let (lease, socket) = leased.map_err(|error| self.refuse(&error))?;
        Ok(self.keep(family, lease, socket, ticket))
    }

    fn open_even(&mut self, family: Family, with_next: bool, holder: Holder<'_>) -> Result<Relay, OpenError> {
        if self.addresses.external_of(family).is_none() {
            return Err(OpenError::Family);
        }
        let ticket = self.ledger.take(clock::now(), holder)?;
        let second = if with_next { Some(self.ledger.take(clock::now(), holder)?) } else { None };
        let leased = self.ports.lease_even(family, with_next, |port| self.bind(family, port));
        let Leased { first: (lease, socket), next } = leased.map_err(|error| self.refuse(&error))?;
        if let (Some(next), Some(ticket)) = (next, second) {
            self.ports.reserve(self.shard, family, next, ticket);
        }
        Ok(self.keep(family, lease, socket, ticket))
    }

    fn open_reserved(&mut self, relay: Relay) -> Result<(), OpenError> {
        let claimed = self.ports.claim(relay, |port| self.bind(relay.family, port));
        let (lease, socket, ticket) = claimed.map_err(|error| self.refuse(&error))?;
        self.keep(relay.family, lease, socket, ticket);
        Ok(())
    }

    fn meter(&mut self, relay: Relay) -> Option<Box<dyn Meter>> {
        let budget = match self.find(relay) {
            Some(open) => open.ticket.budget(),
            None => self.tcp.budget(relay)?,
        };
        Some(self.purse.meter(budget))
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        let family = Family::of(address);
        self.addresses.external_of(family) == Some(address.ip()) && self.ports.is_live(family, address.port())
    }

    fn open_tcp(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError> {
        let Some(external) = self.addresses.external_of(family) else { return Err(OpenError::Family) };
        let ticket = self.ledger.take(clock::now(), holder)?;
        let local = self.addresses.local_of(family).or(Some(external));
        let leased = self.ports.lease_tcp_relay(family, |port| self.tcp.bind(family, local, port));
        let (lease, socket) = leased.map_err(|error| self.refuse(&error))?;
        Ok(self.tcp.keep(family, lease, socket, ticket))
    }

    fn connect(&mut self, relay: Relay, Peer(peer): Peer) -> Option<ConnectionId> {
        // Another relay of ours is where the kernel knows it; the world's name for it may be a router's.
        let to = if self.is_ours_tcp(peer) { self.addresses.to_local(peer) } else { peer };
        self.tcp.connect(relay, to)
    }

    fn is_ours_tcp(&self, address: SocketAddr) -> bool {
        let family = Family::of(address);
        self.addresses.external_of(family) == Some(address.ip()) && self.ports.is_live_tcp(family, address.port())
    }
}

impl House for RelaySockets {
    fn is_here(&self, relay: Relay) -> bool {
        let index = relay.port.checked_sub(self.first_port).map(usize::from);
        index.and_then(|index| self.family(relay.family).get(index)).is_some_and(Option::is_some)
    }

    fn close(&mut self, relay: Relay) {
        let index = relay.port.checked_sub(self.first_port).map(usize::from);
        if let Some(slot) = index.and_then(|index| self.family_mut(relay.family).get_mut(index)) {
            *slot = None;
        }
        self.tcp.close(relay);
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.tcp.disconnect(connection);
    }

    fn release(&mut self, relay: Relay) {
        self.ports.release(self.shard, relay);
    }
}
