//! A TURN client for setting flows up: it allocates and binds one channel; the load generator does the rest.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::error_code::ErrorCodeAttribute;
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter, METHOD_ALLOCATE, METHOD_CHANNEL_BIND,
    METHOD_REFRESH, Message, MessageType, Method, Setter,
};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqtrans::RequestedTransport;

use crate::setup;

/// The channel that every client binds: each has one peer only.
pub const CHANNEL: u16 = 0x4000;

/// How long an answer may take before the request is sent again, and how often: an answer to a stranger is limited in
/// rate, so the first ones may go unanswered.
const RETRANSMIT: Duration = Duration::from_millis(200);
const TRIES: usize = 20;

/// One client with one allocation.
pub struct TurnClient {
    socket: UdpSocket,
    server: SocketAddr,
    username: String,
    password: String,
    realm: String,
    nonce: String,
}

impl TurnClient {
    /// Allocates; the address of the relay comes with the client.
    pub fn allocate(server: SocketAddr, name: &str) -> Result<(Self, SocketAddr)> {
        Self::allocate_from(Ipv4Addr::LOCALHOST, server, name)
    }

    /// The same from another address of the loopback, which is another source network to the server.
    pub fn allocate_from(source: Ipv4Addr, server: SocketAddr, name: &str) -> Result<(Self, SocketAddr)> {
        let mut client = Self::new(source, server, name)?;
        let answer = client.request(METHOD_ALLOCATE, udp_relay).context("Allocate")?;
        let mut relay = RelayedAddress::default();
        relay.get_from(&answer)?;
        Ok((client, SocketAddr::new(relay.ip, relay.port)))
    }

    /// One that has not asked for anything yet.
    pub fn new(source: Ipv4Addr, server: SocketAddr, name: &str) -> Result<Self> {
        let socket = UdpSocket::bind((source, 0))?;
        socket.set_read_timeout(Some(RETRANSMIT))?;
        let (username, password) = setup::credential(name)?;
        Ok(Self { socket, server, username, password, realm: String::new(), nonce: String::new() })
    }

    /// Sends an Allocate, and leaves it to [`TurnClient::is_allocated`] to hear the answer.
    pub fn ask(&self) -> Result<()> {
        self.socket.set_nonblocking(true)?;
        let request = self.encode(METHOD_ALLOCATE, udp_relay())?;
        self.socket.send_to(&request.raw, self.server)?;
        Ok(())
    }

    /// Whether the Allocate was granted; a challenge is met, and as long as nothing has come, this waits for nothing.
    pub fn is_allocated(&mut self) -> Result<bool> {
        let mut buffer = [0; 2048];
        let Ok(len) = self.socket.recv(&mut buffer) else { return Ok(false) };
        let mut answer = Message::new();
        answer.unmarshal_binary(&buffer[..len])?;
        if answer.typ.class == CLASS_SUCCESS_RESPONSE {
            return Ok(true);
        }
        self.meet_challenge(&answer)?;
        self.ask()?;
        Ok(false)
    }

    /// Binds [`CHANNEL`] to a peer.
    pub fn bind_channel(&mut self, peer: SocketAddr) -> Result<()> {
        self.request(METHOD_CHANNEL_BIND, || {
            vec![Box::new(ChannelNumber(CHANNEL)), Box::new(PeerAddress { ip: peer.ip(), port: peer.port() })]
        })
        .context("ChannelBind")?;
        Ok(())
    }

    /// Ends the allocation.
    pub fn release(mut self) -> Result<()> {
        self.request(METHOD_REFRESH, || vec![Box::new(Lifetime(Duration::ZERO))]).context("Refresh")?;
        Ok(())
    }

    /// The socket, for the load generator: it shares the 5-tuple.
    pub fn socket(&self) -> Result<UdpSocket> {
        Ok(self.socket.try_clone()?)
    }

    /// One request and its successful answer; a challenge is met once.
    fn request(&mut self, method: Method, attributes: impl Fn() -> Vec<Box<dyn Setter>>) -> Result<Message> {
        self.socket.set_nonblocking(false)?;
        for _ in 0..3 {
            let answer = self.transact(method, attributes())?;
            if answer.typ.class == CLASS_SUCCESS_RESPONSE {
                return Ok(answer);
            }
            self.meet_challenge(&answer)?;
        }
        bail!("the server challenges again and again")
    }

    fn meet_challenge(&mut self, answer: &Message) -> Result<()> {
        let mut code = ErrorCodeAttribute::default();
        code.get_from(answer)?;
        if ![401, 438].contains(&code.code.0) {
            bail!("{code}");
        }
        self.realm = TextAttribute::get_from_as(answer, ATTR_REALM)?.text;
        self.nonce = TextAttribute::get_from_as(answer, ATTR_NONCE)?.text;
        Ok(())
    }

    fn encode(&self, method: Method, mut attributes: Vec<Box<dyn Setter>>) -> Result<Message> {
        let mut setters: Vec<Box<dyn Setter>> =
            vec![Box::<TransactionId>::default(), Box::new(MessageType::new(method, CLASS_REQUEST))];
        setters.append(&mut attributes);
        if !self.nonce.is_empty() {
            setters.push(Box::new(TextAttribute::new(ATTR_USERNAME, self.username.clone())));
            setters.push(Box::new(TextAttribute::new(ATTR_REALM, self.realm.clone())));
            setters.push(Box::new(TextAttribute::new(ATTR_NONCE, self.nonce.clone())));
            setters.push(Box::new(MessageIntegrity::new_long_term_integrity(
                self.username.clone(),
                self.realm.clone(),
                self.password.clone(),
            )));
        }
        setters.push(Box::new(FINGERPRINT));
        let mut request = Message::new();
        request.build(&setters)?;
        Ok(request)
    }

    fn transact(&self, method: Method, attributes: Vec<Box<dyn Setter>>) -> Result<Message> {
        let request = self.encode(method, attributes)?;
        let mut buffer = [0; 2048];
        for _ in 0..TRIES {
            self.socket.send_to(&request.raw, self.server)?;
            while let Ok((len, _)) = self.socket.recv_from(&mut buffer) {
                let mut answer = Message::new();
                let is_ours = answer.unmarshal_binary(&buffer[..len]).is_ok()
                    && answer.transaction_id == request.transaction_id
                    && [CLASS_SUCCESS_RESPONSE, CLASS_ERROR_RESPONSE].contains(&answer.typ.class);
                if is_ours {
                    return Ok(answer);
                }
            }
        }
        bail!("no answer from {} after {TRIES} tries", self.server)
    }
}

fn udp_relay() -> Vec<Box<dyn Setter>> {
    vec![Box::new(RequestedTransport { protocol: PROTO_UDP })]
}
