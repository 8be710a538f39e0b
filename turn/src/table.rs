//! All allocations of one server: a slab, and two indexes that are changed only here.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use foldhash::fast::RandomState;
use slab::Slab;

use crate::allocation::Allocation;
use crate::labels::Label;
use crate::timers::Timers;
use crate::{Client, Relay, Transport};

/// Allocations by slot, by client and by relay.
///
/// ```text
///  client 5-tuple ──hash──►┐
///                          ├──► slot ──► Allocation ──► client, relay
///  family, port ───array──►┘      └────► deadline    one or two relays
/// ```
pub(crate) struct Table {
    slab: Slab<Allocation>,
    v4_clients: HashMap<(u64, u64), usize, RandomState>,
    other_clients: HashMap<Client, usize, RandomState>,
    /// For each family and port the slot plus one, 0 where there is none. Only pages of ports in use become real memory.
    relays: [Vec<u32>; 2],
    timers: Timers,
}

const PORTS: usize = 1 << 16;

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            slab: Slab::new(),
            v4_clients: HashMap::default(),
            other_clients: HashMap::default(),
            relays: [vec![0; PORTS], vec![0; PORTS]],
            timers: Timers::default(),
        }
    }

    /// Takes in an allocation whose client has none and whose relays are new.
    pub(crate) fn insert(&mut self, allocation: Allocation) {
        let (client, deadline) = (allocation.client, allocation.deadline());
        let slot = self.slab.vacant_key();
        for relay in allocation.relays() {
            debug_assert_eq!(self.relays[relay.family.index()][usize::from(relay.port)], 0, "a relay has one owner");
            self.relays[relay.family.index()][usize::from(relay.port)] = slot as u32 + 1;
        }
        self.slab.insert(allocation);
        let previous = match packed(&client) {
            Some(key) => self.v4_clients.insert(key, slot),
            None => self.other_clients.insert(client, slot),
        };
        debug_assert!(previous.is_none(), "a client has one allocation");
        self.timers.arm(slot, deadline);
    }

    pub(crate) fn remove(&mut self, slot: usize) -> Option<Allocation> {
        let allocation = self.slab.try_remove(slot)?;
        match packed(&allocation.client) {
            Some(key) => self.v4_clients.remove(&key),
            None => self.other_clients.remove(&allocation.client),
        };
        for relay in allocation.relays() {
            self.relays[relay.family.index()][usize::from(relay.port)] = 0;
        }
        self.timers.disarm(slot);
        Some(allocation)
    }

    /// Forgets whose `relay` was, before it is taken out of its allocation.
    pub(crate) fn forget_relay(&mut self, relay: Relay) {
        self.relays[relay.family.index()][usize::from(relay.port)] = 0;
    }

    /// The slot of `client`'s allocation.
    pub(crate) fn slot_of(&self, client: &Client) -> Option<usize> {
        match packed(client) {
            Some(key) => self.v4_clients.get(&key).copied(),
            None => self.other_clients.get(client).copied(),
        }
    }

    pub(crate) fn of_client(&self, client: &Client) -> Option<&Allocation> {
        self.slab.get(self.slot_of(client)?)
    }

    pub(crate) fn of_client_mut(&mut self, client: &Client) -> Option<&mut Allocation> {
        let slot = self.slot_of(client)?;
        self.slab.get_mut(slot)
    }

    pub(crate) fn of_relay_mut(&mut self, relay: Relay) -> Option<&mut Allocation> {
        let slot = self.slot_of_relay(relay)?;
        self.slab.get_mut(slot)
    }

    /// The slot of the allocation that `relay` belongs to.
    pub(crate) fn slot_of_relay(&self, relay: Relay) -> Option<usize> {
        self.relays[relay.family.index()][usize::from(relay.port)].checked_sub(1).map(|slot| slot as usize)
    }

    /// Makes the allocation in `slot` that of `client`, who has none.
    pub(crate) fn set_client(&mut self, slot: usize, client: Client) {
        let Some(allocation) = self.slab.get_mut(slot) else { return };
        let former = std::mem::replace(&mut allocation.client, client);
        match packed(&former) {
            Some(key) => self.v4_clients.remove(&key),
            None => self.other_clients.remove(&former),
        };
        let previous = match packed(&client) {
            Some(key) => self.v4_clients.insert(key, slot),
            None => self.other_clients.insert(client, slot),
        };
        debug_assert!(previous.is_none(), "a client has one allocation");
    }

    pub(crate) fn get(&self, slot: usize) -> Option<&Allocation> {
        self.slab.get(slot)
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut Allocation> {
        self.slab.get_mut(slot)
    }

    /// To be called after anything in an allocation was made to expire earlier than before, or was added.
    pub(crate) fn arm(&mut self, slot: usize) {
        if let Some(allocation) = self.slab.get(slot) {
            self.timers.arm(slot, allocation.deadline());
        }
    }

    /// Takes out the next deadline that has come. What it was for must be [armed](Self::arm) again or removed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        self.timers.pop_due(now)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The slots of the allocations that `wanted` picks.
    pub(crate) fn slots(&self, wanted: impl Fn(&Allocation) -> bool) -> Vec<usize> {
        self.slab.iter().filter(|(_, allocation)| wanted(allocation)).map(|(slot, _)| slot).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Allocation> {
        self.slab.iter().map(|(_, allocation)| allocation)
    }

    /// Whether slab, indexes and deadlines tell the same; walks everything.
    pub(crate) fn is_consistent(&self) -> bool {
        let indexed = self.v4_clients.len() + self.other_clients.len();
        let relays: usize = self.relays.iter().map(|ports| ports.iter().filter(|slot| **slot != 0).count()).sum();
        let is_slot_of =
            |slot: usize, relay: Relay| self.relays[relay.family.index()][usize::from(relay.port)] == slot as u32 + 1;
        let is_found = |(slot, allocation): (usize, &Allocation)| {
            self.slot_of(&allocation.client) == Some(slot)
                && allocation.relays().next().is_some()
                && allocation.relays().all(|relay| is_slot_of(slot, relay))
        };
        let owned: usize = self.iter().map(|allocation| allocation.relays().count()).sum();
        [indexed, self.timers.len()] == [self.slab.len(); 2] && relays == owned && self.slab.iter().all(is_found)
    }
}

/// An IPv4 client in two words, which hash several times faster than the whole.
fn packed(client: &Client) -> Option<(u64, u64)> {
    let (SocketAddr::V4(remote), SocketAddr::V4(local)) = (client.remote, client.local) else { return None };
    let transport = match client.transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
    };
    let ports = u64::from(remote.port()) << 16 | u64::from(local.port());
    let (remote, local) = (u64::from(remote.ip().to_bits()), u64::from(local.ip().to_bits()));
    Some((remote << 32 | ports, local << 8 | transport))
}
