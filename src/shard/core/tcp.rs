//! TCP relays as the core sees them: connections that come, stand, carry bytes and end (RFC 6062).

use std::net::SocketAddr;
use std::time::Instant;

use roundturn_turn::{ConnectionId, Peer, Relay, Verdict, Why};

use super::Core;

impl Core {
    /// Whether there are TCP relays at all.
    pub fn has_tcp(&self) -> bool {
        self.turn.has_tcp()
    }

    /// `peer`, which may be another relay of this process, has connected to `relay`. Whether it may stay.
    pub fn peer_connected(
        &mut self,
        now: Instant,
        relay: Relay,
        (peer, is_ours): (SocketAddr, bool),
        connection: ConnectionId,
    ) -> bool {
        self.turn.handle_connection(now, relay, (Peer(peer), is_ours), connection) == Verdict::Reply
    }

    /// What came of a connect.
    pub fn connected(&mut self, now: Instant, connection: ConnectionId, stands: bool) {
        self.turn.handle_connected(now, connection, stands);
    }

    /// When bytes of `connection` may be moved: now or later.
    ///
    /// # Errors
    /// It is to be closed.
    pub fn connection_opens(&mut self, now: Instant, connection: ConnectionId) -> Result<Instant, Why> {
        self.turn.connection_opens(now, connection)
    }

    /// So many bytes went through `connection`.
    pub fn moved(&mut self, now: Instant, connection: ConnectionId, to_peer: usize, to_client: usize) {
        self.turn.handle_moved(now, connection, to_peer, to_client);
    }

    /// `connection` has ended at either end.
    pub fn disconnected(&mut self, connection: ConnectionId) {
        self.turn.handle_disconnected(connection);
    }
}
