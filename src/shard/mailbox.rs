//! What the tokio side and the shards tell each other: bounded both ways.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};

use roundturn_sfu as sfu;
use roundturn_turn as turn;
use thiserror::Error;
use tokio::sync::oneshot;

use super::handover::{Claimed, Parcel};
use super::streams::{Migrant, StreamConfig};

/// What a shard is asked to do.
#[derive(Debug)]
pub enum ToShard {
    /// Signaling asks the SFU.
    Sfu(sfu::Command),
    /// End the allocations made with this user name, and refuse new ones.
    Revoke {
        /// The whole user name, `expiry:name`.
        username: String,
    },
    /// Other settings, whole.
    Configure(Box<ShardSettings>),
    /// Another shard wants an allocation: it goes there if it is here.
    Claimed(Box<Claimed>),
    /// An allocation that this shard has claimed.
    Parcel(Box<Parcel>),
    /// A stream of another shard's that belongs here.
    Stream(Migrant),
    /// Answer: the thread goes round.
    Ping(oneshot::Sender<()>),
    /// Close everything and end the thread.
    Stop,
}

/// What may change while a shard works.
#[derive(Debug, Clone)]
pub struct ShardSettings {
    /// The TURN server's configuration.
    pub turn: turn::Config,
    /// Certificate, proxies and limits of streams. Where they are listened for stays as it was.
    pub streams: StreamConfig,
}

/// What a shard tells signaling: its number, and what its SFU says.
#[derive(Debug)]
pub struct FromShard {
    /// Which shard.
    pub shard: usize,
    /// What its SFU says.
    pub event: sfu::Event,
}

/// How many messages wait for a shard before senders are told that it is busy: one join storm of the largest room
/// with its offers fits many times over.
const DEPTH: usize = 4096;

/// The senders of every shard.
#[derive(Clone)]
pub struct Shards(Arc<[Sender]>);

impl Shards {
    /// All shards, in their order.
    pub fn new(senders: Vec<Sender>) -> Self {
        Self(senders.into())
    }

    /// How many there are, at least one.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The same for the shards themselves, whom their own mailboxes must not keep alive.
    pub fn neighbours(&self) -> Neighbours {
        Neighbours(Arc::downgrade(&self.0))
    }

    /// Puts a message into the mailbox of shard number `shard`.
    ///
    /// # Errors
    /// [`Busy`] when its mailbox is full or the shard is gone.
    pub fn send(&self, shard: usize, message: ToShard) -> Result<(), Busy> {
        self.0.get(shard).ok_or(Busy { shard })?.send(message).map_err(|_| Busy { shard })
    }
}

/// The senders of every shard, as long as anybody else has them.
#[derive(Clone)]
pub struct Neighbours(Weak<[Sender]>);

impl Neighbours {
    /// How many shards there are.
    pub fn count(&self) -> usize {
        self.0.upgrade().map_or(0, |senders| senders.len())
    }

    /// Puts a message into the mailbox of shard number `shard`.
    ///
    /// # Errors
    /// [`Busy`] when its mailbox is full or the shard is gone.
    pub fn send(&self, shard: usize, message: ToShard) -> Result<(), Busy> {
        self.hand(shard, message).map_err(|_| Busy { shard })
    }

    /// The same for what must not be lost.
    ///
    /// # Errors
    /// The message, back.
    pub fn hand(&self, shard: usize, message: ToShard) -> Result<(), Box<ToShard>> {
        match self.0.upgrade().as_deref().and_then(|senders| senders.get(shard)) {
            Some(sender) => sender.send(message),
            None => Err(Box::new(message)),
        }
    }
}

/// A shard whose mailbox is full.
#[derive(Debug, Error)]
#[error("shard {shard} is busy: its mailbox is full")]
pub struct Busy {
    /// Which.
    pub shard: usize,
}

/// One shard's end for senders.
#[derive(Clone)]
pub struct Sender {
    queue: SyncSender<ToShard>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Sender {
    fn send(&self, message: ToShard) -> Result<(), Box<ToShard>> {
        match self.queue.try_send(message) {
            Ok(()) => {
                (self.wake)();
                Ok(())
            }
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => Err(Box::new(message)),
        }
    }
}

/// A mailbox: `wake` interrupts the shard's poller after each message.
pub fn mailbox(wake: Arc<dyn Fn() + Send + Sync>) -> (Sender, Receiver<ToShard>) {
    let (queue, receiver) = sync_channel(DEPTH);
    (Sender { queue, wake }, receiver)
}
