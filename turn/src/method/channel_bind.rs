//! ChannelBind (RFC 8656 §12): a number for a peer, and a permission with it.

use crate::channel::BindError;
use crate::channel_data::is_channel_number;
use crate::error::Code;
use crate::message::attribute;
use crate::method::{Refusal, Request, Success};
use crate::server::Server;
use crate::{Peer, Relays};

impl Server {
    pub(crate) fn channel_bind(&mut self, request: &Request<'_>, relays: &dyn Relays) -> Result<Success, Refusal> {
        let slot = self.table.slot_of(&request.from).ok_or(Code::AllocationMismatch)?;
        let message = &request.message;
        let Some(&[high, low, _, _]) = message.attribute(attribute::CHANNEL_NUMBER) else {
            return Err(Code::BadRequest.into());
        };
        let number = u16::from_be_bytes([high, low]);
        let address = message.xor_address(attribute::XOR_PEER_ADDRESS).ok_or(Code::BadRequest)?;
        if !is_channel_number(number) {
            return Err(Code::BadRequest.into());
        }
        self.refuse_peer(slot, address)?;
        let peer = Peer(address);
        if self.is_tcp(slot) {
            return Err(Code::BadRequest.into());
        }
        let is_ours = relays.is_ours(address);
        self.policy.judge(address, is_ours).map_err(|rule| self.deny(request.from, peer, rule))?;

        let limits = &self.config.limits;
        let (channels, permissions) = (limits.channels, limits.permissions);
        self.change(slot, |allocation| {
            allocation.permissions.expire(request.now);
            allocation.channels.expire(request.now);
            match allocation.channels.can_bind(number, peer, channels) {
                Err(BindError::Taken) => return Err(Code::BadRequest.into()),
                Err(BindError::Full) => return Err(Code::InsufficientCapacity.into()),
                Ok(()) => {}
            }
            if !allocation.permissions.have_room([address.ip()].into_iter(), permissions) {
                return Err(Code::InsufficientCapacity.into());
            }
            allocation.channels.bind(request.now, number, peer, is_ours);
            allocation.permissions.refresh(request.now, address.ip(), is_ours);
            Ok(Success::Permitted)
        })
        .unwrap_or(Err(Code::AllocationMismatch.into()))
    }
}
