//! Relay ports that count up from 50000 and remember who has them.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use roundturn_turn::{ConnectionId, Family, Holder, Meter, OpenError, Peer, Relay, Relays};

use super::{EXTERNAL_V4, EXTERNAL_V6};

pub struct TestRelays {
    pub next: u16,
    pub most: usize,
    pub most_per_user: usize,
    /// Opened and not closed, with the name they are counted under.
    pub open: HashMap<Relay, String>,
    /// SFU ports and relays of other shards.
    pub other_ours: HashSet<SocketAddr>,
    /// Those of them that are kept for a second allocation.
    pub reserved: HashSet<Relay>,
    pub refusal: Option<OpenError>,
    /// Those of the open ones that carry TCP.
    pub tcp: HashSet<Relay>,
    /// Connects that were begun, in their order.
    pub connects: Vec<(ConnectionId, Relay, Peer)>,
    /// Connections that were to be closed.
    pub disconnected: Vec<ConnectionId>,
    /// What makes the meters of allocations.
    pub meter: Option<Box<dyn Fn() -> Box<dyn Meter>>>,
}

impl TestRelays {
    pub fn new() -> Self {
        let (open, reserved, other_ours) = (HashMap::new(), HashSet::new(), HashSet::new());
        Self {
            next: 50_000,
            most: usize::MAX,
            most_per_user: usize::MAX,
            open,
            reserved,
            other_ours,
            refusal: None,
            tcp: HashSet::new(),
            connects: Vec::new(),
            disconnected: Vec::new(),
            meter: None,
        }
    }

    /// The time of a reservation is over; it may have been taken up at another server.
    pub fn release(&mut self, relay: Relay) {
        if self.reserved.remove(&relay) {
            self.close(relay);
        }
    }

    pub fn close(&mut self, relay: Relay) {
        assert!(self.open.remove(&relay).is_some(), "{relay:?} is closed once");
        self.tcp.remove(&relay);
    }
}

impl Relays for TestRelays {
    fn open(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if self.open.len() >= self.most {
            return Err(OpenError::NoPort);
        }
        if self.open.values().filter(|user| *user == holder.user).count() >= self.most_per_user {
            return Err(OpenError::UserQuota);
        }
        let relay = Relay { family, port: self.next };
        self.next = self.next.checked_add(1).unwrap_or(50_000);
        assert!(self.open.insert(relay, holder.user.to_owned()).is_none());
        Ok(relay)
    }

    fn open_even(&mut self, family: Family, with_next: bool, holder: Holder<'_>) -> Result<Relay, OpenError> {
        self.next = self.next.next_multiple_of(2);
        let relay = self.open(family, holder)?;
        if with_next {
            let next = self.open(family, holder).inspect_err(|_| self.close(relay))?;
            self.reserved.insert(next);
        }
        Ok(relay)
    }

    fn open_reserved(&mut self, relay: Relay) -> Result<(), OpenError> {
        if self.reserved.remove(&relay) { Ok(()) } else { Err(OpenError::NoPort) }
    }

    fn meter(&mut self, relay: Relay) -> Option<Box<dyn Meter>> {
        assert!(self.open.contains_key(&relay));
        self.meter.as_ref().map(|make| make())
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        let external = match Family::of(address) {
            Family::V4 => EXTERNAL_V4,
            Family::V6 => EXTERNAL_V6,
        };
        let relay = Relay { family: Family::of(address), port: address.port() };
        let is_open = self.open.contains_key(&relay) && !self.tcp.contains(&relay);
        address.ip() == external.parse::<std::net::IpAddr>().unwrap() && is_open || self.other_ours.contains(&address)
    }

    fn open_tcp(&mut self, family: Family, holder: Holder<'_>) -> Result<Relay, OpenError> {
        self.open(family, holder).inspect(|relay| assert!(self.tcp.insert(*relay)))
    }

    fn connect(&mut self, relay: Relay, peer: Peer) -> Option<ConnectionId> {
        assert!(self.tcp.contains(&relay));
        let id = ConnectionId(self.connects.len() as u32 + 1);
        self.connects.push((id, relay, peer));
        Some(id)
    }

    fn is_ours_tcp(&self, address: SocketAddr) -> bool {
        self.tcp.iter().any(|relay| {
            let external = if relay.family == Family::V4 { EXTERNAL_V4 } else { EXTERNAL_V6 };
            address == SocketAddr::new(external.parse().unwrap(), relay.port)
        })
    }
}
