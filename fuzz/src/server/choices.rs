//! What there is to choose from: clients, peers, methods, attributes, settings.

use roundturn_turn::message::{Class, Integrity, Method, attribute};
use roundturn_turn::{Config, Limits, PeerRules, Transport, mint};

use crate::bytes::Bytes;
use crate::dsl::{Ask, BEGIN, SECRET, Speaker, World, addr, ask, binding, config};

/// Peers that may be reached.
pub const ALLOWED: [&str; 5] = ["9.9.9.9:9000", "9.9.9.9:9001", "8.8.8.8:443", "1.1.1.1:50000", "[2a03::1]:9000"];
/// Peers that may not.
pub const DENIED: [&str; 10] = [
    "127.0.0.1:9000",
    "10.0.0.1:9000",
    "169.254.169.254:8000",
    "5.9.0.1:3478",
    "5.9.0.2:22000",
    "8.8.8.8:53",
    "[fd00::1]:9000",
    "[::ffff:8.8.8.8]:9000",
    "[2002:7f00:1::1]:9000",
    "[2a03::5efe:7f00:1]:9000",
];
/// Types of attributes.
pub const KINDS: [u16; 20] = [
    attribute::MAPPED_ADDRESS,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::REQUESTED_TRANSPORT,
    attribute::DONT_FRAGMENT,
    attribute::PASSWORD_ALGORITHM,
    attribute::USERHASH,
    attribute::RESERVATION_TOKEN,
    attribute::ADDITIONAL_ADDRESS_FAMILY,
    attribute::PASSWORD_ALGORITHMS,
    attribute::MESSAGE_INTEGRITY,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::FINGERPRINT,
    attribute::USERNAME,
    0x7FFF,
    0xC0FF,
];
/// Methods of messages.
pub const METHODS: [Method; 7] = [
    Method::BINDING,
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::SEND,
    Method::DATA,
];
/// How much time passes.
pub const PAUSES_SECS: [u64; 8] = [1, 29, 60, 299, 300, 301, 600, 3599];

/// Permissions, and channels, of one allocation.
pub const PEERS: usize = 3;

/// What the operator has set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    BuiltIn,
    /// 9.0.0.0/8 is denied.
    Deny,
    /// 10.0.0.0/8 is allowed.
    Allow,
}

/// The clients: two names over all transports and families, one that is soon too old, one that guesses.
pub fn clients(world: &World) -> Vec<Speaker> {
    let alice = world.client("84.1.0.1:4000");
    let mut elsewhere = world.client_as("84.1.0.1:4001", &alice.username, &alice.password);
    elsewhere.style.integrity = Integrity::Sha256;
    let mut over_tcp = world.client("84.1.0.1:4000");
    over_tcp.client.transport = Transport::Tcp;
    let mut over_tls = world.client("[2a02::2]:4000");
    over_tls.client.transport = Transport::Tls;
    let brief = format!("{}:brief", BEGIN + 60);
    vec![
        alice,
        elsewhere,
        world.client("[2a02::1]:4000"),
        over_tcp,
        over_tls,
        world.client_as("84.1.5.1:4000", "carol", "wonder"),
        world.client_as("84.1.6.1:4000", &brief, &mint(SECRET, &brief)),
        world.client_as("84.1.0.7:4000", "carol", "guess"),
    ]
}

/// The server's configuration: its rules for peers, and what `flags` turn on.
pub fn settings(rules: Rules, flags: u8) -> Config {
    let net = |text: &str| vec![text.parse().expect("a network")];
    let peers = match rules {
        Rules::BuiltIn => PeerRules::default(),
        Rules::Deny => PeerRules { allow: Vec::new(), deny: net("9.0.0.0/8") },
        Rules::Allow => PeerRules { allow: net("10.0.0.0/8"), deny: Vec::new() },
    };
    let alternate_servers =
        if flags & 4 != 0 { vec![addr("7.7.7.7:3478"), addr("[2a07::7]:3478")] } else { Vec::new() };
    Config {
        password_algorithms: flags & 1 != 0,
        strict_expiry: flags & 2 != 0,
        alternate_servers,
        peers,
        limits: Limits { permissions: PEERS, channels: PEERS, ..config().limits },
        ..config()
    }
}

/// A channel number, mostly one of a few that are good.
pub fn channel(bytes: &mut Bytes<'_>) -> u16 {
    match bytes.byte() {
        number @ 0..200 => 0x4000 + u16::from(number & 7),
        number => u16::from(number) << 8,
    }
}

/// A message of any method and class with any attributes.
pub fn arbitrary(bytes: &mut Bytes<'_>) -> Ask {
    let how = bytes.byte();
    let class = [Class::Request, Class::Request, Class::Indication, Class::Success][usize::from(how & 3)];
    let method = METHODS[usize::from(how >> 2) % METHODS.len()];
    let mut message = if how == 0 { binding() } else { ask(class, method) };
    for _ in 0..bytes.byte() % 8 {
        let kind = bytes.one(&KINDS);
        message = message.with(kind, bytes.some());
    }
    if how & 0x80 != 0 { message.fingerprinted() } else { message }
}
