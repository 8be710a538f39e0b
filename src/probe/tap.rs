//! The socket between the TURN client and the network, which looks at what comes back.

use std::net::SocketAddr;

use async_trait::async_trait;
use stun::error_code::ErrorCodeAttribute;
use stun::message::{CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, Getter as _, Message, Method, is_message};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use webrtc_util::Conn;

use super::trouble::Trouble;

/// How many answers are remembered: a walk has fewer than ten, a flood is not worth more.
const MOST_ANSWERS: usize = 64;

/// A UDP socket that knows one server.
pub struct Tap {
    socket: UdpSocket,
    server: SocketAddr,
    seen: watch::Sender<Seen>,
}

#[derive(Default)]
struct Seen {
    answers: Vec<(Method, Result<(), Trouble>)>,
    channel_data: usize,
    refused: bool,
}

impl Tap {
    /// A socket of the server's family.
    pub async fn open(server: SocketAddr) -> std::io::Result<Self> {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await?;
        // Connected, so that the kernel tells when nobody listens.
        socket.connect(server).await?;
        Ok(Self { socket, server, seen: watch::Sender::new(Seen::default()) })
    }

    /// The latest answer to a method, if there is one.
    pub fn latest(&self, method: Method) -> Option<Result<(), Trouble>> {
        self.seen.borrow().latest(method)
    }

    /// Waits for an answer to a method.
    pub async fn answered(&self, method: Method) -> Result<(), Trouble> {
        let mut seen = self.seen.subscribe();
        match seen.wait_for(|seen| seen.latest(method).is_some()).await {
            Ok(seen) => seen.latest(method).unwrap_or(Err(Trouble::NoAnswer)),
            // The sender lives as long as `self`.
            Err(_) => Err(Trouble::NoAnswer),
        }
    }

    /// Waits until the network says that nobody listens.
    pub async fn refused(&self) -> Trouble {
        let _ = self.seen.subscribe().wait_for(|seen| seen.refused).await;
        Trouble::Refused
    }

    /// How many messages came through a channel.
    pub fn channel_data(&self) -> usize {
        self.seen.borrow().channel_data
    }

    fn look(&self, datagram: &[u8]) {
        if !is_message(datagram) {
            // Channel numbers begin with the bits 01 (RFC 8656 §12).
            let channel = datagram.first().is_some_and(|first| first >> 6 == 1);
            self.seen.send_if_modified(|seen| {
                seen.channel_data += usize::from(channel);
                false
            });
            return;
        }
        let mut message = Message::new();
        message.raw = datagram.to_vec();
        if message.decode().is_err() {
            return;
        }
        let outcome = match message.typ.class {
            CLASS_SUCCESS_RESPONSE => Ok(()),
            CLASS_ERROR_RESPONSE => Err(trouble_of(&message)),
            _ => return,
        };
        self.seen.send_if_modified(|seen| {
            let room = seen.answers.len() < MOST_ANSWERS;
            if room {
                seen.answers.push((message.typ.method, outcome));
            }
            room
        });
    }
}

impl Seen {
    fn latest(&self, method: Method) -> Option<Result<(), Trouble>> {
        self.answers.iter().rev().find(|(answered, _)| *answered == method).map(|(_, outcome)| outcome.clone())
    }
}

fn trouble_of(message: &Message) -> Trouble {
    let mut attribute = ErrorCodeAttribute::default();
    match attribute.get_from(message) {
        Ok(()) => {
            let reason =
                String::from_utf8_lossy(&attribute.reason).chars().filter(|c| !c.is_control()).take(128).collect();
            Trouble::Code { code: attribute.code.0, reason }
        }
        Err(_) => Trouble::Odd("an error response without a code".to_owned()),
    }
}

#[async_trait]
impl Conn for Tap {
    async fn connect(&self, address: SocketAddr) -> webrtc_util::Result<()> {
        Ok(self.socket.connect(address).await?)
    }

    async fn recv(&self, buffer: &mut [u8]) -> webrtc_util::Result<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        loop {
            match self.socket.recv(buffer).await {
                Ok(length) => {
                    self.look(buffer.get(..length).unwrap_or_default());
                    return Ok((length, self.server));
                }
                // Each one takes an ICMP message off the socket, so this does not spin.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                    self.seen.send_modify(|seen| seen.refused = true);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send(&self, buffer: &[u8]) -> webrtc_util::Result<usize> {
        match self.socket.send(buffer).await {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                self.seen.send_modify(|seen| seen.refused = true);
                Err(error.into())
            }
            sent => Ok(sent?),
        }
    }

    async fn send_to(&self, buffer: &[u8], _server: SocketAddr) -> webrtc_util::Result<usize> {
        self.send(buffer).await
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.server)
    }

    async fn close(&self) -> webrtc_util::Result<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}
