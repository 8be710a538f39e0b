//! The TURN server's behaviour, as conversations; its codec beside two others; a simulated neighbourhood.
#![allow(clippy::unwrap_used)]

mod allocate;
mod auth;
mod binding;
mod codec;
mod data;
mod dsl;
mod hostile;
mod peers;
mod rfc5769;
mod simulation;
mod strangers;
mod streams;
