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
                let count = connection.writer().write(output.next())?;
                // Many small records are full of TLS's own bytes: what it holds must leave first.
                if count == 0 && taken > 0 {
                    break;
                }
                let count = some(Ok(count))?;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;
    use crate::net::tls;

    #[test]
    fn many_small_records_leave_one_after_the_other() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
        let certificate = fixtures.join("certificate.pem");
        let identity = tls::load(&certificate, &fixtures.join("key.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), "turn.example.org".try_into().unwrap()).unwrap();
        let mut server = Layer::tls(identity.config).unwrap();
        let mut output = Output::default();

        let mut said = Vec::new();
        // Flights of the handshake, each of which may leave another to be sent.
        while client.is_handshaking() || server.is_shaking_hands() {
            let mut flight = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut flight).unwrap();
            }
            server.take(&flight, &mut said).unwrap();
            let mut flight = Vec::new();
            server.write(&mut flight, &mut output).unwrap();
            hear(&mut client, &flight);
        }
        for number in 0..4000u32 {
            output.push([&number.to_be_bytes(), &[], &[]], false).unwrap();
        }
        let mut records = Vec::new();
        assert_eq!(server.write(&mut records, &mut output), Ok(()));
        assert!(output.is_empty() && records.len() > 64 << 10, "more than TLS holds at a time");
        let numbers: Vec<u8> = (0..4000u32).flat_map(u32::to_be_bytes).collect();
        assert!(hear(&mut client, &records) == numbers);
    }

    /// What the `client` makes of `received`.
    fn hear(client: &mut ClientConnection, mut received: &[u8]) -> Vec<u8> {
        let mut heard = Vec::new();
        while !received.is_empty() {
            client.read_tls(&mut received).unwrap();
            let count = client.process_new_packets().unwrap().plaintext_bytes_to_read();
            let start = heard.len();
            heard.resize(start + count, 0);
            client.reader().read_exact(&mut heard[start..]).unwrap();
        }
        heard
    }
}
