//! What happens in rooms, for the application that they belong to: the events of webhooks.

use serde::Serialize;

/// One event. Its names are those of the signaling protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// What happened.
    pub event: Kind,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// In which room.
    pub room: String,
    /// How its media flows.
    pub mode: &'static str,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<Who>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A room was made.
    RoomStarted,
    /// A room is no more.
    RoomEnded,
    /// Somebody came in.
    ParticipantJoined,
    /// Somebody is gone.
    ParticipantLeft,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// As the others know it.
    pub participant: String,
    /// Who it is, by its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What others see.
    pub name: String,
}
