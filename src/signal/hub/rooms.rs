//! Rooms: making them, placing them, ending them.

use std::time::Duration;

use roundturn_sfu::RoomId;

use super::issue::Asker;
use super::tokens::{Visitor, bounded};
use super::{Hub, Moment, Refusal, refuse};
use crate::config::RoomMode;
use crate::signal::happening::Kind;
use crate::signal::protocol::{Bye, Create, ErrorCode, Mode, RoomFacts};
use crate::signal::room::{Plan, Room, is_room_name};
use crate::signal::timers::Timer;

/// Why a room ended that nobody was in any more.
const EMPTY: &str = "empty";

/// Why a room or a credential was not made over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotMade {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// When to ask again, where that helps.
    pub retry: Option<Duration>,
}

impl NotMade {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry: None }
    }
}

impl Hub {
    /// Makes a room with a name of our choosing, for whoever comes first, or the one that the token is for; where that is
    /// there already, it stays as it is.
    ///
    /// # Errors
    /// When they ask too often, rooms are not open and the token does not grant `moderate`, a value is out of range, or
    /// there are too many rooms.
    pub fn create_room(&mut self, now: Moment, visitor: &Visitor, create: &Create) -> Result<RoomFacts, NotMade> {
        self.admit(now, Asker::at(visitor.from))?;
        if self.draining.is_some() {
            return Err(NotMade::new(ErrorCode::Draining, "the server is about to stop"));
        }
        let claims = self.moderator(now, visitor)?;
        let name = claims.as_ref().and_then(|claims| claims.room.clone());
        if name.as_deref().is_some_and(|name| !is_room_name(name)) {
            return Err(NotMade::new(ErrorCode::BadMessage, "the token is for a room that can have no such name"));
        }
        let known = name.as_ref().and_then(|name| self.names.get(name)).copied();
        let room = match known {
            Some(room) => room,
            None => self.make_room(now, name, &bounded(create, claims.as_ref()))?,
        };
        let facts = self.rooms.get(&room).map(Room::facts);
        facts.ok_or_else(|| NotMade::new(ErrorCode::Internal, "the room is gone"))
    }

    pub(super) fn make_room(&mut self, now: Moment, name: Option<String>, create: &Create) -> Result<RoomId, Refusal> {
        let max_participants = match create.max_participants {
            Some(0) => return refuse(ErrorCode::BadMessage, "max_participants is at least 1"),
            Some(wanted) => self.config.rooms.max_participants.min(wanted as usize),
            None => self.config.rooms.max_participants,
        };
        let ttl = match create.ttl_seconds {
            Some(0) => return refuse(ErrorCode::BadMessage, "ttl_seconds is at least 1"),
            Some(wanted) => self.config.rooms.ttl.min(Duration::from_secs(wanted)),
            None => self.config.rooms.ttl,
        };
        if self.rooms.len() >= self.config.rooms_max && !self.drop_oldest_empty_room(now) {
            return refuse(ErrorCode::RoomFull, "the server has as many rooms as it takes");
        }
        let mode = match create.mode {
            Some(Mode::Mesh) => RoomMode::Mesh,
            Some(Mode::Sfu) => RoomMode::Sfu,
            None => self.config.rooms.mode,
        };
        let name = name.unwrap_or_else(|| self.unused_room_name());
        self.last_room += 1;
        let id = RoomId(self.last_room);
        let shard = if mode == RoomMode::Sfu { self.least_loaded_shard() } else { 0 };
        let expires = now.instant + ttl;
        let expires_at = now.unix_ms + u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX / 2);
        let plan = Plan { name: name.clone(), mode, max_participants, expires, expires_at, shard };
        self.rooms.insert(id, Room::new(now.instant, id, plan));
        self.names.insert(name, id);
        self.timers.set(expires, Timer::Room(id));
        self.timers.set(now.instant + self.config.rooms.empty_timeout, Timer::EmptyRoom(id));
        self.happened(now, Kind::RoomStarted, id, None, None);
        Ok(id)
    }

    fn unused_room_name(&mut self) -> String {
        // A second try is as good as never needed; a longer name is the way out of an endless one.
        let name = self.random.room_name();
        if self.names.contains_key(&name) { format!("{name}-{}", self.random.room_name()) } else { name }
    }

    /// The shard with the fewest participants; where equal, the one with the fewest rooms.
    fn least_loaded_shard(&mut self) -> usize {
        let shard = (0..self.load.len()).min_by_key(|shard| self.load[*shard]).unwrap_or(0);
        if let Some(load) = self.load.get_mut(shard) {
            load.1 += 1;
        }
        shard
    }

    /// Where there are too many rooms, the one that has been empty for longest loses. Bounded by the number of rooms.
    fn drop_oldest_empty_room(&mut self, now: Moment) -> bool {
        let empty = self.rooms.values().filter_map(|room| Some((room.empty_since?, room.id)));
        let Some((_, room)) = empty.min() else { return false };
        self.remove_room(now, room, EMPTY);
        true
    }

    pub(super) fn note_if_empty(&mut self, now: Moment, room_id: RoomId) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        if room.members.is_empty() {
            room.empty_since = Some(now.instant);
            // A lock that nobody is left to open would keep everyone out until the room ends.
            room.locked = false;
            self.timers.set(now.instant + self.config.rooms.empty_timeout, Timer::EmptyRoom(room_id));
        }
    }

    pub(super) fn on_room_timer(&mut self, now: Moment, room_id: RoomId) {
        let Some(room) = self.rooms.get(&room_id) else { return };
        let empty_for = room.empty_since.map(|since| now.instant.saturating_duration_since(since));
        if room.expires <= now.instant {
            self.end_room(now, room_id, Bye::RoomExpired);
        } else if empty_for.is_some_and(|time| time >= self.config.rooms.empty_timeout) {
            self.remove_room(now, room_id, EMPTY);
        }
    }

    /// Ends a room and every session in it.
    pub(super) fn end_room(&mut self, now: Moment, room_id: RoomId, bye: Bye) {
        for who in self.members_of(room_id) {
            self.happened(now, Kind::ParticipantLeft, room_id, Some(who), Some(bye.as_str()));
            if let Some(connection) = self.members.get(&who).and_then(|member| member.connection) {
                self.close(connection, bye, None);
            }
            self.forget(now, who, bye.as_str());
        }
        self.remove_room(now, room_id, bye.as_str());
    }

    fn remove_room(&mut self, now: Moment, room_id: RoomId, reason: &'static str) {
        self.happened(now, Kind::RoomEnded, room_id, None, Some(reason));
        let Some(room) = self.rooms.remove(&room_id) else { return };
        self.names.remove(&room.name);
        self.timers.unset(room.expires, Timer::Room(room_id));
        if let Some(since) = room.empty_since {
            self.timers.unset(since + self.config.rooms.empty_timeout, Timer::EmptyRoom(room_id));
        }
        if room.mode == RoomMode::Sfu
            && let Some(load) = self.load.get_mut(room.shard)
        {
            load.1 = load.1.saturating_sub(1);
        }
    }
}
