//! What engines did: packets go to the slots that want them, requests to the publishers, the rest to signaling.

use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Event as Engine, IceConnectionState};

use crate::codec::{self, Glance};
use crate::participant::{Happening, Participant};
use crate::rewrite::Incoming;
use crate::sfu::Sfu;
use crate::speaker::INTERVAL;
use crate::stats::Stats;
use crate::timers::Owner;
use crate::track::Track;
use crate::{Event, Kind, RoomId, TrackId};

/// A publisher that changes its codec again sooner is not followed.
const CODEC_LASTS: Duration = Duration::from_secs(1);
/// What is desired beyond what is forwarded now, so that the estimate may grow.
const HEADROOM: Bitrate = Bitrate::kbps(500);

impl Sfu {
    /// Works off what engines gave until there is nothing left, then sets their deadlines.
    pub(crate) fn work_off(&mut self) {
        while let Some((key, happening)) = self.outbox.happenings.pop_front() {
            match happening {
                Happening::Event(event) => self.on_event(key, *event),
                Happening::Proven(remote) => self.demux.prove(key, remote),
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

    /// Somebody may need a keyframe of this track: asks for one now or as soon as it is decent.
    pub(crate) fn want_keyframe(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let able = |key: &usize| self.participants.get(*key).is_some_and(|subscriber| subscriber.connected);
        if track.kind() == Kind::Video && !track.info.muted && track.subscribers.iter().any(able) {
            track.keyframes.want();
            self.request_keyframe(id);
        }
    }

    /// Asks for a keyframe if one is due, and sets the time to ask again.
    pub(crate) fn request_keyframe(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Some(publisher) = self.participants.get_mut(track.publisher) else { return };
        if !publisher.connected {
            // Asked once it is.
            return;
        }
        if track.keyframes.ask(self.now) && publisher.request_keyframe(track.mid, &mut self.outbox) {
            self.stats.keyframe_requests_out += 1;
        }
        self.timers.set(Owner::Keyframe(id), track.keyframes.due(self.now));
    }

    /// The track was muted or unmuted: whoever has it goes on with a fresh start.
    pub(crate) fn resume(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.keyframes.settle();
        for key in &track.subscribers {
            if let Some(slot) = self.participants.get_mut(*key).and_then(|subscriber| subscriber.slots.with(id)) {
                slot.rewrite.switch();
            }
        }
        self.timers.set(Owner::Keyframe(id), None);
        self.want_keyframe(id);
    }

    fn on_event(&mut self, key: usize, event: Engine) {
        match event {
            Engine::RtpPacket(packet) => self.on_packet(key, packet),
            Engine::KeyframeRequest(request) => {
                self.stats.keyframe_requests_in += 1;
                let slots = self.participants.get(key).map(|participant| &participant.slots.all);
                let slot = slots.and_then(|slots| slots.iter().find(|slot| slot.mid == request.mid));
                if let Some(track) = slot.and_then(|slot| slot.track) {
                    self.want_keyframe(track);
                }
            }
            Engine::Connected => self.on_connected(key),
            Engine::IceConnectionStateChange(state) => {
                let Some(participant) = self.participants.get_mut(key) else { return };
                participant.link.silent = state == IceConnectionState::Disconnected;
                self.report_quality(key);
            }
            Engine::PeerStats(stats) => {
                let Some(participant) = self.participants.get_mut(key) else { return };
                participant.link.measure(&stats, &self.config);
                self.report_quality(key);
                self.desire(key);
            }
            Engine::MediaEgressStats(stats) => {
                let slots = self.participants.get_mut(key).map(|participant| &mut participant.slots.all);
                let slot = slots.and_then(|slots| slots.iter_mut().find(|slot| slot.mid == stats.mid));
                if let Some(slot) = slot {
                    self.stats.nacks_in += stats.nacks.saturating_sub(slot.nacks);
                    slot.nacks = stats.nacks;
                }
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
            _ => {}
        }
    }

    fn on_packet(&mut self, key: usize, packet: RtpPacket) {
        let Some(publisher) = self.participants.get_mut(key) else { return };
        let Some(mid) = publisher.section_of(packet.header.ssrc, &mut self.outbox) else { return };
        let Some((_, id)) = publisher.published.iter().find(|(section, _)| *section == mid).copied() else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let kind = track.kind();
        count_in(&mut self.stats, kind, packet.payload.len());
        if track.info.muted || packet.payload.is_empty() {
            return;
        }
        track.rate.add(self.now, packet.payload.len());
        let recoded = match adopt_codec(track, publisher, &packet, self.now) {
            Some(recoded) => recoded,
            None => return,
        };
        let changed = track.ssrc.replace(packet.header.ssrc).is_some_and(|before| before != packet.header.ssrc);
        let (Some(params), room) = (track.codec, track.room) else { return };
        let glance = match kind {
            Kind::Audio => Glance::default(),
            Kind::Video => codec::glance(params.spec().codec, &packet.payload),
        };
        let resized = glance.height.is_some_and(|height| track.learn_height(self.now, height));
        if glance.keyframe {
            track.keyframes.settle();
            self.timers.set(Owner::Keyframe(track.info.track), None);
        }
        if let (Kind::Audio, Some(level)) = (kind, packet.header.ext_vals.audio_level) {
            track.loudness.hear(self.now, level);
            if track.loudness.speaking(self.now).is_some()
                && !self.rooms.get(&room).is_some_and(|room| room.speakers.any())
            {
                self.listen(room);
            }
        }
        self.forward(id, &packet, &glance, changed);
        if recoded {
            // Who cannot decode it may use the slot better.
            self.fill_slots(room);
        }
        if resized {
            self.tell_height(id);
        }
    }

    /// The picture has another height: whoever sees it is told.
    fn tell_height(&mut self, id: TrackId) {
        let Some(subscribers) = self.tracks.get(&id).map(|track| track.subscribers.clone()) else { return };
        for key in subscribers {
            self.tell_slots(key, (false, true));
        }
    }

    /// Hands a packet to everyone who has its track in a slot.
    fn forward(&mut self, id: TrackId, packet: &RtpPacket, glance: &Glance, source_changed: bool) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Some(params) = track.codec else { return };
        let subscribers = std::mem::take(&mut track.subscribers);
        let (video, mut wanting, mut told) = (track.kind() == Kind::Video, false, Vec::new());
        for key in &subscribers {
            let Some(subscriber) = self.participants.get_mut(*key).filter(|subscriber| subscriber.connected) else {
                continue;
            };
            let Some(slot) = subscriber.slots.with(id) else { continue };
            if source_changed {
                slot.rewrite.switch();
                slot.choice = None;
            }
            let sent = packet.header.payload_type;
            if slot.choice.is_none_or(|(from, _)| from != sent) {
                slot.choice = Some((sent, codec::payload_type(&params, &slot.accepted)));
            }
            let payload_type = slot.choice.and_then(|(_, to)| to);
            if slot.undecodable != payload_type.is_none() {
                slot.undecodable = payload_type.is_none();
                told.push(*key);
            }
            let Some(payload_type) = payload_type else { continue };
            if video && slot.rewrite.is_fresh() && !glance.keyframe {
                wanting = true;
                continue;
            }
            let incoming = Incoming {
                sequence: *packet.seq_no,
                timestamp: packet.header.timestamp,
                clock_rate: params.spec().clock_rate.get(),
                vp8: glance.vp8.as_ref(),
            };
            let Some(numbers) = slot.rewrite.apply(self.now, incoming) else { continue };
            let payload = std::sync::Arc::clone(&packet.payload);
            let mut write =
                RtpWrite::new(payload_type, numbers.sequence.into(), numbers.timestamp, packet.timestamp, payload)
                    .marker(packet.header.marker)
                    .nackable(video)
                    .ext_vals(forwarded(&packet.header.ext_vals));
            if let Some(patch) = numbers.vp8 {
                write = write.vp8_patch(patch);
            }
            let mid = slot.mid;
            subscriber.write(mid, write, &mut self.outbox);
            count_out(&mut self.stats, video, packet.payload.len());
        }
        if let Some(track) = self.tracks.get_mut(&id) {
            track.subscribers = subscribers;
        }
        if wanting {
            self.want_keyframe(id);
        }
        for key in told {
            self.tell_slots(key, (!video, video));
        }
    }

    fn on_connected(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.connected = true;
        if !std::mem::replace(&mut participant.announced, true) {
            self.events.push_back(Event::Connected { participant: participant.id });
        }
        let received = participant.slots.all.iter().filter_map(|slot| slot.track);
        let tracks: Vec<_> = received.chain(participant.published.iter().map(|(_, track)| *track)).collect();
        for track in tracks {
            self.want_keyframe(track);
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

    fn fail(&mut self, key: usize) {
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

    /// Tells a subscriber's bandwidth estimation how much it gets.
    fn desire(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let tracks = participant.slots.all.iter().filter_map(|slot| self.tracks.get(&slot.track?));
        let forwarded: u64 = tracks.map(|track| track.rate.bits_per_second()).sum();
        participant.desire(Bitrate::bps(forwarded) + HEADROOM, &mut self.outbox);
    }

    /// Somebody began to speak: the room's speakers are to be determined.
    fn listen(&mut self, room: RoomId) {
        if !self.timers.is_set(Owner::Speakers(room)) {
            self.timers.set(Owner::Speakers(room), Some(self.now + INTERVAL));
        }
    }
}

/// Takes the codec of a packet for that of its track. Whether it changed; `None` where it changes too often, since every
/// change may move what is in the room's slots.
fn adopt_codec(track: &mut Track, publisher: &Participant, packet: &RtpPacket, now: Instant) -> Option<bool> {
    let sent = packet.header.payload_type;
    if track.codec.is_some_and(|codec| codec.pt() == sent) {
        return Some(false);
    }
    if track.recoded.is_some_and(|at| now.saturating_duration_since(at) < CODEC_LASTS) {
        return None;
    }
    track.codec = Some(publisher.sent_codec(sent)?);
    track.recoded = Some(now);
    Some(true)
}

/// The header extensions that mean the same behind the SFU as before it.
fn forwarded(values: &ExtensionValues) -> ExtensionValues {
    ExtensionValues {
        audio_level: values.audio_level,
        voice_activity: values.voice_activity,
        video_orientation: values.video_orientation,
        abs_capture_time: values.abs_capture_time,
        ..ExtensionValues::default()
    }
}

fn count_in(stats: &mut Stats, kind: Kind, bytes: usize) {
    let (packets, sum) = match kind {
        Kind::Audio => (&mut stats.audio_packets_in, &mut stats.audio_bytes_in),
        Kind::Video => (&mut stats.video_packets_in, &mut stats.video_bytes_in),
    };
    *packets += 1;
    *sum += bytes as u64;
}

fn count_out(stats: &mut Stats, video: bool, bytes: usize) {
    let (packets, sum) = match video {
        false => (&mut stats.audio_packets_out, &mut stats.audio_bytes_out),
        true => (&mut stats.video_packets_out, &mut stats.video_bytes_out),
    };
    *packets += 1;
    *sum += bytes as u64;
}
