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
    /// Whether it was granted because the peer is a port of this process.
    is_ours: bool,
    expires: Instant,
}

impl Permissions {
    pub(crate) fn allows(&self, now: Instant, peer: IpAddr) -> bool {
        self.0.iter().any(|permission| permission.peer == peer && permission.expires > now)
    }

    /// Whether there is one for `peer` that was granted because a port of this process is there.
    pub(crate) fn holds_own(&self, now: Instant, peer: IpAddr) -> bool {
        self.0.iter().any(|permission| permission.is_ours && permission.peer == peer && permission.expires > now)
    }

    /// Whether `peers`, some of them perhaps known already or named twice, fit when there may be `most`.
    pub(crate) fn have_room(&self, peers: impl Iterator<Item = IpAddr>, most: usize) -> bool {
        let mut new: Vec<IpAddr> = peers.filter(|peer| !self.0.iter().any(|known| known.peer == *peer)).collect();
        new.sort_unstable();
        new.dedup();
        self.0.len() + new.len() <= most
    }

    /// Installs the permission for `peer`, or makes it last anew.
    pub(crate) fn refresh(&mut self, now: Instant, peer: IpAddr, is_ours: bool) {
        let expires = now + LIFETIME;
        match self.0.iter_mut().find(|permission| permission.peer == peer) {
            Some(permission) => *permission = Permission { peer, is_ours, expires },
            None => self.0.push(Permission { peer, is_ours, expires }),
        }
    }

    /// Removes those that have expired.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.0.retain(|permission| permission.expires > now);
    }

    /// Removes those whose peer is no longer welcome.
    pub(crate) fn retain(&mut self, is_welcome: impl Fn(IpAddr, bool) -> bool) {
        self.0.retain(|permission| is_welcome(permission.peer, permission.is_ours));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.0.iter().map(|permission| permission.expires).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
