//! The TURN server's behaviour, as conversations; its codec beside two others; a simulated neighbourhood.
#![allow(clippy::unwrap_used)]

mod allocate;
mod auth;
mod binding;
mod codec;
mod data;
mod discovery;
#[path = "../dsl/mod.rs"]
mod dsl;
mod dual;
mod even_port;
mod hostile;
mod icmp;
mod mobility;
mod oracle;
mod peers;
mod rates;
mod redirect;
mod rfc5769;
mod security_features;
mod simulation;
mod strangers;
mod streams;
mod tcp_allocations;
