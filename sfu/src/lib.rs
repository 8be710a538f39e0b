//! Rooms of a selective forwarding unit over str0m, without I/O.
//!
//! Bytes, commands and the time go in; datagrams, events and the next deadline come out. The crate names no socket,
//! thread, lock, clock or runtime, and knows nothing of TURN: whoever embeds it moves the datagrams.
//!
//! ```text
//!  datagram at the SFU's port ──► Sfu::handle_datagram ─┐
//!  signaling                  ──► Sfu::handle_command  ─┼─► Sfu::poll ──► Transmit | Event | Timeout
//!  time                       ──► Sfu::handle_timeout  ─┘
//! ```
//!
//! **After every `handle_*` call, or a batch of them, poll until `Timeout`.**

mod allocate;
mod allotment;
mod answer;
mod bandwidth;
mod bucket;
mod budget;
mod buffers;
mod checks;
mod codec;
mod command;
mod config;
mod data;
mod demux;
mod dependency;
mod encoding;
mod engine;
mod first_frame;
mod forward;
pub mod framing;
mod group;
mod guard;
mod handshake;
#[cfg(debug_assertions)]
mod invariants;
mod keyframe;
mod layer;
mod negotiate;
mod offers;
mod participant;
mod patch;
mod pulse;
mod quality;
mod red;
mod rewrite;
mod room;
mod rooms;
mod route;
mod router;
mod rtp;
mod secrets;
mod sender;
mod sfu;
mod slots;
mod speaker;
mod stages;
mod stats;
#[cfg(test)]
mod tests;
mod timers;
mod track;
mod vp9;
mod work;

pub use command::{
    Command, Event, Kind, Offer, ParticipantId, Path, Quality, RejectReason, RoomId, SlotAssignment, SlotRequest,
    Source, TrackId, TrackInfo, TrackRequest, Wish,
};
pub use config::Config;
pub use demux::shard_of;
pub use first_frame::{FirstFrames, Times};
pub use route::Transport;
pub use sfu::{Output, Sfu, Transmit};
pub use stages::Stage;
pub use stats::{Limited, MessagesDropped, Stats};
