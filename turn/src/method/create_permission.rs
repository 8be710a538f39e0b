//! CreatePermission (RFC 8656 §10): which peers may send to the client.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::error::Code;
use crate::message::{attribute, decode_xor_address};
use crate::method::{Refusal, Request, Success};
use crate::server::Server;
use crate::{Family, Peer, Relays};

impl Server {
    /// All of its peers or none.
    pub(crate) fn create_permission(&mut self, request: &Request<'_>, relays: &dyn Relays) -> Result<Success, Refusal> {
        let slot = self.table.slot_of(&request.from).ok_or(Code::AllocationMismatch)?;
        let most = self.config.limits.permissions;
        let peers = peers(request, most)?;
        let mut granted: Vec<(IpAddr, bool)> = Vec::with_capacity(peers.len());
        let is_tcp = self.is_tcp(slot);
        for peer in peers {
            self.refuse_peer(slot, peer)?;
            // A relay of ours that has ended since is no reason to take back what its address was granted.
            let is_relay = if is_tcp { relays.is_ours_tcp(peer) } else { relays.is_ours(peer) };
            let is_ours = is_relay || self.holds_own(slot, request.now, peer.ip());
            self.policy.judge_address(peer.ip(), is_ours).map_err(|rule| self.deny(request.from, Peer(peer), rule))?;
            granted.push((peer.ip(), is_ours));
        }
        self.change(slot, |allocation| {
            allocation.permissions.expire(request.now);
            if !allocation.permissions.have_room(granted.iter().map(|(address, _)| *address), most) {
                return Err(Code::InsufficientCapacity.into());
            }
            for (address, is_ours) in granted {
                allocation.permissions.refresh(request.now, address, is_ours);
            }
            Ok(Success::Permitted)
        })
        .unwrap_or(Err(Code::AllocationMismatch.into()))
    }

    /// Whether `slot` holds a permission for `address` because a port of this process is there.
    fn holds_own(&mut self, slot: usize, now: Instant, address: IpAddr) -> bool {
        self.table.get_mut(slot).is_some_and(|allocation| allocation.permissions.holds_own(now, address))
    }

    /// Refuses a peer that no relay of `slot` can send to for its family (RFC 8656 §10.2, §12.2).
    pub(super) fn refuse_peer(&mut self, slot: usize, peer: SocketAddr) -> Result<(), Refusal> {
        let allocation = self.table.get_mut(slot).ok_or(Code::AllocationMismatch)?;
        let relay = allocation.relay(Family::of(peer));
        if relay.is_some() { Ok(()) } else { Err(Code::PeerAddressFamilyMismatch.into()) }
    }
}

/// Every XOR-PEER-ADDRESS of a request, at least one. More than `most` could never be granted together.
fn peers(request: &Request<'_>, most: usize) -> Result<Vec<SocketAddr>, Refusal> {
    let message = &request.message;
    let attributes = message.attributes().filter(|attribute| attribute.kind == attribute::XOR_PEER_ADDRESS);
    let peers: Option<Vec<SocketAddr>> =
        attributes.take(most + 1).map(|attribute| decode_xor_address(attribute.value, message.transaction())).collect();
    match peers {
        Some(peers) if peers.len() > most => Err(Code::InsufficientCapacity.into()),
        Some(peers) if !peers.is_empty() => Ok(peers),
        _ => Err(Code::BadRequest.into()),
    }
}
