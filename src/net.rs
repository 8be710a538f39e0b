//! Sockets: between the shards and the kernel.

pub mod holder;
pub mod mmsg;
pub mod proxy_protocol;
pub mod relays;
pub mod tcp;
pub mod tcp_relays;
pub mod tls;
pub mod udp;
