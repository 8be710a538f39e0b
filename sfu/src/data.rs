//! Messages on data channels: from one participant to everyone else in the room.
//!
//! ```text
//!  0          1                    5
//!  ┌──────────┬────────────────────┬─────────────┐
//!  │ 0 binary │ order of who sent, │ the message │
//!  │ 1 text   │ most significant   │ as it was   │
//!  │          │ byte first         │             │
//!  └──────────┴────────────────────┴─────────────┘
//! ```
//!
//! `order` is the number of a join, which everyone in the room knows. What a client sends has no such head.

use std::sync::Arc;

use str0m::Event;
use str0m::channel::{ChannelData, ChannelId};

use crate::participant::{Handed, Lane, MESSAGE};
use crate::sfu::Sfu;
use crate::timers::Owner;

impl Sfu {
    /// An engine said something about its data channels.
    pub(crate) fn on_channel_event(&mut self, key: usize, event: Event) {
        match event {
            Event::ChannelOpen(id, label) => {
                let Some(participant) = self.participants.get_mut(key) else { return };
                if !participant.open_channel(id, &label, &mut self.outbox) {
                    self.fail(key);
                }
            }
            Event::ChannelClose(id) => {
                if let Some(participant) = self.participants.get_mut(key) {
                    participant.channels.closed(id);
                }
            }
            Event::ChannelData(data) => self.on_message(key, &data),
            _ => {}
        }
    }

    /// The link of a participant may have room for what waits.
    pub(crate) fn hand_on(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let (left, next) = participant.hand_on(self.now, &mut self.outbox);
        self.stats.messages_out += left as u64;
        self.timers.set(Owner::Messages(key), next);
    }

    fn on_message(&mut self, key: usize, data: &ChannelData) {
        let Some(sender) = self.participants.get_mut(key) else { return };
        let Some(lane) = sender.channels.lane(data.id) else { return };
        self.stats.messages_in += 1;
        if !sender.may_message {
            self.stats.messages_dropped.forbidden += 1;
            return;
        }
        let fits = data.data.len() <= MESSAGE;
        if !fits || !sender.channels.may_send(self.now, data.data.len()) {
            self.stats.messages_dropped.sender += 1;
            if lane == Lane::Reliable {
                // One of its messages is missing now, and it must know.
                self.close_channel(key, data.id);
            }
            return;
        }
        let message = framed(sender.order, data);
        let Some(room) = self.rooms.get(&sender.room) else { return };
        for other in room.participants.iter().copied().filter(|other| *other != key) {
            let Some(receiver) = self.participants.get_mut(other).filter(|receiver| receiver.connected) else {
                continue;
            };
            match receiver.hand(self.now, lane, &message, &mut self.outbox) {
                Handed::Nobody => {}
                Handed::Sent => self.stats.messages_out += 1,
                Handed::Waits if self.timers.is_set(Owner::Messages(other)) => {}
                Handed::Waits => self.timers.set(Owner::Messages(other), Some(self.now)),
                Handed::Dropped => self.stats.messages_dropped.receiver += 1,
                Handed::Closed => {
                    self.stats.messages_dropped.receiver += 1;
                    self.stats.channels_closed += 1;
                }
            }
        }
    }

    fn close_channel(&mut self, key: usize, id: ChannelId) {
        self.stats.channels_closed += 1;
        if let Some(participant) = self.participants.get_mut(key) {
            participant.close_channel(id, &mut self.outbox);
        }
    }
}

fn framed(order: u64, data: &ChannelData) -> Arc<[u8]> {
    let mut message = Vec::with_capacity(5 + data.data.len());
    message.push(u8::from(!data.binary));
    message.extend((order as u32).to_be_bytes());
    message.extend_from_slice(&data.data);
    message.into()
}
