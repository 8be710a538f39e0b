//! Channels (RFC 8656 §12): a number instead of an address before each packet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Peer;

/// How long a binding lasts without being refreshed (RFC 8656 §12).
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);

/// The channels of one allocation. Number and peer are each bound once.
///
/// ```text
///            ChannelBind(n, p)                 ChannelBind(n, p): 10 minutes anew
///  unbound ────────────────────► bound n ↔ p ──┐ ChannelBind(n, q) or (m, p): 400
///     ▲                             │     ▲────┘
///     └─────────────────────────────┘
///        10 minutes, or the peer is no longer welcome
/// ```
#[derive(Default)]
pub(crate) struct Channels(Vec<Channel>);

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
    /// The number is bound to another peer, or the peer to another number.
    Taken,
    /// The allocation has as many channels as it may.
    Full,
}

impl Channels {
    /// The peer that channel `number` is bound to.
    pub(crate) fn peer(&self, now: Instant, number: u16) -> Option<Peer> {
        let channel = self.0.iter().find(|channel| channel.number == number)?;
        (channel.expires > now).then_some(Peer(channel.peer))
    }

    /// The number that `peer` is bound to.
    pub(crate) fn number(&self, now: Instant, peer: Peer) -> Option<u16> {
        let channel = self.0.iter().find(|channel| channel.peer == peer.0)?;
        (channel.expires > now).then_some(channel.number)
    }

    /// Whether `number` could be bound to `peer` when there may be `most` channels.
    ///
    /// # Errors
    /// [`BindError`]
    pub(crate) fn can_bind(&self, now: Instant, number: u16, peer: Peer, most: usize) -> Result<(), BindError> {
        let mut alive = self.0.iter().filter(|channel| channel.expires > now);
        match alive.find(|channel| channel.number == number || channel.peer == peer.0) {
            Some(channel) if channel.number == number && channel.peer == peer.0 => Ok(()),
            Some(_) => Err(BindError::Taken),
            None if self.0.len() >= most => Err(BindError::Full),
            None => Ok(()),
        }
    }

    /// Binds `number` to `peer`, or makes the binding last anew. What stood in the way has expired.
    pub(crate) fn bind(&mut self, now: Instant, number: u16, peer: Peer, is_ours: bool) {
        self.0.retain(|channel| channel.number != number && channel.peer != peer.0);
        self.0.push(Channel { number, peer: peer.0, is_ours, expires: now + LIFETIME });
    }

    /// Removes those that have expired.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.0.retain(|channel| channel.expires > now);
    }

    /// Removes those whose peer is no longer welcome.
    pub(crate) fn retain(&mut self, is_welcome: impl Fn(Peer, bool) -> bool) {
        self.0.retain(|channel| is_welcome(Peer(channel.peer), channel.is_ours));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.0.iter().map(|channel| channel.expires).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
