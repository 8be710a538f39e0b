//! The way between external and local addresses, at the sockets' edge.

use std::net::{IpAddr, SocketAddr};

use roundturn_turn::Family;

use super::Addresses;

impl Addresses {
    /// The external address of `family`.
    pub fn external_of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.external_v4.map(IpAddr::V4),
            Family::V6 => self.external_v6.map(IpAddr::V6),
        }
    }

    /// The local address of `family` that packets to the external one arrive at.
    pub fn local_of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.local_v4.map(IpAddr::V4),
            Family::V6 => self.local_v6.map(IpAddr::V6),
        }
    }

    /// What the kernel of this host calls a port that the world knows at our external address. Others stay.
    pub fn to_local(&self, address: SocketAddr) -> SocketAddr {
        let family = Family::of(address);
        match self.local_of(family) {
            Some(local) if self.external_of(family) == Some(address.ip()) => SocketAddr::new(local, address.port()),
            _ => address,
        }
    }

    /// What the world calls a port that the kernel of this host knows at our local address. Others stay.
    pub fn to_external(&self, address: SocketAddr) -> SocketAddr {
        let family = Family::of(address);
        match self.external_of(family) {
            Some(external) if self.local_of(family) == Some(address.ip()) => SocketAddr::new(external, address.port()),
            _ => address,
        }
    }
}
