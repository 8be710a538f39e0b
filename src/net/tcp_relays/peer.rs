//! One connection with a peer: its socket, and what waits to be written to it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;
use roundturn_turn::ConnectionId;

/// Room that is kept when nothing waits.
const KEPT: usize = 16 << 10;

/// See the top of this file. Until it is joined to a stream, nothing is read from it: what the peer says waits in the
/// kernel, which tells the peer when that is full.
pub struct PeerConnection {
    /// Its name.
    pub id: ConnectionId,
    socket: TcpStream,
    is_connecting: bool,
    /// The number of the client's stream, once that is known.
    pub stream: Option<u16>,
    waiting: Vec<u8>,
    /// Bytes at the front of those that are written already.
    written: usize,
    /// The peer says no more.
    pub has_ended: bool,
    /// The peer was told that the client says no more.
    pub was_told: bool,
    /// What is left is read to the end.
    pub(super) hung_up: bool,
    pub(super) queued: bool,
    /// It has moved all that its user's rate allows.
    pub(super) rests: bool,
}

/// What an event at a connection that is not joined yet means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Nothing yet.
    Waits,
    /// The peer has taken the connection.
    Stands,
    /// The peer does not take it, or no longer.
    Failed,
}

impl PeerConnection {
    pub(super) fn new(id: ConnectionId, socket: TcpStream, is_connecting: bool) -> Self {
        Self {
            id,
            socket,
            is_connecting,
            stream: None,
            waiting: Vec::new(),
            written: 0,
            has_ended: false,
            was_told: false,
            hung_up: false,
            queued: false,
            rests: false,
        }
    }

    /// How the connection stands, asked once for each event.
    pub fn look(&mut self) -> Finding {
        match self.socket.take_error() {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Finding::Failed,
        }
        if !self.is_connecting {
            return Finding::Waits;
        }
        match self.socket.peer_addr() {
            Ok(_) => {
                self.is_connecting = false;
                Finding::Stands
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => Finding::Waits,
            Err(_) => Finding::Failed,
        }
    }

    pub(super) fn join(&mut self, stream: u16, first: &[u8]) {
        self.stream = Some(stream);
        self.waiting.extend_from_slice(first);
    }

    /// Whether nothing waits to be written: only then more is read from the client.
    pub fn is_drained(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes what waits and then `bytes`, as far as the peer takes them; the rest waits.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        // Each turn writes something, or ends it.
        while self.written < self.waiting.len() {
            match self.socket.write(&self.waiting[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting.clear();
        self.waiting.shrink_to(KEPT);
        self.written = 0;
        Ok(())
    }

    /// Reads once: how many bytes came, and whether more may be there. At the end [`PeerConnection::has_ended`] is set.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn read(&mut self, received: &mut [u8]) -> io::Result<(usize, bool)> {
        match self.socket.read(received) {
            Ok(0) => {
                self.has_ended = true;
                Ok((0, true))
            }
            Ok(count) => Ok((count, count == received.len() || self.hung_up)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok((0, false)),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok((0, true)),
            Err(error) => Err(error),
        }
    }

    /// Tells the peer that the client says no more.
    pub fn finish(&mut self) {
        self.was_told = true;
        // A connection that is broken shows it elsewhere, too.
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}
