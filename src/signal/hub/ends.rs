//! Going: lost connections, `leave`, removal, and what must be undone then.

use roundturn_sfu::{Command, ParticipantId, RoomId};

use super::{Answer, ConnectionId, Done, Hub, Moment, Output};
use crate::config::RoomMode;
use crate::signal::happening::Kind;
use crate::signal::protocol::{self, Bye, Event, LeftReason, Reply};
use crate::signal::timers::Timer;

impl Hub {
    pub(super) fn on_join_timeout(&mut self, now: Moment, connection: ConnectionId) {
        let waits = |state: &super::Connection| state.participant.is_none() && state.join_by <= now.instant;
        if self.connections.get(&connection).is_some_and(waits) {
            self.stats.count_join("join_timeout");
            self.close(connection, Bye::JoinTimeout, None);
        }
    }

    /// A connection broke a rule. Too many frames may happen to anyone and leave the session resumable; the rest does
    /// not happen to a client that speaks the protocol.
    pub(super) fn expel(&mut self, now: Moment, connection: ConnectionId, bye: Bye) {
        let Some(state) = self.connections.get(&connection) else { return };
        let participant = state.participant;
        self.close(connection, bye, None);
        match participant {
            Some(who) if bye == Bye::RateLimited => self.detach(now, who),
            Some(who) => self.depart(now, who, LeftReason::Removed),
            None => {}
        }
    }

    pub(super) fn on_lost(&mut self, now: Moment, connection: ConnectionId) {
        let Some(state) = self.connections.remove(&connection) else { return };
        self.timers.unset(state.join_by, Timer::Join(connection));
        if let Some(who) = state.participant {
            self.detach(now, who);
        }
    }

    /// The participant stays for a while without a connection.
    fn detach(&mut self, now: Moment, who: ParticipantId) {
        let Some(member) = self.members.get_mut(&who) else { return };
        let resume_by = now.instant + self.config.rooms.resume;
        member.connection = None;
        member.resume_by = Some(resume_by);
        self.timers.set(resume_by, Timer::Resume(who));
    }

    pub(super) fn on_resume_timeout(&mut self, now: Moment, who: ParticipantId) {
        let is_over = self.members.get(&who).and_then(|member| member.resume_by).is_some_and(|by| by <= now.instant);
        if is_over {
            self.depart(now, who, LeftReason::Timeout);
        }
    }

    pub(super) fn on_leave(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        id: Option<u64>,
    ) -> Answer {
        if let Some(reply_to) = id {
            self.reply(connection, &Reply::Ok { reply_to, at: None, room_seq: None });
        }
        self.dismiss(now, who, Bye::Left, None);
        Ok(Done::Later)
    }

    /// Ends a session from our side: `bye` to its connection, `participant_left` to the others.
    pub(super) fn dismiss(&mut self, now: Moment, who: ParticipantId, bye: Bye, message: Option<&str>) {
        let Some(member) = self.members.get(&who) else { return };
        if let Some(connection) = member.connection {
            self.close(connection, bye, message);
        }
        let reason = match bye {
            Bye::Left => LeftReason::Left,
            Bye::Replaced => LeftReason::Replaced,
            _ => LeftReason::Removed,
        };
        self.depart(now, who, reason);
    }

    /// Undoes a join: the seat, the media, the credentials.
    pub(super) fn depart(&mut self, now: Moment, who: ParticipantId, reason: LeftReason) {
        if let Ok(room) = self.room_of(who) {
            self.happened(now, Kind::ParticipantLeft, room, Some(who), Some(reason.as_str()));
        }
        let Some(room_id) = self.forget(now, who, reason.as_str()) else { return };
        let name = protocol::participant_name(who);
        let tracks = self.rooms.get(&room_id).map(|room| room.tracks_of(who)).unwrap_or_default();
        for track in tracks {
            if let Some(room) = self.rooms.get_mut(&room_id) {
                room.tracks.remove(&track);
            }
            let event = Event::TrackRemoved { track: &protocol::track_name(track), participant: &name };
            self.tell_room(room_id, None, &event);
        }
        self.tell_room(room_id, None, &Event::ParticipantLeft { participant: &name, reason });
        self.note_if_empty(now, room_id);
    }

    /// The participant is nowhere any more; whoever is still in its room has not been told.
    pub(super) fn forget(&mut self, now: Moment, who: ParticipantId, reason: &'static str) -> Option<RoomId> {
        let member = self.members.remove(&who)?;
        self.close_record(now, &member, reason);
        self.sessions.remove(&member.session);
        self.timers.unset(member.credentials.refresh_at, Timer::Credentials(who));
        if let Some(resume_by) = member.resume_by {
            self.timers.unset(resume_by, Timer::Resume(who));
        }
        self.outputs.extend(member.credentials.into_issued().into_iter().map(Output::Revoke));
        let room = self.rooms.get_mut(&member.room)?;
        room.members.remove(&member.order);
        if room.members.is_empty() {
            self.occupied = self.occupied.saturating_sub(1);
        }
        if room.mode == RoomMode::Sfu {
            let shard = room.shard;
            if let Some(load) = self.load.get_mut(shard) {
                load.0 = load.0.saturating_sub(1);
            }
            self.sfu(shard, Command::Leave { participant: who });
        }
        Some(member.room)
    }
}
