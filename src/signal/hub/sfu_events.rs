//! What the SFU says, told to whom it concerns.

use roundturn_sfu::{
    self as sfu, Command, Event as SfuEvent, Kind, ParticipantId, RoomId, SlotAssignment, TrackId, TrackInfo,
};

use super::{Hub, Moment};
use crate::signal::member::Answered;
use crate::signal::protocol::{self, Bye, ErrorCode, Event, Level, SlotCounts, SlotFacts, TrackMid, render_event};
use crate::signal::record::Stage;
use crate::signal::room::track_facts;

/// Join times that wait for whoever exports them; beyond that they are not measured.
const DURATIONS: usize = 1024;

impl Hub {
    pub(super) fn on_sfu_event(&mut self, now: Moment, event: SfuEvent) {
        match event {
            SfuEvent::Answer { participant, generation, sdp, tracks } => {
                let mid = |(mid, track)| TrackMid { mid, track: protocol::track_name(track) };
                let tracks = tracks.into_iter().map(mid).collect();
                self.on_answered(participant, generation, Ok((sdp, tracks)));
            }
            SfuEvent::Rejected { participant, generation, reason, message } => {
                self.on_answered(participant, generation, Err((reason.into(), message)));
            }
            SfuEvent::TrackAdded { room, track } => self.on_track_added(room, track),
            SfuEvent::TrackChanged { room, track } => self.on_track_changed(room, track),
            SfuEvent::TrackRemoved { room, participant, track } => self.on_track_removed(room, participant, track),
            SfuEvent::Slots { participant, audio, video } => self.on_slots(participant, audio, video),
            SfuEvent::Layers { participant, track, heights } => {
                let event = Event::Layers { track: &protocol::track_name(track), heights: &heights };
                self.tell(participant, render_event(&event));
            }
            SfuEvent::Speakers { room, participants } => {
                let level = |(who, level_db)| Level { participant: protocol::participant_name(who), level_db };
                let here = participants.into_iter().filter(|(who, _)| self.members.contains_key(who));
                let participants = here.map(level).collect();
                self.tell_connected(room, &Event::Speakers { participants });
            }
            SfuEvent::Quality { room, participant, up, down, path } => {
                if let Some(record) = self.record_of(participant) {
                    record.set_path(path_name(path));
                }
                let participant = &protocol::participant_name(participant);
                let (up, down, path) = (quality(up), quality(down), path_name(path));
                self.tell_connected(room, &Event::Quality { participant, up, down, path });
            }
            SfuEvent::Reached { participant, stage } => self.on_reached(now, participant, stage.into()),
            SfuEvent::RestartIce { participant } => self.tell(participant, render_event(&Event::RestartIce)),
            SfuEvent::Failed { participant } => self.dismiss(now, participant, Bye::Internal, None),
        }
    }

    fn on_answered(
        &mut self,
        who: ParticipantId,
        generation: u64,
        outcome: Result<(String, Vec<TrackMid>), (ErrorCode, String)>,
    ) {
        let Some(member) = self.members.get_mut(&who) else { return };
        let Some(pending) = member.media.pending.take_if(|pending| pending.generation == generation) else { return };
        if let Some(record) = self.records.get_mut(&member.session) {
            record.set_rejected(outcome.as_ref().err().cloned());
        }
        member.media.answered = Some(Answered { generation, id: pending.id, connection: None, outcome });
        let room = member.room;
        if let Some(connection) = member.connection {
            self.deliver_answer(connection, who);
        }
        self.ask_for_slots(room, Some(who));
    }

    /// Asks whoever has fewer slots than there is to receive, and may have more, for another offer; each number once.
    fn ask_for_slots(&mut self, room_id: RoomId, only: Option<ParticipantId>) {
        let Some(room) = self.rooms.get(&room_id) else { return };
        let most = self.config.limits.slots;
        let mut lacking = Vec::new();
        for who in room.members.values().copied().filter(|who| only.is_none_or(|only| only == *who)) {
            let Some(member) = self.members.get(&who) else { continue };
            let media = &member.media;
            if media.last_generation == 0 || media.pending.is_some() || !member.grants.subscribe {
                continue;
            }
            let others = || room.tracks.values().filter(move |track| track.participant != who);
            let of = |kind: Kind| others().filter(|track| track.source.kind() == kind).count();
            let audio = of(Kind::Audio).min(most.audio).max(media.slots.audio);
            let video = of(Kind::Video).min(most.video).max(media.slots.video);
            if (audio, video) != (media.slots.audio, media.slots.video) {
                lacking.push((who, SlotCounts { audio, video }));
            }
        }
        for (who, slots) in lacking {
            if let Some(member) = self.members.get_mut(&who) {
                member.media.slots = slots;
            }
            self.tell(who, render_event(&Event::MoreSlots { audio: slots.audio, video: slots.video }));
        }
    }

    fn on_track_added(&mut self, room_id: RoomId, track: TrackInfo) {
        // Whoever left while this was on its way has no tracks any more.
        if self.members.get(&track.participant).is_none_or(|member| member.room != room_id) {
            return;
        }
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.tracks.insert(track.track, track.clone());
        self.tell_room(room_id, None, &Event::TrackAdded { track: track_facts(&track) });
        self.ask_for_slots(room_id, None);
    }

    fn on_track_changed(&mut self, room_id: RoomId, track: TrackInfo) {
        let Some(known) = self.rooms.get_mut(&room_id).and_then(|room| room.tracks.get_mut(&track.track)) else {
            return;
        };
        known.clone_from(&track);
        self.tell_room(room_id, None, &Event::TrackChanged { track: track_facts(&track) });
    }

    fn on_track_removed(&mut self, room_id: RoomId, participant: ParticipantId, track: TrackId) {
        let known = self.rooms.get_mut(&room_id).and_then(|room| room.tracks.remove(&track));
        if known.is_some() {
            let (track, participant) = (protocol::track_name(track), protocol::participant_name(participant));
            self.tell_room(room_id, None, &Event::TrackRemoved { track: &track, participant: &participant });
        }
    }

    fn on_slots(&mut self, who: ParticipantId, audio: Option<Vec<SlotAssignment>>, video: Option<Vec<SlotAssignment>>) {
        let Some(member) = self.members.get_mut(&who) else { return };
        let facts = |slots: Vec<SlotAssignment>, has_layers: bool| -> Vec<SlotFacts> {
            slots.into_iter().map(|slot| slot_facts(slot, has_layers)).collect()
        };
        let audio = audio.map(|slots| facts(slots, false));
        let video = video.map(|slots| facts(slots, true));
        let event = render_event(&Event::Slots { video: video.as_deref(), audio: audio.as_deref() });
        member.media.audio = audio.or(member.media.audio.take());
        member.media.video = video.or(member.media.video.take());
        self.tell(who, event);
    }

    /// All slots as they are, for a client that has lost events.
    pub(super) fn tell_slots(&mut self, who: ParticipantId) {
        let Some(member) = self.members.get(&who) else { return };
        let (audio, video) = (member.media.audio.as_deref(), member.media.video.as_deref());
        if audio.is_some() || video.is_some() {
            self.tell(who, render_event(&Event::Slots { video, audio }));
        }
    }

    fn on_reached(&mut self, now: Moment, who: ParticipantId, stage: Stage) {
        let is_new = self.reach(now, who, stage);
        let Some(member) = self.members.get(&who).filter(|_| is_new && stage == Stage::Dtls) else { return };
        if self.stats.join_durations.len() < DURATIONS {
            self.stats.join_durations.push(now.instant.saturating_duration_since(member.joined));
        }
    }

    /// A shard's mailbox is full: whoever asked is told, and nobody waits for an answer that cannot come.
    pub(super) fn on_refused(&mut self, now: Moment, command: Command) {
        match command {
            Command::Join { participant, .. } => self.dismiss(now, participant, Bye::Internal, None),
            Command::Offer(sfu::Offer { participant, generation, .. }) => {
                let outcome = Err((ErrorCode::Internal, "the server is too busy; try again".to_owned()));
                self.on_answered(participant, generation, outcome);
            }
            // An end always finds room; the rest is asked only of a shard that has room for it.
            Command::Leave { .. }
            | Command::Candidate { .. }
            | Command::Mute { .. }
            | Command::Unpublish { .. }
            | Command::View { .. } => {}
        }
    }
}

fn slot_facts(slot: SlotAssignment, has_layers: bool) -> SlotFacts {
    let paused = (slot.track.is_some() && (has_layers || slot.paused)).then_some(slot.paused);
    SlotFacts { mid: slot.mid, track: slot.track.map(protocol::track_name), height: slot.height, paused }
}

fn quality(quality: sfu::Quality) -> &'static str {
    match quality {
        sfu::Quality::Good => "good",
        sfu::Quality::Poor => "poor",
        sfu::Quality::Lost => "lost",
    }
}

fn path_name(path: sfu::Path) -> &'static str {
    match path {
        sfu::Path::Udp => "udp",
        sfu::Path::Tcp => "tcp",
        sfu::Path::Relay => "relay",
    }
}
