//! The daemon, tested from outside: one binary, a module for each part.

#![allow(clippy::unwrap_used)]

mod program;
mod reload;
mod sfu_over_relay;
mod shard;
mod stream_link;
mod streams;
mod support;
mod turn_client;
