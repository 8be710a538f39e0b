//! ALTERNATE-SERVER (RFC 8489 §10): clients that would open an allocation are sent elsewhere, while those that have one
//! stay.

use std::net::SocketAddr;

use crate::Family;
use crate::error::Code;
use crate::message::attribute;
use crate::method::{Refusal, Request};
use crate::server::Server;

impl Server {
    /// Refuses an Allocate where its client is to go elsewhere and there is an address that it can reach: one of the
    /// family it came by. Who takes up the second port of a pair finds that here only.
    ///
    /// # Errors
    /// 300
    pub(super) fn redirect(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let is_bound = request.message.attribute(attribute::RESERVATION_TOKEN).is_some();
        let goes = !is_bound && self.alternates(request).next().is_some();
        if goes { Err(Code::TryAlternate.into()) } else { Ok(()) }
    }

    /// Where a client is sent: the family that it came by first, then the other; nowhere if there is none of its own.
    pub(crate) fn alternates(&self, request: &Request<'_>) -> impl Iterator<Item = SocketAddr> {
        let own = Family::of(request.from.remote);
        let find = |is_own: bool| {
            let mut addresses = self.config.alternate_servers.iter().copied();
            addresses.find(|address| (Family::of(*address) == own) == is_own)
        };
        let first = find(true);
        first.into_iter().chain(first.and(find(false)))
    }
}
