//! The daemon, tested from outside: one binary, a module for each part.

#![allow(clippy::unwrap_used)]

mod discovery;
mod ice_tcp;
mod icmp;
mod mobility;
mod program;
mod rates;
mod reload;
mod sfu_over_relay;
mod shard;
mod stream_link;
mod streams;
mod support;
mod tcp_allocations;
mod tokens;
mod turn_client;
mod webhooks;
