//! What happens to a session: the numbered events.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::server::{IceServer, ParticipantFacts, RoomFacts, TrackFacts};

/// What happens to a session: these are numbered.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// Someone came.
    ParticipantJoined {
        /// Who.
        participant: ParticipantFacts<'a>,
        /// Mesh: whoever was there first offers.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        you_offer: bool,
    },
    /// Someone went.
    ParticipantLeft {
        /// Who.
        participant: &'a str,
        /// How.
        reason: LeftReason,
    },
    /// Someone has another name or meta.
    ParticipantUpdated {
        /// Who, as it is now.
        participant: ParticipantFacts<'a>,
    },
    /// The room was locked, unlocked or limited anew.
    RoomChanged {
        /// The room as it is now.
        room: RoomFacts,
    },
    /// From another participant of a mesh room.
    Signal {
        /// From whom.
        from: &'a str,
        /// As it came.
        data: &'a RawValue,
    },
    /// From another participant, for the application.
    Message {
        /// From whom.
        from: &'a str,
        /// What about.
        topic: &'a str,
        /// As it came.
        data: &'a RawValue,
        /// When, in milliseconds since 1970.
        at: u64,
        /// Its place in the room's order.
        room_seq: u64,
        /// Whether it is its topic's value from now on.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        keep: bool,
    },
    /// A track was published.
    TrackAdded {
        /// The track.
        track: TrackFacts<'a>,
    },
    /// A track was muted or unmuted.
    TrackChanged {
        /// The track as it is now.
        track: TrackFacts<'a>,
    },
    /// A track ended.
    TrackRemoved {
        /// The track that was.
        track: &'a str,
        /// Who published it.
        participant: &'a str,
    },
    /// Which track is in which slot; an absent kind is unchanged.
    Slots {
        /// Video slots, all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        video: Option<&'a [SlotFacts]>,
        /// Audio slots, all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        audio: Option<&'a [SlotFacts]>,
    },
    /// Which heights of one of its own tracks anyone watches.
    Layers {
        /// The track.
        track: &'a str,
        /// In pixels, the smallest first.
        heights: &'a [u16],
    },
    /// Who speaks, loudest first.
    Speakers {
        /// Who, and how loud.
        participants: Vec<Level>,
    },
    /// How well someone's media flows.
    Quality {
        /// Who.
        participant: &'a str,
        /// From them to us.
        up: &'static str,
        /// From us to them.
        down: &'static str,
        /// How their packets travel.
        path: &'static str,
    },
    /// A new offer with an ICE restart, please.
    RestartIce,
    /// A new offer with as many slots in all, please: there is more to receive than fits.
    MoreSlots {
        /// Audio slots.
        audio: usize,
        /// Video slots.
        video: usize,
    },
    /// Fresh ICE servers.
    IceServers {
        /// Servers and credentials.
        ice_servers: &'a [IceServer],
        /// When the credentials end, in milliseconds since 1970.
        ice_servers_expire_at: u64,
    },
}

/// How someone left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftReason {
    /// By their own wish.
    Left,
    /// The connection was lost and did not come back.
    Timeout,
    /// A moderator or the server ended the session.
    Removed,
    /// The same identity has joined again.
    Replaced,
}

impl LeftReason {
    /// The reason as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Timeout => "timeout",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
        }
    }
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotFacts {
    /// The section's `a=mid`.
    pub mid: String,
    /// The track in it.
    pub track: Option<String>,
    /// The height that is sent, in pixels, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u16>,
    /// Whether the track is held back at the moment; only where there is one that can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// How loud someone is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Level {
    /// Who.
    pub participant: String,
    /// In dBov, −127 to 0.
    pub level_db: i8,
}

/// An event as a frame without its number, which [`EventText::numbered`] puts in for each receiver.
///
/// ```text
/// {"type":"slots","video":[…]}   and number 9   →   {"type":"slots","seq":9,"video":[…]}
/// ```
pub fn render_event(event: &Event) -> EventText {
    let text = serde_json::to_string(event).unwrap_or_default();
    // The tag is written first; a value of it never holds a quote.
    let after_type = text.match_indices('"').nth(3).map_or(text.len(), |(index, _)| index + 1);
    EventText { text: text.into(), after_type }
}

/// An event that waits for its number; cheap to clone.
#[derive(Debug, Clone)]
pub struct EventText {
    text: Arc<str>,
    after_type: usize,
}

impl EventText {
    /// The frame with its number.
    pub fn numbered(&self, seq: u64) -> String {
        let (head, tail) = self.text.split_at(self.after_type);
        format!("{head},\"seq\":{seq}{tail}")
    }

    /// How long it is without its number.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The event's type.
    pub fn kind(&self) -> &str {
        let from = r#"{"type":""#.len();
        self.text.get(from..self.after_type.saturating_sub(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_gets_its_number_after_its_type() {
        let event = render_event(&Event::RestartIce);
        assert_eq!(event.numbered(9), r#"{"type":"restart_ice","seq":9}"#);
        assert_eq!(event.kind(), "restart_ice");
        let raw = RawValue::from_string(r#"{ "a":1.00 }"#.into()).unwrap();
        let event = render_event(&Event::Signal { from: "p_3", data: &raw });
        assert_eq!(event.numbered(1), r#"{"type":"signal","seq":1,"from":"p_3","data":{ "a":1.00 }}"#);
    }
}
