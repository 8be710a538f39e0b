//! What participants ask of the SFU: `offer`, `candidate`, `mute`, `unpublish`, `view`.

use std::time::Duration;

use roundturn_sfu::{Command, Offer, ParticipantId, SlotRequest, Source, TrackId, TrackRequest, Wish};

use super::enter::NAME_CHARS;
use super::{Answer, ConnectionId, Done, Hub, Moment, Refusal, refuse};
use crate::config::RoomMode;
use crate::signal::member::{Grants, PendingOffer};
use crate::signal::protocol::{self, Candidate, ErrorCode, Mute, OfferRequest, Reply, TrackEntry, Unpublish, View};
use crate::signal::record::Stage;

/// An offer without an answer for so long has been lost with its shard; the next one may go.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Tracks of one offer that are looked at; how many a participant may have is the SFU's to say.
const TRACKS: usize = 64;
/// Characters of a mid: RFC 5888 gives no limit, browsers use 1 to 4.
const MID_CHARS: usize = 32;
/// Bytes of a candidate.
const CANDIDATE_BYTES: usize = 1024;

impl Hub {
    pub(super) fn on_offer(
        &mut self,
        now: Moment,
        connection: ConnectionId,
        who: ParticipantId,
        id: Option<u64>,
        offer: OfferRequest,
    ) -> Answer {
        let shard = self.sfu_shard(who)?;
        let Some(member) = self.members.get_mut(&who) else { return Ok(Done::Later) };
        if let Some(pending) = &mut member.media.pending {
            // The same offer over a new connection is the same request: it is on its way.
            if pending.generation == offer.generation && pending.connection != Some(connection) {
                (pending.id, pending.connection) = (id, Some(connection));
                return Ok(Done::Later);
            }
            if now.instant.saturating_duration_since(pending.since) < ANSWER_TIMEOUT {
                return refuse(ErrorCode::OfferPending, "the offer before this one has no answer yet");
            }
        }
        if let Some(answered) = &mut member.media.answered
            && answered.generation == offer.generation
            && answered.connection != Some(connection)
        {
            (answered.id, answered.connection) = (id, None);
            self.deliver_answer(connection, who);
            return Ok(Done::Later);
        }
        if offer.generation <= member.media.last_generation {
            return refuse(ErrorCode::StaleOffer, "generation is larger than that of the offer before");
        }
        check_offer(member.grants, &offer, self.config.limits.slots)?;
        member.media.last_generation = offer.generation;
        member.media.answered = None;
        let slots = &mut member.media.slots;
        // Who was asked for more and offers less will not have more.
        slots.audio = slots.audio.max(offer.slots.audio.len());
        slots.video = slots.video.max(offer.slots.video.len());
        let generation = offer.generation;
        if let Some(record) = self.records.get_mut(&member.session) {
            record.reach(now.instant, Stage::Offer);
        }
        member.media.pending = Some(PendingOffer { generation, id, connection: Some(connection), since: now.instant });
        self.sfu(shard, Command::Offer(to_sfu(who, offer)));
        Ok(Done::Later)
    }

    /// Sends the answer to the last offer where nobody was there to take it.
    pub(super) fn deliver_answer(&mut self, connection: ConnectionId, who: ParticipantId) {
        let Some(member) = self.members.get_mut(&who) else { return };
        let Some(answered) = member.media.answered.as_mut().filter(|answered| answered.connection.is_none()) else {
            return;
        };
        answered.connection = Some(connection);
        let (reply_to, generation) = (answered.id, answered.generation);
        let (kind, frame) = {
            let reply = match &answered.outcome {
                Ok((sdp, tracks)) => Reply::Answer { reply_to, generation, sdp, tracks },
                Err((code, message)) => Reply::Error { reply_to, code: *code, message },
            };
            (reply.kind(), protocol::render(&reply))
        };
        self.stats.count_out(kind);
        self.outputs.push_back(super::Output::Frame(connection, frame));
    }

    pub(super) fn on_candidate(&mut self, who: ParticipantId, candidate: Candidate) -> Answer {
        let shard = self.sfu_shard(who)?;
        let candidate = candidate.candidate.map(|init| init.candidate).unwrap_or_default();
        if candidate.len() > CANDIDATE_BYTES {
            return refuse(ErrorCode::BadMessage, "that is no candidate");
        }
        if !candidate.is_empty() {
            self.sfu(shard, Command::Candidate { participant: who, candidate });
        }
        Ok(Done::Ok)
    }

    pub(super) fn on_mute(&mut self, who: ParticipantId, mute: &Mute) -> Answer {
        let shard = self.sfu_shard(who)?;
        let track = self.own_track(who, &mute.track)?;
        self.sfu(shard, Command::Mute { track, muted: mute.muted });
        Ok(Done::Ok)
    }

    pub(super) fn on_unpublish(&mut self, who: ParticipantId, unpublish: &Unpublish) -> Answer {
        let shard = self.sfu_shard(who)?;
        let track = self.own_track(who, &unpublish.track)?;
        self.sfu(shard, Command::Unpublish { track });
        Ok(Done::Ok)
    }

    /// What a client shows, and how large. A track that it names and that is gone meanwhile is passed over.
    pub(super) fn on_view(&mut self, who: ParticipantId, view: &View) -> Answer {
        let shard = self.sfu_shard(who)?;
        if view.tracks.len() > Command::WISHES {
            return refuse(ErrorCode::BadMessage, format!("at most {} tracks", Command::WISHES));
        }
        let wishes = view.tracks.iter().filter_map(|one| {
            let track = protocol::track_id(&one.track)?;
            let height = u16::try_from(one.height).unwrap_or(u16::MAX);
            Some(Wish { track, height, priority: u8::try_from(one.priority).unwrap_or(u8::MAX) })
        });
        let wishes = wishes.collect();
        self.sfu(shard, Command::View { participant: who, wishes });
        Ok(Done::Ok)
    }

    fn own_track(&self, who: ParticipantId, name: &str) -> Result<TrackId, Refusal> {
        let room = self.rooms.get(&self.room_of(who)?);
        let track = protocol::track_id(name).and_then(|track| room?.tracks.get(&track));
        match track {
            Some(track) if track.participant == who => Ok(track.track),
            Some(_) => refuse(ErrorCode::Forbidden, "that is somebody else's track"),
            None => refuse(ErrorCode::TrackNotFound, "no such track in this room"),
        }
    }

    fn sfu_shard(&self, who: ParticipantId) -> Result<usize, Refusal> {
        let room = self.rooms.get(&self.room_of(who)?);
        match room.filter(|room| room.mode == RoomMode::Sfu) {
            Some(room) => self.ready(room.shard),
            None => refuse(ErrorCode::Unsupported, "this room's media goes from peer to peer: use signal"),
        }
    }

    /// A shard that takes what is asked of it.
    pub(super) fn ready(&self, shard: usize) -> Result<usize, Refusal> {
        match self.busy.get(shard) {
            Some(true) => refuse(ErrorCode::Internal, "the server is too busy; try again"),
            _ => Ok(shard),
        }
    }
}

fn check_offer(grants: Grants, offer: &OfferRequest, slots: protocol::SlotCounts) -> Result<(), Refusal> {
    let (audio, video) = (&offer.slots.audio, &offer.slots.video);
    if !grants.publish && !offer.tracks.is_empty() {
        return refuse(ErrorCode::Forbidden, "needs the grant publish");
    }
    let wants_to_receive = !audio.is_empty() || !video.is_empty();
    if !grants.subscribe && wants_to_receive {
        return refuse(ErrorCode::Forbidden, "needs the grant subscribe");
    }
    if offer.tracks.len() > TRACKS {
        return refuse(ErrorCode::TooManyTracks, "more tracks than anyone has");
    }
    if audio.len() > slots.audio || video.len() > slots.video {
        let message = format!("at most {} audio and {} video slots", slots.audio, slots.video);
        return refuse(ErrorCode::TooManySlots, message);
    }
    let mids = offer.tracks.iter().map(|track| &track.mid).chain(audio).chain(video);
    if mids.into_iter().any(|mid| mid.is_empty() || mid.len() > MID_CHARS) {
        return refuse(ErrorCode::BadMessage, format!("a mid has 1 to {MID_CHARS} characters"));
    }
    if offer.tracks.iter().any(|track| track.name.chars().count() > NAME_CHARS) {
        return refuse(ErrorCode::BadMessage, format!("a name has at most {NAME_CHARS} characters"));
    }
    Ok(())
}

fn to_sfu(participant: ParticipantId, offer: OfferRequest) -> Offer {
    let track = |entry: TrackEntry| TrackRequest {
        mid: entry.mid,
        source: match entry.source {
            protocol::Source::Microphone => Source::Microphone,
            protocol::Source::Camera => Source::Camera,
            protocol::Source::Screen => Source::Screen,
            protocol::Source::ScreenAudio => Source::ScreenAudio,
        },
        name: entry.name,
    };
    Offer {
        participant,
        generation: offer.generation,
        sdp: offer.sdp,
        tracks: offer.tracks.into_iter().map(track).collect(),
        slots: SlotRequest { audio: offer.slots.audio, video: offer.slots.video },
    }
}
