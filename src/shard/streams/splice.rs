//! A client's stream that is joined to a connection with a peer (RFC 6062 §5.4): bytes go both ways as they are.
//!
//! ```text
//!  client ──read──► plain bytes ──► waiting ──write──► peer      each way one read at a time: the next one is made when
//!  client ◄─write── output      ◄──────────────read─── peer      all of the last one is written
//! ```
//!
//! The end of one direction is passed on behind the last byte; when both have ended, or either end breaks, all is over.

use std::net::Shutdown;

use roundturn_turn::ConnectionId;

use super::Streams;
use super::connection::{Connection, Surroundings};
use super::end::End;
use super::layer::Layer;
use crate::net::tcp;
use crate::net::tcp_relays::PeerConnection;

/// Reads in each direction in one turn, so that one connection does not hold up others.
const READS_PER_TURN: usize = 4;

/// What was moved in one turn.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::shard) struct Moved {
    /// Bytes from the client.
    pub(in crate::shard) to_peer: usize,
    /// Bytes from the peer.
    pub(in crate::shard) to_client: usize,
    /// There may be more.
    pub(in crate::shard) more: bool,
}

impl Streams {
    /// Stream number `number` is the client's half of `connection` from now on.
    pub(in crate::shard) fn join(&mut self, number: u16, connection: ConnectionId) {
        if let Some(stream) = self.streams.get_mut(usize::from(number)) {
            tcp::prepare_data(&stream.socket);
            stream.connection = Some(connection);
        }
    }

    /// The next connection whose stream something has happened to.
    pub(in crate::shard) fn next_woken(&mut self) -> Option<ConnectionId> {
        self.woken.pop()
    }

    /// Ends stream number `number` if it still is the client's half of `connection`.
    pub(in crate::shard) fn end_joined(&mut self, number: u16, connection: ConnectionId, end: End) {
        let stream = self.streams.get(usize::from(number));
        if stream.is_some_and(|stream| stream.connection == Some(connection)) {
            self.end(number, end);
        }
    }

    /// Moves what can be moved now between stream number `number` and `peer`; `plain` is scratch.
    ///
    /// # Errors
    /// Why both are to end.
    pub(in crate::shard) fn splice(
        &mut self,
        number: u16,
        peer: &mut PeerConnection,
        plain: &mut Vec<u8>,
    ) -> Result<Moved, End> {
        let mut moved = Moved::default();
        let stream = self.streams.get_mut(usize::from(number)).ok_or(End::Closed)?;
        if stream.connection != Some(peer.id) {
            return Err(End::Closed);
        }
        if let Some(end) = stream.end {
            return Err(end);
        }
        for _ in 0..READS_PER_TURN {
            let around =
                Surroundings { tls: self.tls.as_ref(), admission: &mut self.admission, counters: &mut self.counters };
            plain.clear();
            let up = to_peer(stream, peer, (&mut self.received, plain), around)?;
            moved.to_peer += plain.len();
            let (count, down) = to_client(stream, peer, &mut self.received)?;
            moved.to_client += count;
            if stream.was_told && peer.was_told {
                return Err(End::Closed);
            }
            if !up && !down {
                return Ok(moved);
            }
        }
        Ok(Moved { more: true, ..moved })
    }
}

/// One read's worth, into `plain` and on; whether more may be there.
fn to_peer(
    stream: &mut Connection,
    peer: &mut PeerConnection,
    (received, plain): (&mut [u8], &mut Vec<u8>),
    around: Surroundings<'_>,
) -> Result<bool, End> {
    peer.write(&[]).map_err(|_| End::Peer)?;
    if !peer.is_drained() {
        return Ok(false);
    }
    if stream.has_ended {
        if !peer.was_told {
            peer.finish();
        }
        return Ok(false);
    }
    let more = match stream.read(received, plain, around) {
        Ok(more) => more,
        Err(End::Closed) => {
            stream.has_ended = true;
            true
        }
        Err(end) => return Err(end),
    };
    peer.write(plain).map_err(|_| End::Peer)?;
    Ok(more)
}

/// One read's worth: how many bytes, and whether more may be there.
fn to_client(stream: &mut Connection, peer: &mut PeerConnection, received: &mut [u8]) -> Result<(usize, bool), End> {
    stream.layer.write(&mut stream.socket, &mut stream.output)?;
    if !stream.output.is_empty() {
        return Ok((0, false));
    }
    if peer.has_ended {
        if !stream.was_told && stream.layer.is_flushed() {
            stream.layer.close(&mut stream.socket);
            stream.was_told = true;
            // A stream that is broken shows it elsewhere, too.
            let _ = stream.socket.shutdown(Shutdown::Write);
        }
        return Ok((0, false));
    }
    let (count, more) = peer.read(received).map_err(|_| End::Peer)?;
    if count > 0 {
        stream.output.push([&received[..count], &[], &[]], false).map_err(|_| End::Unread)?;
        stream.layer.write(&mut stream.socket, &mut stream.output)?;
    }
    Ok((count, more))
}

impl Layer {
    /// Whether all that was written has left.
    fn is_flushed(&self) -> bool {
        !matches!(self, Self::Tls(connection) if connection.wants_write())
    }
}
