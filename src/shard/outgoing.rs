//! What the shard tells the tokio side: a bounded channel, with a bounded backlog for when that is slow.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use roundturn_sfu::Event;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::mailbox::FromShard;

/// Events that wait while the channel is full. Beyond it the oldest are lost: a signaling side that is so far behind
/// has clients that time out and join anew.
const BACKLOG_MAX: usize = 4096;

/// How soon a full channel is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// The shard's end of the channel.
pub struct Outgoing {
    shard: usize,
    channel: Sender<FromShard>,
    backlog: VecDeque<Event>,
    lost: u64,
}

impl Outgoing {
    /// The end of shard number `shard`.
    pub fn new(shard: usize, channel: Sender<FromShard>) -> Self {
        Self { shard, channel, backlog: VecDeque::new(), lost: 0 }
    }

    /// Takes an event, to be sent by [`Outgoing::flush`]. What will soon be said again anyway is lost first.
    pub fn push(&mut self, event: Event) {
        let repeated = matches!(event, Event::Speakers { .. } | Event::Quality { .. });
        if repeated && self.backlog.len() > BACKLOG_MAX / 2 {
            self.lost += 1;
            return;
        }
        if self.backlog.len() >= BACKLOG_MAX {
            self.backlog.pop_front();
            self.lost += 1;
        }
        self.backlog.push_back(event);
    }

    /// Sends as much as the channel takes.
    pub fn flush(&mut self) {
        while let Some(event) = self.backlog.pop_front() {
            match self.channel.try_send(FromShard { shard: self.shard, event }) {
                Ok(()) => {}
                Err(TrySendError::Full(message)) => {
                    self.backlog.push_front(message.event);
                    return;
                }
                Err(TrySendError::Closed(_)) => self.lost += 1,
            }
        }
    }

    /// When to try again, if something waits.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        (!self.backlog.is_empty()).then(|| now + RETRY)
    }

    /// Events that were lost so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use roundturn_sfu::{ParticipantId, RoomId, Stage};
    use tokio::sync::mpsc;

    use super::*;

    fn connected(number: u64) -> Event {
        Event::Reached { participant: ParticipantId(number), stage: Stage::Connected }
    }

    #[test]
    fn order_is_kept_when_the_channel_was_full() {
        let (sender, mut receiver) = mpsc::channel(2);
        let mut outgoing = Outgoing::new(3, sender);
        (0..5).for_each(|number| outgoing.push(connected(number)));
        let mut heard = Vec::new();
        for _ in 0..3 {
            outgoing.flush();
            while let Ok(message) = receiver.try_recv() {
                assert_eq!(message.shard, 3);
                heard.push(message.event);
            }
        }
        assert_eq!(heard, (0..5).map(connected).collect::<Vec<_>>());
        assert_eq!(outgoing.lost(), 0);
    }

    #[test]
    fn a_side_that_never_listens_costs_a_bounded_backlog() {
        let (sender, _receiver) = mpsc::channel(1);
        let mut outgoing = Outgoing::new(0, sender);
        (0..10_000).for_each(|number| outgoing.push(connected(number)));
        outgoing.push(Event::Speakers { room: RoomId(1), participants: Vec::new() });
        assert_eq!(outgoing.backlog.len(), BACKLOG_MAX);
        assert_eq!(outgoing.backlog.back(), Some(&connected(9_999)), "the newest is there, save for what is repeated");
        assert_eq!(outgoing.lost(), 10_001 - BACKLOG_MAX as u64);
    }
}
