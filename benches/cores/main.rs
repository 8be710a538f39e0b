//! What a packet costs in the pure cores, without the kernel: no socket, no thread, no system call.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

mod client;
mod shard;
mod turn;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, turn::decode, turn::binding, turn::allocate, turn::relay, shard::relay);
criterion_main!(benches);
