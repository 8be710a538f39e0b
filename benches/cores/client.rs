//! What clients say, and what they need to know before media flows.

use std::collections::HashMap;
use std::net::SocketAddr;

use roundturn_turn::message::{Class, Encoder, Key, Message, Method, TransactionId, attribute, decode_xor_address};
use roundturn_turn::{Config, Limits, PeerRules, Secret, Validity, mint};

pub const EXTERNAL: [u8; 4] = [203, 0, 113, 7];
pub const LISTENER: ([u8; 4], u16) = (EXTERNAL, 3478);
/// Unix time, for as long as a bench runs.
pub const NOW: u64 = 1_795_176_000;
/// The bytes of a video packet.
pub const PAYLOAD: usize = 1000;

const REALM: &str = "example.org";
const SECRET: &[u8] = b"a secret that is only for benches";
const USER: &str = "1795179600:ana";
/// REQUESTED-TRANSPORT (RFC 8656 §18.8).
const UDP: [u8; 4] = [17, 0, 0, 0];
const TRANSACTION: TransactionId = TransactionId([7; 12]);

/// Who answers requests at once.
pub trait Answers {
    fn answer(&mut self, client: SocketAddr, request: &[u8]) -> Vec<u8>;
}

/// Limits that nothing here runs into.
pub fn config() -> Config {
    Config {
        realm: REALM.into(),
        external_v4: Some(EXTERNAL.into()),
        external_v6: None,
        host: vec![EXTERNAL.into()],
        secrets: vec![Secret { name: "bench".into(), value: SECRET.into(), validity: Validity::default() }],
        users: HashMap::new(),
        strict_expiry: false,
        password_algorithms: false,
        alternate_servers: Vec::new(),
        discovery: None,
        mobility: false,
        peers: PeerRules::default(),
        limits: Limits {
            max_lifetime_secs: 3600,
            permissions: 32,
            channels: 32,
            tcp_connections: 0,
            stranger_answers_per_second: 0,
            stranger_answers_burst: 0,
            metered: false,
        },
    }
}

/// The address of the client of this number.
pub fn client(number: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 10_000 + number))
}

/// The address of the peer of this number.
pub fn peer(number: u16) -> SocketAddr {
    let [high, low] = number.to_be_bytes();
    SocketAddr::from(([8, 8, high, low], 10_000))
}

pub fn binding() -> Vec<u8> {
    request(Method::BINDING, |request| request)
}

/// An Allocate as a client begins: the answer is 401 with a nonce.
pub fn allocate_unproven() -> Vec<u8> {
    request(Method::ALLOCATE, |request| request.attribute(attribute::REQUESTED_TRANSPORT, &UDP))
}

pub fn allocate(nonce: &[u8]) -> Vec<u8> {
    proven(Method::ALLOCATE, nonce, |request| request.attribute(attribute::REQUESTED_TRANSPORT, &UDP))
}

/// Ends an allocation.
pub fn release(nonce: &[u8]) -> Vec<u8> {
    proven(Method::REFRESH, nonce, |request| request.number(attribute::LIFETIME, 0))
}

/// `payload` on channel 0x4000.
pub fn channel_data(payload: &[u8]) -> Vec<u8> {
    [&0x4000_u16.to_be_bytes()[..], &(payload.len() as u16).to_be_bytes(), payload].concat()
}

/// The nonce for requests of `client`.
pub fn nonce(server: &mut impl Answers, client: SocketAddr) -> Vec<u8> {
    let challenge = server.answer(client, &allocate_unproven());
    value(&challenge, attribute::NONCE)
}

/// Allocates; the relay's port.
pub fn open(server: &mut impl Answers, client: SocketAddr) -> u16 {
    let nonce = nonce(server, client);
    let answer = server.answer(client, &allocate(&nonce));
    decode_xor_address(&value(&answer, attribute::XOR_RELAYED_ADDRESS), TRANSACTION).unwrap().port()
}

/// Binds channel 0x4000 of `client` to `peer`.
pub fn bind(server: &mut impl Answers, client: SocketAddr, peer: SocketAddr) {
    let nonce = nonce(server, client);
    let bind = proven(Method::CHANNEL_BIND, &nonce, |request| {
        let request = request.attribute(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0]);
        request.xor_address(attribute::XOR_PEER_ADDRESS, peer)
    });
    let answer = server.answer(client, &bind);
    assert_eq!(Message::decode(&answer).unwrap().class(), Class::Success);
}

fn request(method: Method, fill: impl for<'a> FnOnce(Encoder<'a>) -> Encoder<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = fill(Encoder::new(&mut bytes, Class::Request, method, TRANSACTION)).fingerprint();
    bytes
}

fn proven(method: Method, nonce: &[u8], fill: impl for<'a> FnOnce(Encoder<'a>) -> Encoder<'a>) -> Vec<u8> {
    let key = Key::long_term(USER, REALM, &mint(SECRET, USER));
    request(method, |request| {
        let request = fill(request).attribute(attribute::USERNAME, USER.as_bytes());
        let request = request.attribute(attribute::REALM, REALM.as_bytes()).attribute(attribute::NONCE, nonce);
        request.integrity(&key)
    })
}

fn value(message: &[u8], kind: u16) -> Vec<u8> {
    let message = Message::decode(message).unwrap();
    message.attributes().find(|one| one.kind == kind).unwrap().value.to_vec()
}
