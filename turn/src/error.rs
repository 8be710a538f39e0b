//! The error codes that this server answers with (RFC 8489 §14.8, RFC 8656 §19).

use crate::labels::labels;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// 300: another server is to be asked.
    TryAlternate,
    /// 400: an attribute is missing or malformed, or the request contradicts what is there.
    BadRequest,
    /// 401: the client must prove itself, or failed to.
    Unauthenticated,
    /// 403: the peer may not be reached.
    Forbidden,
    /// 405: an allocation may not follow its client to another address.
    MobilityForbidden,
    /// 420: a comprehension-required attribute is unknown.
    UnknownAttribute,
    /// 437: no allocation where there must be one, or one where there must be none.
    AllocationMismatch,
    /// 438: the nonce is too old, or another client's.
    StaleNonce,
    /// 440: this host has no relay address of that family.
    AddressFamilyNotSupported,
    /// 441: not the user that the allocation belongs to.
    WrongCredentials,
    /// 442: relays carry UDP, and TCP where that is switched on.
    UnsupportedTransport,
    /// 443: the peer's family is not the relay's.
    PeerAddressFamilyMismatch,
    /// 446: the allocation has a connection with that peer (RFC 6062 §6.3).
    ConnectionAlreadyExists,
    /// 447: the peer does not take the connection (RFC 6062 §6.3).
    ConnectionTimeoutOrFailure,
    /// 486: this user, or this source prefix, holds as many allocations as it may.
    AllocationQuotaReached,
    /// 508: the server, or the allocation, is full.
    InsufficientCapacity,
}

impl Code {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::TryAlternate => 300,
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::MobilityForbidden => 405,
            Self::UnknownAttribute => 420,
            Self::AllocationMismatch => 437,
            Self::StaleNonce => 438,
            Self::AddressFamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransport => 442,
            Self::PeerAddressFamilyMismatch => 443,
            Self::ConnectionAlreadyExists => 446,
            Self::ConnectionTimeoutOrFailure => 447,
            Self::AllocationQuotaReached => 486,
            Self::InsufficientCapacity => 508,
        }
    }

    /// The phrase that the RFCs suggest. Strangers get none, to keep answers to them small.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::TryAlternate => "Try Alternate",
            Self::BadRequest => "Bad Request",
            Self::Unauthenticated => "Unauthenticated",
            Self::Forbidden => "Forbidden",
            Self::MobilityForbidden => "Mobility Forbidden",
            Self::UnknownAttribute => "Unknown Attribute",
            Self::AllocationMismatch => "Allocation Mismatch",
            Self::StaleNonce => "Stale Nonce",
            Self::AddressFamilyNotSupported => "Address Family not Supported",
            Self::WrongCredentials => "Wrong Credentials",
            Self::UnsupportedTransport => "Unsupported Transport Protocol",
            Self::PeerAddressFamilyMismatch => "Peer Address Family Mismatch",
            Self::ConnectionAlreadyExists => "Connection Already Exists",
            Self::ConnectionTimeoutOrFailure => "Connection Timeout or Failure",
            Self::AllocationQuotaReached => "Allocation Quota Reached",
            Self::InsufficientCapacity => "Insufficient Capacity",
        }
    }
}

labels!(Code {
    TryAlternate => "300",
    BadRequest => "400",
    Unauthenticated => "401",
    Forbidden => "403",
    MobilityForbidden => "405",
    UnknownAttribute => "420",
    AllocationMismatch => "437",
    StaleNonce => "438",
    AddressFamilyNotSupported => "440",
    WrongCredentials => "441",
    UnsupportedTransport => "442",
    PeerAddressFamilyMismatch => "443",
    ConnectionAlreadyExists => "446",
    ConnectionTimeoutOrFailure => "447",
    AllocationQuotaReached => "486",
    InsufficientCapacity => "508",
});
