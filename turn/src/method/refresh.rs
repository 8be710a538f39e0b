//! Refresh (RFC 8656 §8): more time for an allocation, or its end.

use std::time::Duration;

use crate::error::Code;
use crate::message::attribute;
use crate::method::allocate::lifetime_secs;
use crate::method::{Refusal, Request, Success};
use crate::server::Server;
use crate::{CloseReason, Family};

impl Server {
    pub(crate) fn refresh(&mut self, request: &Request<'_>) -> Result<Success, Refusal> {
        let message = &request.message;
        let most = self.config.limits.max_lifetime_secs;
        let slot = self.table.slot_of(&request.from).ok_or(Code::AllocationMismatch)?;
        let allocation = self.table.get_mut(slot).ok_or(Code::AllocationMismatch)?;
        let family = match allocation.relay.family {
            Family::V4 => 0x01,
            Family::V6 => 0x02,
        };
        match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
            Some([requested, _, _, _]) if *requested == family => {}
            Some([_, _, _, _]) => return Err(Code::PeerAddressFamilyMismatch.into()),
            Some(_) => return Err(Code::BadRequest.into()),
            None => {}
        }
        if message.number(attribute::LIFETIME) == Some(0) {
            self.close(request.now, slot, CloseReason::RefreshZero);
            return Ok(Success::Refreshed { lifetime_secs: 0 });
        }
        let lifetime_secs = lifetime_secs(message, most);
        allocation.expires = request.now + Duration::from_secs(lifetime_secs.into());
        self.table.arm(slot);
        Ok(Success::Refreshed { lifetime_secs })
    }
}
