//! Allocate (RFC 8656 §7): a relay, or one of each family, for a client that has none.

mod wish;

use std::net::SocketAddr;
use std::time::Duration;

use self::wish::{Port, Wish};
use crate::allocation::{Allocation, Granted};
use crate::auth::Proven;
use crate::error::Code;
use crate::message::{Message, attribute};
use crate::method::{Refusal, Request, Success};
use crate::mobility::Mobility;
use crate::server::Server;
use crate::stats::AllocationFailure;
use crate::{Family, Holder, Meter, OpenError, Prefix, Relay, Relays};

/// The lifetime of an allocation whose client asks for none, or for less (RFC 8656 §3.2).
const DEFAULT_LIFETIME_SECS: u32 = 600;

/// What a relay carries: REQUESTED-TRANSPORT, one of IANA's protocol numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    /// 17
    Udp,
    /// 6 (RFC 6062)
    Tcp,
}

/// What an allocation is granted beside its relays.
struct Terms {
    carries: Carries,
    lifetime_secs: u32,
    mobility: Option<Mobility>,
    meter: Option<Box<dyn Meter>>,
}

/// What could be opened of what was asked for.
struct Opened {
    relays: [Option<Relay>; 2],
    /// The port after the first, if it is kept.
    next: Option<Relay>,
    missing: Option<(Family, Code)>,
}

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
        self.redirect(request)?;
        let message = &request.message;
        let carries = self.requested_transport(request)?;
        let lifetime_secs = lifetime_secs(message, self.most_lifetime_secs(request.now, &proven.username))?;
        let mobility = self.mobility(request, carries, &proven.username)?;
        let opened = match Wish::read(message)? {
            Wish::Reserved(token) => self.claim(proven, token, relays)?,
            Wish::One(family, port) => {
                let family = family.unwrap_or_else(|| self.own_family(request));
                let relay = self.open_one(carries, family, port, self.holder(request, proven), relays);
                let relay = relay.map_err(|error| self.refuse_open(error))?;
                let next = Relay { port: relay.port.wrapping_add(1), ..relay };
                Opened { relays: [Some(relay), None], next: (port == Port::EvenAndNext).then_some(next), missing: None }
            }
            Wish::Both(port) => {
                let holder = self.holder(request, proven);
                let v4 = self.open_one(carries, Family::V4, port, holder, relays);
                let v6 = self.open_one(carries, Family::V6, port, holder, relays);
                self.dual(v4, v6)?
            }
        };
        // Both relays of a dual allocation are one user's, and one meter does for both.
        let meter = opened.relays.iter().flatten().next().and_then(|relay| relays.meter(*relay));
        Ok(self.install(request, proven, Terms { carries, lifetime_secs, mobility, meter }, &opened))
    }

    /// What the relay is to carry. TCP is for those whom a stream connects to us, and has no pairs of ports (RFC 6062
    /// §5.1).
    fn requested_transport(&self, request: &Request<'_>) -> Result<Carries, Refusal> {
        let message = &request.message;
        match message.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([17, _, _, _]) => return Ok(Carries::Udp),
            Some([6, _, _, _]) if self.has_tcp() => {}
            Some([_, _, _, _]) => return Err(Code::UnsupportedTransport.into()),
            _ => return Err(Code::BadRequest.into()),
        }
        let of_udp = [attribute::DONT_FRAGMENT, attribute::EVEN_PORT, attribute::RESERVATION_TOKEN];
        let has_of_udp = of_udp.iter().any(|kind| message.attribute(*kind).is_some());
        let is_fit = request.from.transport.is_stream() && !has_of_udp;
        if is_fit { Ok(Carries::Tcp) } else { Err(Code::BadRequest.into()) }
    }

    /// A retransmission gets the answer of the first (RFC 8656 §7.2); anything else on a 5-tuple in use gets 437.
    fn repeated(&self, request: &Request<'_>, proven: &Proven<'_>) -> Result<Option<Success>, Refusal> {
        let Some(allocation) = self.table.of_client(&request.from) else { return Ok(None) };
        if allocation.transaction != request.message.transaction() || *allocation.username != *proven.username {
            return Err(Code::AllocationMismatch.into());
        }
        Ok(Some(self.allocated(allocation)))
    }

    /// The client's own family, else the one that this host has.
    fn own_family(&self, request: &Request<'_>) -> Family {
        match Family::of(request.from.remote) {
            own if self.external(own).is_some() => own,
            Family::V4 => Family::V6,
            Family::V6 => Family::V4,
        }
    }

    fn open_one(
        &self,
        carries: Carries,
        family: Family,
        port: Port,
        holder: Holder<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Relay, OpenError> {
        self.external(family).ok_or(OpenError::Family)?;
        match (carries, port) {
            (Carries::Tcp, _) => relays.open_tcp(family, holder),
            (Carries::Udp, Port::Any) => relays.open(family, holder),
            (Carries::Udp, Port::Even) => relays.open_even(family, false, holder),
            (Carries::Udp, Port::EvenAndNext) => relays.open_even(family, true, holder),
        }
    }

    /// Both relays, or the one that could be had and why the other could not (RFC 8656 §7.2, check 9).
    fn dual(&mut self, v4: Result<Relay, OpenError>, v6: Result<Relay, OpenError>) -> Result<Opened, Refusal> {
        let missing = match (v4, v6) {
            (Ok(_), Ok(_)) => None,
            (Ok(_), Err(error)) => Some((Family::V6, self.refuse_open(error).code)),
            (Err(error), Ok(_)) => Some((Family::V4, self.refuse_open(error).code)),
            // A family that is not there says less than a quota or a port that is used up.
            (Err(OpenError::Family), Err(error)) | (Err(error), Err(_)) => return Err(self.refuse_open(error)),
        };
        // ADDRESS-ERROR-CODE knows but two reasons (§18.12).
        let missing = missing.map(|(family, code)| match code {
            Code::AddressFamilyNotSupported => (family, code),
            _ => (family, Code::InsufficientCapacity),
        });
        Ok(Opened { relays: [v4.ok(), v6.ok()], next: None, missing })
    }

    /// The port that was reserved under `token`, at this server or another of the process.
    fn claim(&mut self, proven: &Proven<'_>, token: &[u8], relays: &mut dyn Relays) -> Result<Opened, Refusal> {
        let relay = self.nonces.recognise_token(token, &proven.username).ok_or(Code::InsufficientCapacity)?;
        self.external(relay.family).ok_or(Code::InsufficientCapacity)?;
        relays.open_reserved(relay).map_err(|error| self.refuse_open(error))?;
        self.reservations.remove(relay);
        Ok(Opened { relays: [Some(relay), None], next: None, missing: None })
    }

    fn install(&mut self, request: &Request<'_>, proven: &Proven<'_>, terms: Terms, opened: &Opened) -> Success {
        let Terms { carries, lifetime_secs, mobility, meter } = terms;
        let (now, message) = (request.now, &request.message);
        let token = opened.next.map(|relay| {
            self.reservations.add(now, relay, &proven.username);
            self.nonces.issue_token(relay, &proven.username)
        });
        let granted = Granted { lifetime_secs, token, missing: opened.missing };
        let (proof, transaction) = (proven.seal.proof.clone(), message.transaction());
        let mut allocation = Allocation::new(now, request.from, &proven.username, proof, transaction, granted);
        allocation.mobility = mobility;
        allocation.tcp = (carries == Carries::Tcp).then(Box::default);
        allocation.meter = meter;
        let expires = now + Duration::from_secs(lifetime_secs.into());
        for relay in opened.relays.iter().flatten() {
            allocation.add_relay(*relay, expires);
        }
        let answer = self.allocated(&allocation);
        self.open(allocation);
        answer
    }

    /// What the Allocate that made `allocation` is answered with. Addresses may have changed since; a relay that has none
    /// any more is left out.
    fn allocated(&self, allocation: &Allocation) -> Success {
        let address = |family| {
            let relay = allocation.relay(family)?;
            Some(SocketAddr::new(self.external(family)?, relay.port))
        };
        Success::Allocated {
            relayed: [address(Family::V4), address(Family::V6)],
            granted: allocation.granted,
            ticket: self.ticket(allocation),
        }
    }

    fn holder<'a>(&self, request: &Request<'_>, proven: &'a Proven<'_>) -> Holder<'a> {
        Holder { user: self.credentials.quota_name(&proven.username), prefix: Prefix::of(request.from.remote.ip()) }
    }

    fn refuse_open(&mut self, error: OpenError) -> Refusal {
        let (failure, code) = match error {
            OpenError::UserQuota => (AllocationFailure::QuotaUser, Code::AllocationQuotaReached),
            OpenError::PrefixQuota => (AllocationFailure::QuotaPrefix, Code::AllocationQuotaReached),
            OpenError::TotalQuota => (AllocationFailure::QuotaTotal, Code::InsufficientCapacity),
            OpenError::UserRate => (AllocationFailure::RateUser, Code::AllocationQuotaReached),
            OpenError::TotalRate => (AllocationFailure::RateTotal, Code::InsufficientCapacity),
            OpenError::MonthlyBytes => (AllocationFailure::MonthlyBytes, Code::InsufficientCapacity),
            OpenError::NoPort => (AllocationFailure::PortsExhausted, Code::InsufficientCapacity),
            OpenError::Family => (AllocationFailure::Family, Code::AddressFamilyNotSupported),
        };
        self.stats.failed.up(failure);
        code.into()
    }
}

/// What a request without LIFETIME, or with one that is not 0, gets (RFC 8656 §7.2, §8.2): the default at least, `most`
/// at most.
///
/// # Errors
/// 400 where it is malformed.
pub(super) fn lifetime_secs(message: &Message<'_>, most: u32) -> Result<u32, Refusal> {
    let wanted = match message.attribute(attribute::LIFETIME) {
        None => DEFAULT_LIFETIME_SECS,
        Some(value) => u32::from_be_bytes(value.try_into().map_err(|_| Code::BadRequest)?),
    };
    Ok(wanted.max(DEFAULT_LIFETIME_SECS).min(most))
}
