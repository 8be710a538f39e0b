//! One file for each method that this server answers (RFC 8489 §3, RFC 8656 §17).

pub(crate) mod allocate;
pub(crate) mod binding;
pub(crate) mod channel_bind;
pub(crate) mod connect;
pub(crate) mod connection_bind;
pub(crate) mod create_permission;
pub(crate) mod redirect;
pub(crate) mod refresh;
pub(crate) mod send;

use std::net::SocketAddr;
use std::time::Instant;

use crate::Client;
use crate::allocation::Granted;
use crate::discovery::Discovered;
use crate::error::Code;
use crate::labels::labels;
use crate::message::{Message, Method, attribute};
use crate::mobility::Ticket;
use crate::tcp_allocation::ConnectionId;

/// The requests that this server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestMethod {
    /// RFC 8489 §3
    Binding,
    /// RFC 8656 §7
    Allocate,
    /// RFC 8656 §8
    Refresh,
    /// RFC 8656 §10
    CreatePermission,
    /// RFC 8656 §12
    ChannelBind,
    /// RFC 6062 §5.2
    Connect,
    /// RFC 6062 §5.4
    ConnectionBind,
}

impl RequestMethod {
    pub(crate) fn of(method: Method) -> Option<Self> {
        match method {
            Method::BINDING => Some(Self::Binding),
            Method::ALLOCATE => Some(Self::Allocate),
            Method::REFRESH => Some(Self::Refresh),
            Method::CREATE_PERMISSION => Some(Self::CreatePermission),
            Method::CHANNEL_BIND => Some(Self::ChannelBind),
            Method::CONNECT => Some(Self::Connect),
            Method::CONNECTION_BIND => Some(Self::ConnectionBind),
            _ => None,
        }
    }
}

labels!(RequestMethod {
    Binding => "binding",
    Allocate => "allocate",
    Refresh => "refresh",
    CreatePermission => "create_permission",
    ChannelBind => "channel_bind",
    Connect => "connect",
    ConnectionBind => "connection_bind",
});

/// A request on its way through the server.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) now: Instant,
    pub(crate) from: Client,
    pub(crate) method: RequestMethod,
    pub(crate) message: Message<'a>,
}

/// What a method grants, and so what its answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// Binding
    Mapped,
    /// Binding, at a server that helps with NAT behaviour discovery
    Discovered(Discovered),
    /// Allocate
    Allocated { relayed: [Option<SocketAddr>; 2], granted: Granted, ticket: Option<Ticket> },
    /// Refresh; a ticket where it has moved the allocation
    Refreshed { lifetime_secs: u32, ticket: Option<Ticket> },
    /// Refresh, of an allocation that has yet to be fetched: nothing is answered
    Elsewhere,
    /// CreatePermission and ChannelBind
    Permitted,
    /// Connect, whose answer comes later
    Connecting,
    /// ConnectionBind
    Bound { connection: ConnectionId },
}

/// What a method refuses with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// For [`Code::UnknownAttribute`].
    pub(crate) unknown: Vec<u16>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, unknown: Vec::new() }
    }
}

/// Refuses a message with a comprehension-required attribute that means nothing here (RFC 8489 §6.3).
///
/// # Errors
/// 420 with the types, at most [`MOST_UNKNOWN`] of them.
pub(crate) fn refuse_unknown(message: &Message<'_>) -> Result<(), Refusal> {
    refuse_unknown_but(message, &[])
}

/// The same where `also` are known.
///
/// # Errors
/// 420 with the types, at most [`MOST_UNKNOWN`] of them.
pub(crate) fn refuse_unknown_but(message: &Message<'_>, also: &[u16]) -> Result<(), Refusal> {
    let required = message.attributes().filter(|attribute| attribute.is_comprehension_required());
    let kinds = required.map(|attribute| attribute.kind);
    let unknown: Vec<u16> = kinds.filter(|kind| !is_known(*kind) && !also.contains(kind)).take(MOST_UNKNOWN).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Refusal { code: Code::UnknownAttribute, unknown }) }
}

/// Enough for any client that means it; an answer does not grow with what a stranger makes up.
const MOST_UNKNOWN: usize = 8;

/// Those that some method here reads, and those that may come with any message and are ignored. DONT-FRAGMENT in an
/// Allocate only asks whether it could be done (RFC 8656 §7.1): to know it is to say yes.
fn is_known(kind: u16) -> bool {
    matches!(
        kind,
        attribute::MAPPED_ADDRESS
            | attribute::USERNAME
            | attribute::MESSAGE_INTEGRITY
            | attribute::ERROR_CODE
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::CHANNEL_NUMBER
            | attribute::LIFETIME
            | attribute::XOR_PEER_ADDRESS
            | attribute::DATA
            | attribute::REALM
            | attribute::NONCE
            | attribute::XOR_RELAYED_ADDRESS
            | attribute::REQUESTED_ADDRESS_FAMILY
            | attribute::EVEN_PORT
            | attribute::REQUESTED_TRANSPORT
            | attribute::DONT_FRAGMENT
            | attribute::MESSAGE_INTEGRITY_SHA256
            | attribute::PASSWORD_ALGORITHM
            | attribute::USERHASH
            | attribute::XOR_MAPPED_ADDRESS
            | attribute::RESERVATION_TOKEN
            | attribute::CONNECTION_ID
    )
}
