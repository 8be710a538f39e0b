//! People coming and going, their tracks, and what of it reaches whose slots.

use std::collections::hash_map::Entry;

use str0m::media::Mid;

use crate::codec::matching;
use crate::participant::{Clocks, Participant};
use crate::sender::WallClock;
use crate::sfu::Sfu;
use crate::slots::{Group, Slot, assign};
use crate::speaker::INTERVAL;
use crate::timers::Owner;
use crate::track::Track;
use crate::{Event, Kind, ParticipantId, RoomId, SlotAssignment, TrackId, TrackInfo, TrackRequest};

impl Sfu {
    /// Someone entered. Who is there already, or one too many, is not taken in: their offers find nobody.
    pub(crate) fn join(&mut self, room: RoomId, id: ParticipantId, order: u64, may: (bool, bool, bool)) {
        if self.participants.len() >= self.config.participants {
            return;
        }
        let joined = (self.now, self.track_id(self.last_track));
        let Entry::Vacant(vacant) = self.keys.entry(id) else { return };
        let entry = self.participants.vacant_entry();
        let key = *vacant.insert(entry.key());
        let wall = WallClock { at: self.began, unix: self.config.unix };
        let clocks = Clocks { worked: self.config.clock, wall };
        entry.insert(Participant::new(key, id, room, order, may, joined, clocks));
        let participants = &mut self.rooms.entry(room).or_default().participants;
        let at = participants.iter().position(|other| self.participants.get(*other).is_some_and(|p| p.order > order));
        participants.insert(at.unwrap_or(participants.len()), key);
        self.count();
    }

    /// Someone left, or was removed.
    pub(crate) fn leave(&mut self, id: ParticipantId) {
        if let Some(key) = self.keys.get(&id).copied() {
            if let Some(participant) = self.participants.get_mut(key) {
                participant.close(&mut self.outbox);
            }
            self.remove(key);
        }
    }

    /// Takes a participant out of everything.
    pub(crate) fn remove(&mut self, key: usize) {
        let Some(participant) = self.participants.try_remove(key) else { return };
        self.keys.remove(&participant.id);
        self.demux.forget(key);
        self.timers.set(Owner::Engine(key), None);
        self.timers.set(Owner::Raise(key), None);
        self.timers.set(Owner::Messages(key), None);
        self.timers.set(Owner::Pulse(key), None);
        self.timers.set(Owner::Padding(key), None);
        self.outbox.happenings.retain(|(other, _)| *other != key);
        for slot in &participant.slots.all {
            self.unsubscribe(key, slot.track);
        }
        for (_, track) in &participant.published {
            self.end_track(*track);
        }
        if let Some(room) = self.rooms.get_mut(&participant.room) {
            room.remove(key);
            if room.participants.is_empty() {
                self.rooms.remove(&participant.room);
                self.timers.set(Owner::Speakers(participant.room), None);
            }
        }
        self.fill_slots(participant.room);
        self.count();
    }

    /// The tracks of a participant are these from now on. Those that stay keep their identity. Returns all.
    pub(crate) fn publish(&mut self, key: usize, requests: &[TrackRequest]) -> Vec<(String, TrackId)> {
        let Some(participant) = self.participants.get_mut(key) else { return Vec::new() };
        let before = std::mem::take(&mut participant.published);
        let (room, id) = (participant.room, participant.id);
        let mut after: Vec<(Mid, TrackId)> = Vec::new();
        for request in requests {
            let mid = Mid::from(request.mid.as_str());
            let known = before.iter().find(|(old, track)| {
                *old == mid && self.tracks.get(track).is_some_and(|track| track.info.source == request.source)
            });
            let track = known.map_or_else(|| self.add_track(key, room, id, mid, request), |(_, track)| *track);
            self.rename(track, &request.name);
            after.push((mid, track));
        }
        for (_, track) in before.iter().filter(|(_, track)| !after.iter().any(|(_, kept)| kept == track)) {
            self.end_track(*track);
        }
        let named = requests.iter().zip(&after).map(|(request, (_, track))| (request.mid.clone(), *track)).collect();
        if let Some(participant) = self.participants.get_mut(key) {
            participant.published = after;
        }
        self.count();
        named
    }

    /// Stops or resumes a track.
    pub(crate) fn mute(&mut self, id: TrackId, muted: bool) {
        let Some(track) = self.tracks.get_mut(&id).filter(|track| track.info.muted != muted) else { return };
        track.info.muted = muted;
        self.events.push_back(Event::TrackChanged { room: track.room, track: track.info.clone() });
        self.resume(id);
    }

    /// Ends a track that its publisher takes back.
    pub(crate) fn unpublish(&mut self, id: TrackId) {
        let Some((key, room)) = self.tracks.get(&id).map(|track| (track.publisher, track.room)) else { return };
        if let Some(participant) = self.participants.get_mut(key) {
            participant.published.retain(|(_, track)| *track != id);
        }
        self.end_track(id);
        self.fill_slots(room);
        self.count();
    }

    /// Puts the room's tracks into everyone's slots and tells those for whom something changed.
    pub(crate) fn fill_slots(&mut self, room: RoomId) {
        let Some(keys) = self.rooms.get(&room).map(|room| room.participants.clone()) else { return };
        for key in keys {
            let changed = self.fill(key);
            self.tell_slots(key, changed);
            if changed != (false, false) {
                self.allocate(key);
            }
        }
    }

    /// Puts the room's tracks into the slots of one participant. Whether audio and video changed.
    pub(crate) fn fill(&mut self, key: usize) -> (bool, bool) {
        let Some(participant) = self.participants.get(key).filter(|p| p.has_engine()) else { return (false, false) };
        let room = participant.room;
        let mut changed = (false, false);
        for kind in [Kind::Audio, Kind::Video] {
            let Some(participant) = self.participants.get(key) else { return changed };
            let wanted = if participant.may_subscribe { self.wanted(room, key, kind) } else { Vec::new() };
            let present: Vec<_> = participant.slots.of(kind).map(|slot| slot.track).collect();
            let other = if kind == Kind::Audio { Kind::Video } else { Kind::Audio };
            let group = |track: Option<TrackId>| self.tracks.get(&track?).map(Track::group);
            let opposite: Vec<_> = participant.slots.of(other).map(|slot| group(slot.track)).collect();
            let next = assign(&present, &wanted, &opposite);
            if next == present {
                continue;
            }
            match kind {
                Kind::Audio => changed.0 = true,
                Kind::Video => changed.1 = true,
            }
            let moves: Vec<_> = present.into_iter().zip(next.iter().copied()).filter(|(old, new)| old != new).collect();
            let Some(participant) = self.participants.get_mut(key) else { return changed };
            for (slot, track) in participant.slots.of_mut(kind).zip(next).filter(|(slot, track)| slot.track != *track) {
                slot.put(track);
            }
            for (old, new) in moves {
                self.unsubscribe(key, old);
                self.subscribe(key, new);
            }
        }
        changed
    }

    /// Tells a participant what is in the slots of the kinds that changed (audio, video).
    pub(crate) fn tell_slots(&mut self, key: usize, changed: (bool, bool)) {
        let Some(participant) = self.participants.get(key).filter(|_| changed.0 || changed.1) else { return };
        let list = |kind| -> Vec<SlotAssignment> {
            let height = |slot: &Slot| {
                let shown = slot.switcher.current().or(slot.switcher.target())?;
                self.tracks.get(&slot.track?)?.height(shown)
            };
            participant.slots.of(kind).map(|slot| slot.assignment(height(slot))).collect()
        };
        let (audio, video) = (changed.0.then(|| list(Kind::Audio)), changed.1.then(|| list(Kind::Video)));
        self.events.push_back(Event::Slots { participant: participant.id, audio, video });
    }

    /// The time has come to say who speaks.
    pub(crate) fn determine_speakers(&mut self, id: RoomId) {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let mut speaking: Vec<(i8, usize)> = Vec::new();
        for track in room.tracks.iter().filter_map(|track| self.tracks.get(track)).filter(|track| !track.info.muted) {
            let level = track.loudness.speaking(now).filter(|_| !track.is_screen());
            speaking.extend(level.map(|level| (level, track.publisher)));
        }
        speaking.sort_unstable_by(|one, other| other.cmp(one));
        let keys: Vec<_> = speaking.iter().map(|(_, key)| *key).collect();
        let turned = room.spoke(&keys);
        let who = |(level, key): &(i8, usize)| self.participants.get(*key).map(|speaker| (speaker.id, *level));
        if let Some(participants) = room.speakers.update(speaking.iter().filter_map(who).collect()) {
            self.events.push_back(Event::Speakers { room: id, participants });
        }
        if room.speakers.any() {
            self.timers.set(Owner::Speakers(id), Some(now + INTERVAL));
        }
        if turned {
            self.fill_slots(id);
        }
    }

    /// Tracks of others, the most wanted first: what this participant said it shows, then screens, then who spoke last,
    /// then who joined first; after all of them what it cannot decode. What it does not show is not among them.
    pub(crate) fn wanted(&self, room: RoomId, key: usize, kind: Kind) -> Vec<(TrackId, Group)> {
        let Some(room) = self.rooms.get(&room) else { return Vec::new() };
        let candidates = room.tracks.iter().filter_map(|id| self.tracks.get(id));
        let wish = |track: &Track| self.participants.get(key)?.wishes.get(&track.info.track);
        let hidden = |track: &Track| kind == Kind::Video && wish(track).is_some_and(|wish| wish.height == 0);
        let wanted = candidates.filter(|track| track.publisher != key && track.kind() == kind && !hidden(track));
        let mut wanted: Vec<_> = wanted.collect();
        let slot = self.participants.get(key).and_then(|participant| participant.slots.of(kind).next());
        let unable = |track: &Track| match (track.codec, slot) {
            (Some(codec), Some(slot)) => matching(&codec, &slot.accepted).is_none(),
            _ => false,
        };
        let joined = |key: usize| self.participants.get(key).map_or(u64::MAX, |participant| participant.order);
        wanted.sort_by_key(|track| {
            let turn = u64::MAX - room.last_turn(track.publisher);
            let wish = wish(track).filter(|_| kind == Kind::Video);
            let unimportance = wish.map_or(u8::MAX, |wish| u8::MAX - wish.priority);
            (
                unable(track),
                wish.is_none(),
                !track.is_screen(),
                unimportance,
                turn,
                joined(track.publisher),
                track.info.track.0,
            )
        });
        wanted.into_iter().map(|track| (track.info.track, track.group())).collect()
    }

    fn track_id(&self, number: u64) -> TrackId {
        TrackId(u64::from(self.config.shard) << 40 | number)
    }

    fn add_track(&mut self, key: usize, room: RoomId, id: ParticipantId, mid: Mid, request: &TrackRequest) -> TrackId {
        self.last_track += 1;
        let track = self.track_id(self.last_track);
        let (source, name) = (request.source, request.name.clone());
        let info = TrackInfo { track, participant: id, source, name, muted: false };
        self.events.push_back(Event::TrackAdded { room, track: info.clone() });
        self.tracks.insert(track, Track::new(info, room, key, mid));
        if let Some(room) = self.rooms.get_mut(&room) {
            room.tracks.push(track);
        }
        track
    }

    fn rename(&mut self, id: TrackId, name: &str) {
        if let Some(track) = self.tracks.get_mut(&id).filter(|track| track.info.name != name) {
            name.clone_into(&mut track.info.name);
            self.events.push_back(Event::TrackChanged { room: track.room, track: track.info.clone() });
        }
    }

    fn end_track(&mut self, id: TrackId) {
        let Some(track) = self.tracks.remove(&id) else { return };
        self.timers.set(Owner::Keyframe(id), None);
        self.timers.set(Owner::Layers(id), None);
        if let Some(room) = self.rooms.get_mut(&track.room) {
            room.tracks.retain(|other| *other != id);
        }
        let participant = track.info.participant;
        self.events.push_back(Event::TrackRemoved { room: track.room, participant, track: id });
    }

    fn subscribe(&mut self, key: usize, track: Option<TrackId>) {
        let Some(id) = track else { return };
        if let Some(track) = self.tracks.get_mut(&id) {
            track.subscribers.push(key);
        }
    }

    pub(crate) fn unsubscribe(&mut self, key: usize, track: Option<TrackId>) {
        if let Some(track) = track.and_then(|track| self.tracks.get_mut(&track)) {
            track.subscribers.retain(|other| *other != key);
            let id = track.info.track;
            self.review_layers(id);
        }
    }

    /// Brings the gauges up to date; called where people and tracks come and go.
    pub(crate) fn count(&mut self) {
        self.stats.rooms = self.rooms.len() as u64;
        self.stats.participants = self.participants.len() as u64;
        self.stats.connected = self.participants.iter().filter(|(_, participant)| participant.connected).count() as u64;
        let audio = self.tracks.values().filter(|track| track.kind() == Kind::Audio).count() as u64;
        self.stats.audio_tracks = audio;
        self.stats.video_tracks = self.tracks.len() as u64 - audio;
    }
}
