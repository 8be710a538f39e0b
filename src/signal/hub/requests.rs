//! A frame from a client: read, done once, answered.

use roundturn_sfu::ParticipantId;

use super::{Answer, ConnectionId, Done, Hub, Moment, refuse};
use crate::signal::protocol::{Bye, Envelope, ErrorCode, Request};

impl Hub {
    pub(super) fn on_frame(&mut self, now: Moment, connection: ConnectionId, frame: &str) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        let participant = state.participant;
        if !state.bucket.take(now.instant) {
            return self.expel(now, connection, Bye::RateLimited);
        }
        if frame.len() > self.config.limits.frame_bytes {
            return self.expel(now, connection, Bye::TooLarge);
        }
        let Some(envelope) = Envelope::parse(frame) else {
            self.stats.count_in("bad_message");
            return self.expel(now, connection, Bye::BadMessage);
        };
        let id = envelope.id.map(std::num::NonZeroU64::get);
        let request = Request::parse(&envelope.kind, frame);
        self.stats.count_in(if matches!(request, Ok(Request::Unknown)) { "unknown" } else { &envelope.kind });
        match (participant, request) {
            (None, Ok(Request::Join(join))) => self.on_join(now, connection, id, *join),
            (None, Ok(Request::Resume(resume))) => self.on_resume(now, connection, id, &resume),
            (None, request) => {
                let message = request.err().unwrap_or_else(|| "the first frame is join or resume".into());
                self.answer(connection, id, refuse(ErrorCode::BadMessage, message));
                self.expel(now, connection, Bye::BadMessage);
            }
            (Some(_), Err(message)) => self.answer(connection, id, refuse(ErrorCode::BadMessage, message)),
            (Some(who), Ok(request)) => {
                let answer = self.on_request_once(now, connection, who, (id, frame), request);
                self.answer(connection, id, answer);
            }
        }
    }

    /// A request that was done over an earlier connection of its session is only answered again. What was refused is
    /// tried again, and what is asked for without a number is not known again.
    fn on_request_once(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        (id, frame): (Option<u64>, &str),
        request: Request,
    ) -> Answer {
        let Some(number) = id else { return self.on_request(now, connection, who, id, request) };
        let known = self.members.get_mut(&who).and_then(|member| member.repeats.find(connection, number, frame));
        if let Some(done) = known {
            return Ok(done);
        }
        let answer = self.on_request(now, connection, who, id, request);
        if let (Ok(done @ (Done::Ok | Done::Stamped { .. })), Some(member)) = (&answer, self.members.get_mut(&who)) {
            member.repeats.note(connection, number, frame, *done);
        }
        answer
    }

    fn on_request(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        id: Option<u64>,
        request: Request,
    ) -> Answer {
        match request {
            Request::Signal(signal) => self.on_signal(now, who, &signal),
            Request::Message(message) => self.on_message(now, who, message),
            Request::Ping(ping) => self.on_ping(now, connection, id, &ping),
            Request::Update(update) => self.on_update(who, update),
            Request::IceServers => self.on_ice_servers(now, connection, who, id),
            Request::Offer(offer) => self.on_offer(now, connection, who, id, *offer),
            Request::Candidate(candidate) => self.on_candidate(who, candidate),
            Request::Mute(mute) => self.on_mute(who, &mute),
            Request::Unpublish(unpublish) => self.on_unpublish(who, &unpublish),
            Request::View(view) => self.on_view(who, &view),
            Request::Moderate(moderate) => self.on_moderate(now, connection, who, id, &moderate),
            Request::Leave => self.on_leave(now, connection, who, id),
            Request::Join(_) | Request::Resume(_) => {
                refuse(ErrorCode::BadMessage, "this connection has joined already")
            }
            // Without a number nobody waits for an answer.
            Request::Unknown if id.is_none() => Ok(Done::Later),
            Request::Unknown => refuse(ErrorCode::Unsupported, "this server does not know this type"),
        }
    }
}
