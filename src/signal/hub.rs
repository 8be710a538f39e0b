//! The hub: every room, participant and session, and what happens to them. Pure: no socket, task, clock or lock.
//!
//! ```text
//!  a connection opened, spoke, was lost ──► handle ──┐          ┌──► Frame, Close   to a connection
//!  a shard's SFU says                   ──► handle ──┼─► poll ──┼──► Sfu            to a shard
//!  time                                 ──► handle_timeout      └──► Revoke         to all shards
//! ```
//!
//! **After every `handle_*` call, poll until `None`.** What a session goes through:
//!
//! ```text
//!  opened ──join──► attached ──connection lost──► detached ──resume──► attached
//!    └─ 5 s: bye       └─ leave, removed, bye ─┐     └─ too late ─┐
//!                                              ▼                  ▼
//!                                          participant_left, credentials revoked
//! ```

mod configure;
mod ends;
mod enter;
mod happen;
mod issue;
mod media;
mod moderate;
mod records;
mod relay;
mod requests;
mod rooms;
mod sfu_events;
#[cfg(test)]
mod tests;
mod tokens;
mod welcome;

use issue::Asker;
pub use issue::{Issued, Order, Proof};
pub use rooms::NotMade;
pub use tokens::Visitor;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use roundturn_sfu::{self as sfu, ParticipantId, RoomId};

use super::bucket::{Bucket, Buckets, Rate};
use super::credentials::{IceUrls, Mint};
use super::happening::Happening;
use super::member::Member;
use super::protocol::{Bye, ErrorCode, Event, EventText, Limits, Reply, render, render_event};
use super::random::Random;
use super::record::Records;
use super::room::Room;
use super::stats::Stats;
use super::timers::{Timer, Timers};
use crate::config;
use crate::tokens::Tokens;

/// A WebSocket, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// One reading of both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For deadlines.
    pub instant: Instant,
    /// For stamps, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// Everything that is decided before the first connection.
#[derive(Debug)]
pub struct HubConfig {
    /// What rooms are when nobody says.
    pub rooms: config::Rooms,
    /// The most rooms at a time.
    pub rooms_max: usize,
    /// How many shards there are.
    pub shards: usize,
    /// What a client may send, and how many slots it may have.
    pub limits: Limits,
    /// How many frames a connection may send at once.
    pub burst: u32,
    /// How large the answer to a join may be before it is made smaller.
    pub frame_bytes_out: usize,
    /// How often one source address, and one API key, may have something that costs: a join, a room, a credential.
    pub asks: Rate,
    /// How long a connection may take to say `join` or `resume`.
    pub join_timeout: Duration,
    /// Checks tokens, where there is a key to check them with.
    pub tokens: Option<Tokens>,
    /// Signs TURN credentials.
    pub mint: Mint,
    /// Where TURN is.
    pub urls: IceUrls,
    /// Where names and keys come from.
    pub seed: [u8; 32],
}

/// What happens to the hub.
#[derive(Debug)]
pub enum Input {
    /// A WebSocket was accepted, from this address, and its request had this token.
    Opened(ConnectionId, IpAddr, Option<String>),
    /// It sent a text frame.
    Frame(ConnectionId, String),
    /// It sent a frame that is no text.
    NotText(ConnectionId),
    /// It sent a frame larger than any that is taken.
    TooLarge(ConnectionId),
    /// It is gone, or does not read what it is sent.
    Lost(ConnectionId),
    /// A shard's SFU says something.
    Sfu(sfu::Event),
    /// A shard could not take a command.
    Refused(sfu::Command),
}

/// What the hub wants done.
#[derive(Debug)]
pub enum Output {
    /// Send a text frame.
    Frame(ConnectionId, String),
    /// Close a connection, after its frames.
    Close(ConnectionId, Bye),
    /// Tell a shard's SFU.
    Sfu {
        /// Which shard.
        shard: usize,
        /// What.
        command: sfu::Command,
    },
    /// Tell the application.
    Happened(Box<Happening>),
    /// Somebody came with a token of no key that is known: more may be published by now.
    KeysWanted,
    /// End this TURN user name on every shard.
    Revoke(String),
}

/// The hub.
pub struct Hub {
    config: HubConfig,
    random: Random,
    connections: HashMap<ConnectionId, Connection>,
    members: HashMap<ParticipantId, Member>,
    sessions: HashMap<String, ParticipantId>,
    rooms: HashMap<RoomId, Room>,
    names: HashMap<String, RoomId>,
    /// SFU participants and SFU rooms of each shard.
    load: Vec<(usize, usize)>,
    timers: Timers,
    /// Who asked for something that costs.
    asked: Buckets,
    outputs: VecDeque<Output>,
    stats: Stats,
    records: Records,
    /// Shards that take nothing more from those who ask.
    busy: Vec<bool>,
    /// Rooms with somebody in them.
    occupied: u64,
    last_participant: u64,
    last_room: u64,
    draining: Option<Bye>,
}

/// A WebSocket, before and after it has joined.
#[derive(Debug)]
struct Connection {
    source: Asker,
    /// What came with the request, for the join.
    token: Option<String>,
    participant: Option<ParticipantId>,
    bucket: Bucket,
    join_by: Instant,
}

/// How a request ends well.
#[derive(Debug, Clone, Copy)]
pub enum Done {
    /// With `ok`.
    Ok,
    /// With `ok` and the stamps of a message.
    Stamped {
        /// Its time, in milliseconds since 1970.
        at: u64,
        /// Its place in the room's order.
        room_seq: u64,
    },
    /// With a frame of its own, now or later.
    Later,
}

/// How a request ends badly.
#[derive(Debug)]
struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
}

type Answer = Result<Done, Refusal>;

fn refuse<T>(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

impl Hub {
    /// A hub without rooms.
    pub fn new(config: HubConfig) -> Self {
        Self {
            random: Random::new(config.seed),
            connections: HashMap::new(),
            members: HashMap::new(),
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            names: HashMap::new(),
            load: vec![(0, 0); config.shards.max(1)],
            timers: Timers::default(),
            asked: Buckets::new(config.asks),
            outputs: VecDeque::new(),
            stats: Stats::default(),
            records: Records::default(),
            busy: vec![false; config.shards.max(1)],
            occupied: 0,
            last_participant: 0,
            last_room: 0,
            draining: None,
            config,
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Opened(connection, from, token) => self.on_opened(now, connection, from, token),
            Input::Frame(connection, frame) => self.on_frame(now, connection, &frame),
            Input::NotText(connection) => self.expel(now, connection, Bye::BadMessage),
            Input::TooLarge(connection) => self.expel(now, connection, Bye::TooLarge),
            Input::Lost(connection) => self.on_lost(now, connection),
            Input::Sfu(event) => self.on_sfu_event(now, event),
            Input::Refused(command) => self.on_refused(now, command),
        }
    }

    /// What is to be done, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Hub::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Time has come to a deadline.
    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some(timer) = self.timers.due(now.instant) {
            match timer {
                Timer::Join(connection) => self.on_join_timeout(now, connection),
                Timer::Resume(participant) => self.on_resume_timeout(now, participant),
                Timer::Credentials(participant) => self.on_credentials_old(now, participant),
                Timer::Room(room) | Timer::EmptyRoom(room) => self.on_room_timer(now, room),
            }
        }
    }

    /// Rooms with somebody in them, and participants in all.
    pub fn occupancy(&self) -> (u64, u64) {
        (self.occupied, self.members.len() as u64)
    }

    /// The counters.
    pub fn stats(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// Whether a shard takes nothing more from those who ask: they are told so instead of `ok`.
    pub fn set_busy(&mut self, shard: usize, busy: bool) {
        if let Some(state) = self.busy.get_mut(shard) {
            *state = busy;
        }
    }

    /// Says `bye` to everyone, and lets nobody in from now on. Sessions are kept: whoever asks is told to come back.
    pub fn drain(&mut self, bye: Bye) {
        self.draining = Some(bye);
        let mut connections: Vec<_> = self.connections.keys().copied().collect();
        connections.sort_unstable();
        for connection in connections {
            self.close(connection, bye, None);
        }
    }

    fn on_opened(&mut self, now: Moment, connection: ConnectionId, from: IpAddr, token: Option<String>) {
        let join_by = now.instant + self.config.join_timeout;
        let rate = Rate { per_second: self.config.limits.frames_per_second, burst: self.config.burst };
        let bucket = Bucket::new(now.instant, rate);
        let state = Connection { source: Asker::at(from), token, participant: None, bucket, join_by };
        self.connections.insert(connection, state);
        self.timers.set(join_by, Timer::Join(connection));
        if let Some(bye) = self.draining {
            self.close(connection, bye, None);
        }
    }

    fn answer(&mut self, connection: ConnectionId, id: Option<u64>, answer: Answer) {
        match (answer, id) {
            (Ok(Done::Ok), Some(reply_to)) => self.reply(connection, &Reply::Ok { reply_to, at: None, room_seq: None }),
            (Ok(Done::Stamped { at, room_seq }), Some(reply_to)) => {
                self.reply(connection, &Reply::Ok { reply_to, at: Some(at), room_seq: Some(room_seq) });
            }
            (Ok(_), _) => {}
            (Err(Refusal { code, message }), reply_to) => {
                self.reply(connection, &Reply::Error { reply_to, code, message: &message });
            }
        }
    }

    fn reply(&mut self, connection: ConnectionId, reply: &Reply) {
        self.stats.count_out(reply.kind());
        self.outputs.push_back(Output::Frame(connection, render(reply)));
    }

    /// An event for one participant, kept for it when it is not connected.
    fn tell(&mut self, who: ParticipantId, event: EventText) {
        let Some(member) = self.members.get_mut(&who) else { return };
        let frame = member.log.push(event.clone(), member.connection.is_some());
        if let Some(connection) = member.connection {
            self.stats.count_out(event.kind());
            self.outputs.push_back(Output::Frame(connection, frame));
        }
    }

    /// An event for everyone in a room but one.
    fn tell_room(&mut self, room: RoomId, except: Option<ParticipantId>, event: &Event) {
        let text = render_event(event);
        for who in self.members_of(room) {
            if Some(who) != except {
                self.tell(who, text.clone());
            }
        }
    }

    /// An event that is worth nothing later: whoever is not connected misses it.
    fn tell_connected(&mut self, room: RoomId, event: &Event) {
        let text = render_event(event);
        for who in self.members_of(room) {
            if self.members.get(&who).is_some_and(|member| member.connection.is_some()) {
                self.tell(who, text.clone());
            }
        }
    }

    fn members_of(&self, room: RoomId) -> Vec<ParticipantId> {
        self.rooms.get(&room).map(|room| room.members.values().copied().collect()).unwrap_or_default()
    }

    /// Says `bye` and closes; whoever was on this connection is no longer on it.
    fn close(&mut self, connection: ConnectionId, bye: Bye, message: Option<&str>) {
        let Some(state) = self.connections.remove(&connection) else { return };
        self.timers.unset(state.join_by, Timer::Join(connection));
        self.reply(connection, &Reply::Bye { reason: bye, retry_ms: bye.retry_ms(), message });
        self.outputs.push_back(Output::Close(connection, bye));
    }

    fn sfu(&mut self, shard: usize, command: sfu::Command) {
        self.outputs.push_back(Output::Sfu { shard, command });
    }
}
