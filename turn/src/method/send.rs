//! Send indications (RFC 8656 §11): data for a peer that has no channel. They carry no proof and get no answer.

use std::time::Instant;

use crate::message::{Message, attribute};
use crate::method::refuse_unknown;
use crate::server::Server;
use crate::{Client, Direction, Family, Peer, Relay, Relays, Verdict, Why, meter};

impl Server {
    pub(crate) fn send(
        &mut self,
        now: Instant,
        from: Client,
        message: &Message<'_>,
        relays: &dyn Relays,
    ) -> Result<Verdict, Why> {
        refuse_unknown(message).map_err(|_| Why::Malformed)?;
        let peer = message.xor_address(attribute::XOR_PEER_ADDRESS).ok_or(Why::Malformed)?;
        let data = message.range(attribute::DATA).ok_or(Why::Malformed)?;
        let dont_fragment = message.attribute(attribute::DONT_FRAGMENT).is_some();
        let allocation = self.table.of_client_mut(&from).filter(|a| a.is_alive(now)).ok_or(Why::NoAllocation)?;
        // A TCP relay sends no datagrams.
        if allocation.tcp.is_some() {
            return Err(Why::Unexpected);
        }
        if !allocation.permissions.allows(now, peer.ip()) {
            return Err(Why::NoPermission);
        }
        // The permission is for every port of the address; the rules are about this one.
        if let Err(rule) = self.policy.judge(peer, relays.is_ours(peer)) {
            self.stats.denied.up(rule);
            return Err(Why::PeerDenied);
        }
        meter::pass(&self.config.limits, &mut allocation.meter, now, Direction::ToPeers, data.len())?;
        let family = Family::of(peer);
        let relay = allocation.alive_relay_mut(now, family).ok_or(Why::NoAllocation)?;
        relay.to_peers.add(data.len());
        self.stats.to_peers.add(data.len());
        Ok(Verdict::ToPeer { relay: Relay { family, port: relay.port }, peer: Peer(peer), data, dont_fragment })
    }
}
