//! Whole calls in memory: what leaves which socket, and what no longer leaves any.

mod streams;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use roundturn_turn::message::{
    Attribute, Class, Encoder, Key, Message, Method, TransactionId, attribute, decode_xor_address,
};
use roundturn_turn::{self as turn, Family, Holder, OpenError};

use super::*;
use crate::nat::Addresses;
use crate::shard::outbox::{Datagram, Wire};

const EXTERNAL: [u8; 4] = [203, 0, 113, 7];
const LOCAL: [u8; 4] = [192, 168, 1, 50];
const LISTENER: &str = "192.168.1.50:3478";
const SFU_PORT: u16 = 50_000;
const USER: &str = "2000000000:alice";

/// Relays that only count up.
#[derive(Default)]
struct House {
    open: HashSet<u16>,
    next: u16,
    /// Ports of other shards.
    elsewhere: HashSet<u16>,
}

impl Relays for House {
    fn open(&mut self, family: Family, _: Holder<'_>) -> Result<Relay, OpenError> {
        self.next += 1;
        let port = SFU_PORT + self.next;
        self.open.insert(port);
        Ok(Relay { family, port })
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        let port = address.port();
        address.ip() == IpAddr::from(EXTERNAL)
            && (port == SFU_PORT || self.open.contains(&port) || self.elsewhere.contains(&port))
    }
}

impl super::House for House {
    fn is_here(&self, relay: Relay) -> bool {
        self.open.contains(&relay.port)
    }

    fn close(&mut self, relay: Relay) {
        self.open.remove(&relay.port);
    }
}

/// What left, from where.
#[derive(Default)]
struct Sent(Vec<(Exit, SocketAddr, Option<IpAddr>, Vec<u8>)>);

impl Wire for Sent {
    fn send(&mut self, exit: Exit, datagrams: &[Datagram<'_>]) {
        self.0.extend(datagrams.iter().map(|one| (exit, one.to, one.from, one.pieces.concat())));
    }
}

/// A core with a clock of its own.
struct Shard {
    core: Core,
    house: House,
    now: Instant,
    transactions: u8,
    /// Clients that speak over streams, and the numbers of those.
    streams: HashMap<SocketAddr, u16>,
}

impl Shard {
    #[allow(clippy::disallowed_methods)]
    fn new(hairpin: bool, listeners: &[&str]) -> Self {
        let now = Instant::now();
        let addresses =
            Addresses { external_v4: Some(EXTERNAL.into()), local_v4: Some(LOCAL.into()), ..Addresses::default() };
        let turn = turn::Server::new(now, 1_900_000_000, turn_config(), [1; 32]);
        let hairpin = Hairpin { enabled: hairpin, addresses, sfu_port: SFU_PORT, allow: Vec::new() };
        let sfu = sfu::Sfu::new(now, sfu_config(), [2; 32]);
        let listeners = listeners.iter().map(|address| address.parse().unwrap()).collect();
        Self {
            core: Core::new(turn, sfu, hairpin, listeners),
            house: House::default(),
            now,
            transactions: 0,
            streams: HashMap::new(),
        }
    }

    /// A client sends `bytes` to the address `local` of ours.
    fn client_says(&mut self, client: SocketAddr, local: &str, bytes: &[u8]) -> Sent {
        let buffer = [&[0xEE; 7][..], bytes].concat();
        let mut outbox = Outbox::default();
        let (local, at) = (local.parse().unwrap(), 7..buffer.len());
        if self.streams.contains_key(&client) {
            let client = Client { remote: client, local, transport: Transport::Tcp };
            self.core.from_stream(self.now, client, (&buffer, at), &mut self.house, &mut outbox);
        } else {
            self.core.from_client(self.now, (client, local), (&buffer, at), &mut self.house, &mut outbox);
        }
        self.flush(outbox, &buffer)
    }

    fn peer_says(&mut self, peer: SocketAddr, relay: u16, bytes: &[u8]) -> Sent {
        let mut outbox = Outbox::default();
        let relay = Relay { family: Family::V4, port: relay };
        self.core.from_peer(self.now, relay, peer, 0..bytes.len(), &self.house, &mut outbox);
        self.flush(outbox, bytes)
    }

    fn flush(&mut self, mut outbox: Outbox, buffer: &[u8]) -> Sent {
        self.core.settle(self.now, &mut self.house, &mut outbox);
        let mut sent = Sent::default();
        outbox.flush(buffer, &mut sent);
        sent
    }

    /// A request with credentials; the one answer to it.
    fn request(&mut self, client: SocketAddr, method: Method, attributes: &[Attribute<'_>]) -> HashMap<u16, Vec<u8>> {
        let challenge = self.exchange(client, Method::ALLOCATE, &[], None);
        let nonce = challenge.get(&attribute::NONCE).expect("a challenge").clone();
        self.exchange(client, method, attributes, Some(&nonce))
    }

    fn exchange(
        &mut self,
        client: SocketAddr,
        method: Method,
        attributes: &[Attribute<'_>],
        nonce: Option<&[u8]>,
    ) -> HashMap<u16, Vec<u8>> {
        self.transactions += 1;
        let mut bytes = Vec::new();
        let mut request = Encoder::new(&mut bytes, Class::Request, method, TransactionId([self.transactions; 12]));
        for one in attributes {
            request = request.attribute(one.kind, one.value);
        }
        if let Some(nonce) = nonce {
            let key = Key::long_term(USER, "test", &turn::mint(b"north", USER));
            request = request.attribute(attribute::USERNAME, USER.as_bytes()).attribute(attribute::REALM, b"test");
            let _ = request.attribute(attribute::NONCE, nonce).integrity(&key);
        }
        let answers = self.client_says(client, LISTENER, &bytes).0;
        let [(exit, to, None, answer)] = &answers[..] else { panic!("{answers:?}") };
        let expected = self.streams.get(&client).map_or(Exit::Listener(0), |number| Exit::Stream(*number));
        assert_eq!((*exit, *to), (expected, client));
        let message = Message::decode(answer).unwrap();
        message.attributes().map(|one| (one.kind, one.value.to_vec())).collect()
    }

    /// Allocates, and binds channel 0x4000 to `peer`: the relay's port.
    fn call(&mut self, client: SocketAddr, peer: SocketAddr) -> u16 {
        let relay = self.allocate(client);
        self.bind(client, peer);
        relay
    }

    fn allocate(&mut self, client: SocketAddr) -> u16 {
        let udp = Attribute { kind: attribute::REQUESTED_TRANSPORT, value: &[17, 0, 0, 0] };
        let answer = self.request(client, Method::ALLOCATE, &[udp]);
        let relayed = answer.get(&attribute::XOR_RELAYED_ADDRESS).unwrap_or_else(|| panic!("{answer:?}"));
        let relayed = decode_xor_address(relayed, TransactionId([self.transactions; 12])).unwrap();
        assert_eq!(relayed.ip(), IpAddr::from(EXTERNAL));
        relayed.port()
    }

    fn bind(&mut self, client: SocketAddr, peer: SocketAddr) {
        let channel = Attribute { kind: attribute::CHANNEL_NUMBER, value: &[0x40, 0, 0, 0] };
        let value = xor(peer);
        let answer = self.request(
            client,
            Method::CHANNEL_BIND,
            &[channel, Attribute { kind: attribute::XOR_PEER_ADDRESS, value: &value }],
        );
        assert!(!answer.contains_key(&attribute::ERROR_CODE), "{answer:?}");
    }
}

fn turn_config() -> turn::Config {
    turn::Config {
        realm: "test".into(),
        external_v4: Some(EXTERNAL.into()),
        external_v6: None,
        host: vec![EXTERNAL.into(), LOCAL.into()],
        secrets: vec![turn::Secret {
            name: "test".into(),
            value: b"north".to_vec(),
            validity: turn::Validity::default(),
        }],
        users: HashMap::new(),
        password_algorithms: false,
        alternate_servers: Vec::new(),
        discovery: None,
        mobility: false,
        strict_expiry: false,
        peers: turn::PeerRules::default(),
        limits: turn::Limits {
            max_lifetime_secs: 3600,
            permissions: 32,
            channels: 32,
            tcp_connections: 0,
            stranger_answers_per_second: 1000,
            stranger_answers_burst: 1000,
            metered: false,
        },
    }
}

fn sfu_config() -> sfu::Config {
    sfu::Config {
        candidates: vec![at(EXTERNAL, SFU_PORT)],
        tcp_candidates: Vec::new(),
        relays: (vec![EXTERNAL.into()], 50_000..=50_100),
        shard: 0,
        audio_slots: 4,
        video_slots: 4,
        keyframe_cache: false,
        tracks: 4,
        participants: 10,
        unix: Duration::ZERO,
        clock: crate::clock::worked,
    }
}

/// XOR-PEER-ADDRESS of an IPv4 address (RFC 8489 §14.2).
fn xor(address: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(ip) = address.ip() else { panic!("IPv4 only") };
    let port = address.port() ^ 0x2112;
    let ip = u32::from(ip) ^ 0x2112_A442;
    [&[0, 1][..], &port.to_be_bytes(), &ip.to_be_bytes()].concat()
}

fn at(ip: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::from((ip, port))
}

fn channel_data(payload: &[u8]) -> Vec<u8> {
    [&[0x40, 0, 0, payload.len() as u8][..], payload].concat()
}

fn relay_exit(port: u16) -> Exit {
    Exit::Relay(Relay { family: Family::V4, port })
}

const ALICE: ([u8; 4], u16) = ([198, 51, 100, 1], 1111);
const BOB: ([u8; 4], u16) = ([198, 51, 100, 2], 2222);
const PEER: ([u8; 4], u16) = ([8, 8, 8, 8], 8888);

#[test]
fn data_to_a_stranger_leaves_from_the_relay_and_comes_back_to_the_client() {
    let mut shard = Shard::new(true, &[LISTENER]);
    let (alice, peer) = (at(ALICE.0, ALICE.1), at(PEER.0, PEER.1));
    let relay = shard.call(alice, peer);
    let sent = shard.client_says(alice, LISTENER, &channel_data(b"hello"));
    assert_eq!(sent.0, [(relay_exit(relay), peer, None, b"hello".to_vec())]);
    let sent = shard.peer_says(peer, relay, b"hi");
    assert_eq!(sent.0, [(Exit::Listener(0), alice, None, channel_data(b"hi"))]);
    assert_eq!(*shard.core.inside(), Inside::default());
}

#[test]
fn a_relay_of_the_same_shard_is_reached_without_a_socket() {
    let mut shard = Shard::new(true, &[LISTENER]);
    let (alice, bob) = (at(ALICE.0, ALICE.1), at(BOB.0, BOB.1));
    let (relay_a, relay_b) = (shard.allocate(alice), shard.allocate(bob));
    shard.bind(alice, at(EXTERNAL, relay_b));
    assert!(shard.client_says(alice, LISTENER, &channel_data(b"early")).0.is_empty(), "no permission at the other end");
    shard.bind(bob, at(EXTERNAL, relay_a));
    let sent = shard.client_says(alice, LISTENER, &channel_data(b"hello"));
    assert_eq!(sent.0, [(Exit::Listener(0), bob, None, channel_data(b"hello"))]);
    assert_eq!(shard.core.inside().to_peer, Traffic { packets: 2, bytes: 10 });
    assert_eq!(shard.core.inside().to_client, Traffic { packets: 1, bytes: 5 });
}

#[test]
fn without_the_shortcut_the_same_call_goes_through_the_kernel_by_local_addresses() {
    let mut shard = Shard::new(false, &[LISTENER]);
    let (alice, bob) = (at(ALICE.0, ALICE.1), at(BOB.0, BOB.1));
    let (relay_a, relay_b) = (shard.allocate(alice), shard.allocate(bob));
    shard.bind(alice, at(EXTERNAL, relay_b));
    shard.bind(bob, at(EXTERNAL, relay_a));
    let sent = shard.client_says(alice, LISTENER, &channel_data(b"hello"));
    assert_eq!(sent.0, [(relay_exit(relay_a), at(LOCAL, relay_b), None, b"hello".to_vec())]);
    // What the kernel then delivers.
    let sent = shard.peer_says(at(LOCAL, relay_a), relay_b, b"hello");
    assert_eq!(sent.0, [(Exit::Listener(0), bob, None, channel_data(b"hello"))]);
}

#[test]
fn a_relay_of_another_shard_is_reached_through_the_kernel() {
    let mut shard = Shard::new(true, &[LISTENER]);
    shard.house.elsewhere.insert(50_090);
    let alice = at(ALICE.0, ALICE.1);
    let relay = shard.call(alice, at(EXTERNAL, 50_090));
    let sent = shard.client_says(alice, LISTENER, &channel_data(b"hello"));
    assert_eq!(sent.0, [(relay_exit(relay), at(LOCAL, 50_090), None, b"hello".to_vec())]);
    shard.house.elsewhere.clear();
    assert!(shard.client_says(alice, LISTENER, &channel_data(b"gone")).0.is_empty());
    assert_eq!(shard.core.inside().nowhere, 1, "the port may be anyone's now");
}

#[test]
fn a_relay_whose_peer_is_itself_hears_itself_once() {
    let mut shard = Shard::new(true, &[LISTENER]);
    let alice = at(ALICE.0, ALICE.1);
    let relay = shard.allocate(alice);
    shard.bind(alice, at(EXTERNAL, relay));
    let sent = shard.client_says(alice, LISTENER, &channel_data(b"echo"));
    assert_eq!(sent.0, [(Exit::Listener(0), alice, None, channel_data(b"echo"))]);
}

#[test]
fn data_to_the_sfu_reaches_it_without_a_socket() {
    let mut shard = Shard::new(true, &[LISTENER]);
    let alice = at(ALICE.0, ALICE.1);
    shard.call(alice, at(EXTERNAL, SFU_PORT));
    let strays = shard.core.sfu_stats().unknown_datagrams;
    assert!(shard.client_says(alice, LISTENER, &channel_data(b"whose is this")).0.is_empty());
    assert_eq!(shard.core.sfu_stats().unknown_datagrams, strays + 1);
}

#[test]
fn answers_leave_from_the_address_that_was_hit_of_a_listener_that_has_all() {
    let mut shard = Shard::new(true, &["127.0.0.1:3478", "0.0.0.0:3478", "[::]:3478"]);
    let mut binding = Vec::new();
    let _ = Encoder::new(&mut binding, Class::Request, Method::BINDING, TransactionId([1; 12]));
    let alice = at(ALICE.0, ALICE.1);
    let mut from = |local: &str| {
        let sent = shard.client_says(alice, local, &binding).0;
        sent.first().map(|(exit, _, from, _)| (*exit, *from))
    };
    assert_eq!(from("127.0.0.1:3478"), Some((Exit::Listener(0), None)));
    assert_eq!(from(LISTENER), Some((Exit::Listener(1), Some(LOCAL.into()))));
    let v6 = "2001:db8::1";
    assert_eq!(from(&format!("[{v6}]:3478")), Some((Exit::Listener(2), Some(v6.parse().unwrap()))));
}

#[test]
fn an_allocation_that_ends_closes_its_relay() {
    let mut shard = Shard::new(true, &[LISTENER]);
    shard.allocate(at(ALICE.0, ALICE.1));
    assert_eq!(shard.house.open.len(), 1);
    shard.now += Duration::from_secs(601);
    assert!(shard.core.poll_timeout().unwrap() <= shard.now);
    shard.core.handle_timeout(shard.now);
    shard.flush(Outbox::default(), &[]);
    assert!(shard.house.open.is_empty());

    shard.allocate(at(BOB.0, BOB.1));
    shard.core.handle_message(shard.now, ToShard::Revoke { username: USER.to_owned() });
    shard.flush(Outbox::default(), &[]);
    assert!(shard.house.open.is_empty());
}
