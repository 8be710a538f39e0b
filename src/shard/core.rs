//! Joins the TURN server, the SFU and the hairpin of one shard: datagrams in, a filled outbox out, without I/O.
//!
//! ```text
//!  client ──► listener ──► turn ──► relay ──► peer              from_client, ToPeer
//!  client ◄── listener ◄── turn ◄── relay ◄── peer              from_peer, ToClient
//!  participant ◄──► SFU socket ◄──► sfu                         from_sfu_socket, settle
//!  participant ◄──► stream     ◄──► sfu                         from_ice_stream, settle
//!  client ◄──► turn ◄──► relay ┄┄┄ relay or sfu of this shard   the same two judgements, and no socket between them
//! ```
//!
//! A datagram that is handed over inside is judged as if it had come by wire from the sender's external address. That
//! ends it: it goes to a client or into the SFU, and neither is a relay, so nothing is handed over twice.

mod claims;
mod ice;
mod journal;
mod tcp;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use foldhash::quality::RandomState;
use roundturn_sfu as sfu;
use roundturn_turn as turn;
use turn::{Client, ConnectionId, Peer, Relay, Relays, Transport, Verdict};

use self::claims::Claims;
use super::complaints::Complaints;
use super::hairpin::{Hairpin, Way};
use super::mailbox::ToShard;
use super::outbox::{Exit, Outbox};

/// The relay sockets of a shard, as its core sees them.
pub trait House: Relays {
    /// Whether `relay` is open on this very shard.
    fn is_here(&self, relay: Relay) -> bool;

    /// Closes `relay` and gives its port back.
    fn close(&mut self, relay: Relay);

    /// Gives back the port of `relay` if it is still kept for a second allocation. Who keeps none has nothing to do.
    fn release(&mut self, relay: Relay) {
        let _ = relay;
    }

    /// Closes a connection with a peer, and the client's half of it. Who has none has nothing to do.
    fn disconnect(&mut self, connection: ConnectionId) {
        let _ = connection;
    }
}

/// One shard's TURN server and SFU, and the way between them.
pub struct Core {
    turn: turn::Server,
    sfu: sfu::Sfu,
    sfu_deadline: Option<Instant>,
    hairpin: Hairpin,
    listeners: Vec<SocketAddr>,
    /// The number of each client's stream.
    streams: HashMap<Client, u16, RandomState>,
    events: VecDeque<sfu::Event>,
    claims: Claims,
    inside: Inside,
    complaints: Complaints,
}

/// What did not pass a socket: monotonic counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inside {
    /// From clients to relays and the SFU of this shard.
    pub to_peer: Traffic,
    /// From relays and the SFU of this shard to clients.
    pub to_client: Traffic,
    /// Datagrams to a port of this host that is not, or no longer, ours.
    pub nowhere: u64,
}

/// Packets and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes of payload.
    pub bytes: u64,
}

/// Outputs that the SFU is asked for at a time, far more than a batch gives rise to: an SFU that never comes to an end
/// must not keep the shard from reading.
const OUTPUTS_MAX: usize = 1 << 16;

impl Core {
    /// Joins a TURN server and an SFU. `listeners` are the addresses that clients' sockets are bound to, in their order.
    pub fn new(turn: turn::Server, sfu: sfu::Sfu, hairpin: Hairpin, listeners: Vec<SocketAddr>) -> Self {
        Self {
            turn,
            sfu,
            sfu_deadline: None,
            hairpin,
            listeners,
            streams: HashMap::default(),
            events: VecDeque::new(),
            claims: Claims::default(),
            inside: Inside::default(),
            complaints: Complaints::default(),
        }
    }

    /// A datagram, `at` of `buffer`, came from `remote` to `local`, the address of a listener.
    pub fn from_client(
        &mut self,
        now: Instant,
        (remote, local): (SocketAddr, SocketAddr),
        (buffer, at): (&[u8], Range<usize>),
        house: &mut impl House,
        outbox: &mut Outbox,
    ) {
        self.hear(now, Client { remote, local, transport: Transport::Udp }, (buffer, at), house, outbox);
    }

    /// A whole message, `at` of `buffer`, came over a stream that was [opened](Core::stream_opened) as `client`. What is
    /// returned is the connection that the stream is joined to from now on: what follows is for no judgement of ours.
    pub fn from_stream(
        &mut self,
        now: Instant,
        client: Client,
        (buffer, at): (&[u8], Range<usize>),
        house: &mut impl House,
        outbox: &mut Outbox,
    ) -> Option<ConnectionId> {
        self.hear(now, client, (buffer, at), house, outbox)
    }

    /// `client` speaks on the stream of this number. To be closed first where [`Core::stream_of`] knows another.
    pub fn stream_opened(&mut self, client: Client, number: u16) {
        self.streams.insert(client, number);
    }

    /// The stream of `client`.
    pub fn stream_of(&self, client: Client) -> Option<u16> {
        self.streams.get(&client).copied()
    }

    /// The stream of `client` has ended, and its allocation with it.
    pub fn stream_closed(&mut self, now: Instant, client: Client) {
        self.streams.remove(&client);
        self.turn.disconnect(now, client);
        self.sfu.handle_end_of_stream(client.local, client.remote);
    }

    /// Whether `client` has an allocation.
    pub fn is_allocated(&self, now: Instant, client: Client) -> bool {
        self.turn.is_allocated(now, client)
    }

    #[inline]
    fn hear(
        &mut self,
        now: Instant,
        client: Client,
        (buffer, at): (&[u8], Range<usize>),
        house: &mut impl House,
        outbox: &mut Outbox,
    ) -> Option<ConnectionId> {
        let bytes = buffer.get(at.clone())?;
        let (relay, peer, data, dont_fragment) = match self.turn.handle_client(now, client, bytes, house) {
            Verdict::ToPeer { relay, peer, data, dont_fragment } => (relay, peer, data, dont_fragment),
            Verdict::Splice(connection) => return Some(connection),
            Verdict::Drop(turn::Why::Elsewhere) => {
                self.claims.note(bytes);
                return None;
            }
            _ => return None,
        };
        let data = at.start + data.start..at.start + data.end;
        match self.hairpin.way(peer.0, house) {
            Way::Kernel(to) if dont_fragment => outbox.forward(Exit::RelayWhole(relay), to, data),
            Way::Kernel(to) => outbox.forward(Exit::Relay(relay), to, data),
            Way::Relay(other) => {
                self.inside.to_peer.count(data.len());
                self.hand_to_relay(now, relay, other, data, outbox);
            }
            Way::Sfu => {
                self.inside.to_peer.count(data.len());
                let (sfu, relay) = (self.hairpin.sfu_name(relay.family), self.hairpin.relay_name(relay));
                if let (Some(sfu), Some(relay), Some(bytes)) = (sfu, relay, buffer.get(data)) {
                    self.sfu.handle_datagram(now, sfu, relay, bytes);
                }
            }
            Way::Nowhere => self.inside.nowhere += 1,
        }
        None
    }

    /// The network says of a datagram that `relay` had sent `to` a peer what became of it.
    pub fn from_icmp(&mut self, now: Instant, relay: Relay, to: SocketAddr, icmp: turn::Icmp, house: &impl House) {
        let peer = Peer(self.hairpin.name_of(to, house));
        self.turn.handle_icmp(now, relay, peer, icmp);
    }

    /// A datagram of `source`'s, `at` of the receive buffer, came to `relay`.
    pub fn from_peer(
        &mut self,
        now: Instant,
        relay: Relay,
        source: SocketAddr,
        at: Range<usize>,
        house: &impl House,
        outbox: &mut Outbox,
    ) {
        let peer = Peer(self.hairpin.name_of(source, house));
        let verdict = self.turn.handle_peer(now, relay, peer, at.len());
        if let Verdict::ToClient { client, header } = verdict {
            let Some((exit, from)) = self.exit(client) else { return };
            outbox.wrap(exit, client.remote, from, header, at);
        }
    }

    /// Does what the tokio side asks.
    pub fn handle_message(&mut self, now: Instant, message: ToShard) {
        match message {
            ToShard::Sfu(command) => self.sfu.handle_command(now, command),
            ToShard::Revoke { username } => self.turn.revoke(now, &username),
            // Its part about streams is the affair of those who hold their sockets.
            ToShard::Configure(settings) => {
                self.hairpin.allow.clone_from(&settings.turn.peers.allow);
                self.turn.reconfigure(now, settings.turn);
            }
            // The affair of those who hold the sockets.
            ToShard::Stream(_) | ToShard::Claimed(_) | ToShard::Parcel(_) => {}
            // Whoever asked may have stopped waiting.
            ToShard::Ping(answer) => drop(answer.send(())),
            ToShard::Stop => self.turn.shutdown(now),
        }
    }

    /// Tells the wall clock, once a second or so.
    pub fn set_unix_time(&mut self, now: Instant, unix_secs: u64) {
        self.turn.set_unix_time(now, unix_secs);
        self.complaints.report(now, self.turn.stats());
    }

    /// When [`Core::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.turn.poll_timeout(), self.sfu_deadline].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.turn.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.turn.handle_timeout(now);
        }
        if self.sfu_deadline.is_some_and(|deadline| deadline <= now) {
            self.sfu.handle_timeout(now);
        }
    }

    /// Collects what both cores have to say after a batch: answers and media into the outbox, ended relays closed.
    pub fn settle(&mut self, now: Instant, house: &mut impl House, outbox: &mut Outbox) {
        while let Some(answer) = self.turn.poll_transmit() {
            let Some((exit, from)) = self.exit(answer.to) else { continue };
            outbox.push(exit, answer.to.remote, from, None, answer.bytes);
        }
        while let Some(event) = self.turn.poll_event() {
            match event {
                turn::Event::Opened { .. } | turn::Event::Moved { .. } => {}
                turn::Event::Claimed { client, ref claim } => self.claims.pair(client, claim),
                turn::Event::Closed { relay, .. } => house.close(relay),
                turn::Event::Released { relay } => house.release(relay),
                turn::Event::Disconnected { connection } => house.disconnect(connection),
            }
            journal::write(&event);
        }
        if let Some(denial) = self.turn.poll_denial() {
            journal::write_denial(&denial);
        }
        if let Some(rejection) = self.turn.poll_rejection() {
            journal::write_rejection(&rejection);
        }
        outbox.spent().for_each(|bytes| self.sfu.reuse(bytes));
        self.sfu_deadline = Some(now);
        for _ in 0..OUTPUTS_MAX {
            match self.sfu.poll() {
                sfu::Output::Transmit(transmit) => self.send_media(now, transmit, house, outbox),
                sfu::Output::Event(event) => self.events.push_back(event),
                sfu::Output::Timeout(deadline) => {
                    self.sfu_deadline = deadline;
                    break;
                }
            }
        }
    }

    /// What the SFU has to say to signaling. To be asked for after each [`Core::settle`].
    pub fn poll_event(&mut self) -> Option<sfu::Event> {
        self.events.pop_front()
    }

    /// What did not pass a socket.
    pub fn inside(&self) -> &Inside {
        &self.inside
    }

    /// The TURN server's counters.
    pub fn turn_stats(&self) -> &turn::Stats {
        self.turn.stats()
    }

    /// The SFU's counters.
    pub fn sfu_stats(&self) -> &sfu::Stats {
        self.sfu.stats()
    }

    /// What `relay` sends to `other` of this same shard: `data` of the receive buffer.
    fn hand_to_relay(&mut self, now: Instant, relay: Relay, other: Relay, data: Range<usize>, outbox: &mut Outbox) {
        let Some(name) = self.hairpin.relay_name(relay) else { return };
        let verdict = self.turn.handle_peer(now, other, Peer(name), data.len());
        if let Verdict::ToClient { client, header } = verdict {
            self.inside.to_client.count(data.len());
            let Some((exit, from)) = self.exit(client) else { return };
            outbox.wrap(exit, client.remote, from, header, data);
        }
    }

    /// The listener that `client` sent to, and the address to answer from where that is bound to all of them; or its stream,
    /// unless that has ended. `None`: the client cannot be reached now.
    fn exit(&self, client: Client) -> Option<(Exit, Option<std::net::IpAddr>)> {
        if client.transport.is_stream() {
            return self.stream_of(client).map(|number| (Exit::Stream(number), None));
        }
        for (number, listener) in self.listeners.iter().enumerate() {
            if *listener == client.local {
                return Some((Exit::Listener(number as u8), None));
            }
            let same = listener.port() == client.local.port() && listener.is_ipv4() == client.local.is_ipv4();
            if same && listener.ip().is_unspecified() {
                return Some((Exit::Listener(number as u8), Some(client.local.ip())));
            }
        }
        // It waits for its client to come back (RFC 8016).
        None
    }
}

impl Traffic {
    fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

#[cfg(test)]
mod tests;
