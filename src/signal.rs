//! Signaling: rooms, participants and their messages, between WebSockets and the shards.
//!
//! ```text
//!  http ──Wire──► actor ─┬─ Hub (pure) ── decides
//!       ◄─────────       └─ Dispatch ────► mailboxes of the shards
//!                 ▲──────────────────────── events of the shards
//! ```

mod actor;
mod bucket;
mod credentials;
mod dispatch;
mod event_log;
mod export;
pub mod happening;
mod hub;
mod member;
pub mod protocol;
mod random;
mod record;
mod repeats;
mod room;
mod stats;
mod timers;
mod wire;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::config::Settings;
use crate::health::Health;
use crate::nat::Addresses;
use crate::shard::mailbox::{FromShard, Shards};
use crate::tokens::Key;
use actor::{Actor, Ask};
use happening::Happening;
use protocol::{Bye, Create, Limits, RoomFacts, SlotCounts};
pub use record::SessionFacts;

pub use bucket::Rate;
pub use credentials::{Credential, IceUrls, Mint};
pub use export::describe as describe_metrics;
pub use hub::{ConnectionId, Hub, HubConfig, Input, Issued, Moment, NotMade, Order, Output, Proof, Visitor};
pub(crate) use random::same_secret;
pub(crate) use room::is_room_name;
pub use stats::Api;
pub use wire::{ToClient, Wire};

/// Everything that signaling is told before it starts.
#[derive(Debug)]
pub struct SignalConfig {
    /// What the hub decides by.
    pub hub: HubConfig,
}

/// How often one source address, and one API key, may have a join, a room or a credential: a school that comes back at
/// once after a restart is let in, and whoever wants them for their own sake gets few.
const ASKS: Rate = Rate { per_second: 20, burst: 500 };
/// How long a connection may take to say `join` or `resume`.
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Rooms at a time: an empty one weighs some hundred bytes.
const ROOMS: usize = 10_000;
/// What may wait for the hub before those who ask have to wait themselves.
const QUEUE: usize = 1024;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

impl SignalConfig {
    /// As the settings say. `seed` makes session keys unpredictable; `slots` is what the SFU gives each participant.
    pub fn new(settings: &Settings, addresses: &Addresses, slots: SlotCounts, seed: [u8; 32]) -> Self {
        Self {
            hub: HubConfig {
                rooms: settings.rooms.clone(),
                rooms_max: ROOMS,
                shards: settings.shards.count,
                limits: Limits {
                    frame_bytes: settings.frames.bytes,
                    frames_per_second: settings.frames.per_second,
                    slots,
                },
                burst: settings.frames.burst,
                frame_bytes_out: settings.frames.bytes_out,
                asks: ASKS,
                join_timeout: JOIN_TIMEOUT,
                tokens: settings.tokens.clone(),
                mint: mint(settings),
                urls: urls(settings, addresses),
                seed,
            },
        }
    }
}

fn mint(settings: &Settings) -> Mint {
    Mint::new(settings.auth.secrets.clone(), settings.auth.credential_ttl)
}

fn urls(settings: &Settings, addresses: &Addresses) -> IceUrls {
    let urls = IceUrls::new(&settings.listen.turn, addresses);
    match settings.tls_listeners() {
        [] => urls,
        listeners => urls.with_tls(listeners, addresses),
    }
}

/// Starts signaling on the current runtime. It ends when every handle is dropped. What happens in rooms is told to
/// `happenings`, and to nobody where nobody listens or listens too slowly.
pub fn spawn(
    config: SignalConfig,
    shards: Shards,
    events: mpsc::Receiver<FromShard>,
    health: Arc<Health>,
    happenings: mpsc::Sender<Happening>,
) -> SignalHandle {
    let (asks, queue) = mpsc::channel(QUEUE);
    let keys_wanted = Arc::new(Notify::new());
    let actor = Actor::new(Hub::new(config.hub), shards, health, Arc::clone(&keys_wanted), happenings);
    tokio::spawn(actor.run(queue, events));
    SignalHandle { asks, last_connection: Arc::new(AtomicU64::new(0)), keys_wanted }
}

/// Signaling, for whoever brings connections or questions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SignalHandle {
    asks: mpsc::Sender<Ask>,
    last_connection: Arc<AtomicU64>,
    keys_wanted: Arc<Notify>,
}

/// Signaling has ended.
#[derive(Debug, thiserror::Error)]
#[error("signaling has ended")]
pub struct Ended;

impl SignalHandle {
    /// Hands in a WebSocket that was just accepted, from this address, with the token of its request.
    ///
    /// # Errors
    /// [`Ended`]
    pub async fn open(&self, from: IpAddr, token: Option<String>) -> Result<Wire, Ended> {
        let id = ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1);
        let (wire, outgoing) = wire::pair(id, self.asks.clone());
        self.asks.send(Ask::Open(id, from, token, outgoing)).await.map_err(|_| Ended)?;
        Ok(wire)
    }

    /// Makes a room.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn create_room(&self, visitor: Visitor, create: Create) -> Result<Result<RoomFacts, NotMade>, Ended> {
        self.ask(|answer| Ask::CreateRoom(visitor, create, answer)).await
    }

    /// Makes a TURN credential.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn issue(&self, order: Order) -> Result<Result<Issued, NotMade>, Ended> {
        self.ask(|answer| Ask::Issue(order, answer)).await
    }

    /// What whoever may join a room may know of it.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn room(&self, visitor: Visitor, name: String) -> Result<Result<RoomFacts, NotMade>, Ended> {
        self.ask(|answer| Ask::Room(visitor, name, answer)).await
    }

    /// How far a session came, and why no further.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn session(&self, visitor: Visitor, name: String) -> Result<Result<SessionFacts, NotMade>, Ended> {
        self.ask(|answer| Ask::Session(visitor, name, answer)).await
    }

    /// Ends a room.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn end_room(&self, visitor: Visitor, name: String) -> Result<Result<(), NotMade>, Ended> {
        self.ask(|answer| Ask::EndRoom(visitor, name, answer)).await
    }

    /// Removes a participant, the second, from a room, the first.
    ///
    /// # Errors
    /// [`Ended`], or what the hub has against it.
    pub async fn remove(&self, visitor: Visitor, who: (String, String)) -> Result<Result<(), NotMade>, Ended> {
        self.ask(|answer| Ask::Remove(visitor, who, answer)).await
    }

    /// TURN is elsewhere from now on.
    ///
    /// # Errors
    /// [`Ended`]
    pub async fn set_urls(&self, urls: IceUrls) -> Result<(), Ended> {
        self.asks.send(Ask::SetUrls(urls)).await.map_err(|_| Ended)
    }

    /// Rooms and credentials are as `settings` say from now on.
    ///
    /// # Errors
    /// [`Ended`]
    pub async fn configure(&self, settings: &Settings) -> Result<(), Ended> {
        self.asks
            .send(Ask::Configure(settings.rooms.clone(), settings.tokens.clone(), mint(settings)))
            .await
            .map_err(|_| Ended)
    }

    /// Keys for tokens that were fetched from this URL.
    ///
    /// # Errors
    /// [`Ended`]
    pub async fn set_fetched_keys(&self, url: String, keys: Vec<Key>) -> Result<(), Ended> {
        self.asks.send(Ask::SetFetchedKeys(url, keys)).await.map_err(|_| Ended)
    }

    /// Returns when somebody came with a token of no key that is known.
    pub async fn keys_wanted(&self) {
        self.keys_wanted.notified().await;
    }

    /// Says `bye` to everyone and lets nobody new in; returns once everyone was told, or after two seconds.
    pub async fn drain(&self, bye: Bye) {
        let farewell = self.ask(|answer| Ask::Drain(bye, answer));
        // Whoever does not read what it is sent is not waited for.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    /// Whether signaling works.
    pub fn is_live(&self) -> bool {
        !self.asks.is_closed()
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}
