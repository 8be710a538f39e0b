//! An address never loses its role: who speaks TURN to us, whom they talk to, and which port of ours stands between.

use std::net::SocketAddr;

use crate::labels::labels;

/// Who speaks TURN to us: the 5-tuple of RFC 8656 §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    /// Where the client's packets come from.
    pub remote: SocketAddr,
    /// The address and port of ours that they arrived at, and that answers must leave from.
    pub local: SocketAddr,
    /// What carries them.
    pub transport: Transport,
}

/// The transport between a client and us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP datagrams.
    Udp,
    /// A TCP stream.
    Tcp,
    /// A TLS stream over TCP.
    Tls,
}

impl Transport {
    /// Whether messages follow each other without bounds of their own, so that ChannelData is padded (RFC 8656 §12.5).
    pub fn is_stream(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls => true,
        }
    }
}

labels!(Transport {
    Udp => "udp",
    Tcp => "tcp",
    Tls => "tls",
});

/// Who a client exchanges data with through a relay (RFC 8656 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub SocketAddr);

/// A UDP port of ours that belongs to one allocation. Its address is the external address of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Relay {
    /// The address family of the relay socket.
    pub family: Family,
    /// The port, in the shared UDP range.
    pub port: u16,
}

/// An address family (RFC 8656 §18.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// 0x01
    V4,
    /// 0x02
    V6,
}

impl Family {
    /// The family of `address`. An IPv4-mapped IPv6 address is IPv6: sockets' edges canonicalise before they call in.
    pub fn of(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }
}

labels!(Family {
    V4 => "ipv4",
    V6 => "ipv6",
});
