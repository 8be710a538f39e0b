//! Sockets: between the shards and the kernel.

pub mod holder;
pub mod mmsg;
pub mod relays;
pub mod udp;
