//! A STUN and TURN server (RFC 8489, RFC 8656, and what RFC 5766 clients do) that performs no I/O.
//!
//! Bytes and the time go in, decisions come out. The crate names no socket, thread, lock, clock or runtime:
//! whoever embeds it reads the datagrams, tells the time, opens relay ports through [`Relays`] and carries out the
//! [`Verdict`]s.
//!
//! ```text
//!  datagram from a client ──► Server::handle_client ──► Verdict { Drop | Reply | Later | ToPeer | Splice }
//!  datagram from a peer   ──► Server::handle_peer   ──► Verdict { Drop | ToClient }
//!  ICMP error on a relay  ──► Server::handle_icmp   ──► Verdict { Drop | Reply }
//!  a TCP relay's streams  ──► Server::handle_connected, handle_connection, handle_moved, handle_disconnected
//!  time                   ──► Server::handle_timeout
//!  answers                ◄── Server::poll_transmit        life cycle ◄── Server::poll_event
//! ```

mod address;
mod allocation;
mod answer;
mod auth;
mod channel;
pub mod channel_data;
mod config;
mod credential;
mod data_indication;
mod discovery;
mod error;
mod event;
pub mod framing;
mod icmp;
mod labels;
mod lifecycle;
mod limit;
pub mod message;
mod meter;
mod method;
mod mobility;
mod nonce;
mod permission;
pub mod policy;
mod relays;
mod reservation;
mod revoked;
mod server;
pub mod stats;
mod table;
mod tcp_allocation;
mod timers;
mod verdict;

pub use address::{Client, Family, Peer, Relay, Transport};
pub use config::{Config, Limits, PeerRules, Secret, StaticUser, Validity};
pub use credential::{TimeLimited, mint};
pub use discovery::Discovery;
pub use error::Code;
pub use event::{CloseReason, Denial, Event, Rejection, Transmit};
pub use icmp::Icmp;
pub use labels::Label;
pub use meter::{Direction, Meter};
pub use method::RequestMethod;
pub use mobility::{Claim, Handover};
pub use policy::Policy;
pub use relays::{Holder, OpenError, Prefix, Relays};
pub use server::Server;
pub use stats::Stats;
pub use tcp_allocation::ConnectionId;
pub use verdict::{Header, Verdict, Why};
