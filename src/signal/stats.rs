//! What the hub counts, by finite sets of words.

use std::collections::BTreeMap;
use std::time::Duration;

use super::record::Stage;
use crate::config::RoomMode;

/// Frames from clients, by type.
pub const IN: &[&str] = &[
    "join",
    "resume",
    "signal",
    "message",
    "offer",
    "candidate",
    "mute",
    "unpublish",
    "view",
    "update",
    "ice_servers",
    "ping",
    "moderate",
    "leave",
    "unknown",
    "bad_message",
];

/// Frames to clients, by type.
pub const OUT: &[&str] = &[
    "ok",
    "error",
    "joined",
    "answer",
    "ice_servers",
    "pong",
    "bye",
    "participant_joined",
    "participant_left",
    "participant_updated",
    "room_changed",
    "signal",
    "message",
    "track_added",
    "track_changed",
    "track_removed",
    "slots",
    "speakers",
    "quality",
    "restart_ice",
    "more_slots",
    "layers",
];

/// How a join or a resume may end.
pub const JOINS: &[&str] = &[
    "ok",
    "resumed",
    "bad_message",
    "auth_required",
    "auth_invalid",
    "auth_expired",
    "forbidden",
    "room_not_found",
    "room_full",
    "room_locked",
    "rate_limited",
    "participant_not_found",
    "join_timeout",
];

/// Where a TURN credential was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// A participant of a room.
    Signaling,
    /// `/turn/credentials`
    TurnCredentials,
    /// `/api/ice-servers`
    IceServers,
}

impl Api {
    /// All of them, with their labels.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Signaling, "signaling"),
        (Self::TurnCredentials, "turn_credentials"),
        (Self::IceServers, "ice_servers"),
    ];
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Stats {
    frames_in: Counts,
    frames_out: Counts,
    joins: Counts,
    issued: [u64; Api::ALL.len()],
    /// Sessions that ended: mesh, SFU; by the last stage that they reached.
    sessions: [[u64; Stage::ALL.len()]; 2],
    /// Times from `join` to the first connected transport, until somebody takes them. At most one for each participant
    /// and taken after each turn of the actor.
    pub join_durations: Vec<Duration>,
}

/// Counters by word; words outside the finite sets are never put in.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, words: &'static [&'static str], word: &str) {
        if let Some(word) = words.iter().find(|known| **known == word) {
            *self.0.entry(word).or_default() += 1;
        }
    }

    /// How often `word` was counted.
    pub fn of(&self, word: &str) -> u64 {
        self.0.get(word).copied().unwrap_or(0)
    }
}

impl Stats {
    /// Counts a frame from a client.
    pub fn count_in(&mut self, kind: &str) {
        self.frames_in.add(IN, kind);
    }

    /// Counts a frame to a client.
    pub fn count_out(&mut self, kind: &str) {
        self.frames_out.add(OUT, kind);
    }

    /// Counts the end of a join.
    pub fn count_join(&mut self, result: &str) {
        self.joins.add(JOINS, result);
    }

    /// Counts a TURN credential that was signed.
    pub fn count_issued(&mut self, api: Api) {
        if let Some(count) = self.issued.get_mut(api as usize) {
            *count += 1;
        }
    }

    /// Counts a session that ended.
    pub fn count_session(&mut self, mode: RoomMode, last: Stage) {
        self.sessions[usize::from(mode == RoomMode::Sfu)][last as usize] += 1;
    }

    /// Sessions that ended after this stage.
    pub fn sessions(&self, mode: RoomMode, last: Stage) -> u64 {
        self.sessions[usize::from(mode == RoomMode::Sfu)][last as usize]
    }

    /// TURN credentials signed.
    pub fn issued(&self, api: Api) -> u64 {
        self.issued.get(api as usize).copied().unwrap_or(0)
    }

    /// Frames from clients, by type.
    pub fn frames_in(&self) -> &Counts {
        &self.frames_in
    }

    /// Frames to clients, by type.
    pub fn frames_out(&self) -> &Counts {
        &self.frames_out
    }

    /// Ends of joins.
    pub fn joins(&self) -> &Counts {
        &self.joins
    }
}
