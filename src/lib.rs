//! roundturn: a STUN/TURN server, an SFU and signaling in one daemon.
//!
//! ```text
//!   main ─► command ─► daemon ─┬─► shard ── a thread for each core ──► core ─► turn, sfu   packets
//!                              │     ▲                              └► net                 sockets
//!                              │     │ mailboxes
//!                              ├─► http ─► signal ── on tokio                              pages, rooms
//!                              └─► config, nat, health, systemd, logging
//! ```
//!
//! Packets never meet tokio, and words never meet a socket of a shard's: the two sides only post each other messages.

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod daemon;
pub mod fetch;
pub mod health;
pub mod http;
pub mod import;
pub mod ledger;
pub mod logging;
mod moment;
pub mod month;
pub mod nat;
pub mod net;
pub mod ports;
#[cfg(feature = "probe")]
pub mod probe;
pub mod rates;
pub mod shard;
pub mod show;
pub mod signal;
pub mod systemd;
pub mod tokens;
