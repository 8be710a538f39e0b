//! Commands on their way to the shards' mailboxes, in their order, also while a mailbox is full.

use std::collections::VecDeque;
use std::time::Duration;

use roundturn_sfu::Command;

use crate::shard::mailbox::{Shards, ToShard};

/// How often a full mailbox is tried again.
pub const RETRY: Duration = Duration::from_millis(10);
/// Commands that wait for one shard. Beyond that, whoever asks is refused; what ends something is always kept, because
/// there is at most one of it for each thing that was begun.
const BACKLOG: usize = 4096;
/// Where whoever asks is refused already: one request brings about far fewer commands than still fit.
const BUSY: usize = BACKLOG / 2;

/// One queue for each shard.
pub struct Dispatch {
    shards: Shards,
    backlog: Vec<VecDeque<Waiting>>,
}

enum Waiting {
    Command(Command),
    Revoke(String),
}

impl Dispatch {
    /// To these shards.
    pub fn new(shards: Shards) -> Self {
        let backlog = (0..shards.count()).map(|_| VecDeque::new()).collect();
        Self { shards, backlog }
    }

    /// Tells one shard's SFU.
    ///
    /// # Errors
    /// The command itself, where it can neither be sent nor wait.
    pub fn command(&mut self, shard: usize, command: Command) -> Result<(), Command> {
        let Some(queue) = self.backlog.get_mut(shard) else { return Err(command) };
        if queue.len() >= BACKLOG && !matches!(command, Command::Leave { .. }) {
            return Err(command);
        }
        queue.push_back(Waiting::Command(command));
        self.flush(shard);
        Ok(())
    }

    /// Ends a TURN user name on every shard.
    pub fn revoke(&mut self, username: &str) {
        for shard in 0..self.backlog.len() {
            if let Some(queue) = self.backlog.get_mut(shard) {
                queue.push_back(Waiting::Revoke(username.to_owned()));
            }
            self.flush(shard);
        }
    }

    /// Tries again whatever waits.
    pub fn retry(&mut self) {
        for shard in 0..self.backlog.len() {
            self.flush(shard);
        }
    }

    /// Whether so much waits for a shard that it should be asked nothing more.
    pub fn is_busy(&self, shard: usize) -> bool {
        self.backlog.get(shard).is_some_and(|queue| queue.len() >= BUSY)
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.backlog.len()
    }

    /// Whether anything waits.
    pub fn is_waiting(&self) -> bool {
        self.backlog.iter().any(|queue| !queue.is_empty())
    }

    fn flush(&mut self, shard: usize) {
        let Some(queue) = self.backlog.get_mut(shard) else { return };
        while let Some(waiting) = queue.front() {
            let message = match waiting {
                Waiting::Command(command) => ToShard::Sfu(command.clone()),
                Waiting::Revoke(username) => ToShard::Revoke { username: username.clone() },
            };
            if self.shards.send(shard, message).is_err() {
                break;
            }
            queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roundturn_sfu::{Command, ParticipantId, TrackId};

    use super::*;
    use crate::shard::mailbox::mailbox;

    fn mute(track: u64) -> Command {
        Command::Mute { track: TrackId(track), muted: true }
    }

    #[test]
    fn a_full_mailbox_keeps_the_order_and_then_refuses_whoever_asks() {
        let (sender, receiver) = mailbox(Arc::new(|| {}));
        let mut dispatch = Dispatch::new(Shards::new(vec![sender]));
        let taken = (0..20_000).take_while(|track| dispatch.command(0, mute(*track)).is_ok()).count() as u64;
        assert!(dispatch.is_waiting() && dispatch.is_busy(0));
        assert!(dispatch.command(0, mute(taken)).is_err());
        assert!(dispatch.command(0, Command::Leave { participant: ParticipantId(1) }).is_ok(), "an end is never lost");
        dispatch.revoke("1795179600:p_1");

        let (mut tracks, mut ends) = (Vec::new(), 0);
        loop {
            match receiver.try_recv() {
                Ok(ToShard::Sfu(Command::Mute { track, .. })) => tracks.push(track.0),
                Ok(_) => ends += 1,
                Err(_) if dispatch.is_waiting() => dispatch.retry(),
                Err(_) => break,
            }
        }
        assert_eq!(tracks, (0..taken).collect::<Vec<_>>());
        assert_eq!(ends, 2);
        assert!(!dispatch.is_busy(0));
    }
}
