//! `moderate`: who may, and what happens.

use roundturn_sfu::{Command, ParticipantId, RoomId, TrackId};

use super::{Answer, ConnectionId, Done, Hub, Moment, refuse};
use crate::config::RoomMode;
use crate::signal::protocol::{self, Action, Bye, ErrorCode, Event, Moderate, Reply};

/// Characters of a moderator's reason.
const REASON_CHARS: usize = 200;

impl Hub {
    pub(super) fn on_moderate(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        id: Option<u64>,
        moderate: &Moderate,
    ) -> Answer {
        let room_id = self.room_of(who)?;
        if !self.members.get(&who).is_some_and(|member| member.grants.moderate) {
            return refuse(ErrorCode::Forbidden, "needs the grant moderate");
        }
        match moderate.action {
            Action::Remove => {
                let target = self.participant_in(room_id, moderate.participant.as_deref().unwrap_or_default())?;
                let is_own_end = target == who;
                if is_own_end {
                    self.answer_before_the_end(connection, id);
                }
                self.remove(now, target, moderate);
                Ok(if is_own_end { Done::Later } else { Done::Ok })
            }
            Action::Mute => self.mute_by_moderator(room_id, moderate),
            Action::Lock => self.set_lock(room_id, true),
            Action::Unlock => self.set_lock(room_id, false),
            Action::End => {
                self.answer_before_the_end(connection, id);
                self.end_room(now, room_id, Bye::RoomEnded);
                Ok(Done::Later)
            }
        }
    }

    /// What was asked for takes the connection with it: the answer goes first.
    fn answer_before_the_end(&mut self, connection: ConnectionId, id: Option<u64>) {
        if let Some(reply_to) = id {
            self.reply(connection, &Reply::Ok { reply_to, at: None, room_seq: None });
        }
    }

    fn remove(&mut self, now: Moment, target: ParticipantId, moderate: &Moderate) {
        let reason: Option<String> = moderate.reason.as_ref().map(|text| text.chars().take(REASON_CHARS).collect());
        self.dismiss(now, target, Bye::Removed, reason.as_deref());
    }

    fn mute_by_moderator(&mut self, room_id: RoomId, moderate: &Moderate) -> Answer {
        if self.rooms.get(&room_id).is_some_and(|room| room.mode == RoomMode::Mesh) {
            let message = "this room's media goes from peer to peer: nobody here can mute it";
            return refuse(ErrorCode::Unsupported, message);
        }
        let tracks: Vec<TrackId> = match (&moderate.track, &moderate.participant) {
            (Some(track), _) => {
                let named = protocol::track_id(track);
                let known =
                    |track: &TrackId| self.rooms.get(&room_id).is_some_and(|room| room.tracks.contains_key(track));
                match named.filter(known) {
                    Some(track) => vec![track],
                    None => return refuse(ErrorCode::TrackNotFound, "no such track in this room"),
                }
            }
            (None, Some(participant)) => {
                let target = self.participant_in(room_id, participant)?;
                self.rooms.get(&room_id).map(|room| room.tracks_of(target)).unwrap_or_default()
            }
            (None, None) => return refuse(ErrorCode::BadMessage, "mute names a track or a participant"),
        };
        let shard = self.ready(self.rooms.get(&room_id).map_or(0, |room| room.shard))?;
        for track in tracks {
            self.sfu(shard, Command::Mute { track, muted: true });
        }
        Ok(Done::Ok)
    }

    fn set_lock(&mut self, room_id: RoomId, locked: bool) -> Answer {
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return refuse(ErrorCode::RoomNotFound, "the room has ended");
        };
        if room.locked != locked {
            room.locked = locked;
            let facts = room.facts();
            self.tell_room(room_id, None, &Event::RoomChanged { room: facts });
        }
        Ok(Done::Ok)
    }
}
