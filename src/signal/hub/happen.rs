//! What the application that rooms belong to is told.

use roundturn_sfu::{ParticipantId, RoomId};

use super::{Hub, Moment, Output};
use crate::signal::happening::{Happening, Kind, Who};
use crate::signal::protocol;

impl Hub {
    /// Something happened to a room that is known, and to somebody in it.
    pub(super) fn happened(
        &mut self,
        now: Moment,
        event: Kind,
        room: RoomId,
        who: Option<ParticipantId>,
        reason: Option<&'static str>,
    ) {
        let Some(facts) = self.rooms.get(&room).map(|room| room.facts()) else { return };
        let participant = who.and_then(|who| self.members.get(&who)).map(|member| Who {
            participant: protocol::participant_name(member.id),
            identity: member.identity.clone(),
            name: member.name.clone(),
        });
        let happening = Happening { event, at: now.unix_ms, room: facts.room, mode: facts.mode, participant, reason };
        self.outputs.push_back(Output::Happened(Box::new(happening)));
    }
}
