//! External and local addresses of this host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of this host: what the world calls it, what its network cards do, and the way between the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// What we announce for IPv4.
    pub external_v4: Option<Ipv4Addr>,
    /// What we announce for IPv6.
    pub external_v6: Option<Ipv6Addr>,
    /// The local address that packets to `external_v4` arrive at; the same where there is no NAT.
    pub local_v4: Option<Ipv4Addr>,
    /// The local address that packets to `external_v6` arrive at; the same where there is no NAT.
    pub local_v6: Option<Ipv6Addr>,
    /// Every address of every interface, the external ones included.
    pub host: Vec<IpAddr>,
    /// A DNS name for the host, where the operator gave one: used in ICE server URLs.
    pub name: Option<String>,
}
