//! From participant to participant, unread: `signal` and `message`; and the small things: `update`, `ping`.

use std::collections::BTreeSet;

use roundturn_sfu::ParticipantId;
use serde_json::value::RawValue;

use super::enter::{check_name, checked_meta};
use super::{Answer, ConnectionId, Done, Hub, Moment, Output, Refusal, refuse};
use crate::config::RoomMode;
use crate::signal::protocol::{self, ErrorCode, Event, Message, Ping, Recipients, Reply, Signal, Update, render_event};
use crate::signal::record::Stage;
use crate::signal::room::Topic;

/// Characters of a topic's name.
const TOPIC_CHARS: usize = 128;

impl Hub {
    pub(super) fn on_signal(&mut self, now: Moment, from: ParticipantId, signal: &Signal) -> Answer {
        let room = self.room_of(from)?;
        if self.rooms.get(&room).is_some_and(|room| room.mode != RoomMode::Mesh) {
            return refuse(ErrorCode::Unsupported, "this room's media goes through the server: use offer, or message");
        }
        let to = self.participant_in(room, &signal.to)?;
        let allows = |who| self.members.get(&who).is_some_and(|member| member.grants.allow_peers());
        if !allows(from) {
            return refuse(ErrorCode::Forbidden, "media from peer to peer needs the grants publish and subscribe");
        }
        if !allows(to) {
            return refuse(ErrorCode::Forbidden, "the receiver has not both of the grants publish and subscribe");
        }
        let event = render_event(&Event::Signal { from: &protocol::participant_name(from), data: &signal.data });
        let Some(receiver) = self.members.get_mut(&to) else {
            return refuse(ErrorCode::ParticipantNotFound, "no longer in the room");
        };
        let kind = event.clone();
        let Some(frame) = receiver.log.push_signal(from, event, receiver.connection.is_some()) else {
            return refuse(ErrorCode::RateLimited, "the receiver's connection is lost, and enough waits for it");
        };
        if let Some(connection) = receiver.connection {
            self.stats.count_out(kind.kind());
            self.outputs.push_back(Output::Frame(connection, frame));
        }
        self.reach(now, from, Stage::Offer);
        Ok(Done::Ok)
    }

    pub(super) fn on_message(&mut self, now: Moment, from: ParticipantId, message: Message) -> Answer {
        let room_id = self.room_of(from)?;
        if !self.members.get(&from).is_some_and(|member| member.grants.message) {
            return refuse(ErrorCode::Forbidden, "needs the grant message");
        }
        if message.topic.chars().count() > TOPIC_CHARS {
            return refuse(ErrorCode::BadMessage, format!("a topic has at most {TOPIC_CHARS} characters"));
        }
        let receivers = self.receivers(from, &message)?;
        let data = message.data.unwrap_or_else(|| RawValue::NULL.to_owned());
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return refuse(ErrorCode::RoomNotFound, "the room has ended");
        };
        let (sender, at, room_seq) = (protocol::participant_name(from), now.unix_ms, room.last_message + 1);
        if message.keep {
            let topic = Topic { from: sender.clone(), data: data.clone(), at, room_seq };
            if !room.keep(&message.topic, topic) {
                return refuse(ErrorCode::TooLarge, "the room keeps 64 topics and 48 KiB, no more");
            }
        }
        room.last_message = room_seq;
        let (from, topic, keep) = (&*sender, &*message.topic, message.keep);
        let event = render_event(&Event::Message { from, topic, data: &data, at, room_seq, keep });
        for receiver in receivers {
            self.tell(receiver, event.clone());
        }
        Ok(Done::Stamped { at, room_seq })
    }

    /// Whom a message goes to, each once: all or nothing.
    fn receivers(&self, from: ParticipantId, message: &Message) -> Result<BTreeSet<ParticipantId>, Refusal> {
        let room = self.room_of(from)?;
        let mut receivers = match &message.to {
            Recipients::Word(word) if word == "*" => self.members_of(room).into_iter().collect::<BTreeSet<_>>(),
            Recipients::Word(_) => return refuse(ErrorCode::BadMessage, "to is \"*\" or a list of participants"),
            Recipients::Some(_) if message.keep => {
                return refuse(ErrorCode::BadMessage, "only what goes to \"*\" can be kept");
            }
            Recipients::Some(names) => {
                names.iter().map(|name| self.participant_in(room, name)).collect::<Result<_, _>>()?
            }
        };
        if message.echo {
            receivers.insert(from);
        } else {
            receivers.remove(&from);
        }
        Ok(receivers)
    }

    /// The participant of a room that a client names.
    pub(super) fn participant_in(&self, room: roundturn_sfu::RoomId, name: &str) -> Result<ParticipantId, Refusal> {
        let here = |who: &ParticipantId| self.members.get(who).is_some_and(|member| member.room == room);
        match protocol::participant_id(name).filter(here) {
            Some(who) => Ok(who),
            None => refuse(ErrorCode::ParticipantNotFound, "no such participant in this room"),
        }
    }

    pub(super) fn on_update(&mut self, who: ParticipantId, update: Update) -> Answer {
        if let Some(name) = &update.name {
            check_name(name)?;
        }
        let meta = update.meta.map(|meta| checked_meta(Some(meta))).transpose()?;
        let Some(member) = self.members.get_mut(&who) else { return Ok(Done::Later) };
        if let Some(name) = update.name {
            member.name = name;
        }
        if let Some(meta) = meta {
            member.meta = meta;
        }
        let room = member.room;
        let text = render_event(&Event::ParticipantUpdated { participant: member.facts() });
        for receiver in self.members_of(room) {
            self.tell(receiver, text.clone());
        }
        Ok(Done::Ok)
    }

    pub(super) fn on_ping(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        reply_to: Option<u64>,
        ping: &Ping,
    ) -> Answer {
        self.reply(connection, &Reply::Pong { reply_to, sent: ping.sent.as_deref(), now: now.unix_ms });
        Ok(Done::Later)
    }
}
