//! What clients were granted, as far as answers and events tell, and which peers nobody may reach.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use roundturn_turn::message::{Class, Message, Method, attribute, decode_xor_address};
use roundturn_turn::{Client, Event, Peer, Relay};

use crate::dsl::minutes;

/// The relays of all clients, and what each client may do with its own.
#[derive(Default)]
pub struct Model {
    owners: HashMap<Relay, Client>,
    granted: HashMap<Client, Granted>,
}

#[derive(Default)]
struct Granted {
    permissions: HashMap<IpAddr, Instant>,
    channels: HashMap<u16, (Peer, Instant)>,
}

impl Model {
    /// Takes note of the life of allocations.
    pub fn happened(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Opened { client, relay, .. } => {
                    assert!(self.owners.insert(relay, client).is_none(), "{relay:?} is given out twice");
                }
                Event::Closed { client, relay, .. } => {
                    assert_eq!(self.owners.remove(&relay), Some(client), "{relay:?} is another's");
                    if !self.owners.values().any(|owner| *owner == client) {
                        self.granted.remove(&client);
                    }
                }
                Event::Released { relay } => assert!(!self.owners.contains_key(&relay), "{relay:?} is in use"),
                // Mobility and TCP relays are off.
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes note of what `client` was granted in `answer` to `said`.
    pub fn answered(&mut self, now: Instant, client: Client, said: &Message<'_>, answer: &Message<'_>) {
        if answer.class() != Class::Success || said.method() == Method::BINDING {
            return;
        }
        let has_relay = self.owners.values().any(|owner| *owner == client);
        let is_end = said.method() == Method::REFRESH && !has_relay;
        assert!(has_relay || is_end, "success without an allocation: {said:?}");
        let granted = self.granted.entry(client).or_default();
        let peers = said.attributes().filter(|attribute| attribute.kind == attribute::XOR_PEER_ADDRESS);
        for peer in peers.filter_map(|attribute| decode_xor_address(attribute.value, said.transaction())) {
            granted.permissions.insert(peer.ip(), now + minutes(5));
            if let Some(number) = said.number(attribute::CHANNEL_NUMBER) {
                granted.channels.insert((number >> 16) as u16, (Peer(peer), now + minutes(10)));
            }
        }
    }

    /// `client` got data through to `peer`: by channel, or by permission.
    pub fn passed(&self, now: Instant, client: Client, channel: Option<u16>, relay: Relay, peer: Peer) {
        assert_eq!(self.owners.get(&relay), Some(&client), "{relay:?} is another's");
        let granted = &self.granted[&client];
        match channel {
            Some(number) => assert!(granted.channels.get(&number).is_some_and(|(to, end)| *to == peer && *end > now)),
            None => assert!(granted.permissions.get(&peer.0.ip()).is_some_and(|end| *end > now), "{peer:?}"),
        }
    }

    /// `peer` got data through to `client`.
    pub fn came(&self, now: Instant, client: Client, relay: Relay, peer: Peer) {
        assert_eq!(self.owners.get(&relay), Some(&client), "{relay:?} is another's");
        assert!(self.granted[&client].permissions.get(&peer.0.ip()).is_some_and(|end| *end > now), "{peer:?}");
    }

    /// How many relays there are.
    pub fn relays(&self) -> usize {
        self.owners.len()
    }

    /// A relay that is there.
    pub fn relay(&self, number: u8) -> Option<Relay> {
        let mut relays: Vec<Relay> = self.owners.keys().copied().collect();
        relays.sort_by_key(|relay| relay.port);
        let len = relays.len().max(1);
        relays.get(usize::from(number) % len).copied()
    }
}

/// Whether the built-in rules deny `peer`, told in other words than theirs.
pub fn is_denied(peer: SocketAddr) -> bool {
    let port = peer.port();
    let denied_port = port < 1024 && port != 443 || [1900, 3702, 5353, 11211].contains(&port);
    denied_port
        || match peer.ip() {
            IpAddr::V4(ip) => is_denied_v4(ip),
            IpAddr::V6(ip) => is_denied_v6(ip),
        }
}

fn is_denied_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || [[192, 0, 0], [192, 31, 196], [192, 52, 193], [192, 88, 99], [192, 175, 48]].contains(&[a, b, c])
        || [[5, 9, 0, 1], [5, 9, 0, 2]].contains(&ip.octets())
}

fn is_denied_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, _, e, f, ..] = ip.segments();
    !(0x2000..0x4000).contains(&a)
        || (a == 0x2001 && (b < 0x200 || b == 0xdb8))
        || a == 0x2002
        || (a == 0x2620 && b == 0x4f && c == 0x8000)
        || (a == 0x3fff && b < 0x1000)
        || (f == 0x5efe && (e == 0 || e == 0x200))
        || ip == "2a01:4f8::1".parse::<Ipv6Addr>().expect("an address")
}
