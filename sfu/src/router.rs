//! What engines did: packets go to the slots that want them, requests to the publishers, the rest to signaling.

use std::time::Duration;

use str0m::media::Mid;
use str0m::{Event as Engine, IceConnectionState};

use crate::participant::{Happening, TOGETHER};
use crate::sfu::Sfu;
use crate::speaker::INTERVAL;
use crate::stages::Stage;
use crate::timers::{Owner, together};
use crate::{Event, RoomId, TrackId};

/// How often it is looked whether participants are still heard.
const PULSE: Duration = Duration::from_millis(250);

impl Sfu {
    /// Works off what engines gave until there is nothing left, then sets their deadlines.
    pub(crate) fn work_off(&mut self) {
        while let Some((key, happening)) = self.outbox.happenings.pop_front() {
            match happening {
                Happening::Packet(packet) => self.on_packet(key, &packet),
                Happening::Event(event) => self.on_event(key, *event),
                Happening::Proven(remote) => self.demux.prove(key, remote),
                Happening::Lost(share) => self.on_losses(key, share),
                Happening::Estimate(estimate) => self.on_estimate(key, estimate),
                Happening::Missed(times) => self.stats.nacks_in += times,
                Happening::KeyframeNeeded(mid) => self.on_keyframe_needed(key, mid),
                Happening::Reached(stage) => self.on_reached(key, stage),
                Happening::Failed => self.fail(key),
            }
        }
        let mut touched = std::mem::take(&mut self.outbox.touched);
        for key in touched.drain(..) {
            let participant = self.participants.get(key);
            // Who is to be pumped anyway gets its deadline then.
            if participant.is_none_or(|participant| !participant.pending) {
                self.timers.set(Owner::Engine(key), participant.and_then(|participant| participant.deadline));
            }
        }
        self.outbox.touched = touched;
    }

    /// Somebody may need a keyframe of this encoding: asks for one now or as soon as it is decent.
    pub(crate) fn want_keyframe(&mut self, id: TrackId, encoding: usize) {
        let Some(track) = self.tracks.get_mut(&id).filter(|track| !track.info.muted) else { return };
        let able = |key: &usize| self.participants.get(*key).is_some_and(|subscriber| subscriber.connected);
        if !track.subscribers.iter().any(able) {
            return;
        }
        if let Some(encoding) = track.encodings.get_mut(encoding) {
            encoding.keyframes.want();
            self.request_keyframes(id);
        }
    }

    /// Asks for the keyframes of a track that are due, and sets the time to ask again.
    pub(crate) fn request_keyframes(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Some(publisher) = self.participants.get_mut(track.publisher) else { return };
        if !publisher.connected {
            // Asked once it is.
            return;
        }
        let mut next = None;
        for index in 0..track.encodings.len() {
            let is_lowest = track.is_lowest(index);
            let Some(encoding) = track.encodings.get_mut(index) else { continue };
            if encoding.keyframes.ask(self.now, is_lowest)
                && publisher.request_keyframe(track.mid, encoding.rid, &mut self.outbox)
            {
                self.stats.keyframe_requests_out += 1;
            }
            next = [next, encoding.keyframes.due(self.now, is_lowest)].into_iter().flatten().min();
        }
        self.timers.set(Owner::Keyframe(id), next);
    }

    /// The track was muted or unmuted: whoever has it goes on with a fresh start.
    pub(crate) fn resume(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.encodings.iter_mut().for_each(|encoding| encoding.keyframes.settle());
        for key in &track.subscribers {
            if let Some(slot) = self.participants.get_mut(*key).and_then(|subscriber| subscriber.slots.with(id)) {
                slot.switcher.restart();
                slot.rewrite.switch();
            }
        }
        self.timers.set(Owner::Keyframe(id), None);
        self.allocate_track(id);
    }

    fn on_event(&mut self, key: usize, event: Engine) {
        match event {
            Engine::Connected => self.on_connected(key),
            Engine::IceConnectionStateChange(state) => {
                let Some(participant) = self.participants.get_mut(key) else { return };
                participant.link.silent = state == IceConnectionState::Disconnected;
                self.report_quality(key);
            }
            Engine::PeerStats(stats) => {
                let Some(participant) = self.participants.get_mut(key) else { return };
                let (heard, route) = (participant.sender.heard(self.now), participant.routes.in_use());
                participant.link.measure(&stats, heard, route, &self.config);
                self.report_quality(key);
                self.allocate(key);
            }
            Engine::MediaIngressStats(stats) => {
                let published = self.participants.get(key).map(|participant| &participant.published);
                let id = published.and_then(|published| published.iter().find(|(mid, _)| *mid == stats.mid));
                if let Some(track) = id.and_then(|(_, id)| self.tracks.get_mut(id)) {
                    self.stats.nacks_out += stats.nacks.saturating_sub(track.nacks);
                    track.nacks = stats.nacks;
                }
            }
            Engine::Closed => self.on_closed(key),
            other => self.on_channel_event(key, other),
        }
    }

    /// A subscriber cannot decode what is in a slot.
    fn on_keyframe_needed(&mut self, key: usize, mid: Mid) {
        self.stats.keyframe_requests_in += 1;
        let slots = self.participants.get(key).map(|participant| &participant.slots.all);
        let slot = slots.and_then(|slots| slots.iter().find(|slot| slot.mid == mid));
        if let Some((track, choice)) = slot.and_then(|slot| slot.track.zip(slot.switcher.current())) {
            self.want_keyframe(track, choice.encoding);
        }
    }

    fn on_reached(&mut self, key: usize, stage: Stage) {
        if let Some(participant) = self.participants.get(key).map(|participant| participant.id) {
            self.events.push_back(Event::Reached { participant, stage });
        }
    }

    fn on_connected(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.connected = true;
        participant.reach(Stage::Connected, &mut self.outbox);
        let published: Vec<_> = participant.published.iter().map(|(_, track)| *track).collect();
        self.feel_pulse(key);
        self.allocate(key);
        for track in published {
            self.allocate_track(track);
        }
        self.count();
    }

    /// The client closed its peer connection. It may offer another; until then there is nothing of it.
    fn on_closed(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.disengage();
        participant.link.silent = true;
        let slots = std::mem::take(&mut participant.slots);
        for slot in &slots.all {
            self.unsubscribe(key, slot.track);
        }
        self.publish(key, &[]);
        self.demux.forget(key);
        self.report_quality(key);
        if let Some(room) = self.participants.get(key).map(|participant| participant.room) {
            self.fill_slots(room);
        }
    }

    pub(crate) fn fail(&mut self, key: usize) {
        let Some(participant) = self.participants.get(key) else { return };
        self.stats.failures += 1;
        self.events.push_back(Event::Failed { participant: participant.id });
        self.remove(key);
    }

    fn report_quality(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        if let Some((up, down, path)) = participant.link.report(self.now) {
            let (room, participant) = (participant.room, participant.id);
            self.events.push_back(Event::Quality { room, participant, up, down, path });
        }
    }

    /// Asks a participant that has fallen silent for an ICE restart: it may have another address, and not know it yet.
    pub(crate) fn feel_pulse(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key).filter(|participant| participant.has_engine()) else {
            return;
        };
        if participant.pulse.falls_silent(self.now) {
            self.events.push_back(Event::RestartIce { participant: participant.id });
        }
        let interval = if participant.rests(self.now) { TOGETHER } else { PULSE };
        let next = together(self.began, interval, self.now + Duration::from_millis(1));
        self.timers.set(Owner::Pulse(key), Some(next));
    }

    /// Somebody began to speak: the room's speakers are to be determined.
    pub(crate) fn listen(&mut self, room: RoomId) {
        if !self.timers.is_set(Owner::Speakers(room)) {
            self.timers.set(Owner::Speakers(room), Some(self.now + INTERVAL));
        }
    }
}
