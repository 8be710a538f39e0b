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

    /// The names of `family` that the SFU announces, the best first: the external address, then those of this host's cards.
    pub fn announced_of(&self, family: Family) -> impl Iterator<Item = IpAddr> {
        let others = self.others.iter().copied().filter(move |other| other.is_ipv4() == (family == Family::V4));
        self.external_of(family).into_iter().chain(others)
    }

    /// Whether the SFU announces `address`.
    pub fn is_announced(&self, address: IpAddr) -> bool {
        self.announced_of(Family::of(SocketAddr::new(address, 0))).any(|name| name == address)
    }

    /// Whether more than one address of this host stands behind those names.
    pub fn has_several(&self, family: Family) -> bool {
        let mut locals = self.announced_of(family).map(|name| self.to_local(SocketAddr::new(name, 0)).ip());
        let first = locals.next();
        locals.any(|local| Some(local) != first)
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
