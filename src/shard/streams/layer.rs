//! What lies between a stream's bytes and its messages: nothing, or TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::end::End;
use super::output::Output;

/// Bytes that TLS is given at a time, to be written by one call. What waits behind them can still give way.
const AT_ONCE: usize = 16 << 10;

/// See the top of this file.
pub(super) enum Layer {
    /// Its first bytes have not come yet.
    Undecided,
    /// None.
    Plain,
    /// TLS, without I/O of its own.
    Tls(Box<ServerConnection>),
}

impl Layer {
    pub(super) fn tls(config: Arc<ServerConfig>) -> Result<Self, End> {
        ServerConnection::new(config).map(|connection| Self::Tls(Box::new(connection))).map_err(|_| End::Tls)
    }

    /// Whether a TLS handshake is under way.
    pub(super) fn is_shaking_hands(&self) -> bool {
        matches!(self, Self::Tls(connection) if connection.is_handshaking())
    }

    /// Takes in what was received, and appends what it means to `messages`.
    ///
    /// # Errors
    /// [`End::Tls`] where it is no TLS; [`End::Closed`] where the client says goodbye, perhaps after some messages.
    pub(super) fn take(&mut self, mut received: &[u8], messages: &mut Vec<u8>) -> Result<(), End> {
        let Self::Tls(connection) = self else {
            messages.extend_from_slice(received);
            return Ok(());
        };
        // Each turn takes in some bytes, or ends it.
        while !received.is_empty() {
            let taken = connection.read_tls(&mut received).map_err(|_| End::Tls)?;
            let state = connection.process_new_packets().map_err(|_| End::Tls)?;
            let count = state.plaintext_bytes_to_read();
            let start = messages.len();
            messages.resize(start + count, 0);
            connection.reader().read_exact(&mut messages[start..]).map_err(|_| End::Tls)?;
            if state.peer_has_closed() || taken == 0 {
                return Err(End::Closed);
            }
        }
        Ok(())
    }

    /// Writes as much of `output` as `socket` takes now.
    ///
    /// # Errors
    /// [`End::Reset`] where the stream is broken.
    pub(super) fn write(&mut self, socket: &mut impl Write, output: &mut Output) -> Result<(), End> {
        match self.try_write(socket, output) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(End::Reset),
        }
    }

    /// Each turn writes something, or ends it. Each message is a record of its own, since there are clients that do not
    /// look for a second one in it.
    fn try_write(&mut self, socket: &mut impl Write, output: &mut Output) -> io::Result<()> {
        let Self::Tls(connection) = self else {
            while !output.is_empty() {
                let count = some(socket.write(output.waiting()))?;
                output.advance(count);
            }
            return Ok(());
        };
        loop {
            while connection.wants_write() {
                some(connection.write_tls(socket))?;
            }
            if output.is_empty() || connection.is_handshaking() {
                return Ok(());
            }
            let mut taken = 0;
            while taken < AT_ONCE && !output.is_empty() {
                let count = some(connection.writer().write(output.next()))?;
                output.advance(count);
                taken += count;
            }
        }
    }

    /// Says goodbye, as far as that is possible without waiting.
    pub(super) fn close(&mut self, socket: &mut impl Write) {
        if let Self::Tls(connection) = self {
            connection.send_close_notify();
            // Whoever does not take it notices anyway that the stream ends.
            let _ = connection.write_tls(socket);
        }
    }
}

/// A count of bytes that is not zero; interruptions count as nothing to be had now, and come again.
fn some(count: io::Result<usize>) -> io::Result<usize> {
    match count {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
        other => other,
    }
}
