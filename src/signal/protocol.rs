//! `roundturn.v1` on the wire: what clients say and what they are told, as types.
//!
//! A frame from a client is read in two steps: its envelope (`type` and `id`), then the message itself, so that a bad
//! field can be answered by number. Opaque parts (`data`, `meta`, `sent`) stay the text that came.

mod client;
mod event;
mod ids;
mod reason;
mod server;
mod shape;

pub use client::{
    Action, Candidate, Create, Envelope, Join, Message, Mode, Moderate, Mute, OfferRequest, Ping, Recipients, Request,
    Resume, Signal, Slots, Source, TrackEntry, Unpublish, Update, View,
};
pub use event::{Event, EventText, LeftReason, Level, SlotFacts, render_event};
pub use ids::{participant_id, participant_name, track_id, track_name};
pub use reason::{Bye, ErrorCode};
pub use server::{
    IceServer, Joined, Limits, PROTOCOL, ParticipantFacts, Reply, RoomFacts, SlotCounts, TopicValue, TrackFacts,
    TrackMid, You, render,
};

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "roundturn.v1";
