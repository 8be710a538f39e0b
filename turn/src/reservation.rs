//! Ports that were reserved for a second allocation (RFC 8656 §7.2): N+1 beside an even N, for RTCP beside RTP.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Relay;

/// How long a reservation is held.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30);

/// Ports that were reserved here, in the order in which their time ends. Each is on the account of its user, so that quotas
/// bound their number. Whoever shows the token may come to another server of the process: the token itself says which port it
/// is for, and whose; the embedder knows whether it is still kept.
///
/// ```text
///  Allocate(EVEN-PORT, R) ──► N: relay     N+1: kept ──┬── 30 s ──────────────────────► given back
///                                                      └── Allocate(RESERVATION-TOKEN) ► relay
/// ```
#[derive(Default)]
pub(crate) struct Reservations(VecDeque<Reservation>);

struct Reservation {
    relay: Relay,
    username: Box<str>,
    expires: Instant,
}

impl Reservations {
    /// Notes that `relay` is kept for `username`. Where it was before, it has since been claimed at another server and given
    /// back: the earlier end is not that of this reservation.
    pub(crate) fn add(&mut self, now: Instant, relay: Relay, username: &str) {
        self.remove(relay);
        self.0.push_back(Reservation { relay, username: username.into(), expires: now + LIFETIME });
    }

    /// Forgets `relay`, which is an allocation's from now on.
    pub(crate) fn remove(&mut self, relay: Relay) {
        self.0.retain(|reservation| reservation.relay != relay);
    }

    /// Takes out a port whose time is over.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Relay> {
        if self.next_expiry()? > now {
            return None;
        }
        self.0.pop_front().map(|reservation| reservation.relay)
    }

    /// Takes out the ports of users whom `wanted` picks.
    pub(crate) fn take(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<Relay> {
        let relays = self.0.iter().filter(|reservation| wanted(&reservation.username)).map(|r| r.relay).collect();
        self.0.retain(|reservation| !wanted(&reservation.username));
        relays
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.0.front().map(|reservation| reservation.expires)
    }
}
