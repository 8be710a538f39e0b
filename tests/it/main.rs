//! The daemon, tested from outside: one binary, a module for each part.

mod shard;
mod support;
