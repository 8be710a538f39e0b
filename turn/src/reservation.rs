//! Ports that were reserved for a second allocation (RFC 8656 §7.2): N+1 beside an even N, for RTCP beside RTP.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Relay;
use crate::allocation::Token;

/// How long a reservation is held.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30);

/// Reserved ports in the order in which they expire. Each was opened on the account of its user, so that quotas bound
/// their number.
///
/// ```text
///  Allocate(EVEN-PORT, R) ──► N: relay     N+1: reserved ──┬── 30 s ──────────────────────► given back
///                                                          └── Allocate(RESERVATION-TOKEN) ► relay
/// ```
#[derive(Default)]
pub(crate) struct Reservations(VecDeque<Reservation>);

struct Reservation {
    token: Token,
    relay: Relay,
    username: Box<str>,
    expires: Instant,
}

impl Reservations {
    /// Keeps `relay` for the user who will show `token`.
    pub(crate) fn add(&mut self, now: Instant, token: Token, relay: Relay, username: &str) {
        let expires = now + LIFETIME;
        self.0.push_back(Reservation { token, relay, username: username.into(), expires });
    }

    /// The port that `token` was given for, if it is still kept for `username`: a token that was overheard is of no use.
    pub(crate) fn find(&self, now: Instant, token: &[u8], username: &str) -> Option<Relay> {
        let reservation = self.0.iter().find(|reservation| reservation.token == *token)?;
        (reservation.expires > now && *reservation.username == *username).then_some(reservation.relay)
    }

    /// Forgets `relay`, which is an allocation's from now on.
    pub(crate) fn remove(&mut self, relay: Relay) {
        self.0.retain(|reservation| reservation.relay != relay);
    }

    /// Takes out a port that nobody came for.
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
