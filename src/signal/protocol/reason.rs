//! Why something is refused, and why a session ends: the stable words of the protocol.

use roundturn_sfu::RejectReason;
use serde::Serialize;

/// The `code` of an `error`. Codes are stable; the message beside one is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A field is missing, of the wrong type or out of range.
    BadMessage,
    /// A type that this server does not know or this room does not have.
    Unsupported,
    /// This server lets nobody in without a token.
    AuthRequired,
    /// What was shown to prove a right proves none.
    AuthInvalid,
    /// It did once.
    AuthExpired,
    /// The participant lacks a grant.
    Forbidden,
    /// No such room, and nobody asked to make it.
    RoomNotFound,
    /// As many participants as the room takes, or as many rooms as the server takes.
    RoomFull,
    /// A moderator has locked the room.
    RoomLocked,
    /// No such participant in this room.
    ParticipantNotFound,
    /// No such track in this room.
    TrackNotFound,
    /// An offer's number is not larger than the last one's.
    StaleOffer,
    /// The offer before this one has no answer yet.
    OfferPending,
    /// The SDP cannot be used.
    SdpRejected,
    /// No codec in common.
    NoCommonCodec,
    /// More tracks than `limits` allow.
    TooManyTracks,
    /// More slots than `limits` allow.
    TooManySlots,
    /// Faster than the server takes it.
    RateLimited,
    /// Larger than the server takes it.
    TooLarge,
    /// The server is about to stop.
    Draining,
    /// The server failed; the request may be tried again.
    Internal,
}

impl From<RejectReason> for ErrorCode {
    fn from(reason: RejectReason) -> Self {
        match reason {
            RejectReason::ParticipantNotFound => Self::ParticipantNotFound,
            RejectReason::StaleOffer => Self::StaleOffer,
            RejectReason::SdpRejected => Self::SdpRejected,
            RejectReason::NoCommonCodec => Self::NoCommonCodec,
            RejectReason::TooManyTracks => Self::TooManyTracks,
            RejectReason::TooManySlots => Self::TooManySlots,
            RejectReason::Forbidden => Self::Forbidden,
        }
    }
}

/// The `reason` of a `bye`, with the WebSocket close code that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bye {
    /// The client asked for it.
    Left,
    /// A frame that is no message of this protocol.
    BadMessage,
    /// This server lets nobody in without a token.
    AuthRequired,
    /// The token is none of ours.
    AuthInvalid,
    /// The token was good once.
    AuthExpired,
    /// The token is for something else.
    Forbidden,
    /// The room does not exist.
    RoomNotFound,
    /// Neither `join` nor `resume` came in time.
    JoinTimeout,
    /// The session goes on over another connection.
    Replaced,
    /// A moderator ended the room.
    RoomEnded,
    /// The room has lived as long as it may.
    RoomExpired,
    /// A frame above the size limit.
    TooLarge,
    /// The room is locked.
    RoomLocked,
    /// Too many frames.
    RateLimited,
    /// A moderator removed the participant.
    Removed,
    /// The room has as many participants as it takes.
    RoomFull,
    /// The server is about to stop.
    Draining,
    /// The server is about to start anew.
    Restarting,
    /// The server failed.
    Internal,
}

impl Bye {
    /// The WebSocket close code. `1000` and `1011` are RFC 6455's own, §7.4.1.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Left => 1000,
            Self::BadMessage => 4400,
            Self::AuthRequired | Self::AuthInvalid | Self::AuthExpired => 4401,
            Self::Forbidden => 4403,
            Self::RoomNotFound => 4404,
            Self::JoinTimeout => 4408,
            Self::Replaced => 4409,
            Self::RoomEnded | Self::RoomExpired => 4410,
            Self::TooLarge => 4413,
            Self::RoomLocked => 4423,
            Self::RateLimited => 4429,
            Self::Removed => 4480,
            Self::RoomFull => 4486,
            Self::Draining | Self::Restarting => 4503,
            Self::Internal => 1011,
        }
    }

    /// The reason as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::BadMessage => "bad_message",
            Self::AuthRequired => "auth_required",
            Self::AuthInvalid => "auth_invalid",
            Self::AuthExpired => "auth_expired",
            Self::Forbidden => "forbidden",
            Self::RoomNotFound => "room_not_found",
            Self::JoinTimeout => "join_timeout",
            Self::Replaced => "replaced",
            Self::RoomEnded => "room_ended",
            Self::RoomExpired => "room_expired",
            Self::TooLarge => "too_large",
            Self::RoomLocked => "room_locked",
            Self::RateLimited => "rate_limited",
            Self::Removed => "removed",
            Self::RoomFull => "room_full",
            Self::Draining => "draining",
            Self::Restarting => "restarting",
            Self::Internal => "internal",
        }
    }

    /// How long a client waits before it comes back, where the wait is ours to say.
    pub fn retry_ms(self) -> Option<u64> {
        match self {
            Self::RateLimited => Some(4_000),
            Self::Draining | Self::Restarting => Some(2_000),
            _ => None,
        }
    }
}
