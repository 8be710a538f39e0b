//! roundturn: a STUN/TURN server, an SFU and signaling in one daemon.
//!
//! ```text
//! main -> command -> daemon -+-> config --> turn::Config, sfu::Config
//!                            +-> shard -+-> shard/core -> turn, sfu       pure
//!                            |          +-> net -> kernel
//!                            +-> http -> signal -> shard/mailbox          words
//!                            +-> nat, systemd, logging
//!                            +-> clock, ports, ledger                     leaves
//! ```

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod daemon;
pub mod health;
pub mod http;
pub mod import;
pub mod ledger;
pub mod logging;
mod moment;
pub mod nat;
pub mod net;
pub mod ports;
#[cfg(feature = "probe")]
pub mod probe;
pub mod shard;
pub mod show;
pub mod signal;
pub mod systemd;
