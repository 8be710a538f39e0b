//! External and local addresses of this host, and the way between the two.

mod interfaces;
mod translate;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use thiserror::Error;

use crate::config::{Address, ExternalAddress};

/// The addresses of this host: what the world calls it, what its network cards do, and the way between the two.
///
/// ```text
///   the world        router              this host
///  external_v4 ───────►│───────► local_v4 ─┐
///  external_v6 ───────────────── local_v6 ─┼─ sockets ── to_external ──► cores know external names only
///                              other cards ─┘         ◄── to_local ────
/// ```
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
    /// Other addresses of this host's cards that somebody may reach it at: in its own network, or over IPv6.
    pub others: Vec<IpAddr>,
    /// A DNS name for the host, where the operator gave one: used in ICE server URLs.
    pub name: Option<String>,
}

impl Addresses {
    /// Finds the addresses as `[address] external` says.
    ///
    /// # Errors
    /// [`AddressError`] when the interfaces cannot be read, a name does not resolve, or no address is left.
    pub fn find(wanted: &Address) -> Result<Self, AddressError> {
        let host = interfaces::addresses().map_err(AddressError::Interfaces)?;
        let mut found = Self { host: host.iter().map(|interface| interface.address).collect(), ..Self::default() };
        match wanted {
            Address::Auto => {
                for address in interfaces::preferred(&host) {
                    found.announce(ExternalAddress { external: address, local: Some(address) });
                }
            }
            Address::Fixed(list) => {
                for &address in list {
                    found.announce(found.with_local(address, &host));
                }
            }
            Address::Name(name) => {
                for external in resolve(name)? {
                    found.announce(found.with_local(ExternalAddress { external, local: None }, &host));
                }
                found.name = Some(name.clone());
            }
        }
        if found.external_v4.is_none() && found.external_v6.is_none() {
            return Err(AddressError::None);
        }
        // Who names the loopback wants to be reached there, and nowhere else.
        if !found.external().iter().any(IpAddr::is_loopback) {
            let external = found.external();
            found.others = interfaces::reachable(&host).filter(|other| !external.contains(other)).collect();
        }
        Ok(found)
    }

    /// Reads the interfaces again and takes in what is new; what was ours stays denied to relays. Whether any is new.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn learn(&mut self) -> std::io::Result<bool> {
        let known = self.host.len();
        for interface in interfaces::addresses()? {
            if !self.host.contains(&interface.address) {
                self.host.push(interface.address);
            }
        }
        Ok(self.host.len() > known)
    }

    /// The external addresses, IPv4 first.
    pub fn external(&self) -> Vec<IpAddr> {
        self.external_v4.map(IpAddr::V4).into_iter().chain(self.external_v6.map(IpAddr::V6)).collect()
    }

    /// The first address of each family is announced; a further one of the same family is known as ours only.
    fn announce(&mut self, address: ExternalAddress) {
        match (address.external, address.local) {
            (IpAddr::V4(external), local) if self.external_v4.is_none() => {
                self.external_v4 = Some(external);
                self.local_v4 = local.and_then(v4);
            }
            (IpAddr::V6(external), local) if self.external_v6.is_none() => {
                self.external_v6 = Some(external);
                self.local_v6 = local.and_then(v6);
            }
            _ => {}
        }
        if !self.host.contains(&address.external) {
            self.host.push(address.external);
        }
    }

    /// Where the operator named no local address: the same one if a card has it, else the one that packets leave from.
    fn with_local(&self, address: ExternalAddress, host: &[interfaces::Interface]) -> ExternalAddress {
        let local = address.local.or_else(|| {
            if self.host.contains(&address.external) {
                return Some(address.external);
            }
            interfaces::preferred(host).into_iter().find(|local| local.is_ipv4() == address.external.is_ipv4())
        });
        ExternalAddress { local, ..address }
    }
}

/// Why the addresses of this host could not be told.
#[derive(Debug, Error)]
pub enum AddressError {
    /// The kernel did not list the interfaces.
    #[error("cannot read the network interfaces: {0}")]
    Interfaces(#[source] std::io::Error),
    /// `[address] external` is a name that does not resolve.
    #[error("address.external = {name:?} does not resolve: {source}; write the address itself, or check the name")]
    Resolve {
        /// The name.
        name: String,
        /// What the resolver said.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to announce.
    #[error("no usable network address was found; set address.external to the address that clients should use")]
    None,
}

fn resolve(name: &str) -> Result<Vec<IpAddr>, AddressError> {
    let addresses =
        (name, 0).to_socket_addrs().map_err(|source| AddressError::Resolve { name: name.into(), source })?;
    Ok(addresses.map(|address| address.ip()).collect())
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn v6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_pair_keeps_both_sides() {
        let pair =
            ExternalAddress { external: "203.0.113.7".parse().unwrap(), local: Some("192.168.1.50".parse().unwrap()) };
        let found = Addresses::find(&Address::Fixed(vec![pair])).unwrap();
        assert_eq!(found.external_v4, "203.0.113.7".parse().ok());
        assert_eq!(found.local_v4, "192.168.1.50".parse().ok());
        assert!(found.host.contains(&pair.external), "a peer at our own external name is ourselves");
    }

    #[test]
    fn an_address_of_a_card_is_its_own_local_side() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let found =
            Addresses::find(&Address::Fixed(vec![ExternalAddress { external: loopback, local: None }])).unwrap();
        assert_eq!(found.local_v4.map(IpAddr::V4), Some(loopback));
    }

    #[test]
    fn only_the_first_address_of_a_family_is_announced() {
        let list = ["203.0.113.7", "198.51.100.9", "2001:db8::7"]
            .map(|text| ExternalAddress { external: text.parse().unwrap(), local: None });
        let found = Addresses::find(&Address::Fixed(list.to_vec())).unwrap();
        assert_eq!(found.external(), [list[0].external, list[2].external]);
        assert!(found.host.contains(&list[1].external));
    }

    #[test]
    fn an_address_that_came_later_is_learnt_once() {
        let mut addresses = Addresses::default();
        assert!(addresses.learn().unwrap(), "every host has loopback");
        assert!(!addresses.learn().unwrap());
    }

    #[test]
    fn a_name_that_does_not_resolve_is_named() {
        let error = Addresses::find(&Address::Name("nobody.invalid".into())).unwrap_err();
        assert!(error.to_string().contains("nobody.invalid"), "{error}");
    }

    #[test]
    fn something_is_always_found_on_a_host_with_interfaces() {
        let found = Addresses::find(&Address::Auto).unwrap();
        assert!(found.external().iter().all(|address| found.host.contains(address)));
    }
}
