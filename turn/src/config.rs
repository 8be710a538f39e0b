//! Everything that is decided before the first packet.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::Discovery;

/// The server's configuration. No field means "default": whoever builds it has decided.
#[derive(Debug, Clone)]
pub struct Config {
    /// The REALM of the long-term credential mechanism.
    pub realm: String,
    /// What relayed IPv4 addresses are announced as; `None` where this host has no IPv4.
    pub external_v4: Option<Ipv4Addr>,
    /// What relayed IPv6 addresses are announced as; `None` where this host has no IPv6.
    pub external_v6: Option<Ipv6Addr>,
    /// Every address of this host and every name the world has for it: peers there are denied, save for our own ports.
    pub host: Vec<IpAddr>,
    /// Shared secrets for time-limited credentials; any of them may have signed.
    pub secrets: Vec<Secret>,
    /// Static users by name.
    pub users: HashMap<String, StaticUser>,
    /// Whether challenges offer PASSWORD-ALGORITHMS, and USERHASH where there are only static users (RFC 8489 §9.2). No
    /// browser knows either, and a challenge, which anybody can have sent to anybody, grows by 28 bytes. RFC 8489
    /// leaves the offer to the server; without it, its nonce carries no cookie and clients behave as RFC 5389 says.
    /// What a client sends unasked (MESSAGE-INTEGRITY-SHA256, the USERHASH of a static user) is understood either way.
    pub password_algorithms: bool,
    /// Whether a Refresh, too, needs a credential that has not expired.
    pub strict_expiry: bool,
    /// Where clients without an allocation are sent while this server is drained (RFC 8489 §10): the first address of
    /// each family. Empty: they are served here. Over TLS, the other server must answer to the same name.
    pub alternate_servers: Vec<SocketAddr>,
    /// The addresses of NAT behaviour discovery (RFC 5780); `None`: there is none to be had.
    pub discovery: Option<Discovery>,
    /// Whether an allocation may follow its client to another address (RFC 8016).
    pub mobility: bool,
    /// Which peers may be reached.
    pub peers: PeerRules,
    /// Limits that the server itself keeps.
    pub limits: Limits,
}

/// A named shared secret (`turn-rest`): the password of `expiry[:name]` is base64 of HMAC-SHA1 over that user name.
#[derive(Clone)]
pub struct Secret {
    /// What the operator calls it.
    pub name: String,
    /// The key.
    pub value: Vec<u8>,
    /// When it is accepted.
    pub validity: Validity,
}

/// From when until when something is accepted, in seconds since 1970; always by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    /// Not before then.
    pub not_before: Option<u64>,
    /// From then on no longer.
    pub not_after: Option<u64>,
}

impl Validity {
    /// Whether it is accepted at `unix_secs`.
    pub fn holds(&self, unix_secs: u64) -> bool {
        self.not_before.is_none_or(|begin| begin <= unix_secs) && self.not_after.is_none_or(|end| unix_secs < end)
    }
}

/// How a static user proves itself. A key is what the password becomes by one algorithm (RFC 8489 §18.5.1), for one name
/// and one realm: who has only that knows no password, and can be proved by that algorithm alone.
#[derive(Clone, PartialEq, Eq)]
pub enum StaticUser {
    /// The password itself.
    Password(String),
    /// MD5 of `user:realm:password`: what every client uses that agrees on no algorithm.
    Md5Key([u8; 16]),
    /// SHA-256 of `user:realm:password`: for clients that agree on SHA-256, once it is offered.
    Sha256Key([u8; 32]),
}

/// The operator's lists, over the built-in rules: the longest prefix wins, deny wins a tie, and an explicit `allow`
/// overrides a built-in denial.
#[derive(Debug, Clone, Default)]
pub struct PeerRules {
    /// Networks that may be reached.
    pub allow: Vec<IpNet>,
    /// Networks that may not be reached.
    pub deny: Vec<IpNet>,
}

/// Limits that the server itself keeps.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest lifetime that is granted, in seconds.
    pub max_lifetime_secs: u32,
    /// Permissions of one allocation.
    pub permissions: usize,
    /// Channels of one allocation.
    pub channels: usize,
    /// TCP connections with peers of one TCP allocation; 0: there are no TCP allocations (RFC 6062).
    pub tcp_connections: usize,
    /// Answers a second to one source prefix (IPv4 /24, IPv6 /56) that has proved no key (401, 438, 400, Binding); 0: no
    /// limit.
    pub stranger_answers_per_second: u32,
    /// How many of those may come at once.
    pub stranger_answers_burst: u32,
    /// Whether relayed payload is measured by the [`Meter`](crate::Meter) of its allocation. Meters are there either way, so
    /// that limits which come later hold for what is there already.
    pub metered: bool,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StaticUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaticUser")
    }
}
