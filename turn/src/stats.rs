//! Plain counters: written on the way of a packet, read once a second by whoever exports them.

use std::marker::PhantomData;

use crate::error::Code;
use crate::labels::{Label, labels};
use crate::method::RequestMethod;
use crate::policy::Rule;
use crate::{CloseReason, Family, Transport, Why};

/// Monotonic counters and current gauges of one [`Server`](crate::Server).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Allocations alive now; a dual one counts as two, here and below.
    pub allocations: u64,
    /// Permissions installed now.
    pub permissions: u64,
    /// Channels bound now.
    pub channels: u64,
    /// Connections with peers that TCP allocations have now.
    pub tcp_connections: u64,
    /// Allocations alive now, by transport and family.
    pub allocations_by_family: ByTransport<Tally<Family>>,
    /// Requests that reached their method.
    pub requests: ByTransport<Tally<RequestMethod>>,
    /// Answers to them.
    pub responses: ByTransport<Responses>,
    /// Datagrams that led to nothing. Datagrams from strangers beyond their rate are among them as
    /// [`Why::RateLimited`].
    pub drops: Tally<Why>,
    /// Failed authentications, without the first challenge of each client.
    pub auth_failures: Tally<AuthFailure>,
    /// Allocations made, by family.
    pub created: ByTransport<Tally<Family>>,
    /// Allocations ended.
    pub closed: ByTransport<Tally<CloseReason>>,
    /// Authenticated Allocate requests that were refused for want of something.
    pub failed: Tally<AllocationFailure>,
    /// Peers that the rules denied.
    pub denied: Tally<Rule>,
    /// What went from clients to peers.
    pub to_peers: Traffic,
    /// What went from peers to clients.
    pub to_clients: Traffic,
}

/// Packets and their payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

/// Why an authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthFailure {
    /// The credential's time is over.
    Expired,
    /// MESSAGE-INTEGRITY was made with another key.
    BadIntegrity,
    /// No such static user, and no time-limited name.
    UnknownUser,
    /// The nonce is too old, or another client's.
    StaleNonce,
    /// The credential was revoked.
    Revoked,
}

labels!(AuthFailure {
    Expired => "expired",
    BadIntegrity => "bad_integrity",
    UnknownUser => "unknown_user",
    StaleNonce => "stale_nonce",
    Revoked => "revoked",
});

/// What an Allocate request wanted and did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllocationFailure {
    /// The user's quota.
    QuotaUser,
    /// The source prefix's quota.
    QuotaPrefix,
    /// The server's quota.
    QuotaTotal,
    /// The user's rate.
    RateUser,
    /// The server's rate.
    RateTotal,
    /// The server's bytes of this month.
    MonthlyBytes,
    /// A port.
    PortsExhausted,
    /// An address of that family.
    Family,
}

labels!(AllocationFailure {
    QuotaUser => "quota_user",
    QuotaPrefix => "quota_prefix",
    QuotaTotal => "quota_total",
    RateUser => "rate_user",
    RateTotal => "rate_total",
    MonthlyBytes => "monthly_bytes",
    PortsExhausted => "ports_exhausted",
    Family => "family",
});

/// The same counters for each transport between clients and us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByTransport<T>([T; Transport::ALL.len()]);

impl<T> ByTransport<T> {
    /// Those of `transport`.
    pub fn of(&self, transport: Transport) -> &T {
        &self.0[transport.index()]
    }

    /// Every transport's name and its counters, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        Transport::ALL.iter().map(|transport| (transport.label(), self.of(*transport)))
    }

    pub(crate) fn of_mut(&mut self, transport: Transport) -> &mut T {
        &mut self.0[transport.index()]
    }
}

impl<K: Label> ByTransport<Tally<K>> {
    /// The sum of all counts.
    pub fn total(&self) -> u64 {
        self.0.iter().map(Tally::total).sum()
    }
}

/// One counter for each member of a finite set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally<K> {
    counts: [u64; CAPACITY],
    key: PhantomData<K>,
}

/// More than the largest set has members.
const CAPACITY: usize = 16;

impl<K: Label> Tally<K> {
    /// The count of `key`.
    pub fn of(&self, key: K) -> u64 {
        self.counts[key.index()]
    }

    /// Every member's name and count, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        K::ALL.iter().map(|key| (key.label(), self.of(*key)))
    }

    /// The sum of all counts.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Counts one more.
    pub fn up(&mut self, key: K) {
        self.counts[key.index()] += 1;
    }

    pub(crate) fn down(&mut self, key: K) {
        self.counts[key.index()] -= 1;
    }
}

impl<K: Label> Default for Tally<K> {
    fn default() -> Self {
        const { assert!(K::ALL.len() <= CAPACITY) };
        Self { counts: [0; CAPACITY], key: PhantomData }
    }
}

/// Answers by method and code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Responses {
    successes: Tally<RequestMethod>,
    refusals: [Tally<Code>; RequestMethod::ALL.len()],
}

impl Responses {
    /// How many answers to `method` were successes (`None`) or had that code.
    pub fn of(&self, method: RequestMethod, code: Option<Code>) -> u64 {
        match code {
            None => self.successes.of(method),
            Some(code) => self.refusals[method.index()].of(code),
        }
    }

    /// Every method's name, with `200` for success or an error code, and the count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        RequestMethod::ALL.iter().flat_map(|method| {
            let successes = (method.label(), "200", self.successes.of(*method));
            let refusals = self.refusals[method.index()].iter();
            std::iter::once(successes).chain(refusals.map(|(code, count)| (method.label(), code, count)))
        })
    }

    pub(crate) fn up(&mut self, method: RequestMethod, code: Option<Code>) {
        match code {
            None => self.successes.up(method),
            Some(code) => self.refusals[method.index()].up(code),
        }
    }
}
