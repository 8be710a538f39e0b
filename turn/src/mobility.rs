//! Mobility (RFC 8016): an allocation follows its client to another address, by a ticket that is good for one move.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::allocation::Allocation;
use crate::error::Code;
use crate::labels::Label;
use crate::message::{TransactionId, attribute};
use crate::method::allocate::Carries;
use crate::method::{Refusal, Request};
use crate::nonce::Nonces;
use crate::server::Server;
use crate::{Client, CloseReason, Event, Family, Meter, Relay, Relays};

/// The value of MOBILITY-TICKET (RFC 8016 §3.3): opaque to the client, and text, since turnutils_uclient takes it for a
/// string of 32 characters at most.
///
/// ```text
/// base64url( port, 2 bytes | family | serial, 9 bytes
///            | first 12 bytes of HMAC-SHA1(key, "mobility" | those 12 | username) )
/// ```
pub(crate) type Ticket = [u8; 32];

/// Tells the tickets of one allocation apart.
type Serial = [u8; 9];

/// What an allocation that may move remembers.
///
/// ```text
///  Allocate(empty ticket) ──► serial 1 ──Refresh(ticket 1), new 5-tuple──► serial 2 ──Refresh(ticket 2)──► ...
///                                        ticket 1 is worth nothing from here on; the old 5-tuple has nothing
/// ```
///
/// The client proves itself by its key, and its new address by a nonce that was sent there: nonces are good for one
/// address. So the move is at once and whole, and there is no time in which two addresses have the allocation.
#[derive(Clone, Copy)]
pub(crate) struct Mobility {
    serial: Serial,
    /// The Refresh that moved it, by which a retransmission is known.
    moved_by: Option<TransactionId>,
}

/// An allocation on its way to another server of the process.
pub struct Handover {
    allocation: Box<Allocation>,
}

impl Handover {
    /// The relays that go with it.
    pub fn relays(&self) -> Vec<Relay> {
        self.allocation.relays().collect()
    }

    /// From now on its payload is measured by `meter`, one of where it goes.
    pub fn set_meter(&mut self, meter: Option<Box<dyn Meter>>) {
        self.allocation.meter = meter;
    }
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handover").field("relays", &self.relays()).finish_non_exhaustive()
    }
}

/// Who has a move to make, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// A relay of the allocation.
    pub relay: Relay,
    serial: Serial,
    username: String,
}

impl Server {
    /// What an Allocate that asks for mobility is to remember (RFC 8016 §3.1.2); `None` where it does not ask.
    ///
    /// # Errors
    /// 405 where there is none to be had, and for TCP allocations, whose connections end with that of their client;
    /// 400 for a ticket that is not empty.
    pub(crate) fn mobility(
        &self,
        request: &Request<'_>,
        carries: Carries,
        username: &str,
    ) -> Result<Option<Mobility>, Refusal> {
        match request.message.attribute(attribute::MOBILITY_TICKET) {
            None => Ok(None),
            Some(_) if !self.config.mobility || carries == Carries::Tcp => Err(Code::MobilityForbidden.into()),
            Some([]) => {
                let serial = self.next_serial(&request.message.transaction().0, username);
                Ok(Some(Mobility { serial, moved_by: None }))
            }
            Some(_) => Err(Code::BadRequest.into()),
        }
    }

    /// The ticket that `allocation` may be moved by.
    pub(crate) fn ticket(&self, allocation: &Allocation) -> Option<Ticket> {
        let (mobility, relay) = (allocation.mobility?, allocation.relays().next()?);
        Some(issue(&self.nonces, relay, mobility.serial, &allocation.username))
    }

    /// The allocation that a Refresh is for: that of its 5-tuple, or the one that its ticket brings here (RFC 8016
    /// §3.2.2). `None`: another server of the process has it, and is asked for it; the Refresh is to be handed in again
    /// once it is here.
    ///
    /// # Errors
    /// 437 where there is none, 405 and 400 for a ticket that is not accepted, 443 where it has none of `families`. The
    /// ticket stays good then.
    pub(crate) fn slot_to_refresh(
        &mut self,
        request: &Request<'_>,
        username: &str,
        families: &[Family],
        relays: &dyn Relays,
    ) -> Result<Option<usize>, Refusal> {
        let slot = self.table.slot_of(&request.from);
        let Some(ticket) = request.message.attribute(attribute::MOBILITY_TICKET) else {
            let slot = slot.ok_or(Code::AllocationMismatch)?;
            return self.has_any(slot, families).map(|()| Some(slot));
        };
        if !self.config.mobility {
            return Err(Code::MobilityForbidden.into());
        }
        if let Some(slot) = slot {
            let mobility = self.table.get_mut(slot).and_then(|allocation| allocation.mobility);
            let is_repeated = mobility.is_some_and(|it| it.moved_by == Some(request.message.transaction()));
            return if is_repeated {
                self.has_any(slot, families).map(|()| Some(slot))
            } else {
                Err(Code::BadRequest.into())
            };
        }
        let (relay, serial) = recognise(&self.nonces, ticket, username).ok_or(Code::BadRequest)?;
        let claim = Claim { relay, serial, username: username.to_owned() };
        if self.table.slot_of_relay(relay).is_some() {
            let slot = self.check_claim(request.now, &claim).ok_or(Code::BadRequest)?;
            self.has_any(slot, families)?;
            self.move_to(slot, &claim, request);
            return Ok(Some(slot));
        }
        let external = self.external(relay.family).ok_or(Code::BadRequest)?;
        if !relays.is_ours(SocketAddr::new(external, relay.port)) {
            return Err(Code::BadRequest.into());
        }
        self.events.push_back(Event::Claimed { client: request.from, claim });
        Ok(None)
    }

    /// Gives up the allocation that another server of the process was asked for with `claim`, if it is here and the claim
    /// is good. Its relays go with it: whoever embeds this hands both over, without closing anything.
    pub fn surrender(&mut self, now: Instant, claim: &Claim) -> Option<Handover> {
        let slot = self.check_claim(now, claim)?;
        let allocation = self.table.remove(slot)?;
        self.stats.permissions -= allocation.permissions.len() as u64;
        self.stats.channels -= allocation.channels.len() as u64;
        for relay in allocation.relays() {
            self.stats.allocations -= 1;
            self.stats.allocations_by_family.of_mut(allocation.client.transport).down(relay.family);
        }
        Some(Handover { allocation: Box::new(allocation) })
    }

    /// Takes in what another server of the process has [surrendered](Self::surrender); its relays are open here.
    pub fn adopt(&mut self, now: Instant, handover: Handover) {
        let mut allocation = *handover.allocation;
        // Whoever has this 5-tuple here has it by right: the old client's datagrams come to the server of before.
        allocation.client = nowhere(allocation.client);
        let client = allocation.client;
        self.close_nowhere(now, client);
        self.stats.permissions += allocation.permissions.len() as u64;
        self.stats.channels += allocation.channels.len() as u64;
        for relay in allocation.relays() {
            self.stats.allocations += 1;
            self.stats.allocations_by_family.of_mut(allocation.client.transport).up(relay.family);
        }
        let username = allocation.username.clone();
        self.table.insert(allocation);
        self.catch_up(now, client, &username);
    }

    /// What was decided while the allocation was on its way: its user may be gone, and its peers denied.
    fn catch_up(&mut self, now: Instant, client: Client, username: &str) {
        let Some(slot) = self.table.slot_of(&client) else { return };
        let expires = self.credentials.expiry(username);
        if expires.is_some_and(|expires| self.revoked.contains(expires, username)) {
            self.close(now, slot, CloseReason::Revoked);
        } else {
            self.reconsider(now, slot);
        }
    }

    /// The stream of a client that may move has ended: the allocation waits for the client to come back, until it expires.
    pub(crate) fn detach(&mut self, now: Instant, slot: usize) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let client = nowhere(allocation.client);
        self.close_nowhere(now, client);
        self.table.set_client(slot, client);
    }

    /// Two allocations cannot both wait at no address.
    fn close_nowhere(&mut self, now: Instant, client: Client) {
        if let Some(other) = self.table.slot_of(&client) {
            self.close(now, other, CloseReason::Disconnected);
        }
    }

    /// # Errors
    /// 443
    fn has_any(&mut self, slot: usize, families: &[Family]) -> Result<(), Refusal> {
        let allocation = self.table.get_mut(slot).ok_or(Code::AllocationMismatch)?;
        let has_any = families.iter().any(|family| allocation.relay(*family).is_some());
        if has_any { Ok(()) } else { Err(Code::PeerAddressFamilyMismatch.into()) }
    }

    /// What comes after `last`, the client's transaction at first: the same at every server of the process, which know
    /// nothing of each other's tickets, and never twice for one allocation.
    fn next_serial(&self, last: &[u8], username: &str) -> Serial {
        let mac = self.nonces.mac(b"serial", last, username);
        let mut serial = Serial::default();
        serial.copy_from_slice(&mac[..9]);
        serial
    }

    fn check_claim(&mut self, now: Instant, claim: &Claim) -> Option<usize> {
        let slot = self.table.slot_of_relay(claim.relay)?;
        self.expire_relays(now, slot);
        let allocation = self.table.get_mut(slot)?;
        let serial = allocation.mobility?.serial;
        // The serial of a ticket whose MAC is right is no secret from whoever shows it.
        let is_current = *allocation.username == *claim.username && claim.serial == serial;
        (self.config.mobility && is_current && allocation.is_alive(now)).then_some(slot)
    }

    fn move_to(&mut self, slot: usize, claim: &Claim, request: &Request<'_>) {
        let serial = self.next_serial(&claim.serial, &claim.username);
        let Some(allocation) = self.table.get_mut(slot) else { return };
        allocation.mobility = Some(Mobility { serial, moved_by: Some(request.message.transaction()) });
        let from = allocation.client.transport;
        let relays: Vec<Relay> = allocation.relays().collect();
        self.table.set_client(slot, request.from);
        for relay in relays {
            self.stats.allocations_by_family.of_mut(from).down(relay.family);
            self.stats.allocations_by_family.of_mut(request.from.transport).up(relay.family);
            self.events.push_back(Event::Moved { client: request.from, relay });
        }
    }
}

/// A client of the same transport that nothing can come from or reach.
fn nowhere(client: Client) -> Client {
    Client { local: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), ..client }
}

fn issue(nonces: &Nonces, relay: Relay, serial: Serial, username: &str) -> Ticket {
    let mut bytes = [0; 24];
    bytes[..2].copy_from_slice(&relay.port.to_be_bytes());
    bytes[2] = relay.family.index() as u8;
    bytes[3..12].copy_from_slice(&serial);
    let mac = nonces.mac(b"mobility", &bytes[..12], username);
    bytes[12..].copy_from_slice(&mac[..12]);
    let mut ticket = [0; 32];
    // 24 bytes are 32 characters: what it says of its room is always true.
    let _ = URL_SAFE_NO_PAD.encode_slice(bytes, &mut ticket);
    ticket
}

/// The relay and the serial that `ticket` was issued for, if it was to `username`.
fn recognise(nonces: &Nonces, ticket: &[u8], username: &str) -> Option<(Relay, Serial)> {
    let bytes = URL_SAFE_NO_PAD.decode(ticket).ok()?;
    let &[high, low, family, ref rest @ ..] = &bytes[..] else { return None };
    let relay = Relay { family: *Family::ALL.get(usize::from(family))?, port: u16::from_be_bytes([high, low]) };
    let serial: Serial = *rest.first_chunk()?;
    bool::from(issue(nonces, relay, serial, username).ct_eq(ticket)).then_some((relay, serial))
}
