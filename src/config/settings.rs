//! Everything decided: what the rest of the daemon reads. No `Option` here means "default".

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::secret::Secret;

/// The daemon's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where they were read from; `None` where there was no file.
    pub file: Option<PathBuf>,
    /// `[listen]`
    pub listen: Listen,
    /// `[address]`
    pub address: Address,
    /// `[address] stun_servers`, `host:port`: asked for our address when it is [`Address::Auto`] and behind NAT.
    pub stun_servers: Vec<String>,
    /// `[ports] udp`, shared by relays and the SFU.
    pub ports: RangeInclusive<u16>,
    /// `[auth]`
    pub auth: Auth,
    /// `[peers]`
    pub peers: Peers,
    /// `[limits]`
    pub limits: Limits,
    /// `[rooms]`
    pub rooms: Rooms,
    /// `[tls]`; `None`: there is no TLS.
    pub tls: Option<Tls>,
    /// `[shards]`
    pub shards: Shards,
    /// `[log]`
    pub log: Log,
}

impl Settings {
    /// Where TURN over TLS is: on the ports of its own, else on those of plain TURN. None without a certificate.
    pub fn tls_listeners(&self) -> &[SocketAddr] {
        match (&self.tls, &self.listen.turns[..]) {
            (None, _) => &[],
            (Some(_), []) => &self.listen.turn,
            (Some(_), turns) => turns,
        }
    }
}

/// Sockets to listen on.
#[derive(Debug, Clone)]
pub struct Listen {
    /// STUN and TURN, over UDP and TCP. `[::]` stands for both families.
    pub turn: Vec<SocketAddr>,
    /// TURN over TLS only, where `[tls]` is set.
    pub turns: Vec<SocketAddr>,
    /// Networks whose PROXY protocol headers are believed.
    pub proxy_protocol_from: Vec<IpNet>,
    /// Pages, API and WebSocket.
    pub http: Vec<SocketAddr>,
    /// Prometheus; `None`: off.
    pub metrics: Option<SocketAddr>,
}

/// What the world calls this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Found from the interfaces.
    Auto,
    /// As the operator says: external addresses, each with the local one behind it where they differ.
    Fixed(Vec<ExternalAddress>),
    /// A DNS name, resolved at start.
    Name(String),
}

/// One external address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExternalAddress {
    /// What the world sends to.
    pub external: IpAddr,
    /// The address of this host that it arrives at, where the operator named it.
    pub local: Option<IpAddr>,
}

/// Who may use the relay.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The REALM.
    pub realm: String,
    /// Shared secrets, newest first: the first one signs what we mint.
    pub secrets: Vec<NamedSecret>,
    /// Whether the only secret is a random one of this start.
    pub secret_is_random: bool,
    /// Static users and their passwords.
    pub users: HashMap<String, Secret>,
    /// Whether Refresh checks the expiry too.
    pub strict_expiry: bool,
    /// How long minted credentials are good for.
    pub credential_ttl: Duration,
    /// Keys of the programs that may ask for credentials over HTTP.
    pub api_keys: Vec<Secret>,
}

/// One of several shared secrets.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    /// What the operator calls it.
    pub name: String,
    /// The key.
    pub value: Secret,
    /// Unix seconds from which on it is no longer accepted.
    pub not_after: Option<u64>,
}

/// Which peers relays may reach.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    /// Networks that may be reached.
    pub allow: Vec<IpNet>,
    /// Networks that may not.
    pub deny: Vec<IpNet>,
}

/// Quotas.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Allocations in all.
    pub allocations: usize,
    /// Allocations of one user.
    pub allocations_per_user: usize,
    /// Allocations from one source prefix.
    pub allocations_per_prefix: usize,
}

/// What rooms are when nobody says.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// Whether anyone who knows a room's name may join it.
    pub open: bool,
    /// The mode of a room that is made without one.
    pub mode: RoomMode,
    /// The largest number of participants.
    pub max_participants: usize,
    /// How long a room lives at most.
    pub ttl: Duration,
    /// How long an empty room waits.
    pub empty_timeout: Duration,
    /// How long a participant whose connection is lost may resume.
    pub resume: Duration,
}

/// How media flows in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomMode {
    /// Between the participants.
    Mesh,
    /// Through us.
    Sfu,
}

/// The certificate of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The chain, a PEM file.
    pub certificate: PathBuf,
    /// Its private key, a PEM file.
    pub key: PathBuf,
}

/// The threads that move packets.
#[derive(Debug, Clone)]
pub struct Shards {
    /// How many, at least one.
    pub count: usize,
    /// Whether packets to our own addresses are handed over inside the process.
    pub hairpin: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level, or tracing directives: `info`, `roundturn=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// To the journal, with fields.
    Journal,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
