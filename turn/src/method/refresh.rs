//! Refresh (RFC 8656 §8): more time for an allocation or one of its relays, or the end of either.

use std::time::Duration;

use crate::auth::Proven;
use crate::error::Code;
use crate::labels::Label;
use crate::message::{Message, attribute};
use crate::method::allocate::lifetime_secs;
use crate::method::{Refusal, Request, Success};
use crate::server::Server;
use crate::{CloseReason, Family, Relays};

impl Server {
    pub(crate) fn refresh(
        &mut self,
        request: &Request<'_>,
        proven: &Proven<'_>,
        relays: &dyn Relays,
    ) -> Result<Success, Refusal> {
        let message = &request.message;
        let most = self.most_lifetime_secs(request.now, &proven.username);
        let families = families(message)?;
        let lifetime_secs = lifetime_secs(message, most)?;
        let Some(slot) = self.slot_to_refresh(request, &proven.username, families, relays)? else {
            return Ok(Success::Elsewhere);
        };
        if message.number(attribute::LIFETIME) == Some(0) {
            for family in families {
                self.close_relay(request.now, slot, *family, CloseReason::RefreshZero);
            }
            // Tickets name a relay, which may be the one that has ended.
            let ticket = self.table.of_client(&request.from).and_then(|allocation| self.ticket(allocation));
            return Ok(Success::Refreshed { lifetime_secs: 0, ticket });
        }
        let allocation = self.table.get_mut(slot).ok_or(Code::AllocationMismatch)?;
        for family in families {
            if let Some(relay) = allocation.alive_relay_mut(request.now, *family) {
                relay.expires = request.now + Duration::from_secs(lifetime_secs.into());
            }
        }
        self.table.arm(slot);
        let has_moved = message.attribute(attribute::MOBILITY_TICKET).is_some();
        let allocation = self.table.of_client(&request.from).filter(|_| has_moved);
        let ticket = allocation.and_then(|allocation| self.ticket(allocation));
        Ok(Success::Refreshed { lifetime_secs, ticket })
    }
}

/// The families that a Refresh is for: both, unless it names one (RFC 8656 §8.1).
fn families(message: &Message<'_>) -> Result<&'static [Family], Refusal> {
    match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
        None => Ok(Family::ALL),
        Some([0x01, _, _, _]) => Ok(&[Family::V4]),
        Some([0x02, _, _, _]) => Ok(&[Family::V6]),
        Some([_, _, _, _]) => Err(Code::PeerAddressFamilyMismatch.into()),
        Some(_) => Err(Code::BadRequest.into()),
    }
}
