//! What becomes of peer data connections, as the holder of their sockets tells it.

use std::time::Instant;

use super::{Connection, ConnectionId, IDLE, PATIENCE, State, Waiting};
use crate::answer::sealed;
use crate::error::Code;
use crate::message::{Class, Encoder, Method, attribute};
use crate::meter;
use crate::method::RequestMethod;
use crate::server::Server;
use crate::{Client, Direction, Peer, Relay, Transmit, Verdict, Why};

impl Server {
    /// The connect of `connection` has come to an end: it stands, or it does not. The answer to the client's Connect is
    /// queued.
    pub fn handle_connected(&mut self, now: Instant, connection: ConnectionId, stands: bool) {
        let Some(slot) = self.slot_of_connection(connection) else { return };
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let client = allocation.client;
        let Some(found) = allocation.tcp.as_mut().and_then(|tcp| tcp.find(connection)) else { return };
        if !matches!(found.state, State::Connecting(_)) {
            return;
        }
        found.expires = now + PATIENCE;
        if let State::Connecting(waiting) = std::mem::replace(&mut found.state, State::Unbound) {
            self.answer_connect(client, &waiting, stands.then_some(connection));
        }
        if !stands {
            self.handle_disconnected(connection);
        }
    }

    /// `peer` has connected to `relay`, and the embedder calls that `connection` from now on if it is to stay: then the
    /// client's ConnectionAttempt is queued. It is to be closed at once where the verdict is to drop it (RFC 6062 §5.3).
    pub fn handle_connection(
        &mut self,
        now: Instant,
        relay: Relay,
        (peer, is_ours): (Peer, bool),
        connection: ConnectionId,
    ) -> Verdict {
        match self.attempt(now, relay, (peer, is_ours), connection) {
            Ok(()) => Verdict::Reply,
            Err(why) => self.drop(why),
        }
    }

    /// When bytes of `connection` may be moved, by the rates of its user: now or later.
    ///
    /// # Errors
    /// [`Why::MonthlyBytes`]: it is to be closed.
    pub fn connection_opens(&mut self, now: Instant, connection: ConnectionId) -> Result<Instant, Why> {
        let slot = self.slot_of_connection(connection);
        let Some(allocation) = slot.and_then(|slot| self.table.get_mut(slot)) else { return Ok(now) };
        let opens = meter::opens(&self.config.limits, &mut allocation.meter, now);
        opens.inspect_err(|why| self.stats.drops.up(*why))
    }

    /// So many bytes went through `connection` to the peer, and to the client.
    pub fn handle_moved(&mut self, now: Instant, connection: ConnectionId, to_peer: usize, to_client: usize) {
        let Some(slot) = self.slot_of_connection(connection) else { return };
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let Some(found) = allocation.tcp.as_mut().and_then(|tcp| tcp.find(connection)) else { return };
        found.expires = now + IDLE;
        let family = found.family();
        for (direction, bytes) in [(Direction::ToPeers, to_peer), (Direction::ToClient, to_client)] {
            meter::charge(&self.config.limits, &mut allocation.meter, now, direction, bytes);
        }
        let Some(relay) = allocation.alive_relay_mut(now, family) else { return };
        if to_peer > 0 {
            relay.to_peers.add(to_peer);
            self.stats.to_peers.add(to_peer);
        }
        if to_client > 0 {
            relay.to_client.add(to_client);
            self.stats.to_clients.add(to_client);
        }
    }

    /// `connection` has ended at either end. [`Event::Disconnected`](crate::Event::Disconnected) says what is left to do.
    pub fn handle_disconnected(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.slot_of_connection(connection) {
            self.end_connections(slot, |one| one.id == connection);
        }
    }

    fn attempt(
        &mut self,
        now: Instant,
        relay: Relay,
        (peer, is_ours): (Peer, bool),
        id: ConnectionId,
    ) -> Result<(), Why> {
        let slot = self.table.slot_of_relay(relay).ok_or(Why::NoAllocation)?;
        let allocation = self.table.get_mut(slot).ok_or(Why::NoAllocation)?;
        if allocation.alive_relay_mut(now, relay.family).is_none() {
            return Err(Why::NoAllocation);
        }
        if !allocation.permissions.allows(now, peer.0.ip()) {
            return Err(Why::NoPermission);
        }
        let most = self.config.limits.tcp_connections;
        let tcp = allocation.tcp.as_ref().ok_or(Why::NoAllocation)?;
        if tcp.len() >= most {
            return Err(Why::TooManyConnections);
        }
        let to = allocation.client;
        self.add_connection(slot, Connection { id, peer, is_ours, state: State::Unbound, expires: now + PATIENCE });
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, Class::Indication, Method::CONNECTION_ATTEMPT, self.transactions.next())
            .xor_address(attribute::XOR_PEER_ADDRESS, peer.0)
            .number(attribute::CONNECTION_ID, id.0);
        self.transmits.push_back(Transmit { to, bytes });
        Ok(())
    }

    /// Answers a Connect that waited: with the connection, or with 447.
    pub(super) fn answer_connect(&mut self, to: Client, waiting: &Waiting, connection: Option<ConnectionId>) {
        let refusal = connection.is_none().then_some(Code::ConnectionTimeoutOrFailure);
        self.stats.responses.of_mut(to.transport).up(RequestMethod::Connect, refusal);
        let class = if connection.is_some() { Class::Success } else { Class::Error };
        let mut bytes = Vec::new();
        let encoder = Encoder::new(&mut bytes, class, Method::CONNECT, waiting.transaction);
        let encoder = match (connection, refusal) {
            (Some(id), _) => encoder.number(attribute::CONNECTION_ID, id.0),
            (None, Some(code)) => encoder.error_code(code.number(), code.phrase()),
            (None, None) => encoder,
        };
        let encoder = sealed(encoder, &waiting.seal);
        if waiting.has_fingerprint {
            encoder.fingerprint();
        }
        self.transmits.push_back(Transmit { to, bytes });
    }
}
