//! Channels (RFC 8656 §12): a number instead of an address before each packet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Peer;

/// How long a binding lasts without being refreshed (RFC 8656 §12).
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);

/// How long number and peer are kept for each other afterwards (RFC 8656 §12): data that is still on its way must not
/// reach another peer, nor seem to come from one.
pub(crate) const QUARANTINE: Duration = Duration::from_secs(300);

/// The channels of one allocation. Number and peer are each bound once.
///
/// ```text
///            ChannelBind(n, p)                 ChannelBind(n, p): 10 minutes anew
///  unbound ────────────────────► bound n ↔ p ──┐ ChannelBind(n, q) or (m, p): 400
///   ▲ ▲                           ▲ │  │  ▲────┘
///   │ │         ChannelBind(n, p) │ │  │ 10 minutes
///   │ │ 5 minutes                 │ │  ▼
///   │ └───────────────────── quarantined: carries nothing; ChannelBind(n, q) or (m, p): 400
///   └─────────────────────────────┘
///        the peer is no longer welcome
/// ```
#[derive(Default)]
pub(crate) struct Channels {
    bound: Vec<Channel>,
    /// Those that have expired, until their quarantine ends. A channel lasts longer than its quarantine, so that there
    /// are never more of them than may be bound. Nobody waits for their end: they are forgotten when they are looked
    /// at.
    quarantined: Vec<Channel>,
}

struct Channel {
    number: u16,
    peer: SocketAddr,
    /// Whether it was granted because the peer is a port of this process.
    is_ours: bool,
    expires: Instant,
}

/// Why a channel was not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindError {
    /// The number is bound to another peer, or the peer to another number, or was until a short while ago.
    Taken,
    /// The allocation has as many channels as it may.
    Full,
}

impl Channels {
    /// The peer that channel `number` is bound to.
    pub(crate) fn peer(&self, now: Instant, number: u16) -> Option<Peer> {
        let channel = self.bound.iter().find(|channel| channel.number == number)?;
        (channel.expires > now).then_some(Peer(channel.peer))
    }

    /// The number that `peer` is bound to.
    pub(crate) fn number(&self, now: Instant, peer: Peer) -> Option<u16> {
        let channel = self.bound.iter().find(|channel| channel.peer == peer.0)?;
        (channel.expires > now).then_some(channel.number)
    }

    /// Whether `number` could be bound to `peer` when there may be `most` channels. What has expired must have been
    /// [removed](Self::expire) before.
    ///
    /// # Errors
    /// [`BindError`]
    pub(crate) fn can_bind(&self, number: u16, peer: Peer, most: usize) -> Result<(), BindError> {
        let is_same = |channel: &&Channel| channel.number == number && channel.peer == peer.0;
        let is_either = |channel: &&Channel| channel.number == number || channel.peer == peer.0;
        let all = || self.bound.iter().chain(&self.quarantined);
        if all().any(|channel| is_either(&channel) && !is_same(&channel)) {
            return Err(BindError::Taken);
        }
        if self.bound.len() >= most && !self.bound.iter().any(|channel| is_same(&channel)) {
            return Err(BindError::Full);
        }
        Ok(())
    }

    /// Binds `number` to `peer`, or makes the binding last anew. Nothing stands in the way.
    pub(crate) fn bind(&mut self, now: Instant, number: u16, peer: Peer, is_ours: bool) {
        self.bound.retain(|channel| channel.number != number);
        self.quarantined.retain(|channel| channel.number != number);
        self.bound.push(Channel { number, peer: peer.0, is_ours, expires: now + LIFETIME });
    }

    /// Quarantines those that have expired, and forgets those that have been quarantined long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.quarantined.extend(self.bound.extract_if(.., |channel| channel.expires <= now));
        self.quarantined.retain(|channel| channel.expires + QUARANTINE > now);
    }

    /// Removes those whose peer is no longer welcome.
    pub(crate) fn retain(&mut self, is_welcome: impl Fn(Peer, bool) -> bool) {
        self.bound.retain(|channel| is_welcome(Peer(channel.peer), channel.is_ours));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.bound.iter().map(|channel| channel.expires).min()
    }

    /// How many are bound.
    pub(crate) fn len(&self) -> usize {
        self.bound.len()
    }
}
