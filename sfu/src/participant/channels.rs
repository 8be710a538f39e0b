//! The data channels of one participant, and the messages that wait for room on its link.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::Input;
use str0m::channel::ChannelId;

use super::{DATA_LASTS, Outbox, Participant};
use crate::bucket::Bucket;

/// The largest message that is taken, in bytes; the answer says so.
pub(crate) const MESSAGE: usize = 16 * 1024;
/// What a message costs beside its bytes: packets, acknowledgements, and our work.
const MESSAGE_COST: usize = 256;
/// What a participant may send, in bytes a second and at once. Everyone else in the room gets it.
const SENT: (u32, u32) = (64 * 1024, 128 * 1024);
/// What a participant is sent at most, in bytes a second and at once: a megabit.
const RECEIVED: (u32, u32) = (128 * 1024, 32 * 1024);
/// The part of the measured bandwidth that data may have: the engine sends it before media, and at once.
const SHARE: u64 = 4;
/// Nobody is sent less than that, in bytes a second.
const LEAST: u64 = 4 * 1024;
/// What the engine may hold back for a channel before it is given more: a link that is full is not filled further.
const BACKLOG: usize = 32 * 1024;
/// Messages of the reliable channel that wait here, in bytes; who falls further behind loses the channel.
const WAITING: usize = 128 * 1024;
/// How soon a full link is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// Channels that are opened in the life of an engine; whoever opens more is up to no good.
const OPENED: u32 = 64;

/// What a channel promises. Its label says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// `reliable`: every message, in order, or the channel is closed.
    Reliable,
    /// `lossy`: what there is room for now.
    Lossy,
}

/// What became of a message for one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handed {
    /// It has no such channel.
    Nobody,
    /// It left.
    Sent,
    /// It leaves as soon as the link has room.
    Waits,
    /// There is no room for it.
    Dropped,
    /// The receiver is too far behind: its channel is closed.
    Closed,
}

/// What is open between one participant and us.
#[derive(Debug)]
pub(crate) struct Channels {
    reliable: Option<ChannelId>,
    lossy: Option<ChannelId>,
    opened: u32,
    sent: Bucket,
    received: Bucket,
    /// For the reliable channel, the oldest first.
    waiting: VecDeque<Arc<[u8]>>,
    waiting_bytes: usize,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            reliable: None,
            lossy: None,
            opened: 0,
            sent: Bucket::new(SENT.0, SENT.1),
            received: Bucket::new(RECEIVED.0, RECEIVED.1),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }
}

impl Lane {
    fn named(label: &str) -> Option<Self> {
        match label {
            "reliable" => Some(Self::Reliable),
            "lossy" => Some(Self::Lossy),
            _ => None,
        }
    }
}

impl Channels {
    /// The lane that a channel is.
    pub(crate) fn lane(&self, id: ChannelId) -> Option<Lane> {
        [Lane::Reliable, Lane::Lossy].into_iter().find(|lane| self.channel(*lane) == Some(id))
    }

    /// A channel is gone.
    pub(crate) fn closed(&mut self, id: ChannelId) {
        match self.lane(id) {
            Some(Lane::Reliable) => {
                self.reliable = None;
                self.waiting.clear();
                self.waiting_bytes = 0;
            }
            Some(Lane::Lossy) => self.lossy = None,
            None => {}
        }
    }

    /// The engine is gone, and with it the channels. What was sent before still counts.
    pub(crate) fn reset(&mut self) {
        for id in [self.reliable, self.lossy].into_iter().flatten() {
            self.closed(id);
        }
        self.opened = 0;
    }

    /// Whether the participant may send a message of so many bytes now.
    pub(crate) fn may_send(&mut self, now: Instant, bytes: usize) -> bool {
        self.sent.take(now, cost(bytes))
    }

    /// The link was measured anew, in bits per second.
    pub(crate) fn measured(&mut self, now: Instant, estimate: u64) {
        let share = (estimate / 8 / SHARE).clamp(LEAST, u64::from(RECEIVED.0));
        self.received.set_rate(now, share as u32);
    }

    fn channel(&self, lane: Lane) -> Option<ChannelId> {
        match lane {
            Lane::Reliable => self.reliable,
            Lane::Lossy => self.lossy,
        }
    }
}

impl Participant {
    /// The client opened a channel. `false`: it has opened far too many.
    pub(crate) fn open_channel(&mut self, id: ChannelId, label: &str, out: &mut Outbox) -> bool {
        self.channels.opened += 1;
        match Lane::named(label) {
            Some(Lane::Reliable) if self.channels.reliable.is_none() => self.channels.reliable = Some(id),
            Some(Lane::Lossy) if self.channels.lossy.is_none() => self.channels.lossy = Some(id),
            _ => self.close_channel(id, out),
        }
        self.channels.opened <= OPENED
    }

    /// Closes a channel: the client sees that, and may open it anew.
    pub(crate) fn close_channel(&mut self, id: ChannelId, out: &mut Outbox) {
        self.channels.closed(id);
        self.mutate(out, |rtc| rtc.direct_api().close_data_channel(id));
    }

    /// Sends a message on a lane, now or as soon as the link has room.
    pub(crate) fn hand(&mut self, now: Instant, lane: Lane, message: &Arc<[u8]>, out: &mut Outbox) -> Handed {
        let Some(id) = self.channels.channel(lane) else { return Handed::Nobody };
        if self.channels.waiting.is_empty() || lane == Lane::Lossy {
            let may = self.channels.received.take(now, cost(message.len()));
            if may && self.push(now, id, message, out) {
                return Handed::Sent;
            }
        }
        if lane == Lane::Lossy {
            return Handed::Dropped;
        }
        if self.channels.waiting_bytes + message.len() > WAITING {
            self.close_channel(id, out);
            return Handed::Closed;
        }
        self.channels.waiting_bytes += message.len();
        self.channels.waiting.push_back(Arc::clone(message));
        Handed::Waits
    }

    /// Sends what waited. How many messages left, and when to go on if some still wait.
    pub(crate) fn hand_on(&mut self, now: Instant, out: &mut Outbox) -> (usize, Option<Instant>) {
        let mut left = 0;
        // Each message costs tokens, so that this ends within one burst.
        while let (Some(id), Some(next)) = (self.channels.reliable, self.channels.waiting.front().cloned()) {
            if !self.channels.received.take(now, cost(next.len())) {
                let wait = self.channels.received.empty_for(now);
                return (left, Some(now + wait.max(RETRY)));
            }
            if !self.push(now, id, &next, out) {
                return (left, Some(now + RETRY));
            }
            if self.channels.waiting.pop_front().is_some() {
                self.channels.waiting_bytes -= next.len();
            }
            left += 1;
        }
        (left, None)
    }

    /// Whether the engine took it.
    fn push(&mut self, now: Instant, id: ChannelId, message: &[u8], out: &mut Outbox) -> bool {
        self.busy = self.busy.max(Some(now + DATA_LASTS));
        let is_behind = self.fed.replace(now).is_none_or(|fed| fed < now);
        let pushed = self.mutate(out, |rtc| {
            // How long an answer takes is measured from what the engine believes to be now, and decides when it sends again.
            if is_behind && rtc.handle_input(Input::Timeout(now)).is_err() {
                return false;
            }
            let Some(mut channel) = rtc.channel(id) else { return false };
            channel.buffered_amount() <= BACKLOG && matches!(channel.write(true, message), Ok(true))
        });
        pushed == Some(true)
    }
}

fn cost(bytes: usize) -> u32 {
    (bytes + MESSAGE_COST) as u32
}
