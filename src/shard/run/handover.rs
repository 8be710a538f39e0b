//! Allocations that leave a shard, and those that come (RFC 8016).

use std::time::Instant;

use roundturn_turn::Relays as _;

use super::{Running, State};
use crate::shard::core::House as _;
use crate::shard::handover::{Claimed, Parcel};
use crate::shard::mailbox::ToShard;

impl Running {
    /// Asks all other shards for an allocation that a client wants here: one in a turn, so that nobody fills mailboxes by
    /// asking. Those beyond it are lost, and asked for again.
    pub(super) fn claim(&mut self) {
        let Some((client, claim, request)) = self.core.take_claim() else { return };
        let claimed = Claimed { by: self.index, claim, client, request };
        for shard in (0..self.neighbours.count()).filter(|shard| *shard != self.index) {
            // A busy shard is asked again by the client's next try.
            let _ = self.neighbours.send(shard, ToShard::Claimed(Box::new(claimed.clone())));
        }
    }

    /// Gives up an allocation that another shard's client has a right to, if it is here.
    pub(super) fn surrender(&mut self, now: Instant, claimed: Claimed) {
        let Claimed { by, claim, client, request } = claimed;
        let Some(handover) = self.core.surrender(now, &claim) else { return };
        let relays = handover.relays().into_iter();
        let sockets = relays.filter_map(|relay| Some((relay, self.sockets.relays.give(relay)?))).collect();
        let parcel = Parcel { handover, sockets, client, request };
        if let Err(message) = self.neighbours.hand(by, ToShard::Parcel(Box::new(parcel)))
            && let ToShard::Parcel(parcel) = *message
        {
            self.keep(now, *parcel);
        }
    }

    /// Takes up an allocation, and answers the Refresh that it has been fetched for.
    pub(super) fn take_up(&mut self, now: Instant, mut parcel: Parcel, state: &mut State) {
        let (client, request) = (parcel.client, std::mem::take(&mut parcel.request));
        self.keep(now, parcel);
        self.core.again(now, client, &request, &mut self.sockets.relays, &mut state.outbox);
    }

    fn keep(&mut self, now: Instant, parcel: Parcel) {
        let Parcel { mut handover, sockets, .. } = parcel;
        let relays = handover.relays();
        for (relay, socket) in sockets {
            if let Err(error) = self.sockets.relays.take(relay, socket) {
                tracing::warn!(%error, "a relay cannot be polled: its allocation ends");
                relays.iter().for_each(|relay| self.sockets.relays.close(*relay));
                return;
            }
        }
        handover.set_meter(relays.first().and_then(|relay| self.sockets.relays.meter(*relay)));
        self.core.adopt(now, handover);
    }
}
