//! Where a datagram to one of our own names goes: inside the shard, through the kernel to another shard, or nowhere.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use roundturn_turn::{Family, Relay};

use super::core::House;
use crate::nat::Addresses;

/// Knows our own names.
#[derive(Debug)]
pub struct Hairpin {
    /// Whether the shortcut inside the shard is taken. The way through the kernel means the same.
    pub enabled: bool,
    /// What we are called.
    pub addresses: Addresses,
    /// The port of this shard's SFU.
    pub sfu_port: u16,
    /// The operator's explicit permissions, which may cover this host's other programs.
    pub allow: Vec<IpNet>,
}

/// Which way a datagram takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To a relay of this shard, without leaving it.
    Relay(Relay),
    /// To this shard's SFU, without leaving it.
    Sfu,
    /// Out of a socket, to this address.
    Kernel(SocketAddr),
    /// Nowhere: it is for this host, but for no port of ours, and the operator did not open this host to relays. Such
    /// a port was ours when the peer was permitted, and is no longer.
    Nowhere,
}

impl Hairpin {
    /// The way to `to`, an address as the world knows it.
    pub fn way(&self, to: SocketAddr, house: &impl House) -> Way {
        let family = Family::of(to);
        if self.addresses.external_of(family) != Some(to.ip()) {
            return Way::Kernel(to);
        }
        if !house.is_ours(to) {
            let open = self.allow.iter().any(|network| network.contains(&to.ip()));
            return if open { Way::Kernel(to) } else { Way::Nowhere };
        }
        let relay = Relay { family, port: to.port() };
        if self.enabled && to.port() == self.sfu_port {
            Way::Sfu
        } else if self.enabled && house.is_here(relay) {
            Way::Relay(relay)
        } else {
            Way::Kernel(self.addresses.to_local(to))
        }
    }

    /// The name by which the world knows `source`, an address as the kernel tells it.
    pub fn name_of(&self, source: SocketAddr, house: &impl House) -> SocketAddr {
        if self.addresses.local_of(Family::of(source)) != Some(source.ip()) {
            return source;
        }
        let external = self.addresses.to_external(source);
        if house.is_ours(external) { external } else { source }
    }

    /// This shard's SFU as the world knows it, for those that reach it by `family`.
    pub fn sfu_name(&self, family: Family) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.addresses.announced_of(family).next()?, self.sfu_port))
    }

    /// The name by which a participant has reached it: the one that stands for `hit`, an address of this host, where that is
    /// known and announced.
    pub fn sfu_name_at(&self, family: Family, hit: Option<IpAddr>) -> Option<SocketAddr> {
        let name = hit.map(|hit| self.addresses.to_external(SocketAddr::new(hit, self.sfu_port)));
        name.filter(|name| self.addresses.is_announced(name.ip())).or_else(|| self.sfu_name(family))
    }

    /// The address that what goes under this name of the SFU's has to leave from, where its socket is bound to several.
    pub fn source_of(&self, name: SocketAddr) -> Option<IpAddr> {
        let family = Family::of(name);
        let is_known =
            self.addresses.external_of(family) != Some(name.ip()) || self.addresses.local_of(family).is_some();
        (is_known && self.addresses.has_several(family)).then(|| self.addresses.to_local(name).ip())
    }

    /// A relay of this host as the world knows it.
    pub fn relay_name(&self, relay: Relay) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.addresses.external_of(relay.family)?, relay.port))
    }
}

#[cfg(test)]
mod tests;
