//! Everything decided: what the rest of the daemon reads. No `Option` here means "default".

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use roundturn_turn as turn;

use super::file::Written;
use super::secret::Secret;
use crate::tokens::Tokens;

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
    /// `[relay]`
    pub relay: Relay,
    /// `[auth]`
    pub auth: Auth,
    /// `[peers]`
    pub peers: Peers,
    /// `[limits]`
    pub limits: Limits,
    /// `[rooms]`
    pub rooms: Rooms,
    /// `[rooms]`, of its WebSockets.
    pub frames: Frames,
    /// What room tokens are checked by; `None`: no key is configured.
    pub tokens: Option<Tokens>,
    /// Who is told what happens in rooms.
    pub webhooks: Webhooks,
    /// `[tls]`; `None`: there is no TLS.
    pub tls: Option<Tls>,
    /// `[shards]`
    pub shards: Shards,
    /// `[log]`
    pub log: Log,
    /// Where state is kept across restarts (`$STATE_DIRECTORY`, which systemd sets); `None`: nowhere.
    pub state_directory: Option<PathBuf>,
    /// What they were decided from.
    pub(super) written: Source,
}

/// Every key that was written, for comparison with what is written later. It holds secrets, and shows none.
#[derive(Clone)]
pub(super) struct Source(pub(super) Written);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source(…)")
    }
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
    /// Origins of pages elsewhere that may use API and WebSocket.
    pub origins: Vec<String>,
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

/// Parts of TURN that few need.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Whether clients may have TCP relays (RFC 6062).
    pub tcp_allocations: bool,
    /// Whether an allocation may follow its client to a new address.
    pub mobility: bool,
    /// The addresses of NAT behaviour discovery; `None`: off.
    pub behavior_discovery: Option<BehaviorDiscovery>,
    /// Whether challenges offer PASSWORD-ALGORITHMS.
    pub password_algorithms: bool,
    /// Where new clients are sent instead, at most one address of each family; empty: they are served here.
    pub alternate_servers: Vec<SocketAddr>,
}

/// Two addresses of this host, of one family, that differ in address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BehaviorDiscovery {
    /// One of `[listen] turn`.
    pub primary: SocketAddr,
    /// The other.
    pub alternate: SocketAddr,
}

/// Who may use the relay.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The REALM.
    pub realm: String,
    /// Shared secrets, newest first: the first one that is accepted signs what we mint.
    pub secrets: Vec<NamedSecret>,
    /// Whether the only secret is a random one of this start.
    pub secret_is_random: bool,
    /// The random secret of this start, where one was made. It is among the secrets, the last of them: what was signed
    /// with it before others were configured stays good.
    pub random: Option<NamedSecret>,
    /// Static users, and how each proves itself.
    pub users: HashMap<String, turn::StaticUser>,
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
    /// When it is accepted.
    pub validity: turn::Validity,
}

impl NamedSecret {
    /// The one of `secrets` that signs at `unix_secs` what is to be good for `ttl_secs`: the first that is accepted all that
    /// time, or else the one that is accepted longest.
    pub fn signing(secrets: &[Self], unix_secs: u64, ttl_secs: u64) -> Option<&Self> {
        let mut accepted = secrets.iter().filter(|secret| secret.validity.holds(unix_secs));
        let ends = |secret: &Self| secret.validity.not_after.unwrap_or(u64::MAX);
        let lasts = accepted.clone().find(|secret| ends(secret) >= unix_secs.saturating_add(ttl_secs));
        lasts.or_else(|| {
            let first = accepted.next()?;
            Some(accepted.fold(first, |best, other| if ends(other) > ends(best) { other } else { best }))
        })
    }

    /// When what it signs at `unix_secs` for `ttl_secs` ends, in seconds since 1970: no later than it does itself.
    pub fn expiry(&self, unix_secs: u64, ttl_secs: u64) -> u64 {
        unix_secs.saturating_add(ttl_secs).min(self.validity.not_after.unwrap_or(u64::MAX))
    }
}

/// Which peers relays may reach.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    /// Networks that may be reached.
    pub allow: Vec<IpNet>,
    /// Networks that may not.
    pub deny: Vec<IpNet>,
}

/// Quotas and rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Allocations in all.
    pub allocations: usize,
    /// Allocations of one user.
    pub allocations_per_user: usize,
    /// Allocations from one source prefix.
    pub allocations_per_prefix: usize,
    /// Bits per second of payload of one user, in each direction; 0: no limit.
    pub user_rate: u64,
    /// The same of all users together.
    pub total_rate: u64,
    /// Bytes of payload relayed in a calendar month, both directions together; 0: no limit.
    pub monthly_bytes: u64,
}

impl Limits {
    /// Whether payload is limited in any way.
    pub fn is_metered(&self) -> bool {
        self.user_rate > 0 || self.total_rate > 0 || self.monthly_bytes > 0
    }
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
    /// Others' microphones that one participant may receive at once.
    pub audio_slots: usize,
    /// Others' cameras and screens that one participant may receive at once.
    pub video_slots: usize,
    /// Whether what followed the last keyframe of a picture is kept for who comes later.
    pub keyframe_cache: bool,
    /// How long a room lives at most.
    pub ttl: Duration,
    /// How long an empty room waits.
    pub empty_timeout: Duration,
    /// How long a participant whose connection is lost may resume.
    pub resume: Duration,
}

/// What one WebSocket may send, and be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// The largest frame from a client, in bytes.
    pub bytes: usize,
    /// The largest frame to a client that can be made smaller, in bytes.
    pub bytes_out: usize,
    /// Frames that a client may send for ever, a second.
    pub per_second: u32,
    /// Frames that it may send at once.
    pub burst: u32,
}

/// How media flows in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomMode {
    /// Between the participants.
    Mesh,
    /// Through us.
    Sfu,
}

impl RoomMode {
    /// As configurations and the protocol say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Sfu => "sfu",
        }
    }
}

/// Who is told what happens in rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    /// Where.
    pub urls: Vec<String>,
    /// What signs it; empty where there is no URL.
    pub secret: Secret,
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
