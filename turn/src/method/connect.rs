//! Connect (RFC 6062 §5.2): a TCP connection from a relay to a peer.

use crate::auth::{Proven, Seal};
use crate::error::Code;
use crate::message::attribute;
use crate::method::{Refusal, Request, Success};
use crate::server::Server;
use crate::tcp_allocation::{Connection, PATIENCE, State, Waiting};
use crate::{Family, Peer, Relays};

impl Server {
    /// Begins to connect. The answer comes by [`Server::handle_connected`], or when the time is over.
    pub(crate) fn connect(
        &mut self,
        request: &Request<'_>,
        proven: &Proven<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Success, Refusal> {
        let slot = self.table.slot_of(&request.from).ok_or(Code::AllocationMismatch)?;
        self.expire_connections(request.now, slot);
        let allocation = self.table.get_mut(slot).ok_or(Code::AllocationMismatch)?;
        let tcp = allocation.tcp.as_ref().ok_or(Code::AllocationMismatch)?;
        let address = request.message.xor_address(attribute::XOR_PEER_ADDRESS).ok_or(Code::BadRequest)?;
        let relay = allocation.relay(Family::of(address)).ok_or(Code::PeerAddressFamilyMismatch)?;
        let peer = Peer(address);
        if tcp.has_peer(peer) {
            return Err(Code::ConnectionAlreadyExists.into());
        }
        let is_full = tcp.len() >= self.config.limits.tcp_connections;
        let is_ours = relays.is_ours_tcp(address);
        self.policy.judge(address, is_ours).map_err(|rule| self.deny(request.from, peer, rule))?;
        if is_full {
            return Err(Code::InsufficientCapacity.into());
        }
        let id = relays.connect(relay, peer).ok_or(Code::ConnectionTimeoutOrFailure)?;
        let waiting = Waiting {
            transaction: request.message.transaction(),
            has_fingerprint: request.message.has_fingerprint(),
            seal: Seal { proof: proven.seal.proof.clone(), integrity: proven.seal.integrity },
        };
        let (state, expires) = (State::Connecting(waiting), request.now + PATIENCE);
        self.add_connection(slot, Connection { id, peer, is_ours, state, expires });
        Ok(Success::Connecting)
    }
}
