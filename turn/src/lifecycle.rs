//! The beginning, the changes and the end of allocations: table, gauges, deadlines and events move together.

use std::time::Instant;

use crate::allocation::{Allocation, RelayState};
use crate::labels::Label;
use crate::server::Server;
use crate::{Client, CloseReason, Event, Family, Peer, Relay};

impl Server {
    /// Takes in a new allocation.
    pub(crate) fn open(&mut self, allocation: Allocation) {
        for relay in allocation.relays() {
            self.stats.allocations += 1;
            let transport = allocation.client.transport;
            self.stats.allocations_by_family.of_mut(transport).up(relay.family);
            self.stats.created.of_mut(transport).up(relay.family);
            let (client, username) = (allocation.client, allocation.username.to_string());
            self.events.push_back(Event::Opened { client, relay, username });
        }
        self.table.insert(allocation);
    }

    /// Changes permissions and channels of an allocation, and keeps gauges and deadline with them.
    pub(crate) fn change<T>(&mut self, slot: usize, change: impl FnOnce(&mut Allocation) -> T) -> Option<T> {
        let allocation = self.table.get_mut(slot)?;
        self.stats.permissions -= allocation.permissions.len() as u64;
        self.stats.channels -= allocation.channels.len() as u64;
        let result = change(allocation);
        self.stats.permissions += allocation.permissions.len() as u64;
        self.stats.channels += allocation.channels.len() as u64;
        self.table.arm(slot);
        Some(result)
    }

    /// Judges anew, after the rules have changed, what an allocation may reach.
    pub(crate) fn reconsider(&mut self, now: Instant, slot: usize) {
        let policy = std::mem::take(&mut self.policy);
        self.change(slot, |allocation| {
            allocation.permissions.expire(now);
            allocation.permissions.retain(|peer, is_ours| policy.judge_address(peer, is_ours).is_ok());
            allocation.channels.expire(now);
            allocation.channels.retain(|Peer(peer), is_ours| policy.judge(peer, is_ours).is_ok());
        });
        self.end_connections(slot, |connection| {
            policy.judge_address(connection.peer.0.ip(), connection.is_ours).is_err()
        });
        self.policy = policy;
    }

    /// Ends what has expired in `slot`: permissions, channels, a relay, or all of it.
    pub(crate) fn expire(&mut self, now: Instant, slot: usize) {
        self.expire_relays(now, slot);
        self.expire_connections(now, slot);
        self.change(slot, |allocation| {
            allocation.permissions.expire(now);
            allocation.channels.expire(now);
        });
    }

    /// Ends the relays of `slot` that have expired, and the allocation with the last.
    pub(crate) fn expire_relays(&mut self, now: Instant, slot: usize) {
        for family in Family::ALL {
            let is_expired = |allocation: &mut Allocation| allocation.has_expired(now, *family);
            if self.table.get_mut(slot).is_some_and(is_expired) {
                self.close_relay(now, slot, *family, CloseReason::Expired);
            }
        }
    }

    /// Ends one relay of an allocation, and the allocation with its last.
    pub(crate) fn close_relay(&mut self, now: Instant, slot: usize, family: Family, reason: CloseReason) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        if allocation.relays().all(|relay| relay.family == family) {
            return self.close(now, slot, reason);
        }
        let (client, opened, relay) = (allocation.client, allocation.opened, allocation.relay(family));
        let Some(relay) = relay else { return };
        self.end_connections(slot, |connection| connection.family() == family);
        self.table.forget_relay(relay);
        if let Some(state) = self.change(slot, |allocation| allocation.remove_relay(family)).flatten() {
            self.closed(now, Ending { client, opened, reason }, relay, &state);
        }
    }

    /// Ends an allocation.
    pub(crate) fn close(&mut self, now: Instant, slot: usize, reason: CloseReason) {
        let Some(mut allocation) = self.table.remove(slot) else { return };
        self.stats.permissions -= allocation.permissions.len() as u64;
        self.stats.channels -= allocation.channels.len() as u64;
        self.end_all_connections(&mut allocation);
        let relays: Vec<Relay> = allocation.relays().collect();
        for relay in relays {
            if let Some(state) = allocation.remove_relay(relay.family) {
                let ending = Ending { client: allocation.client, opened: allocation.opened, reason };
                self.closed(now, ending, relay, &state);
            }
        }
    }

    fn closed(&mut self, now: Instant, ending: Ending, relay: Relay, state: &RelayState) {
        self.stats.allocations -= 1;
        let transport = ending.client.transport;
        self.stats.allocations_by_family.of_mut(transport).down(relay.family);
        self.stats.closed.of_mut(transport).up(ending.reason);
        self.events.push_back(Event::Closed {
            client: ending.client,
            relay,
            reason: ending.reason,
            lived: now.saturating_duration_since(ending.opened),
            bytes_to_peers: state.to_peers.bytes,
            bytes_to_client: state.to_client.bytes,
        });
    }
}

/// What the end of a relay has in common with that of its sibling.
struct Ending {
    client: Client,
    opened: Instant,
    reason: CloseReason,
}
