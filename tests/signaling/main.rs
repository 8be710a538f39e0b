//! Signaling over real WebSockets: tokio-tungstenite on one side, the daemon's own HTTP on the other, on loopback.

// A test that cannot go on says so by panicking, also in its helpers.
#![allow(clippy::unwrap_used)]

mod credentials;
mod house;
mod http;
mod rules;
mod talk;
mod tokens;
