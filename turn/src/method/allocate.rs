//! Allocate (RFC 8656 §7): a relay for a client that has none.

use std::net::SocketAddr;
use std::time::Duration;

use crate::allocation::Allocation;
use crate::auth::Proven;
use crate::channel::Channels;
use crate::error::Code;
use crate::message::{Message, attribute};
use crate::method::{Refusal, Request, Success};
use crate::permission::Permissions;
use crate::server::Server;
use crate::stats::{AllocationFailure, Traffic};
use crate::{Event, Family, Holder, OpenError, Prefix, Relays};

/// The lifetime of an allocation whose client asks for none, or for less (RFC 8656 §3.2).
const DEFAULT_LIFETIME_SECS: u32 = 600;

/// REQUESTED-TRANSPORT's number for UDP, of IANA's protocol numbers.
const UDP: u8 = 17;

impl Server {
    /// The checks of RFC 8656 §7.2, in its order.
    pub(crate) fn allocate(
        &mut self,
        request: &Request<'_>,
        proven: &Proven<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Success, Refusal> {
        if let Some(answer) = self.repeated(request, proven)? {
            return Ok(answer);
        }
        let message = &request.message;
        match message.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => {}
            Some([_, _, _, _]) => return Err(Code::UnsupportedTransport.into()),
            _ => return Err(Code::BadRequest.into()),
        }
        refuse_reservation(message)?;
        let family = self.family(request)?;
        let external = self.external(family).ok_or_else(|| self.refuse_open(OpenError::Family))?;
        let relay = relays.open(family, self.holder(request, proven)).map_err(|error| self.refuse_open(error))?;
        let relayed = SocketAddr::new(external, relay.port);

        let lifetime_secs = lifetime_secs(message, self.config.limits.max_lifetime_secs);
        self.table.insert(Allocation {
            client: request.from,
            relay,
            username: proven.username.into(),
            key: proven.key.clone(),
            transaction: message.transaction(),
            granted_secs: lifetime_secs,
            opened: request.now,
            expires: request.now + Duration::from_secs(lifetime_secs.into()),
            permissions: Permissions::default(),
            channels: Channels::default(),
            to_peers: Traffic::default(),
            to_client: Traffic::default(),
        });
        self.stats.allocations += 1;
        self.stats.allocations_by_family.of_mut(request.from.transport).up(family);
        self.stats.created.of_mut(request.from.transport).up(family);
        let username = proven.username.to_owned();
        self.events.push_back(Event::Opened { client: request.from, relay, username });
        Ok(Success::Allocated { relayed, lifetime_secs })
    }

    /// A retransmission gets the answer of the first (RFC 8656 §7.2); anything else on a 5-tuple in use gets 437.
    fn repeated(&self, request: &Request<'_>, proven: &Proven<'_>) -> Result<Option<Success>, Refusal> {
        let Some(allocation) = self.table.of_client(&request.from) else { return Ok(None) };
        if allocation.transaction != request.message.transaction() || *allocation.username != *proven.username {
            return Err(Code::AllocationMismatch.into());
        }
        let external = self.external(allocation.relay.family).ok_or(Code::AllocationMismatch)?;
        let relayed = SocketAddr::new(external, allocation.relay.port);
        Ok(Some(Success::Allocated { relayed, lifetime_secs: allocation.granted_secs }))
    }

    /// The family that was asked for, else the client's own, else the one that this host has.
    fn family(&mut self, request: &Request<'_>) -> Result<Family, Refusal> {
        match request.message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
            Some([0x01, _, _, _]) => Ok(Family::V4),
            Some([0x02, _, _, _]) => Ok(Family::V6),
            Some([_, _, _, _]) => Err(self.refuse_open(OpenError::Family)),
            Some(_) => Err(Code::BadRequest.into()),
            None => Ok(match Family::of(request.from.remote) {
                own if self.external(own).is_some() => own,
                Family::V4 => Family::V6,
                Family::V6 => Family::V4,
            }),
        }
    }

    fn holder<'a>(&self, request: &Request<'_>, proven: &Proven<'a>) -> Holder<'a> {
        Holder { user: self.credentials.quota_name(proven.username), prefix: Prefix::of(request.from.remote.ip()) }
    }

    fn refuse_open(&mut self, error: OpenError) -> Refusal {
        let (failure, code) = match error {
            OpenError::UserQuota => (AllocationFailure::QuotaUser, Code::AllocationQuotaReached),
            OpenError::PrefixQuota => (AllocationFailure::QuotaPrefix, Code::AllocationQuotaReached),
            OpenError::TotalQuota => (AllocationFailure::QuotaTotal, Code::InsufficientCapacity),
            OpenError::NoPort => (AllocationFailure::PortsExhausted, Code::InsufficientCapacity),
            OpenError::Family => (AllocationFailure::Family, Code::AddressFamilyNotSupported),
        };
        self.stats.failed.up(failure);
        code.into()
    }
}

/// EVEN-PORT is a wish that need not be granted here. No reservation is ever made, so that every RESERVATION-TOKEN is
/// one that is not known (508), unless it contradicts its company (400).
fn refuse_reservation(message: &Message<'_>) -> Result<(), Refusal> {
    if message.attribute(attribute::RESERVATION_TOKEN).is_none() {
        return Ok(());
    }
    let company = [attribute::EVEN_PORT, attribute::REQUESTED_ADDRESS_FAMILY];
    if company.iter().any(|kind| message.attribute(*kind).is_some()) {
        return Err(Code::BadRequest.into());
    }
    Err(Code::InsufficientCapacity.into())
}

/// What a request without LIFETIME, or with one that is not 0, gets (RFC 8656 §7.2, §8.2): the default at least, `most` at
/// most.
pub(super) fn lifetime_secs(message: &Message<'_>, most: u32) -> u32 {
    message.number(attribute::LIFETIME).unwrap_or(DEFAULT_LIFETIME_SECS).max(DEFAULT_LIFETIME_SECS).min(most)
}
