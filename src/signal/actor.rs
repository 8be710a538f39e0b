//! The one task that owns the hub: carries what happens to it, and does what it wants done.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::credentials::{IceUrls, Mint};
use super::dispatch::{Dispatch, RETRY};
use super::export;
use super::happening::Happening;
use super::hub::{ConnectionId, Hub, Input, Issued, Moment, NotMade, Order, Output, Visitor};
use super::protocol::{Bye, Create, RoomFacts};
use super::record::SessionFacts;
use super::wire::{Outgoing, ToClient};
use crate::clock;
use crate::config::Rooms;
use crate::health::Health;
use crate::shard::mailbox::{FromShard, Shards};
use crate::tokens::{Key, Tokens};

/// What the hub is asked.
#[derive(Debug)]
pub enum Ask {
    /// A WebSocket was accepted, perhaps with a token; this is where its frames go.
    Open(ConnectionId, IpAddr, Option<String>, Outgoing),
    /// Something happened.
    Input(Input),
    /// Make a TURN credential.
    Issue(Order, oneshot::Sender<Result<Issued, NotMade>>),
    /// Make a room.
    CreateRoom(Visitor, Create, oneshot::Sender<Result<RoomFacts, NotMade>>),
    /// What is known of a room.
    Room(Visitor, String, oneshot::Sender<Result<RoomFacts, NotMade>>),
    /// How far a session came.
    Session(Visitor, String, oneshot::Sender<Result<SessionFacts, NotMade>>),
    /// End a room.
    EndRoom(Visitor, String, oneshot::Sender<Result<(), NotMade>>),
    /// Remove a participant from a room.
    Remove(Visitor, (String, String), oneshot::Sender<Result<(), NotMade>>),
    /// TURN is elsewhere from now on.
    SetUrls(IceUrls),
    /// Rooms and credentials are made otherwise from now on.
    Configure(Rooms, Option<Tokens>, Mint),
    /// Keys that were fetched from this URL.
    SetFetchedKeys(String, Vec<Key>),
    /// Say `bye` to everyone, and say when they have been told.
    Drain(Bye, oneshot::Sender<()>),
}

/// The task's belongings.
pub struct Actor {
    hub: Hub,
    dispatch: Dispatch,
    health: Arc<Health>,
    connections: HashMap<ConnectionId, Outgoing>,
    /// Connections that have been told to close, until they are gone.
    closing: Vec<Outgoing>,
    farewell: Option<oneshot::Sender<()>>,
    keys_wanted: Arc<Notify>,
    happenings: mpsc::Sender<Happening>,
}

impl Actor {
    pub(super) fn new(
        hub: Hub,
        shards: Shards,
        health: Arc<Health>,
        keys_wanted: Arc<Notify>,
        happenings: mpsc::Sender<Happening>,
    ) -> Self {
        Self {
            hub,
            dispatch: Dispatch::new(shards),
            health,
            connections: HashMap::new(),
            closing: Vec::new(),
            farewell: None,
            keys_wanted,
            happenings,
        }
    }

    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut events: mpsc::Receiver<FromShard>) {
        let mut tick = interval(std::time::Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shards_live = true;
        loop {
            let wake = self.wake_at();
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.on_ask(ask),
                    None => break,
                },
                event = events.recv(), if shards_live => match event {
                    Some(event) => self.hub.handle(moment(), Input::Sfu(event.event)),
                    None => shards_live = false,
                },
                () = sleep_until(wake.unwrap_or_else(clock::now).into()), if wake.is_some() => {
                    self.dispatch.retry();
                    self.hub.handle_timeout(moment());
                }
                _ = tick.tick() => export::export(self.hub.stats()),
            }
            self.work();
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let retry = (self.dispatch.is_waiting() || self.farewell.is_some()).then(|| clock::now() + RETRY);
        self.hub.poll_timeout().into_iter().chain(retry).min()
    }

    fn on_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Open(connection, from, token, outgoing) => {
                self.connections.insert(connection, outgoing);
                self.hub.handle(moment(), Input::Opened(connection, from, token));
            }
            Ask::Input(input) => {
                if let Input::Lost(connection) = &input {
                    self.connections.remove(connection);
                }
                self.hub.handle(moment(), input);
            }
            // Whoever asked over HTTP and went away needs no answer.
            Ask::CreateRoom(visitor, create, answer) => {
                let _ = answer.send(self.hub.create_room(moment(), &visitor, &create));
            }
            Ask::Issue(order, answer) => {
                let _ = answer.send(self.hub.issue(moment(), &order));
            }
            Ask::Room(visitor, name, answer) => {
                let _ = answer.send(self.hub.room_facts(moment(), &visitor, &name));
            }
            Ask::Session(visitor, session, answer) => {
                let _ = answer.send(self.hub.session_facts(moment(), &visitor, &session));
            }
            Ask::EndRoom(visitor, name, answer) => {
                let _ = answer.send(self.hub.end_room_for(moment(), &visitor, &name));
            }
            Ask::Remove(visitor, (room, participant), answer) => {
                let _ = answer.send(self.hub.remove_for(moment(), &visitor, (&room, &participant)));
            }
            Ask::SetUrls(urls) => self.hub.set_urls(urls),
            Ask::Configure(rooms, tokens, mint) => self.hub.configure(moment(), rooms, tokens, mint),
            Ask::SetFetchedKeys(url, keys) => self.hub.set_fetched_keys(&url, keys),
            Ask::Drain(bye, answer) => {
                self.hub.drain(bye);
                self.farewell = Some(answer);
            }
        }
    }

    /// Does what the hub wants done. Bounded: refusals only ever end sessions or answer requests.
    fn work(&mut self) {
        while let Some(output) = self.hub.poll() {
            match output {
                Output::Frame(connection, frame) => self.send(connection, ToClient::Frame(frame)),
                Output::Close(connection, bye) => {
                    self.send(connection, ToClient::Close(bye));
                    self.closing.extend(self.connections.remove(&connection));
                }
                Output::Sfu { shard, command } => {
                    if let Err(command) = self.dispatch.command(shard, command) {
                        self.hub.handle(moment(), Input::Refused(command));
                    }
                }
                Output::Happened(happening) => self.tell_of(*happening),
                Output::KeysWanted => self.keys_wanted.notify_one(),
                Output::Revoke(username) => self.dispatch.revoke(&username),
            }
        }
        for shard in 0..self.dispatch.shards() {
            self.hub.set_busy(shard, self.dispatch.is_busy(shard));
        }
        self.closing.retain(|outgoing| !outgoing.is_gone());
        if self.closing.is_empty()
            && let Some(answer) = self.farewell.take()
        {
            let _ = answer.send(());
        }
        let (rooms, participants) = self.hub.occupancy();
        self.health.set_occupancy(rooms, participants);
    }

    fn tell_of(&self, happening: Happening) {
        if let Err(TrySendError::Full(_)) = self.happenings.try_send(happening) {
            export::happening_lost();
        }
    }

    /// A client that does not keep up loses its connection: dropping our end closes it without a word.
    fn send(&mut self, connection: ConnectionId, to_client: ToClient) {
        let Some(outgoing) = self.connections.get(&connection) else { return };
        if outgoing.send(to_client) {
            return;
        }
        if !outgoing.is_gone() {
            export::slow_consumer_closed();
        }
        self.connections.remove(&connection);
        self.hub.handle(moment(), Input::Lost(connection));
    }
}

fn moment() -> Moment {
    Moment { instant: clock::now(), unix_ms: u64::try_from(clock::unix().as_millis()).unwrap_or(u64::MAX) }
}
