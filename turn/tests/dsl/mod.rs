//! A small language for conversations: `alice.says(allocate()).hears(success())`, `world.later(minutes(10))`. It owns
//! time.

mod ask;
mod heard;
mod relays;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use roundturn_turn::message::{Integrity, Key, PasswordAlgorithm, TransactionId, attribute, user_hash};
use roundturn_turn::{
    Client, Config, Event, Limits, Peer, PeerRules, Relay, Secret, Server, StaticUser, Transmit, Transport, Validity,
    Verdict, mint,
};

pub use ask::*;
pub use heard::*;
pub use relays::TestRelays;

pub const SECRET: &[u8] = b"north";
pub const REALM: &str = "example.org";
/// What the wall clock shows when a world begins.
pub const BEGIN: u64 = 1_795_176_000;
pub const EXTERNAL_V4: &str = "5.9.0.1";
pub const EXTERNAL_V6: &str = "2a01:4f8::1";

/// How often the server is asked whether it is consistent: it then walks every port there is.
const CALLS_PER_CHECK: u64 = 32;

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub fn minutes(minutes: u64) -> Duration {
    secs(60 * minutes)
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A server on a dual-stack host, with generous limits.
pub fn config() -> Config {
    Config {
        realm: REALM.into(),
        external_v4: Some(EXTERNAL_V4.parse().unwrap()),
        external_v6: Some(EXTERNAL_V6.parse().unwrap()),
        host: vec![EXTERNAL_V4.parse().unwrap(), EXTERNAL_V6.parse().unwrap(), "5.9.0.2".parse().unwrap()],
        secrets: vec![Secret { name: "2026".into(), value: SECRET.into(), validity: Validity::default() }],
        users: [("carol".to_owned(), StaticUser::Password("wonder".into()))].into(),
        password_algorithms: false,
        alternate_servers: Vec::new(),
        discovery: None,
        mobility: false,
        strict_expiry: false,
        peers: PeerRules::default(),
        limits: Limits {
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

/// One server, its relays, and time.
#[derive(Clone)]
pub struct World(Rc<RefCell<Inner>>);

pub struct Inner {
    pub server: Server,
    pub now: Instant,
    pub begin: Instant,
    pub relays: TestRelays,
    pub events: Vec<Event>,
    /// What clients were told without having asked just then.
    pub unasked: Vec<Transmit>,
    calls_per_check: u64,
    transactions: u64,
    calls: u64,
}

impl World {
    pub fn new() -> Self {
        Self::with(config())
    }

    pub fn with(config: Config) -> Self {
        Self::checked_every(CALLS_PER_CHECK, config)
    }

    /// A world whose server is asked every so many calls whether it is consistent.
    pub fn checked_every(calls_per_check: u64, config: Config) -> Self {
        let now = instant();
        let server = Server::new(now, BEGIN, config, [7; 32]);
        let (relays, events, unasked) = (TestRelays::new(), Vec::new(), Vec::new());
        let begin = now;
        let inner = Inner { server, now, begin, relays, events, unasked, calls_per_check, transactions: 0, calls: 0 };
        Self(Rc::new(RefCell::new(inner)))
    }

    /// A client with a credential of its own that is good for an hour.
    pub fn client(&self, remote: &str) -> Speaker {
        let username = format!("{}:{}", BEGIN + 3600, remote.replace(':', "-"));
        let password = mint(SECRET, &username);
        self.client_as(remote, &username, &password)
    }

    pub fn client_as(&self, remote: &str, username: &str, password: &str) -> Speaker {
        let remote = addr(remote);
        let local = if remote.is_ipv4() { addr("5.9.0.1:3478") } else { addr("[2a01:4f8::1]:3478") };
        let client = Client { remote, local, transport: Transport::Udp };
        Speaker {
            world: self.clone(),
            client,
            username: username.into(),
            password: password.into(),
            style: Style { hashed: false, algorithm: None, integrity: Integrity::Sha1 },
            nonce: Rc::default(),
        }
    }

    pub fn peer(&self, address: &str) -> Other {
        Other { world: self.clone(), peer: Peer(addr(address)) }
    }

    /// Lets time pass, and the server do what is due meanwhile.
    pub fn later(&self, duration: Duration) {
        let mut inner = self.0.borrow_mut();
        let then = inner.now + duration;
        while let Some(due) = inner.server.poll_timeout().filter(|due| *due <= then) {
            inner.now = inner.now.max(due);
            let now = inner.now;
            inner.server.handle_timeout(now);
            inner.hear_unasked();
            inner.drain();
        }
        inner.now = then;
        inner.check();
        let unix = BEGIN + then.duration_since(inner.begin).as_secs();
        inner.server.set_unix_time(then, unix);
    }

    /// Lets time pass without telling the server.
    pub fn later_unnoticed(&self, duration: Duration) {
        self.0.borrow_mut().now += duration;
    }

    pub fn with_server<T>(&self, act: impl FnOnce(&mut Server, Instant) -> T) -> T {
        let mut inner = self.0.borrow_mut();
        let now = inner.now;
        let result = act(&mut inner.server, now);
        inner.hear_unasked();
        inner.drain();
        result
    }

    pub fn with_relays<T>(&self, act: impl FnOnce(&mut TestRelays) -> T) -> T {
        act(&mut self.0.borrow_mut().relays)
    }

    /// What happened to allocations since this was last asked.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.borrow_mut().events)
    }

    fn hand_in(&self, from: Client, bytes: &[u8]) -> Heard {
        let mut inner = self.0.borrow_mut();
        let inner = &mut *inner;
        let verdict = inner.server.handle_client(inner.now, from, bytes, &mut inner.relays);
        let answer = inner.server.poll_transmit();
        inner.drain();
        assert_eq!(
            answer.is_some(),
            matches!(verdict, Verdict::Reply | Verdict::Splice(_)),
            "an answer comes with the verdict that says so"
        );
        assert!(answer.as_ref().is_none_or(|answer| answer.to == from), "an answer goes to who asked");
        Heard { verdict, answer: answer.map(|answer| answer.bytes), said: bytes.to_vec() }
    }

    /// What was said to `client` since this was last asked, without its having asked just then.
    pub fn unasked(&self, client: &Speaker) -> Vec<Answer> {
        let mut inner = self.0.borrow_mut();
        let to_client = inner.unasked.extract_if(.., |transmit| transmit.to == client.client);
        to_client.map(|transmit| Answer { bytes: transmit.bytes }).collect()
    }

    fn transaction(&self) -> TransactionId {
        let mut inner = self.0.borrow_mut();
        inner.transactions += 1;
        let mut id = [0x5A; 12];
        id[4..].copy_from_slice(&inner.transactions.to_be_bytes());
        TransactionId(id)
    }
}

impl Inner {
    fn hear_unasked(&mut self) {
        while let Some(transmit) = self.server.poll_transmit() {
            self.unasked.push(transmit);
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Opened { .. } | Event::Moved { .. } | Event::Claimed { .. } => {}
                Event::Closed { relay, .. } => self.relays.close(relay),
                Event::Released { relay } => self.relays.release(relay),
                Event::Disconnected { connection } => self.relays.disconnected.push(connection),
            }
            self.events.push(event);
        }
        assert!(self.server.poll_transmit().is_none(), "a call queues one answer at most");
        self.check();
    }

    fn check(&mut self) {
        self.calls += 1;
        assert!(!self.calls.is_multiple_of(self.calls_per_check) || self.server.is_consistent());
    }
}

/// How a client proves itself.
#[derive(Clone, Copy)]
pub struct Style {
    /// By USERHASH instead of USERNAME.
    pub hashed: bool,
    /// The algorithm it agrees to.
    pub algorithm: Option<PasswordAlgorithm>,
    pub integrity: Integrity,
}

/// A client and what it knows.
#[derive(Clone)]
pub struct Speaker {
    pub world: World,
    pub client: Client,
    pub username: String,
    pub password: String,
    pub style: Style,
    pub nonce: Rc<RefCell<Option<Vec<u8>>>>,
}

impl Speaker {
    /// Sends a request as clients do: with a proof, after asking for a nonce where there is none yet.
    pub fn says(&self, ask: Ask) -> Heard {
        if self.nonce.borrow().is_none() {
            let challenge = self.says_bare(allocate()).hears(error(401));
            *self.nonce.borrow_mut() = challenge.attribute(attribute::NONCE);
        }
        let heard = self.says_raw(&self.signed(&ask));
        if let Some(nonce) = heard.stale() {
            *self.nonce.borrow_mut() = Some(nonce);
            return self.says_raw(&self.signed(&ask));
        }
        heard
    }

    /// Sends a request without any proof.
    pub fn says_bare(&self, ask: Ask) -> Heard {
        self.says_raw(&ask.encode(self.world.transaction(), None))
    }

    pub fn says_raw(&self, bytes: &[u8]) -> Heard {
        self.world.hand_in(self.client, bytes)
    }

    /// The bytes of `ask` with this client's proof.
    pub fn signed(&self, ask: &Ask) -> Vec<u8> {
        let name = match self.style.hashed {
            true => (attribute::USERHASH, user_hash(&self.username, REALM).to_vec()),
            false => (attribute::USERNAME, self.username.clone().into()),
        };
        let nonce = self.nonce.borrow().clone().unwrap_or_default();
        let mut attributes = vec![name, (attribute::REALM, REALM.into()), (attribute::NONCE, nonce)];
        if let Some(algorithm) = self.style.algorithm {
            attributes.push((attribute::PASSWORD_ALGORITHMS, PasswordAlgorithm::OFFERED.to_vec()));
            attributes.push((attribute::PASSWORD_ALGORITHM, algorithm.encode().to_vec()));
        }
        let proof = Proof { attributes, key: self.key(), integrity: self.style.integrity };
        ask.encode(self.world.transaction(), Some(&proof))
    }

    pub fn key(&self) -> Key {
        let algorithm = self.style.algorithm.unwrap_or(PasswordAlgorithm::Md5);
        Key::derive(algorithm, &self.username, REALM, &self.password)
    }

    /// An allocation, and the relay that it has.
    pub fn allocates(&self) -> Relay {
        self.says(allocate()).hears(success()).relay()
    }

    pub fn sends_on(&self, channel: u16, data: &[u8]) -> Heard {
        let mut bytes = channel.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
        bytes.extend_from_slice(data);
        self.says_raw(&bytes)
    }

    pub fn sends_to(&self, peer: &str, data: &[u8]) -> Heard {
        self.says_bare(send(peer, data))
    }
}

/// A peer.
pub struct Other {
    world: World,
    peer: Peer,
}

impl Other {
    pub fn sends(&self, relay: Relay, data: &[u8]) -> Delivered {
        let mut inner = self.world.0.borrow_mut();
        let now = inner.now;
        let verdict = inner.server.handle_peer(now, relay, self.peer, data.len());
        inner.drain();
        Delivered { verdict, data: data.to_vec() }
    }
}

#[allow(clippy::disallowed_methods)]
fn instant() -> Instant {
    Instant::now()
}
