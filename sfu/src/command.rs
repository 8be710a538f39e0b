//! What signaling asks and what it is told: plain data.

use crate::stages::Stage;

/// A room, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u64);

/// A participant of one room, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u64);

/// A published track, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Opus.
    Audio,
    /// VP8, VP9, AV1 or H264.
    Video,
}

/// Where a track comes from, as the publisher says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A microphone: audio.
    Microphone,
    /// A camera: video.
    Camera,
    /// A shared screen: video.
    Screen,
    /// The sound of a shared screen: audio.
    ScreenAudio,
}

impl Source {
    /// The kind of media that such a source gives.
    pub fn kind(self) -> Kind {
        match self {
            Self::Microphone | Self::ScreenAudio => Kind::Audio,
            Self::Camera | Self::Screen => Kind::Video,
        }
    }
}

/// What signaling asks of the SFU.
#[derive(Debug, Clone)]
pub enum Command {
    /// A participant entered a room. The room exists from its first participant to its last.
    Join {
        /// The room.
        room: RoomId,
        /// Who.
        participant: ParticipantId,
        /// The number of the join in that room: later joins have larger numbers.
        order: u64,
        /// Whether it may send media.
        may_publish: bool,
        /// Whether it may receive media.
        may_subscribe: bool,
        /// Whether it may send messages on data channels.
        may_message: bool,
    },
    /// A participant left; its tracks end.
    Leave {
        /// Who.
        participant: ParticipantId,
    },
    /// A participant's SDP offer: answered by [`Event::Answer`] or [`Event::Rejected`], exactly one for each offer.
    Offer(Offer),
    /// A candidate that a client trickled: the `candidate` attribute's value. Unusable ones are passed over in silence.
    Candidate {
        /// Who.
        participant: ParticipantId,
        /// `candidate:…`
        candidate: String,
    },
    /// Stops or resumes the forwarding of a track, at once.
    Mute {
        /// The track.
        track: TrackId,
        /// Whether it is now muted.
        muted: bool,
    },
    /// Ends a track; its section stays and may carry another source in a later offer.
    Unpublish {
        /// The track.
        track: TrackId,
    },
    /// How large a participant shows which video tracks. Replaces what it said before; tracks that are not named are
    /// shown as well as the link allows, where slots are left.
    View {
        /// Who.
        participant: ParticipantId,
        /// At most [`WISHES`](Self::WISHES); what is beyond is passed over.
        wishes: Vec<Wish>,
    },
}

impl Command {
    /// Tracks that one participant may have wishes for.
    pub const WISHES: usize = 128;
}

/// How a participant shows a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The track.
    pub track: TrackId,
    /// The height of the picture on its screen, in pixels; 0: it is not shown.
    pub height: u16,
    /// Larger ones come first where bandwidth or slots are short.
    pub priority: u8,
}

/// An SDP offer with what protocol.md says beside it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who offers.
    pub participant: ParticipantId,
    /// The client's number for this offer.
    pub generation: u64,
    /// The SDP.
    pub sdp: String,
    /// What each section that the client sends on carries.
    pub tracks: Vec<TrackRequest>,
    /// The sections that the client wants to receive on, audio first in each pair.
    pub slots: SlotRequest,
}

/// One source that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackRequest {
    /// The section's `a=mid`.
    pub mid: String,
    /// Its source.
    pub source: Source,
    /// A name of the client's choosing, possibly empty.
    pub name: String,
}

/// The receive sections of a client, by kind: the `a=mid` of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotRequest {
    /// Audio sections.
    pub audio: Vec<String>,
    /// Video sections.
    pub video: Vec<String>,
}

/// A published track, as others are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackInfo {
    /// Its identity.
    pub track: TrackId,
    /// Who publishes it.
    pub participant: ParticipantId,
    /// Its source, and with it its kind.
    pub source: Source,
    /// A name of the publisher's choosing, possibly empty.
    pub name: String,
    /// Whether it is muted.
    pub muted: bool,
}

/// What the SFU tells signaling.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to an offer.
    Answer {
        /// Whose offer.
        participant: ParticipantId,
        /// Its number.
        generation: u64,
        /// The SDP, with all of the server's candidates.
        sdp: String,
        /// The track of each section that the client sends on.
        tracks: Vec<(String, TrackId)>,
    },
    /// An offer that was not taken. What was negotiated before still holds.
    Rejected {
        /// Whose offer.
        participant: ParticipantId,
        /// Its number.
        generation: u64,
        /// Why, for programs.
        reason: RejectReason,
        /// Why, for people.
        message: String,
    },
    /// A track was published in this room.
    TrackAdded {
        /// The room.
        room: RoomId,
        /// The track.
        track: TrackInfo,
    },
    /// A track was muted or unmuted.
    TrackChanged {
        /// The room.
        room: RoomId,
        /// The track as it is now.
        track: TrackInfo,
    },
    /// A track ended.
    TrackRemoved {
        /// The room.
        room: RoomId,
        /// Who published it.
        participant: ParticipantId,
        /// The track that was.
        track: TrackId,
    },
    /// Which track is in which slot of a participant: complete for each kind that is named, `None` is unchanged.
    Slots {
        /// Whose slots.
        participant: ParticipantId,
        /// Audio slots.
        audio: Option<Vec<SlotAssignment>>,
        /// Video slots.
        video: Option<Vec<SlotAssignment>>,
    },
    /// Which heights of a track of several encodings anyone watches, the smallest first: its publisher may stop the others.
    Layers {
        /// Who publishes it.
        participant: ParticipantId,
        /// The track.
        track: TrackId,
        /// Heights in pixels; none: nobody watches.
        heights: Vec<u16>,
    },
    /// Who speaks, loudest first, with the level in dBov (−127 to 0). At most four times a second.
    Speakers {
        /// The room.
        room: RoomId,
        /// Participants and levels.
        participants: Vec<(ParticipantId, i8)>,
    },
    /// How well a participant's media flows. At most once a second for each, and on change.
    Quality {
        /// The room.
        room: RoomId,
        /// Who.
        participant: ParticipantId,
        /// From the participant to us.
        up: Quality,
        /// From us to the participant.
        down: Quality,
        /// How its packets travel.
        path: Path,
    },
    /// Media has come so far for the first time. Stages may be skipped: who only speaks has no keyframe.
    Reached {
        /// Who.
        participant: ParticipantId,
        /// How far.
        stage: Stage,
    },
    /// The client must offer anew with an ICE restart for media to flow again.
    RestartIce {
        /// Who.
        participant: ParticipantId,
    },
    /// The participant's engine failed and is gone: signaling ends the session.
    Failed {
        /// Who.
        participant: ParticipantId,
    },
}

/// One slot and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotAssignment {
    /// The section's `a=mid`.
    pub mid: String,
    /// The track in it.
    pub track: Option<TrackId>,
    /// The height of the layer that is sent, in pixels, where known (video only).
    pub height: Option<u16>,
    /// Whether the track is held back at the moment.
    pub paused: bool,
}

/// Stable reasons for refusing an offer: the error codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// No such participant: `participant_not_found`.
    ParticipantNotFound,
    /// An older or repeated generation: `stale_offer`.
    StaleOffer,
    /// The SDP cannot be used: `sdp_rejected`.
    SdpRejected,
    /// No codec in common: `no_common_codec`.
    NoCommonCodec,
    /// More tracks than allowed: `too_many_tracks`.
    TooManyTracks,
    /// More slots than allowed: `too_many_slots`.
    TooManySlots,
    /// Sending without the grant: `forbidden`.
    Forbidden,
}

/// How well media flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// As it should.
    Good,
    /// With losses or little bandwidth.
    Poor,
    /// Not at all.
    Lost,
}

/// How a participant's packets reach us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// Straight, over UDP.
    Udp,
    /// Over ICE-TCP.
    Tcp,
    /// Through a relay of ours.
    Relay,
}
