//! A TURN client made of the `stun` package and a socket: it says what it is told to, and nothing by itself.

use std::net::{SocketAddr, UdpSocket};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use stun::attributes::{
    ATTR_ALTERNATE_SERVER, ATTR_CHANNEL_NUMBER, ATTR_CONNECTION_ID, ATTR_DATA, ATTR_DONT_FRAGMENT, ATTR_ERROR_CODE,
    ATTR_LIFETIME, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME,
    ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS, AttrType,
};
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND,
    METHOD_CONNECT, METHOD_CONNECTION_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH, METHOD_SEND, Message,
    MessageType, Method, Setter,
};
use stun::xoraddr::XorMappedAddress;

use crate::support::{SECRET, socket};

/// RFC 8656 §18.13
const ICMP: AttrType = AttrType(0x8004);

/// RFC 8016 §3.3
const MOBILITY_TICKET: AttrType = AttrType(0x8030);

/// What carries a client's messages, one at a time.
pub trait Link {
    /// Sends one message.
    fn say(&self, server: SocketAddr, message: &[u8]);

    /// The next message, or `None` when none comes.
    fn hear(&self, server: SocketAddr) -> Option<Vec<u8>>;

    /// The client's own address.
    fn address(&self) -> SocketAddr;
}

impl Link for UdpSocket {
    fn say(&self, server: SocketAddr, message: &[u8]) {
        self.send_to(message, server).unwrap();
    }

    fn hear(&self, server: SocketAddr) -> Option<Vec<u8>> {
        let mut bytes = [0; 2048];
        let (len, from) = self.recv_from(&mut bytes).ok()?;
        assert_eq!(from, server, "everything comes from where it was sent to");
        Some(bytes[..len].to_vec())
    }

    fn address(&self) -> SocketAddr {
        self.local_addr().unwrap()
    }
}

/// One client, from one socket.
pub struct TurnClient<L = UdpSocket> {
    /// Its socket.
    pub socket: L,
    server: SocketAddr,
    username: String,
    secret: Vec<u8>,
    nonce: Vec<u8>,
    realm: Vec<u8>,
    /// The last answer that was an error.
    refusal: Option<Message>,
}

/// What a client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// ChannelData: the number and the payload.
    Channel(u16, Vec<u8>),
    /// A Data indication: the peer and the payload.
    Data(SocketAddr, Vec<u8>),
    /// A Data indication with an ICMP error: the peer, type and code.
    Icmp(SocketAddr, u8, u8),
}

impl TurnClient {
    /// A client with a fresh credential of `user`'s.
    pub fn new(server: SocketAddr, user: &str) -> Self {
        Self::over(socket(), server, user)
    }

    /// The same user at another address.
    pub fn elsewhere(&self) -> Self {
        let (username, secret, realm) = (self.username.clone(), self.secret.clone(), self.realm.clone());
        Self { socket: socket(), server: self.server, username, secret, nonce: Vec::new(), realm, refusal: None }
    }
}

impl<L: Link> TurnClient<L> {
    /// The same over another link.
    pub fn over(socket: L, server: SocketAddr, user: &str) -> Self {
        Self::signed(socket, server, user, SECRET)
    }

    /// The same with a credential of another secret.
    pub fn signed(socket: L, server: SocketAddr, user: &str, secret: &[u8]) -> Self {
        // One for all of a user's clients: a user's name begins with it.
        static EXPIRY: OnceLock<u64> = OnceLock::new();
        let expiry = EXPIRY.get_or_init(|| clock().as_secs() + 600);
        let username = format!("{expiry}:{user}");
        let (nonce, realm) = (Vec::new(), Vec::new());
        Self { socket, server, username, secret: secret.to_vec(), nonce, realm, refusal: None }
    }

    /// Its own address.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Binding: how the server sees it.
    pub fn binding(&mut self) -> SocketAddr {
        let answer = self.transact(message(METHOD_BINDING, CLASS_REQUEST));
        address(&answer, ATTR_XORMAPPED_ADDRESS)
    }

    /// Allocate: the relayed address, or the error code.
    pub fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let answer = self.request(METHOD_ALLOCATE, |message| message.add(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0]))?;
        Ok(address(&answer, ATTR_XOR_RELAYED_ADDRESS))
    }

    /// Allocate with REQUESTED-ADDRESS-FAMILY for IPv6.
    pub fn allocate_v6(&mut self) -> Result<SocketAddr, u16> {
        let answer = self.request(METHOD_ALLOCATE, |message| {
            message.add(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            message.add(ATTR_REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
        })?;
        Ok(address(&answer, ATTR_XOR_RELAYED_ADDRESS))
    }

    /// Allocate with mobility: the relayed address and the ticket.
    pub fn allocate_mobile(&mut self) -> Result<(SocketAddr, Vec<u8>), u16> {
        let answer = self.request(METHOD_ALLOCATE, |message| {
            message.add(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            message.add(MOBILITY_TICKET, &[]);
        })?;
        Ok((address(&answer, ATTR_XOR_RELAYED_ADDRESS), answer.get(MOBILITY_TICKET).unwrap()))
    }

    /// Refresh from a new address, by the ticket: the next one.
    pub fn follow(&mut self, ticket: &[u8]) -> Result<Vec<u8>, u16> {
        self.try_follow(ticket).expect("an answer")
    }

    /// The same, of which nothing may be heard.
    pub fn try_follow(&mut self, ticket: &[u8]) -> Option<Result<Vec<u8>, u16>> {
        let answer = self.try_request(METHOD_REFRESH, |message| message.add(MOBILITY_TICKET, ticket))?;
        Some(answer.map(|answer| answer.get(MOBILITY_TICKET).unwrap()))
    }

    /// Allocate for TCP: the relayed address, or the error code.
    pub fn allocate_tcp(&mut self) -> Result<SocketAddr, u16> {
        let answer = self.request(METHOD_ALLOCATE, |message| message.add(ATTR_REQUESTED_TRANSPORT, &[6, 0, 0, 0]))?;
        Ok(address(&answer, ATTR_XOR_RELAYED_ADDRESS))
    }

    /// Connect to `peer`: the connection.
    pub fn connect(&mut self, peer: SocketAddr) -> Result<u32, u16> {
        let answer = self.request(METHOD_CONNECT, |message| add_peer(message, peer))?;
        Ok(connection(&answer))
    }

    /// ConnectionBind: from now on the stream is the connection's.
    pub fn bind_connection(&mut self, connection: u32) -> Result<(), u16> {
        self.request(METHOD_CONNECTION_BIND, |message| message.add(ATTR_CONNECTION_ID, &connection.to_be_bytes()))?;
        Ok(())
    }

    /// The next ConnectionAttempt: the peer and the connection.
    pub fn hear_attempt(&self) -> (SocketAddr, u32) {
        let indication = decode(&self.socket.hear(self.server).expect("an attempt"));
        (address(&indication, ATTR_XOR_PEER_ADDRESS), connection(&indication))
    }

    /// Where the last refusal sends the client, in its order.
    pub fn alternates(&self) -> Vec<SocketAddr> {
        let attributes = self.refusal.iter().flat_map(|refusal| &refusal.attributes.0);
        let alternates = attributes.filter(|attribute| attribute.typ == ATTR_ALTERNATE_SERVER);
        alternates.map(|attribute| plain_address(&attribute.value)).collect()
    }

    /// CreatePermission for `peer`.
    pub fn permit(&mut self, peer: SocketAddr) -> Result<(), u16> {
        self.request(METHOD_CREATE_PERMISSION, |message| add_peer(message, peer)).map(|_| ())
    }

    /// ChannelBind of `number` to `peer`.
    pub fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Result<(), u16> {
        let bind = |message: &mut Message| {
            let [high, low] = number.to_be_bytes();
            message.add(ATTR_CHANNEL_NUMBER, &[high, low, 0, 0]);
            add_peer(message, peer);
        };
        self.request(METHOD_CHANNEL_BIND, bind).map(|_| ())
    }

    /// Refresh: the allocation goes on.
    pub fn refresh(&mut self) -> Result<(), u16> {
        self.request(METHOD_REFRESH, |_| {}).map(|_| ())
    }

    /// Refresh with lifetime 0: the end of the allocation.
    pub fn release(&mut self) -> Result<(), u16> {
        self.request(METHOD_REFRESH, |message| message.add(ATTR_LIFETIME, &[0; 4])).map(|_| ())
    }

    /// ChannelData.
    pub fn send_on_channel(&self, number: u16, payload: &[u8]) {
        let header = [number.to_be_bytes(), (payload.len() as u16).to_be_bytes()].concat();
        self.socket.say(self.server, &[&header, payload].concat());
    }

    /// A Send indication.
    pub fn send_indication(&self, peer: SocketAddr, payload: &[u8]) {
        let mut indication = message(METHOD_SEND, CLASS_INDICATION);
        add_peer(&mut indication, peer);
        indication.add(ATTR_DATA, payload);
        self.socket.say(self.server, &indication.raw);
    }

    /// A Send indication with DONT-FRAGMENT.
    pub fn send_whole(&self, peer: SocketAddr, payload: &[u8]) {
        let mut indication = message(METHOD_SEND, CLASS_INDICATION);
        add_peer(&mut indication, peer);
        indication.add(ATTR_DONT_FRAGMENT, &[]);
        indication.add(ATTR_DATA, payload);
        self.socket.say(self.server, &indication.raw);
    }

    /// The next datagram from the server, or `None` when none comes.
    pub fn hear(&self) -> Option<Heard> {
        let bytes = self.socket.hear(self.server)?;
        if bytes[0] >> 6 == 1 {
            let (number, size) = (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]]));
            return Some(Heard::Channel(number, bytes[4..4 + usize::from(size)].to_vec()));
        }
        let indication = decode(&bytes);
        if let Ok(icmp) = indication.get(ICMP) {
            return Some(Heard::Icmp(address(&indication, ATTR_XOR_PEER_ADDRESS), icmp[2] >> 1, icmp[3]));
        }
        let data = indication.get(ATTR_DATA).unwrap();
        Some(Heard::Data(address(&indication, ATTR_XOR_PEER_ADDRESS), data))
    }

    /// A request with credentials; where the server asks for them first, again with its nonce.
    fn request(&mut self, method: Method, fill: impl Fn(&mut Message)) -> Result<Message, u16> {
        self.try_request(method, fill).expect("an answer")
    }

    /// The same, `None` where nothing is answered.
    fn try_request(&mut self, method: Method, fill: impl Fn(&mut Message)) -> Option<Result<Message, u16>> {
        for _ in 0..2 {
            let mut request = message(method, CLASS_REQUEST);
            fill(&mut request);
            if !self.nonce.is_empty() {
                self.sign(&mut request);
            }
            let answer = self.try_transact(request)?;
            if answer.typ.class != CLASS_ERROR_RESPONSE {
                return Some(Ok(answer));
            }
            let error = answer.get(ATTR_ERROR_CODE).unwrap();
            let code = u16::from(error[2]) * 100 + u16::from(error[3]);
            self.refusal = Some(answer.clone());
            if !matches!(code, 401 | 438) {
                return Some(Err(code));
            }
            (self.nonce, self.realm) = (answer.get(ATTR_NONCE).unwrap(), answer.get(ATTR_REALM).unwrap());
        }
        Some(Err(401))
    }

    fn sign(&self, request: &mut Message) {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret).unwrap();
        mac.update(self.username.as_bytes());
        let password = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        request.add(ATTR_USERNAME, self.username.as_bytes());
        request.add(ATTR_REALM, &self.realm);
        request.add(ATTR_NONCE, &self.nonce);
        let realm = String::from_utf8(self.realm.clone()).unwrap();
        MessageIntegrity::new_long_term_integrity(self.username.clone(), realm, password).add_to(request).unwrap();
    }

    fn transact(&self, request: Message) -> Message {
        self.try_transact(request).expect("an answer")
    }

    fn try_transact(&self, request: Message) -> Option<Message> {
        self.socket.say(self.server, &request.raw);
        loop {
            let bytes = self.socket.hear(self.server)?;
            if bytes[0] >> 6 == 0 && bytes[8..20] == request.transaction_id.0 {
                return Some(decode(&bytes));
            }
        }
    }
}

fn message(method: Method, class: stun::message::MessageClass) -> Message {
    let mut message = Message::new();
    message.set_type(MessageType::new(method, class));
    message.new_transaction_id().unwrap();
    message.write_header();
    message
}

fn decode(bytes: &[u8]) -> Message {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).unwrap();
    message
}

fn add_peer(message: &mut Message, peer: SocketAddr) {
    XorMappedAddress { ip: peer.ip(), port: peer.port() }.add_to_as(message, ATTR_XOR_PEER_ADDRESS).unwrap();
}

fn connection(message: &Message) -> u32 {
    u32::from_be_bytes(message.get(ATTR_CONNECTION_ID).unwrap().try_into().unwrap())
}

fn address(message: &Message, attribute: AttrType) -> SocketAddr {
    let mut address = XorMappedAddress::default();
    address.get_from_as(message, attribute).unwrap();
    SocketAddr::new(address.ip, address.port)
}

/// An address that is not XORed (RFC 8489 §14.1).
fn plain_address(value: &[u8]) -> SocketAddr {
    let ip = match value[1] {
        1 => std::net::IpAddr::from(<[u8; 4]>::try_from(&value[4..]).unwrap()),
        _ => std::net::IpAddr::from(<[u8; 16]>::try_from(&value[4..]).unwrap()),
    };
    SocketAddr::new(ip, u16::from_be_bytes([value[2], value[3]]))
}

#[allow(clippy::disallowed_methods)]
fn clock() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
