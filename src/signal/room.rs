//! A room: who is in it, what is published, what is kept.

use std::collections::BTreeMap;
use std::time::Instant;

use roundturn_sfu::{Kind, ParticipantId, RoomId, Source, TrackId, TrackInfo};
use serde_json::value::RawValue;

use super::protocol::{self, RoomFacts, TopicValue, TrackFacts};
use crate::config::RoomMode;

/// Topics that a room keeps.
const TOPICS: usize = 64;
/// Bytes that they may take in all, names included: `joined` carries them and has a limit of its own.
const TOPIC_BYTES: usize = 48 * 1024;

/// One room.
#[derive(Debug)]
pub struct Room {
    /// Unique in the process.
    pub id: RoomId,
    /// What clients call it.
    pub name: String,
    /// How media flows, for its whole life.
    pub mode: RoomMode,
    /// How many it takes.
    pub max_participants: usize,
    /// Whether nobody new is let in.
    pub locked: bool,
    /// When it ends at the latest.
    pub expires: Instant,
    /// The same in milliseconds since 1970.
    pub expires_at: u64,
    /// Since when nobody is in it.
    pub empty_since: Option<Instant>,
    /// The shard that its media flows through.
    pub shard: usize,
    /// Who is in it, by the order of their joins.
    pub members: BTreeMap<u64, ParticipantId>,
    /// What is published.
    pub tracks: BTreeMap<TrackId, TrackInfo>,
    /// The number of the last join.
    pub last_order: u64,
    /// The number of the last application message.
    pub last_message: u64,
    topics: BTreeMap<String, Topic>,
    topic_bytes: usize,
}

/// The kept value of a topic.
#[derive(Debug)]
pub struct Topic {
    /// Who said so.
    pub from: String,
    /// What.
    pub data: Box<RawValue>,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Its place in the room's order.
    pub room_seq: u64,
}

impl Topic {
    fn value(&self) -> TopicValue<'_> {
        TopicValue { from: &self.from, data: &self.data, at: self.at, room_seq: self.room_seq }
    }
}

/// What is decided about a room before it exists.
#[derive(Debug)]
pub struct Plan {
    /// What clients call it.
    pub name: String,
    /// How media flows.
    pub mode: RoomMode,
    /// How many it takes.
    pub max_participants: usize,
    /// When it ends at the latest.
    pub expires: Instant,
    /// The same in milliseconds since 1970.
    pub expires_at: u64,
    /// The shard that its media flows through.
    pub shard: usize,
}

impl Room {
    /// An empty room.
    pub fn new(now: Instant, id: RoomId, plan: Plan) -> Self {
        Self {
            id,
            name: plan.name,
            mode: plan.mode,
            max_participants: plan.max_participants,
            locked: false,
            expires: plan.expires,
            expires_at: plan.expires_at,
            empty_since: Some(now),
            shard: plan.shard,
            members: BTreeMap::new(),
            tracks: BTreeMap::new(),
            last_order: 0,
            last_message: 0,
            topics: BTreeMap::new(),
            topic_bytes: 0,
        }
    }

    /// What anyone may know of it.
    pub fn facts(&self) -> RoomFacts {
        RoomFacts {
            room: self.name.clone(),
            mode: self.mode.as_str(),
            max_participants: self.max_participants,
            locked: self.locked,
            expires_at: self.expires_at,
        }
    }

    /// Keeps a topic's value. `false`: the room keeps as much as it may, and nothing changed.
    pub fn keep(&mut self, name: &str, topic: Topic) -> bool {
        let old = self.topics.get(name).map_or(0, |old| size(name, old));
        let bytes = self.topic_bytes - old + size(name, &topic);
        if bytes > TOPIC_BYTES || (old == 0 && self.topics.len() >= TOPICS) {
            return false;
        }
        self.topic_bytes = bytes;
        self.topics.insert(name.to_owned(), topic);
        true
    }

    /// Every kept topic.
    pub fn state(&self) -> BTreeMap<&str, TopicValue<'_>> {
        self.topics.iter().map(|(name, topic)| (name.as_str(), topic.value())).collect()
    }

    /// Everything published in it.
    pub fn track_facts(&self) -> Vec<TrackFacts<'_>> {
        self.tracks.values().map(track_facts).collect()
    }

    /// The tracks of one participant.
    pub fn tracks_of(&self, participant: ParticipantId) -> Vec<TrackId> {
        self.tracks.values().filter(|track| track.participant == participant).map(|track| track.track).collect()
    }
}

fn size(name: &str, topic: &Topic) -> usize {
    // Each entry weighs something even when it is empty: its sender and its stamps.
    name.len() + topic.data.get().len() + 96
}

/// A track, as others see it.
pub fn track_facts(track: &TrackInfo) -> TrackFacts<'_> {
    TrackFacts {
        track: protocol::track_name(track.track),
        participant: protocol::participant_name(track.participant),
        kind: match track.source.kind() {
            Kind::Audio => "audio",
            Kind::Video => "video",
        },
        source: match track.source {
            Source::Microphone => "microphone",
            Source::Camera => "camera",
            Source::Screen => "screen",
            Source::ScreenAudio => "screen_audio",
        },
        name: &track.name,
        muted: track.muted,
    }
}

/// Whether a room may have this name: 1 to 128 of `A-Z a-z 0-9 . _ -`.
pub fn is_room_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
