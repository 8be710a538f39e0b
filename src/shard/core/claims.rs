//! Allocations that follow their clients from one shard to another (RFC 8016).

use std::collections::VecDeque;
use std::time::Instant;

use roundturn_turn as turn;
use turn::Client;

use super::{Core, House};
use crate::shard::outbox::Outbox;

/// Refreshes of allocations that another shard has (RFC 8016).
#[derive(Default)]
pub(super) struct Claims {
    /// As they came, until the next [`Core::settle`] tells what each of them claims.
    requests: VecDeque<Vec<u8>>,
    latest: Option<(Client, turn::Claim, Vec<u8>)>,
}

impl Claims {
    /// A Refresh came that asks for what is not here.
    pub(super) fn note(&mut self, request: &[u8]) {
        self.requests.push_back(request.to_vec());
    }

    /// What the next of those Refreshes claims. An earlier one that nobody has taken is lost, and comes again.
    pub(super) fn pair(&mut self, client: Client, claim: &turn::Claim) {
        let request = self.requests.pop_front();
        self.latest = request.map(|request| (client, claim.clone(), request));
    }
}

impl Core {
    /// The latest Refresh of an allocation that another shard has, and what proves it.
    pub fn take_claim(&mut self) -> Option<(Client, turn::Claim, Vec<u8>)> {
        self.claims.latest.take()
    }

    /// Gives up the allocation that another shard was asked for.
    pub fn surrender(&mut self, now: Instant, claim: &turn::Claim) -> Option<turn::Handover> {
        self.turn.surrender(now, claim)
    }

    /// Takes in an allocation of another shard's, whose relays are here by now.
    pub fn adopt(&mut self, now: Instant, handover: turn::Handover) {
        self.turn.adopt(now, handover);
    }

    /// The Refresh that an allocation was fetched for, once more. Where its stream has ended meanwhile, the ticket stays good
    /// for the next.
    pub fn again(&mut self, now: Instant, client: Client, request: &[u8], house: &mut impl House, outbox: &mut Outbox) {
        if client.transport.is_stream() && self.stream_of(client).is_none() {
            return;
        }
        self.hear(now, client, (request, 0..request.len()), house, outbox);
    }
}
