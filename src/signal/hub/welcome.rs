//! The answer to a join or a resume: everything that somebody who comes in needs to know.

use roundturn_sfu::ParticipantId;

use super::enter::{EMPTY, empty_object};
use super::{Hub, Moment, Output};
use crate::signal::protocol::{self, Event, Joined, ParticipantFacts, Reply, render_event};

impl Hub {
    /// `joined`; `resumed` says whether it takes up an old session, and then whether it is a snapshot.
    pub(super) fn welcome(&mut self, now: Moment, who: ParticipantId, reply_to: Option<u64>, resumed: Option<bool>) {
        self.freshen_credentials(now, who);
        let Some(connection) = self.members.get(&who).and_then(|member| member.connection) else { return };
        let Some(mut frame) = self.joined(now, who, reply_to, resumed, true) else { return };
        let is_too_large = frame.len() > self.config.frame_bytes_out;
        if is_too_large {
            frame = self.joined(now, who, reply_to, resumed, false).unwrap_or(frame);
        }
        self.stats.count_out("joined");
        self.outputs.push_back(Output::Frame(connection, frame));
        if is_too_large {
            self.tell_metas(who);
        }
    }

    /// What others say of themselves, one by one.
    fn tell_metas(&mut self, who: ParticipantId) {
        let Ok(room) = self.room_of(who) else { return };
        for other in self.members_of(room).into_iter().filter(|other| *other != who) {
            let Some(member) = self.members.get(&other).filter(|member| member.meta.get() != EMPTY) else { continue };
            let text = render_event(&Event::ParticipantUpdated { participant: member.facts() });
            self.tell(who, text);
        }
    }

    /// The frame `joined`, with what others say of themselves or without.
    fn joined(
        &self,
        now: Moment,
        who: ParticipantId,
        reply_to: Option<u64>,
        resumed: Option<bool>,
        with_meta: bool,
    ) -> Option<String> {
        let member = self.members.get(&who)?;
        let room = self.rooms.get(&member.room)?;
        let nothing = empty_object();
        let facts = |other: &ParticipantId| {
            let facts = self.members.get(other).filter(|other| other.id != who)?.facts();
            Some(if with_meta { facts } else { ParticipantFacts { meta: &nothing, ..facts } })
        };
        let joined = Joined {
            reply_to,
            protocol: protocol::PROTOCOL,
            session: &member.session,
            resume_key: &member.resume_key,
            resume_seconds: self.config.rooms.resume.as_secs(),
            resumed: resumed.is_some(),
            snapshot: resumed == Some(true),
            you: member.you(),
            room: room.facts(),
            participants: room.members.values().filter_map(facts).collect(),
            tracks: room.track_facts(),
            state: room.state(),
            ice_servers: &self.config.urls.servers(member.credentials.current()),
            ice_servers_expire_at: member.credentials.expires_at_ms(),
            limits: self.config.limits,
            ping_seconds: 15,
            now: now.unix_ms,
        };
        Some(protocol::render(&Reply::Joined(Box::new(joined))))
    }
}
