//! A STUN and TURN server (RFC 8489, RFC 8656, and what RFC 5766 clients do) that performs no I/O.
//!
//! Bytes and the time go in, decisions come out. The crate names no socket, thread, lock, clock or runtime:
//! whoever embeds it reads the datagrams, tells the time, opens relay ports through [`Relays`] and carries out the
//! [`Verdict`]s.
//!
//! ```text
//!  datagram from a client ──► Server::handle_client ──► Verdict { Drop | Reply | ToPeer }
//!  datagram from a peer   ──► Server::handle_peer   ──► Verdict { Drop | ToClient }
//!  ICMP error on a relay  ──► Server::handle_icmp   ──► Verdict { Drop | Reply }
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
mod error;
mod event;
pub mod framing;
mod icmp;
mod labels;
mod lifecycle;
mod limit;
pub mod message;
mod method;
mod nonce;
mod permission;
pub mod policy;
mod relays;
mod reservation;
mod revoked;
mod server;
pub mod stats;
mod table;
mod timers;
mod verdict;

pub use address::{Client, Family, Peer, Relay, Transport};
pub use config::{Config, Limits, PeerRules, Secret, StaticUser, Validity};
pub use credential::{TimeLimited, mint};
pub use error::Code;
pub use event::{CloseReason, Denial, Event, Transmit};
pub use icmp::Icmp;
pub use labels::Label;
pub use method::RequestMethod;
pub use policy::Policy;
pub use relays::{Holder, OpenError, Prefix, Relays};
pub use server::Server;
pub use stats::Stats;
pub use verdict::{Header, Verdict, Why};
