//! A published packet on its way to everyone who has its track in a slot.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use str0m::format::{Codec, PayloadParams};
use str0m::media::Mid;
use str0m::rtp::RtpPacket;

use crate::codec::{self, Glance};
use crate::dependency::{Raw, Structure};
use crate::layer::Verdict;
use crate::participant::Participant;
use crate::red::Outlet;
use crate::rewrite::{Incoming, Outgoing};
use crate::sender::Leaving;
use crate::sfu::Sfu;
use crate::slots::Slot;
use crate::stages::Stage;
use crate::stats::Stats;
use crate::track::Track;
use crate::{Kind, TrackId};

/// A publisher that changes its codec again sooner is not followed.
const CODEC_LASTS: Duration = Duration::from_secs(1);

/// A packet on its way, and what is known of it.
#[derive(Clone, Copy)]
struct Parcel<'a> {
    id: TrackId,
    index: usize,
    packet: &'a Arc<RtpPacket>,
    glance: &'a Glance,
    params: &'a PayloadParams,
    structure: Option<&'a Arc<Structure>>,
    video: bool,
}

/// What became of a packet for one slot.
enum Handed {
    /// It left, or was left out on purpose.
    Done,
    /// A keyframe of its encoding is needed first.
    Waits,
    /// It left, and the picture is another quality from now on.
    Switched,
}

impl Sfu {
    /// A publisher sent something.
    pub(crate) fn on_packet(&mut self, key: usize, packet: &Arc<RtpPacket>) {
        let Some(publisher) = self.participants.get_mut(key) else { return };
        let Some((mid, rid)) = publisher.section_of(packet.header.ssrc, &mut self.outbox) else { return };
        let Some((_, id)) = publisher.published.iter().find(|(section, _)| *section == mid).copied() else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let kind = track.kind();
        publisher.reach(Stage::Packet, &mut self.outbox);
        count_in(&mut self.stats, kind, packet.payload.len());
        if track.info.muted || packet.payload.is_empty() {
            return;
        }
        let Some(recoded) = adopt_codec(track, publisher, packet, self.now) else { return };
        let Some(params) = track.codec else { return };
        let room = track.room;
        let news = match kind {
            Kind::Audio => {
                self.hear(id, packet);
                self.forward(id, 0, packet, &Glance::default(), &params);
                false
            }
            Kind::Video => {
                let Some((index, is_new)) = track.encoding(self.now, rid, packet.header.ssrc) else { return };
                self.see(id, index, is_new, packet, &params)
            }
        };
        if recoded {
            // Who cannot decode it may use the slot better.
            self.fill_slots(room);
        }
        if recoded || news {
            self.allocate_track(id);
        }
    }

    /// A packet of a microphone: who speaks?
    fn hear(&mut self, id: TrackId, packet: &RtpPacket) {
        let (Some(track), Some(level)) = (self.tracks.get_mut(&id), packet.header.ext_vals.audio_level) else { return };
        track.loudness.hear(self.now, level);
        let room = track.room;
        if track.loudness.speaking(self.now).is_some() && !self.rooms.get(&room).is_some_and(|room| room.speakers.any())
        {
            self.listen(room);
        }
    }

    /// A packet of a picture. Whether its track has other qualities than before.
    fn see(
        &mut self,
        id: TrackId,
        index: usize,
        is_new: bool,
        packet: &Arc<RtpPacket>,
        params: &PayloadParams,
    ) -> bool {
        let now = self.now;
        let Some(track) = self.tracks.get_mut(&id) else { return false };
        let Some(encoding) = track.encodings.get_mut(index) else { return false };
        let Some(glance) = look(packet, params, encoding.structure.as_ref()) else {
            // It refers to a structure that was lost, or is broken: only a keyframe helps.
            self.want_keyframe(id, index);
            return false;
        };
        let resized = encoding.learn(&glance);
        if self.config.keyframe_cache {
            encoding.group.add(packet, &glance);
        }
        encoding.add(now, glance.place, packet.payload.len());
        let mut news = !std::mem::replace(&mut encoding.live, true);
        if glance.keyframe {
            encoding.keyframes.settle();
            if let Some(publisher) = self.participants.get_mut(track.publisher) {
                publisher.reach(Stage::Keyframe, &mut self.outbox);
            }
        }
        if track.encodings.len() > 1 {
            for other in track.encodings.iter_mut().filter(|other| other.live && other.is_silent(now)) {
                other.live = false;
                news = true;
            }
        }
        let told = resized && track.may_tell_height(now);
        if is_new {
            self.interrupt(id, index);
        }
        if news {
            // Before the packet is forwarded: it may be the keyframe that somebody begins with.
            self.allocate_track(id);
            self.review_layers(id);
        }
        self.forward(id, index, packet, &glance, params);
        if told {
            self.tell_height(id);
        }
        resized
    }

    /// The stream of an encoding was replaced by another: whoever watches it begins anew.
    fn interrupt(&mut self, id: TrackId, index: usize) {
        let Some(track) = self.tracks.get(&id) else { return };
        for key in track.subscribers.clone() {
            let slot = self.participants.get_mut(key).and_then(|subscriber| subscriber.slots.with(id));
            if let Some(slot) = slot.filter(|slot| slot.switcher.current().is_some_and(|now| now.encoding == index)) {
                slot.switcher.restart();
                slot.rewrite.switch();
            }
        }
    }

    /// Hands a packet to everyone who has its track in a slot.
    fn forward(&mut self, id: TrackId, index: usize, packet: &Arc<RtpPacket>, glance: &Glance, params: &PayloadParams) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let subscribers = std::mem::take(&mut track.subscribers);
        let encoding = track.encodings.get(index);
        let structure = encoding.and_then(|encoding| encoding.structure.clone());
        let video = track.kind() == Kind::Video;
        let parcel = Parcel { id, index, packet, glance, params, structure: structure.as_ref(), video };
        let (mut wanting, mut told) = (Vec::new(), Vec::new());
        for key in &subscribers {
            let (handed, is_news) = self.hand(*key, self.now, &parcel);
            match handed {
                Handed::Done => {}
                Handed::Waits => wanting.push(*key),
                Handed::Switched => told.push(*key),
            }
            if is_news {
                told.push(*key);
            }
        }
        if let Some(track) = self.tracks.get_mut(&id) {
            track.subscribers = subscribers;
        }
        wanting.retain(|key| match self.replay(*key, &parcel) {
            true => {
                told.push(*key);
                false
            }
            false => true,
        });
        if !wanting.is_empty() {
            self.want_keyframe(id, index);
        }
        if video && !told.is_empty() {
            self.review_layers(id);
        }
        for key in told {
            self.tell_slots(key, (!video, video));
        }
    }

    /// Hands a packet, which came at that time, to one subscriber. What became of it, and whether that the subscriber can
    /// decode it at all is news.
    fn hand(&mut self, key: usize, came: Instant, parcel: &Parcel<'_>) -> (Handed, bool) {
        let Some(subscriber) = self.participants.get_mut(key).filter(|subscriber| subscriber.connected) else {
            return (Handed::Done, false);
        };
        let Some(slot) = subscriber.slots.with(parcel.id) else { return (Handed::Done, false) };
        let Parcel { packet, glance, params, video, .. } = *parcel;
        let sent = packet.header.payload_type;
        if slot.choice.is_none_or(|(from, _)| from != sent) {
            let to = codec::matching(params, &slot.accepted);
            slot.choice = Some((sent, to.map(|to| Outlet::new(sent, params, to))));
        }
        let outlet = slot.choice.and_then(|(_, outlet)| outlet);
        let is_news = std::mem::replace(&mut slot.undecodable, outlet.is_none()) != outlet.is_none();
        let Some(outlet) = outlet else { return (Handed::Done, is_news) };
        let verdict = match video {
            true => slot.switcher.judge(parcel.index, glance, parcel.structure.map(Arc::as_ref)),
            false => Verdict::Pass { ends_picture: false, begins: false },
        };
        let (numbers, ends_picture, switched) = match number(slot, came, verdict, incoming(packet, params, glance)) {
            Ok(numbered) => numbered,
            Err(handed) => return (handed, is_news),
        };
        let mid = slot.mid;
        let payload = outlet.payload(&packet.payload);
        let leaving = leaving(mid, parcel, outlet, &numbers, &payload);
        let marker = packet.header.marker || ends_picture;
        subscriber.send(self.now, &Leaving { marker, ..leaving }, &mut self.outbox);
        if switched {
            self.stats.first_frames.note(self.now, subscriber, parcel.id);
            subscriber.reach(Stage::Keyframe, &mut self.outbox);
        }
        count_out(&mut self.stats, video, packet.payload.len());
        (if switched { Handed::Switched } else { Handed::Done }, is_news)
    }

    /// Hands what is kept of an encoding to a subscriber that waits for its keyframe. Whether that has its picture now.
    fn replay(&mut self, key: usize, parcel: &Parcel<'_>) -> bool {
        let encoding = self.tracks.get(&parcel.id).and_then(|track| track.encodings.get(parcel.index));
        let kept = encoding.map(|encoding| encoding.group.packets().to_vec()).unwrap_or_default();
        let mut has_begun = false;
        for packet in &kept {
            let Some(glance) = look(packet, parcel.params, parcel.structure) else { continue };
            let parcel = Parcel { packet, glance: &glance, ..*parcel };
            has_begun |= matches!(self.hand(key, packet.timestamp, &parcel), (Handed::Switched, _));
        }
        has_begun
    }

    /// The picture has another height: whoever sees it is told.
    fn tell_height(&mut self, id: TrackId) {
        let Some(subscribers) = self.tracks.get(&id).map(|track| track.subscribers.clone()) else { return };
        for key in subscribers {
            self.tell_slots(key, (false, true));
        }
    }
}

/// What a packet of a picture tells. `None`: that of AV1 needs a structure that is not known.
fn look(packet: &RtpPacket, params: &PayloadParams, structure: Option<&Arc<Structure>>) -> Option<Glance> {
    let codec = params.spec().codec;
    let raw = packet.header.ext_vals.user_values.get::<Raw>().filter(|_| codec == Codec::Av1);
    let frame = match raw {
        Some(raw) => Some(raw.parse(structure)?),
        None => None,
    };
    Some(codec::glance(codec, &packet.payload, frame))
}

/// The numbers under which a packet leaves, whether it ends a picture, and whether another quality begins with it.
fn number(
    slot: &mut Slot,
    now: Instant,
    verdict: Verdict,
    incoming: Incoming<'_>,
) -> Result<(Outgoing, bool, bool), Handed> {
    match verdict {
        Verdict::Pass { ends_picture, begins } => {
            if begins {
                slot.rewrite.switch();
            }
            let numbers = slot.rewrite.apply(now, incoming).ok_or(Handed::Done)?;
            Ok((numbers, ends_picture, begins))
        }
        Verdict::Omit => {
            slot.rewrite.omit(incoming);
            Err(Handed::Done)
        }
        Verdict::Ignore => Err(Handed::Done),
        Verdict::Wait => Err(Handed::Waits),
    }
}

fn incoming<'a>(packet: &RtpPacket, params: &PayloadParams, glance: &'a Glance) -> Incoming<'a> {
    let clock_rate = params.spec().clock_rate.get();
    let timestamp = packet.header.timestamp;
    Incoming { sequence: *packet.seq_no, timestamp, clock_rate, captured: captured(packet, clock_rate), glance }
}

/// When the publisher made a packet, by its own clock.
fn captured(packet: &RtpPacket, clock_rate: u32) -> Option<Duration> {
    let report = packet.last_sender_info.as_ref()?;
    let reported = report.ntp_time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let ticks = packet.header.timestamp.wrapping_sub(report.rtp_time.numer() as u32) as i32;
    let passed = Duration::from_secs_f64(f64::from(ticks.unsigned_abs()) / f64::from(clock_rate.max(1)));
    if ticks < 0 { reported.checked_sub(passed) } else { reported.checked_add(passed) }
}

/// A packet under its new numbers.
fn leaving<'a>(mid: Mid, parcel: &Parcel<'a>, outlet: Outlet, numbers: &Outgoing, payload: &'a [u8]) -> Leaving<'a> {
    let Parcel { packet, params, video, .. } = *parcel;
    Leaving {
        mid,
        payload_type: outlet.payload_type,
        resend_type: outlet.resend_type,
        marker: packet.header.marker,
        sequence: numbers.sequence,
        timestamp: numbers.timestamp,
        clock_rate: params.spec().clock_rate.get(),
        came: packet.timestamp,
        extensions: &packet.header.ext_vals,
        payload,
        frame: numbers.frame,
        patch: numbers.patch,
        picture: video.then_some(packet),
    }
}

/// Takes the codec of a packet for that of its track. Whether it changed; `None` where it changes too often, since every
/// change may move what is in the room's slots.
fn adopt_codec(track: &mut Track, publisher: &Participant, packet: &RtpPacket, now: Instant) -> Option<bool> {
    let sent = packet.header.payload_type;
    // The same with redundancy is no other codec.
    if track.codec.is_some_and(|codec| codec.pt() == sent || codec.red() == Some(sent)) {
        return Some(false);
    }
    if track.recoded.is_some_and(|at| now.saturating_duration_since(at) < CODEC_LASTS) {
        return None;
    }
    track.codec = Some(publisher.sent_codec(sent)?);
    track.recoded = Some(now);
    Some(true)
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
