//! A neighbourhood of clients over a network that loses, reorders and repeats, in virtual time, from a seed.
//!
//! A model beside the server knows what each client was granted. Nothing may pass that it does not explain.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use roundturn_turn::message::{Class, Message, Method, attribute, decode_xor_address};
use roundturn_turn::{Event, Family, Peer, Relay, Verdict};

use crate::dsl::*;

const SEEDS: u64 = 64;
const STEPS: usize = 600;
const ALLOWED: [&str; 5] = ["9.9.9.9:9000", "9.9.9.9:9001", "8.8.8.8:443", "1.1.1.1:50000", "[2a03::1]:9000"];
const DENIED: [&str; 7] = [
    "127.0.0.1:9000",
    "10.0.0.1:9000",
    "169.254.169.254:8000",
    "5.9.0.1:3478",
    "8.8.8.8:53",
    "[fd00::1]:9000",
    "[::ffff:8.8.8.8]:9000",
];

#[test]
fn nothing_passes_that_was_not_granted_and_every_port_comes_back() {
    for seed in 0..SEEDS {
        let result = std::panic::catch_unwind(|| Simulation::new(seed).run());
        assert!(result.is_ok(), "seed {seed}");
    }
}

struct Simulation {
    random: Random,
    world: World,
    begin: Instant,
    clients: Vec<Speaker>,
    granted: Vec<Granted>,
    /// Datagrams under way, by when they arrive.
    network: BTreeMap<(Duration, u64), (usize, Vec<u8>)>,
    sent: u64,
    passed: u64,
}

/// What one client has, as far as its answers tell.
#[derive(Default)]
struct Granted {
    relays: Vec<Relay>,
    permissions: HashMap<IpAddr, Instant>,
    channels: HashMap<u16, (Peer, Instant)>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let clients: Vec<Speaker> = (0..6).map(|n| world.client(&format!("84.1.{n}.1:4000"))).collect();
        let granted = clients.iter().map(|_| Granted::default()).collect();
        let begin = world.with_server(|_, now| now);
        Self { random: Random(seed), world, begin, clients, granted, network: BTreeMap::new(), sent: 0, passed: 0 }
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.speak();
            let longest = if self.random.below(50) == 0 { 400_000 } else { 3_000 };
            let pause = self.random.below(longest);
            self.pass(Duration::from_millis(pause));
            if self.random.below(4) == 0 {
                // The embedder is late with its timers.
                self.world.later_unnoticed(Duration::from_millis(self.random.below(20_000)));
            }
            self.peer_speaks();
            self.check();
        }
        assert!(self.passed > 0, "a simulation in which nothing passes proves nothing");
        self.pass(minutes(120));
        self.check();
        self.world.with_relays(|relays| assert!(relays.open.is_empty(), "every port came back"));
        self.world.with_server(|server, _| {
            let stats = server.stats();
            assert_eq!((stats.allocations, stats.permissions, stats.channels), (0, 0, 0));
            assert_eq!(stats.created.total(), stats.closed.total());
            assert_eq!(server.poll_timeout(), None);
        });
    }

    /// A random client sends something; the network may lose it, repeat it, and takes its time.
    fn speak(&mut self) {
        let who = self.random.below(self.clients.len() as u64) as usize;
        let client = self.clients[who].clone();
        let peers: Vec<&str> = (0..1 + self.random.below(2)).map(|_| self.peer()).collect();
        let number = 0x4000 + self.random.below(4) as u16;
        let bytes = match self.random.below(8) {
            0 => client.signed(&self.allocate()),
            1 => client.signed(&refresh(self.random.below(5) as u32 * 300)),
            2 | 3 => client.signed(&create_permission(&peers)),
            4 | 5 => client.signed(&channel_bind(number, peers[0])),
            6 => [&number.to_be_bytes()[..], &[0, 4, 1, 2, 3, 4]].concat(),
            _ => client.signed_indication(peers[0]),
        };
        if self.random.below(10) == 0 {
            return;
        }
        for _ in 0..1 + self.random.below(10) / 9 {
            let now = self.elapsed();
            let arrival = now + Duration::from_millis(self.random.below(5_000));
            self.sent += 1;
            self.network.insert((arrival, self.sent), (who, bytes.clone()));
        }
    }

    /// One relay, a dual allocation, or one with its neighbour reserved.
    fn allocate(&mut self) -> Ask {
        match self.random.below(4) {
            0 => allocate().with(attribute::EVEN_PORT, &[0x80]),
            1 | 2 => allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]),
            _ => allocate(),
        }
    }

    fn peer(&mut self) -> &'static str {
        match self.random.below(4) {
            0 => DENIED[self.random.below(DENIED.len() as u64) as usize],
            _ => ALLOWED[self.random.below(ALLOWED.len() as u64) as usize],
        }
    }

    /// Lets time pass and what arrives meanwhile arrive.
    fn pass(&mut self, duration: Duration) {
        let then = self.elapsed() + duration;
        while let Some(entry) = self.network.first_entry().filter(|entry| entry.key().0 <= then) {
            let arrival = entry.key().0;
            let (who, bytes) = entry.remove();
            self.world.later(arrival.saturating_sub(self.elapsed()));
            self.forget_closed();
            self.deliver(who, &bytes);
        }
        self.world.later(then.saturating_sub(self.elapsed()));
        self.forget_closed();
    }

    fn deliver(&mut self, who: usize, bytes: &[u8]) {
        let client = self.clients[who].clone();
        let heard = client.says_raw(bytes);
        self.forget_closed();
        match heard.verdict {
            Verdict::Reply => {
                let answer = heard.bytes().unwrap();
                self.learn(who, bytes, &answer);
            }
            Verdict::ToPeer { relay, peer, ref data, .. } => {
                self.passed += 1;
                assert!(data.end <= bytes.len());
                assert!(!DENIED.iter().any(|denied| addr(denied) == peer.0), "{peer:?} is denied");
                let granted = &self.granted[who];
                assert!(granted.relays.contains(&relay));
                let now = self.now();
                if bytes[0] >= 0x40 {
                    let number = u16::from_be_bytes([bytes[0], bytes[1]]);
                    assert!(granted.channels.get(&number).is_some_and(|(to, until)| *to == peer && *until > now));
                } else {
                    assert!(granted.permissions.get(&peer.0.ip()).is_some_and(|until| *until > now));
                }
            }
            Verdict::Drop(_) | Verdict::ToClient { .. } | Verdict::Later | Verdict::Splice(_) => {}
        }
    }

    /// What an answer tells about what its client has now.
    fn learn(&mut self, who: usize, said: &[u8], answer: &[u8]) {
        let (said, answer) = (Message::decode(said).unwrap(), Message::decode(answer).unwrap());
        if let Some(nonce) = answer.attribute(attribute::NONCE) {
            *self.clients[who].nonce.borrow_mut() = Some(nonce.to_vec());
        }
        if answer.class() != Class::Success {
            return;
        }
        let now = self.now();
        let granted = &mut self.granted[who];
        let peers = said.attributes().filter(|attribute| attribute.kind == attribute::XOR_PEER_ADDRESS);
        for peer in peers.map(|attribute| decode_xor_address(attribute.value, said.transaction()).unwrap()) {
            granted.permissions.insert(peer.ip(), now + minutes(5));
            if let Some(number) = said.number(attribute::CHANNEL_NUMBER) {
                granted.channels.insert((number >> 16) as u16, (Peer(peer), now + minutes(10)));
            }
        }
        if said.method() == Method::ALLOCATE {
            let relayed = answer.attributes().filter(|attribute| attribute.kind == attribute::XOR_RELAYED_ADDRESS);
            let addresses = relayed.filter_map(|attribute| decode_xor_address(attribute.value, answer.transaction()));
            granted.relays = addresses.map(|at| Relay { family: Family::of(at), port: at.port() }).collect();
        }
    }

    fn now(&self) -> Instant {
        self.world.with_server(|_, now| now)
    }

    /// How long this world has lasted.
    fn elapsed(&self) -> Duration {
        self.now().duration_since(self.begin)
    }

    /// A random peer, allowed or not, sends to a relay.
    fn peer_speaks(&mut self) {
        let who = self.random.below(self.clients.len() as u64) as usize;
        let relays = &self.granted[who].relays;
        let Some(relay) = relays.get(self.random.below(2) as usize).or(relays.first()).copied() else { return };
        let peer = Peer(addr(self.peer()));
        match self.world.with_server(|server, now| server.handle_peer(now, relay, peer, 100)) {
            Verdict::ToClient { client, .. } => {
                self.passed += 1;
                assert_eq!(client, self.clients[who].client);
                let until = self.granted[who].permissions.get(&peer.0.ip());
                assert!(until.is_some_and(|until| *until > self.now()), "{peer:?} has no permission");
            }
            verdict => assert!(matches!(verdict, Verdict::Drop(_))),
        }
    }

    fn forget_closed(&mut self) {
        for event in self.world.events() {
            if let Event::Closed { client, relay, .. } = event {
                let who = self.clients.iter().position(|speaker| speaker.client == client).unwrap();
                self.granted[who].relays.retain(|other| *other != relay);
                if self.granted[who].relays.is_empty() {
                    self.granted[who] = Granted::default();
                }
            }
        }
    }

    fn check(&self) {
        // Ports that are kept for a second allocation are open, too.
        let open = self.world.with_relays(|relays| relays.open.len() as u64);
        self.world.with_server(|server, _| assert!(server.stats().allocations <= open));
    }
}

impl Speaker {
    fn signed_indication(&self, peer: &str) -> Vec<u8> {
        send(peer, b"data").encode(roundturn_turn::message::TransactionId([8; 12]), None)
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % end
    }
}
