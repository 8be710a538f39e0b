//! Which way a participant's packets come and go: the pairs of addresses that its ICE has proven, and the one in use.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Pairs that are remembered for one participant; beyond them the oldest is forgotten.
const NOMINATED: usize = 8;
/// How long nothing comes on the pair in use before another one, on which something does, takes its place. Whoever is in a
/// call sends several packets in that time, if only reports of what arrived.
const SILENCE: Duration = Duration::from_millis(500);

/// What carries ICE checks and media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP datagrams.
    Udp,
    /// Frames in a TCP stream (RFC 4571), which the client has opened (RFC 6544).
    Tcp,
}

/// An address of ours and one of a client's, as ICE pairs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) transport: Transport,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// One end of a route. Whoever has proven to be at the client's owns what comes from there.
pub(crate) type Source = (Transport, SocketAddr);

/// The routes of one participant.
///
/// ```text
///   check with USE-CANDIDATE, answered ──► nominated ──► in use: the engine's choice, until nothing comes on it
///                                              ▲           │      while something does on another
///                                              └───────────┘
/// ```
///
/// An ICE-lite agent takes the nominated pair of the highest priority (RFC 8445 §8.2), and the engine stays with it until
/// no check came for 15 s. A client whose NAT gave it another port nominates another pair of the same priority, and would
/// see nothing meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    nominated: VecDeque<Route>,
    /// What the engine chose last.
    chosen: Option<Route>,
    in_use: Option<Route>,
    /// When something came on the one in use.
    heard: Option<Instant>,
}

impl Routes {
    /// The client's check on `route`, which nominates it, was answered.
    pub(crate) fn nominate(&mut self, route: Route) {
        if !self.nominated.contains(&route) {
            self.nominated.push_back(route);
            if self.nominated.len() > NOMINATED {
                self.nominated.pop_front();
            }
        }
    }

    /// Something came on `route` that the client sends only where it sends everything: media, or a nomination.
    pub(crate) fn hear(&mut self, now: Instant, route: Route) {
        let is_silent =
            |heard: &mut Option<Instant>| now.saturating_duration_since(*heard.get_or_insert(now)) >= SILENCE;
        if self.in_use == Some(route) {
            self.heard = Some(now);
        } else if self.nominated.contains(&route) && (self.in_use.is_none() || is_silent(&mut self.heard)) {
            self.enter(route);
            self.heard = Some(now);
        }
    }

    /// The route for something that the engine sends by `chosen`.
    pub(crate) fn outward(&mut self, chosen: Route) -> Route {
        if self.chosen != Some(chosen) {
            self.chosen = Some(chosen);
            self.enter(chosen);
        }
        self.in_use.unwrap_or(chosen)
    }

    /// `route` is no more: its stream has ended.
    pub(crate) fn close(&mut self, route: Route) {
        self.nominated.retain(|other| *other != route);
        if self.in_use == Some(route) {
            self.in_use = self.nominated.back().copied();
            self.heard = None;
        }
    }

    /// The route in use.
    pub(crate) fn in_use(&self) -> Option<Route> {
        self.in_use
    }

    fn enter(&mut self, route: Route) {
        self.in_use = Some(route);
        self.heard = None;
    }
}

impl Route {
    pub(crate) fn source(&self) -> Source {
        (self.transport, self.remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    fn route(port: u16) -> Route {
        let at = |host, port| SocketAddr::from(([192, 0, 2, host], port));
        Route { transport: Transport::Udp, local: at(1, 49160), remote: at(2, port) }
    }

    #[test]
    fn a_client_that_moved_is_followed_once_its_old_address_is_silent() {
        let (mut routes, start) = (Routes::default(), start());
        let after = |ms| start + Duration::from_millis(ms);
        routes.nominate(route(1));
        assert_eq!(routes.outward(route(1)), route(1));
        routes.hear(after(0), route(1));
        routes.nominate(route(2));
        routes.hear(after(499), route(2));
        assert_eq!(routes.outward(route(1)), route(1), "both may be alive");
        routes.hear(after(500), route(2));
        assert_eq!(routes.outward(route(1)), route(2));
        assert_eq!(routes.outward(route(2)), route(2), "the engine agrees in the end");
        routes.hear(after(600), route(2));
        routes.hear(after(1000), route(1));
        assert_eq!(routes.in_use(), Some(route(2)));
    }

    #[test]
    fn what_was_not_nominated_is_not_followed() {
        let (mut routes, start) = (Routes::default(), start());
        routes.nominate(route(1));
        routes.outward(route(1));
        routes.hear(start, route(1));
        routes.hear(start + Duration::from_secs(10), route(2));
        assert_eq!(routes.in_use(), Some(route(1)));
    }

    #[test]
    fn a_route_that_ended_leaves_the_last_one_nominated_before() {
        let mut routes = Routes::default();
        (1..=3).for_each(|port| routes.nominate(route(port)));
        routes.outward(route(3));
        routes.close(route(3));
        assert_eq!(routes.outward(route(3)), route(2));
        routes.close(route(1));
        routes.close(route(2));
        assert_eq!(routes.outward(route(3)), route(3), "what the engine still believes");
        routes.nominate(route(4));
        routes.hear(start(), route(4));
        assert_eq!(routes.outward(route(3)), route(4), "nothing else is in use");
    }

    #[test]
    fn few_routes_are_remembered() {
        let (mut routes, start) = (Routes::default(), start());
        (1..=9).for_each(|port| routes.nominate(route(port)));
        routes.outward(route(9));
        routes.hear(start, route(9));
        routes.hear(start + SILENCE, route(1));
        assert_eq!(routes.in_use(), Some(route(9)));
        routes.hear(start + SILENCE, route(2));
        assert_eq!(routes.in_use(), Some(route(2)));
    }
}
