//! Coming in: `join` and `resume`.

use roundturn_sfu::{Command, ParticipantId, RoomId};
use serde_json::value::RawValue;

use super::{Answer, ConnectionId, Done, Hub, Moment, Refusal, refuse, tokens};
use crate::config::RoomMode;
use crate::signal::event_log::{EventLog, Replay};
use crate::signal::happening::Kind;
use crate::signal::member::{Credentials, Grants, Media, Member};
use crate::signal::protocol::{self, Bye, ErrorCode, Event, Join, Reply, Resume, render_event};
use crate::signal::random::same_secret;
use crate::signal::record::Record;
use crate::signal::repeats::Repeats;
use crate::signal::room::is_room_name;
use crate::signal::stats::Api;
use crate::signal::timers::Timer;
use crate::tokens::Claims;

/// Characters of a participant's name, and of a track's.
pub(super) const NAME_CHARS: usize = 128;
/// Bytes of a participant's meta: a room full of them still fits into one `joined`.
const META_BYTES: usize = 2048;
/// What somebody says who says nothing.
pub(super) const EMPTY: &str = "{}";

impl Hub {
    pub(super) fn on_join(&mut self, now: Moment, connection: ConnectionId, id: Option<u64>, join: Join) {
        let source = self.connections.get(&connection).map(|state| state.source);
        let admitted = source.map_or(Ok(()), |source| self.admit(now, source)).map_err(Refusal::from);
        match admitted.and_then(|()| self.enter(now, connection, join)) {
            Ok(who) => {
                self.stats.count_join("ok");
                self.welcome(now, who, id, None);
                self.announce(who);
                if let Ok(room) = self.room_of(who) {
                    self.happened(now, Kind::ParticipantJoined, room, Some(who), None);
                }
            }
            Err(refusal) => {
                let bye = bye_of(refusal.code);
                self.stats.count_join(bye.as_str());
                self.answer(connection, id, Err(refusal));
                self.close(connection, bye, None);
            }
        }
    }

    fn enter(&mut self, now: Moment, connection: ConnectionId, mut join: Join) -> Result<ParticipantId, Refusal> {
        let claims = self.vouched(now, connection, &mut join)?;
        let meta = checked_meta(join.meta.take())?;
        let room_id = match (self.names.get(&join.room), &join.create) {
            (Some(room), _) => *room,
            (None, Some(create)) => {
                let create = tokens::bounded(create, claims.as_ref());
                self.make_room(now, Some(join.room), &create)?
            }
            (None, None) => return refuse(ErrorCode::RoomNotFound, "no such room; create makes one"),
        };
        let identity = claims.as_ref().and_then(|claims| claims.identity.clone());
        self.find_seat(now, room_id, identity.as_deref())?;
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return refuse(ErrorCode::RoomNotFound, "no such room");
        };

        self.last_participant += 1;
        let who = ParticipantId(self.last_participant);
        room.last_order += 1;
        let order = room.last_order;
        let grants = match &claims {
            Some(claims) => Grants::of(claims),
            // In an open room nobody can be told from anybody, so whoever finds it empty looks after it.
            None => Grants { moderate: room.members.is_empty(), ..Grants::OPEN },
        };
        room.members.insert(order, who);
        if let Some(since) = room.empty_since.take() {
            self.timers.unset(since + self.config.rooms.empty_timeout, Timer::EmptyRoom(room_id));
            self.occupied += 1;
        }
        let (mode, shard, room_name) = (room.mode, room.shard, room.name.clone());

        let credentials = self.first_credentials(now, who);
        let session = format!("s_{}", self.random.word(16));
        let resume_key = format!("rk_{}", self.random.word(20));
        let record = Record::new(now, resume_key.clone(), room_name, mode, protocol::participant_name(who));
        self.records.begin(session.clone(), record);
        self.sessions.insert(session.clone(), who);
        self.attach(connection, who);
        self.members.insert(
            who,
            Member {
                id: who,
                room: room_id,
                order,
                identity,
                name: join.name,
                meta,
                grants,
                session,
                resume_key,
                connection: Some(connection),
                resume_by: None,
                log: EventLog::default(),
                repeats: Repeats::default(),
                media: Media::default(),
                credentials,
                joined: now.instant,
            },
        );
        if mode == RoomMode::Sfu {
            if let Some(load) = self.load.get_mut(shard) {
                load.0 += 1;
            }
            let (may_publish, may_subscribe, may_message) = (grants.publish, grants.subscribe, grants.message);
            let room = room_id;
            self.sfu(shard, Command::Join { room, participant: who, order, may_publish, may_subscribe, may_message });
        }
        Ok(who)
    }

    /// Whether somebody may come in, by the token of the join or of the connection's request. The join is made what the token
    /// says.
    fn vouched(&mut self, now: Moment, connection: ConnectionId, join: &mut Join) -> Result<Option<Claims>, Refusal> {
        let state = self.connections.get_mut(&connection);
        let token = join.token.take().or_else(|| state.and_then(|state| state.token.take()));
        let claims = self.claims(now, token.as_deref())?;
        if !is_room_name(&join.room) {
            return refuse(ErrorCode::BadMessage, "room is 1 to 128 characters from A-Z a-z 0-9 . _ -");
        }
        if claims.as_ref().is_some_and(|claims| !claims.opens(&join.room)) {
            return Err(tokens::other_room());
        }
        // Who vouches for somebody says how it is called.
        if let Some(name) = claims.as_ref().and_then(|claims| claims.name.clone()) {
            join.name = name;
        }
        check_name(&join.name)?;
        Ok(claims)
    }

    /// A seat in a room, which may be the one that this identity has there: then whoever sits on it goes.
    fn find_seat(&mut self, now: Moment, room: RoomId, identity: Option<&str>) -> Result<(), Refusal> {
        let before = identity.and_then(|identity| self.member_with(room, identity));
        self.check_room_for_one(room, before.is_some())?;
        if let Some(before) = before {
            self.dismiss(now, before, Bye::Replaced, None);
        }
        Ok(())
    }

    fn first_credentials(&mut self, now: Moment, who: ParticipantId) -> Credentials {
        let turn_name = format!("{}.{}", protocol::participant_name(who), self.random.word(8));
        let credentials = Credentials::new(&self.config.mint, now, turn_name);
        self.stats.count_issued(Api::Signaling);
        self.timers.set(credentials.refresh_at, Timer::Credentials(who));
        credentials
    }

    /// Whoever is in a room under this identity.
    fn member_with(&self, room: RoomId, identity: &str) -> Option<ParticipantId> {
        let members = self.rooms.get(&room)?.members.values().copied();
        let is_it = |who: &ParticipantId| {
            self.members.get(who).is_some_and(|member| member.identity.as_deref() == Some(identity))
        };
        members.into_iter().find(is_it)
    }

    /// Whether a room takes one more, or one who takes the seat that it has there already.
    fn check_room_for_one(&self, room: RoomId, has_seat: bool) -> Result<(), Refusal> {
        match self.rooms.get(&room) {
            None => refuse(ErrorCode::RoomNotFound, "no such room"),
            Some(_) if has_seat => Ok(()),
            Some(room) if room.locked => refuse(ErrorCode::RoomLocked, "a moderator has locked the room"),
            Some(room) if room.members.len() >= room.max_participants => {
                refuse(ErrorCode::RoomFull, format!("the room takes {} participants", room.max_participants))
            }
            Some(_) => Ok(()),
        }
    }

    fn attach(&mut self, connection: ConnectionId, who: ParticipantId) {
        if let Some(state) = self.connections.get_mut(&connection) {
            state.participant = Some(who);
            self.timers.unset(state.join_by, Timer::Join(connection));
        }
    }

    /// Tells everyone who was there first. In a mesh they are the ones who offer.
    fn announce(&mut self, who: ParticipantId) {
        let Some(member) = self.members.get(&who) else { return };
        let room_id = member.room;
        let is_mesh = self.rooms.get(&room_id).is_some_and(|room| room.mode == RoomMode::Mesh);
        let takes_offers = is_mesh && member.grants.allow_peers();
        let told = |you_offer| render_event(&Event::ParticipantJoined { participant: member.facts(), you_offer });
        let (offering, waiting) = (told(true), told(false));
        for other in self.members_of(room_id).into_iter().filter(|other| *other != who) {
            let offers = self.members.get(&other).is_some_and(|other| other.grants.allow_peers());
            self.tell(other, if takes_offers && offers { offering.clone() } else { waiting.clone() });
        }
    }

    pub(super) fn on_resume(&mut self, now: Moment, connection: ConnectionId, id: Option<u64>, resume: &Resume) {
        let who = self.sessions.get(&resume.session).copied();
        let key = who.and_then(|who| self.members.get(&who)).map(|member| member.resume_key.as_str());
        let (Some(who), true) = (who, key.is_some_and(|key| same_secret(key, &resume.resume_key))) else {
            self.stats.count_join("participant_not_found");
            // The connection stays: its next frame may be a join.
            let gone = refuse(ErrorCode::ParticipantNotFound, "no such session, or no longer; join anew");
            return self.answer(connection, id, gone);
        };
        if let Some(old) = self.members.get_mut(&who).and_then(|member| member.connection.take()) {
            self.close(old, Bye::Replaced, None);
        }
        self.attach(connection, who);
        let Some(member) = self.members.get_mut(&who) else { return };
        member.connection = Some(connection);
        if let Some(resume_by) = member.resume_by.take() {
            self.timers.unset(resume_by, Timer::Resume(who));
        }
        let replay = member.log.replay(resume.seq);
        self.stats.count_join("resumed");
        let snapshot = matches!(replay, Replay::Snapshot(_));
        self.welcome(now, who, id, Some(snapshot));
        let (Replay::Events(frames) | Replay::Snapshot(frames)) = replay;
        for frame in frames {
            self.outputs.push_back(super::Output::Frame(connection, frame));
        }
        if snapshot {
            self.tell_slots(who);
        }
        self.deliver_answer(connection, who);
    }

    pub(super) fn on_ice_servers(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        reply_to: Option<u64>,
    ) -> Answer {
        self.freshen_credentials(now, who);
        let Some(member) = self.members.get(&who) else { return Ok(Done::Later) };
        let ice_servers = self.config.urls.servers(member.credentials.current());
        let ice_servers_expire_at = member.credentials.expires_at_ms();
        self.reply(connection, &Reply::IceServers { reply_to, ice_servers: &ice_servers, ice_servers_expire_at });
        Ok(Done::Later)
    }

    /// A credential in its second half is replaced before it is given out again.
    pub(super) fn freshen_credentials(&mut self, now: Moment, who: ParticipantId) {
        let Some(member) = self.members.get_mut(&who) else { return };
        if member.credentials.is_old(&self.config.mint, now) {
            self.renew_credentials(now, who);
        }
    }

    fn renew_credentials(&mut self, now: Moment, who: ParticipantId) {
        let Some(member) = self.members.get_mut(&who) else { return };
        self.timers.unset(member.credentials.refresh_at, Timer::Credentials(who));
        member.credentials.renew(&self.config.mint, now);
        self.timers.set(member.credentials.refresh_at, Timer::Credentials(who));
        self.stats.count_issued(Api::Signaling);
    }

    pub(super) fn on_credentials_old(&mut self, now: Moment, who: ParticipantId) {
        self.renew_credentials(now, who);
        self.tell_ice_servers(who);
    }

    /// TURN is elsewhere from now on: everyone is told.
    pub fn set_urls(&mut self, urls: crate::signal::credentials::IceUrls) {
        self.config.urls = urls;
        let mut everyone: Vec<_> = self.members.keys().copied().collect();
        everyone.sort_unstable();
        for who in everyone {
            self.tell_ice_servers(who);
        }
    }

    fn tell_ice_servers(&mut self, who: ParticipantId) {
        let Some(member) = self.members.get(&who) else { return };
        let ice_servers = self.config.urls.servers(member.credentials.current());
        let ice_servers_expire_at = member.credentials.expires_at_ms();
        self.tell(who, render_event(&Event::IceServers { ice_servers: &ice_servers, ice_servers_expire_at }));
    }

    /// The room of a participant that is known to be in one.
    pub(super) fn room_of(&self, who: ParticipantId) -> Result<RoomId, Refusal> {
        match self.members.get(&who) {
            Some(member) => Ok(member.room),
            None => refuse(ErrorCode::ParticipantNotFound, "no longer in the room"),
        }
    }
}

/// How a refused join ends.
fn bye_of(code: ErrorCode) -> Bye {
    match code {
        ErrorCode::AuthRequired => Bye::AuthRequired,
        ErrorCode::AuthInvalid => Bye::AuthInvalid,
        ErrorCode::AuthExpired => Bye::AuthExpired,
        ErrorCode::Forbidden => Bye::Forbidden,
        ErrorCode::RoomNotFound => Bye::RoomNotFound,
        ErrorCode::RoomFull => Bye::RoomFull,
        ErrorCode::RoomLocked => Bye::RoomLocked,
        ErrorCode::RateLimited => Bye::RateLimited,
        _ => Bye::BadMessage,
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.chars().count() > NAME_CHARS {
        return refuse(ErrorCode::BadMessage, format!("a name has at most {NAME_CHARS} characters"));
    }
    Ok(())
}

/// Meta is an object and small; none is an empty one.
pub(super) fn checked_meta(meta: Option<Box<RawValue>>) -> Result<Box<RawValue>, Refusal> {
    let Some(meta) = meta else { return Ok(empty_object()) };
    if !meta.get().starts_with('{') {
        return refuse(ErrorCode::BadMessage, "meta is an object");
    }
    if meta.get().len() > META_BYTES {
        return refuse(ErrorCode::TooLarge, format!("meta has at most {META_BYTES} bytes"));
    }
    Ok(meta)
}

pub(super) fn empty_object() -> Box<RawValue> {
    RawValue::from_string(EMPTY.to_owned()).unwrap_or_default()
}
