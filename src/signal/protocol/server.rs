//! What clients are told.

use serde::Serialize;
use serde_json::value::RawValue;

use super::reason::{Bye, ErrorCode};

/// The version in `joined.protocol`.
pub const PROTOCOL: u32 = 1;

/// A frame that answers a request, or speaks for itself.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply<'a> {
    /// Done.
    Ok {
        /// The request.
        reply_to: u64,
        /// The stamp of a `message`.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
        /// The place of a `message` in the room's order.
        #[serde(skip_serializing_if = "Option::is_none")]
        room_seq: Option<u64>,
    },
    /// Not done.
    Error {
        /// The request, where it had a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: &'a str,
    },
    /// The way in.
    Joined(Box<Joined<'a>>),
    /// The answer to an offer.
    Answer {
        /// The request, where it had a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// The offer's number.
        generation: u64,
        /// The SDP.
        sdp: &'a str,
        /// The client's own tracks.
        tracks: &'a [TrackMid],
    },
    /// The answer to `ice_servers`.
    IceServers {
        /// The request, where it had a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// Servers and credentials.
        ice_servers: &'a [IceServer],
        /// When the credentials end, in milliseconds since 1970.
        ice_servers_expire_at: u64,
    },
    /// The clock.
    Pong {
        /// The request, where it had a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// What the client sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        sent: Option<&'a RawValue>,
        /// The server's time in milliseconds since 1970.
        now: u64,
    },
    /// The server ends the session; a close follows.
    Bye {
        /// Why.
        reason: Bye,
        /// How long to wait before coming back.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
        /// What a moderator said to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    },
}

impl Reply<'_> {
    /// The frame's type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ok { .. } => "ok",
            Self::Error { .. } => "error",
            Self::Joined(_) => "joined",
            Self::Answer { .. } => "answer",
            Self::IceServers { .. } => "ice_servers",
            Self::Pong { .. } => "pong",
            Self::Bye { .. } => "bye",
        }
    }
}

/// `joined`
#[derive(Debug, Serialize)]
pub struct Joined<'a> {
    /// The request, where it had a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The protocol's version.
    pub protocol: u32,
    /// The session's name.
    pub session: &'a str,
    /// What opens the session again.
    pub resume_key: &'a str,
    /// How long it waits.
    pub resume_seconds: u64,
    /// Whether this takes up an old session.
    pub resumed: bool,
    /// Whether events were lost, so that the lists below are the truth.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub snapshot: bool,
    /// The client itself.
    pub you: You<'a>,
    /// The room.
    pub room: RoomFacts,
    /// Everyone else.
    pub participants: Vec<ParticipantFacts<'a>>,
    /// What is published.
    pub tracks: Vec<TrackFacts<'a>>,
    /// The current value of each kept topic.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub state: std::collections::BTreeMap<&'a str, TopicValue<'a>>,
    /// For `RTCPeerConnection`.
    pub ice_servers: &'a [IceServer],
    /// When their credentials end, in milliseconds since 1970.
    pub ice_servers_expire_at: u64,
    /// What this server takes.
    pub limits: Limits,
    /// How often a client pings.
    pub ping_seconds: u64,
    /// The server's time in milliseconds since 1970.
    pub now: u64,
}

/// The client itself, in `joined`.
#[derive(Debug, Serialize)]
pub struct You<'a> {
    /// Its name to programs.
    pub participant: String,
    /// The number of its join in the room.
    pub order: u64,
    /// Its name to people.
    pub name: &'a str,
    /// What it may do.
    pub grants: Vec<&'static str>,
}

/// What anyone may know of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoomFacts {
    /// Its name.
    pub room: String,
    /// `mesh` or `sfu`.
    pub mode: &'static str,
    /// How many it takes.
    pub max_participants: usize,
    /// Whether nobody new is let in.
    pub locked: bool,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: u64,
}

/// A participant, as others see it.
#[derive(Debug, Serialize)]
pub struct ParticipantFacts<'a> {
    /// Its name to programs.
    pub participant: String,
    /// The number of its join in the room.
    pub order: u64,
    /// Its name to people.
    pub name: &'a str,
    /// What the application wants others to see.
    pub meta: &'a RawValue,
}

/// A track, as others see it.
#[derive(Debug, Serialize)]
pub struct TrackFacts<'a> {
    /// Its name to programs.
    pub track: String,
    /// Who publishes it.
    pub participant: String,
    /// `audio` or `video`.
    pub kind: &'static str,
    /// `microphone`, `camera`, `screen` or `screen_audio`.
    pub source: &'static str,
    /// The publisher's name for it.
    pub name: &'a str,
    /// Whether it is muted.
    pub muted: bool,
}

/// The current value of a kept topic.
#[derive(Debug, Serialize)]
pub struct TopicValue<'a> {
    /// Who said so.
    pub from: &'a str,
    /// What.
    pub data: &'a RawValue,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Its place in the room's order.
    pub room_seq: u64,
}

/// An entry of `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// Where.
    pub urls: Vec<String>,
    /// The TURN user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The TURN password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What this server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest frame from a client.
    pub frame_bytes: usize,
    /// The rate that is taken without end.
    pub frames_per_second: u32,
    /// The most slots of one client.
    pub slots: SlotCounts,
}

/// Slots by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SlotCounts {
    /// Audio slots.
    pub audio: usize,
    /// Video slots.
    pub video: usize,
}

/// A client's own section and the track on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackMid {
    /// The section's `a=mid`.
    pub mid: String,
    /// The track.
    pub track: String,
}

/// A reply as a frame.
pub fn render(reply: &Reply) -> String {
    // Only maps with keys that are no strings cannot be written, and there are none here.
    serde_json::to_string(reply).unwrap_or_default()
}
