//! Signaling over real WebSockets: tokio-tungstenite on one side, the daemon's own HTTP on the other, on loopback.

mod house;
mod http;
mod rules;
mod talk;
