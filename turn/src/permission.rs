//! Permissions (RFC 8656 §9): the peer addresses that an allocation accepts data from.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long a permission lasts without being refreshed (RFC 8656 §9).
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// The permissions of one allocation. There are few of them, so that a walk beats a map.
#[derive(Default)]
pub(crate) struct Permissions(Vec<Permission>);

/// One peer address, whatever the port.
struct Permission {
    peer: IpAddr,
    expires: Instant,
}

impl Permissions {
    pub(crate) fn allows(&self, now: Instant, peer: IpAddr) -> bool {
        self.0.iter().any(|permission| permission.peer == peer && permission.expires > now)
    }

    /// Whether `peers`, some of them perhaps known already, fit when there may be `most`.
    pub(crate) fn have_room(&self, peers: &[IpAddr], most: usize) -> bool {
        let is_first = |at: usize, peer: &IpAddr| !peers[..at].contains(peer);
        let is_new = |peer: &IpAddr| !self.0.iter().any(|permission| permission.peer == *peer);
        let new = peers.iter().enumerate().filter(|(at, peer)| is_new(peer) && is_first(*at, peer)).count();
        self.0.len() + new <= most
    }

    /// Installs the permission for `peer`, or makes it last anew.
    pub(crate) fn refresh(&mut self, now: Instant, peer: IpAddr) {
        let expires = now + LIFETIME;
        match self.0.iter_mut().find(|permission| permission.peer == peer) {
            Some(permission) => permission.expires = expires,
            None => self.0.push(Permission { peer, expires }),
        }
    }

    /// Removes those that have expired.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.0.retain(|permission| permission.expires > now);
    }

    /// Removes those whose peer is no longer welcome.
    pub(crate) fn retain(&mut self, is_welcome: impl Fn(IpAddr) -> bool) {
        self.0.retain(|permission| is_welcome(permission.peer));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.0.iter().map(|permission| permission.expires).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
