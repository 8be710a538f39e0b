//! One WebSocket's two ends: what it says to the hub, and the bounded queue of what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::actor::Ask;
use super::hub::{ConnectionId, Input};
use super::protocol::Bye;

/// Frames that may wait for a client. A client that falls behind loses its connection, not its session: it comes back
/// and is told what it missed.
const FRAMES: usize = 512;
/// Bytes of them.
const BYTES: usize = 2 * 1024 * 1024;

/// What a client is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum ToClient {
    /// A text frame.
    Frame(String),
    /// A close frame; nothing follows.
    Close(Bye),
}

/// The WebSocket's end.
#[derive(Debug)]
pub struct Wire {
    id: ConnectionId,
    asks: Sender<Ask>,
    queue: Receiver<ToClient>,
    queued: Arc<AtomicUsize>,
}

/// The hub's end.
#[derive(Debug)]
pub struct Outgoing {
    queue: Sender<ToClient>,
    queued: Arc<AtomicUsize>,
}

/// Both ends.
pub fn pair(id: ConnectionId, asks: Sender<Ask>) -> (Wire, Outgoing) {
    let (sender, queue) = mpsc::channel(FRAMES);
    let queued = Arc::new(AtomicUsize::new(0));
    (Wire { id, asks, queue, queued: queued.clone() }, Outgoing { queue: sender, queued })
}

impl Wire {
    /// A text frame came. `false`: signaling has ended.
    pub async fn frame(&self, text: String) -> bool {
        self.say(Input::Frame(self.id, text)).await
    }

    /// A frame came that is no text.
    pub async fn not_text(&self) -> bool {
        self.say(Input::NotText(self.id)).await
    }

    /// A frame came that is larger than any that is taken.
    pub async fn too_large(&self) -> bool {
        self.say(Input::TooLarge(self.id)).await
    }

    /// The WebSocket is gone.
    pub async fn lost(self) {
        self.say(Input::Lost(self.id)).await;
    }

    /// What to send next; `None`: close without a word, the client has fallen behind or signaling has ended.
    pub async fn next(&mut self) -> Option<ToClient> {
        let next = self.queue.recv().await;
        if let Some(ToClient::Frame(frame)) = &next {
            self.queued.fetch_sub(frame.len(), Ordering::Relaxed);
        }
        next
    }

    async fn say(&self, input: Input) -> bool {
        self.asks.send(Ask::Input(input)).await.is_ok()
    }
}

impl Outgoing {
    /// Puts something in the queue. `false`: there is no room, or nobody takes it any more.
    pub fn send(&self, to_client: ToClient) -> bool {
        if let ToClient::Frame(frame) = &to_client
            && self.queued.fetch_add(frame.len(), Ordering::Relaxed) + frame.len() > BYTES
        {
            return false;
        }
        self.queue.try_send(to_client).is_ok()
    }

    /// Whether the WebSocket is already gone.
    pub fn is_gone(&self) -> bool {
        self.queue.is_closed()
    }
}
