//! TCP relays in the loop of a shard's thread: peers that connect, connects that stand, bytes that are moved.

use std::time::Instant;

use roundturn_turn::{Client, ConnectionId};

use super::{Running, State};
use crate::net::tcp_relays::{Finding, TcpRelays};
use crate::shard::mailbox::ToShard;
use crate::shard::streams::End;

/// Connections that bytes are moved through in one turn; the others have the next.
const CONNECTIONS_PER_TURN: usize = 16;
/// The same in bytes: packets of calls wait for no longer than these take.
const BYTES_PER_TURN: usize = 256 << 10;

impl Running {
    /// Does what there is to do about connections with peers.
    pub(super) fn turn_connections(&mut self, now: Instant, state: &mut State) {
        for connection in std::iter::from_fn(|| self.sockets.streams.next_woken()) {
            self.sockets.relays.tcp.wake(connection);
        }
        self.sockets.relays.tcp.handle_timeout(now);
        if !self.sockets.relays.tcp.has_work() {
            return;
        }
        let relays = &mut self.sockets.relays;
        for (relay, source, socket) in relays.tcp.accept() {
            let peer = relays.name_of_peer(source);
            // Strangers are turned away before anything is spent on them.
            let Some(connection) = relays.tcp.vacant() else { break };
            let is_welcome = self.core.peer_connected(now, relay, peer, connection);
            if is_welcome && !relays.tcp.take_in(connection, socket) {
                self.core.disconnected(connection);
            }
        }
        let mut bytes = 0;
        for _ in 0..self.sockets.relays.tcp.ready().min(CONNECTIONS_PER_TURN) {
            if bytes >= BYTES_PER_TURN {
                break;
            }
            bytes += self.turn_connection(now, state);
        }
        while let Some((number, connection)) = self.sockets.relays.tcp.next_orphan() {
            self.sockets.streams.end_joined(number, connection, End::Peer);
        }
    }

    /// Does what there is to do about the connection whose turn it is: how many bytes were moved.
    fn turn_connection(&mut self, now: Instant, state: &mut State) -> usize {
        let tcp = &mut self.sockets.relays.tcp;
        let Some(place) = tcp.next_ready() else { return 0 };
        let Some(peer) = tcp.at(place) else { return 0 };
        let id = peer.id;
        let Some(number) = peer.stream else {
            match peer.look() {
                Finding::Waits => {}
                Finding::Stands => self.core.connected(now, id, true),
                Finding::Failed => {
                    self.core.connected(now, id, false);
                    self.core.disconnected(id);
                }
            }
            return 0;
        };
        let moved = match self.core.connection_opens(now, id) {
            Ok(open) if open > now => {
                tcp.rest(place, open);
                return 0;
            }
            Ok(_) => self.sockets.streams.splice(number, peer, &mut state.messages),
            Err(_) => Err(End::Peer),
        };
        match moved {
            Ok(moved) => {
                if moved.to_peer + moved.to_client > 0 {
                    self.core.moved(now, id, moved.to_peer, moved.to_client);
                }
                if moved.more {
                    tcp.queue(place);
                }
                moved.to_peer + moved.to_client
            }
            Err(end) => {
                self.sockets.streams.end_joined(number, id, end);
                self.core.disconnected(id);
                0
            }
        }
    }

    /// Joins stream number `number` to `connection`, now that its client was told so; `first` is what it has said since.
    pub(super) fn join(&mut self, number: u16, connection: ConnectionId, first: &[u8]) {
        if self.sockets.relays.tcp.join(connection, number, first) {
            self.sockets.streams.join(number, connection);
        } else {
            self.core.disconnected(connection);
            self.sockets.streams.end(number, End::Peer);
        }
    }

    /// The shard that stream number `number` is to go to: another one's, if `message` is a ConnectionBind that belongs there,
    /// and the stream is no control connection and has not come from another one itself.
    pub(super) fn destination(&self, now: Instant, number: u16, client: Client, message: &[u8]) -> Option<usize> {
        let shard = TcpRelays::shard_of(ConnectionId::wanted_by(message).filter(|_| self.core.has_tcp())?);
        let may_go = self.sockets.streams.may_emigrate(number) && !self.core.is_allocated(now, client);
        (may_go && shard != self.index && shard < self.neighbours.count()).then_some(shard)
    }

    /// Has stream number `number` go to `shard`, with `rest`, which is to be judged there. Where that shard is busy it ends.
    pub(super) fn hand_over(&mut self, now: Instant, (number, client): (u16, Client), shard: usize, rest: &[u8]) {
        let Some(migrant) = self.sockets.streams.emigrate(number, rest) else { return };
        self.core.stream_closed(now, client);
        if let Err(error) = self.neighbours.send(shard, ToShard::Stream(migrant)) {
            tracing::debug!(%error, "a stream is lost");
        }
    }
}
