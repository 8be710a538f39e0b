//! TCP and TLS under a TURN client: messages are cut out of the stream by the length that they tell.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use roundturn::net::tls;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::turn_client::Link;

/// A stream in both directions.
pub trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// A client's end of a stream.
pub struct StreamLink {
    stream: RefCell<Box<dyn Stream>>,
    /// The socket below.
    pub socket: TcpStream,
    /// Messages heard so far.
    pub heard: Cell<u64>,
}

impl StreamLink {
    /// TCP.
    pub fn tcp(server: SocketAddr) -> Self {
        let socket = connect(server);
        Self { stream: RefCell::new(Box::new(socket.try_clone().unwrap())), socket, heard: Cell::new(0) }
    }

    /// TLS, with the `certificate` of that name; the client asks for `protocols`.
    pub fn tls(server: SocketAddr, certificate: &str, protocols: &[&str]) -> std::io::Result<Self> {
        Self::tls_after(server, certificate, protocols, &[])
    }

    /// TLS after some bytes of a proxy's.
    pub fn tls_after(server: SocketAddr, certificate: &str, protocols: &[&str], first: &[u8]) -> std::io::Result<Self> {
        let stream = shake_hands(server, certificate, protocols, first)?;
        let socket = stream.sock.try_clone()?;
        Ok(Self { stream: RefCell::new(Box::new(stream)), socket, heard: Cell::new(0) })
    }

    /// Sends bytes as they are.
    pub fn write(&self, bytes: &[u8]) {
        self.stream.borrow_mut().write_all(bytes).unwrap();
    }

    /// Whether the server has closed the stream, or does so within ten seconds or so.
    pub fn is_closed(&self) -> bool {
        self.socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut bytes = [0; 4096];
        loop {
            match (&self.socket).read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }

    /// Reads as many bytes as they are.
    pub fn read(&self, len: usize) -> Vec<u8> {
        self.exactly(len).expect("bytes")
    }

    /// Whether nothing follows but the end.
    pub fn has_ended(&self) -> bool {
        matches!(self.stream.borrow_mut().read(&mut [0]), Ok(0))
    }

    fn exactly(&self, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.stream.borrow_mut().read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Link for StreamLink {
    fn say(&self, _: SocketAddr, message: &[u8]) {
        let mut padded = message.to_vec();
        padded.resize(message.len().next_multiple_of(4), 0);
        self.write(&padded);
    }

    fn hear(&self, _: SocketAddr) -> Option<Vec<u8>> {
        let mut message = self.exactly(4)?;
        let len = usize::from(u16::from_be_bytes([message[2], message[3]]));
        let rest = if message[0] >> 6 == 1 { len.next_multiple_of(4) } else { 16 + len };
        message.extend(self.exactly(rest)?);
        self.heard.set(self.heard.get() + 1);
        Some(message)
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }
}

/// TLS after some bytes of a proxy's, as far as the end of the handshake.
pub fn shake_hands(
    server: SocketAddr,
    certificate: &str,
    protocols: &[&str],
    first: &[u8],
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut socket = connect(server);
    socket.write_all(first)?;
    let config = client_config(certificate, protocols);
    let connection = ClientConnection::new(Arc::new(config), "turn.example.org".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    assert_eq!(stream.conn.alpn_protocol().is_some(), !protocols.is_empty());
    Ok(stream)
}

/// A server's configuration with the certificate and key of that name.
pub fn server_config(name: &str) -> Arc<ServerConfig> {
    tls::load(&path(&format!("{name}certificate.pem")), &path(&format!("{name}key.pem"))).unwrap().config
}

/// A file of the test's certificates.
pub fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

fn client_config(certificate: &str, protocols: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path(&format!("{certificate}certificate.pem"))).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

fn connect(server: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}
