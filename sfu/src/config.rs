//! Everything that is decided before the first packet.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The SFU's configuration. No field means "default": whoever builds it has decided.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses that the answers announce as host candidates, most preferred first: each is a name of this shard's port.
    pub candidates: Vec<SocketAddr>,
    /// Addresses that they announce for ICE-TCP, behind those: where streams are listened for (RFC 6544).
    pub tcp_candidates: Vec<SocketAddr>,
    /// The addresses that relays of this process have, and their ports: a remote there came through a relay.
    pub relays: (Vec<IpAddr>, RangeInclusive<u16>),
    /// The shard's number, part of every ICE ufrag and of every track's identity.
    pub shard: u16,
    /// Audio slots of one participant.
    pub audio_slots: usize,
    /// Video slots of one participant.
    pub video_slots: usize,
    /// Whether what followed the last keyframe of a picture is kept, and handed to whoever comes, before a new one is there.
    pub keyframe_cache: bool,
    /// Tracks that one participant may publish.
    pub tracks: usize,
    /// Participants of all rooms of this shard together.
    pub participants: usize,
    /// The time since 1970 when the SFU is made: sender reports tell that of the wall clock.
    pub unix: Duration,
    /// The CPU time of the calling thread. It decides nothing but whether an engine works far too long, so that it may stand
    /// still.
    pub clock: fn() -> Duration,
}
