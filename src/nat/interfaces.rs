//! What the network cards have, and which of their addresses the world is most likely to reach.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// Addresses of one family that are told to clients beside the external one.
const REACHABLE: usize = 4;

/// One address of one network card that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eth0`
    pub name: String,
    /// The address.
    pub address: IpAddr,
}

/// Every address of every card that is up.
pub fn addresses() -> io::Result<Vec<Interface>> {
    let list = getifaddrs()?;
    Ok(list
        .filter(|entry| entry.flags.contains(InterfaceFlags::IFF_UP))
        .filter_map(|entry| {
            let storage = entry.address?;
            let address = match (storage.as_sockaddr_in(), storage.as_sockaddr_in6()) {
                (Some(v4), _) => IpAddr::V4(v4.ip()),
                (_, Some(v6)) => IpAddr::V6(v6.ip()),
                _ => return None,
            };
            Some(Interface { name: entry.interface_name, address })
        })
        .collect())
}

/// The best address of each family: the one that packets to the world leave from, else that of a real card, else, on a
/// host that has nothing else, loopback.
pub fn preferred(host: &[Interface]) -> Vec<IpAddr> {
    let cards: Vec<IpAddr> = host.iter().filter(|card| !is_virtual(&card.name)).map(|card| card.address).collect();
    let of_family = |v4: bool| {
        leaves_from(v4)
            .filter(|address| is_usable(*address))
            .or_else(|| cards.iter().copied().find(|address| address.is_ipv4() == v4 && is_usable(*address)))
    };
    let found: Vec<IpAddr> = of_family(true).into_iter().chain(of_family(false)).collect();
    if found.is_empty() { cards.into_iter().filter(IpAddr::is_loopback).collect() } else { found }
}

/// Every address of a real card that somebody may reach, in the order of the cards; of each family a few at most, since
/// clients try them all.
pub fn reachable(host: &[Interface]) -> impl Iterator<Item = IpAddr> {
    let cards = host.iter().filter(|card| !is_virtual(&card.name) && is_usable(card.address));
    let (mut v4, mut v6) = (0, 0);
    cards.map(|card| card.address).filter(move |address| {
        let count = if address.is_ipv4() { &mut v4 } else { &mut v6 };
        *count += 1;
        *count <= REACHABLE
    })
}

/// Addresses of the documentation ranges stand for "the world": connecting a UDP socket asks the kernel's routing table
/// and sends nothing.
fn leaves_from(v4: bool) -> Option<IpAddr> {
    let (any, world): (SocketAddr, SocketAddr) = if v4 {
        ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(198, 51, 100, 1), 9).into())
    } else {
        ((Ipv6Addr::UNSPECIFIED, 0).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into())
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(world).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn is_usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// Bridges, containers' cards and tunnels: nobody outside this host reaches them.
fn is_virtual(name: &str) -> bool {
    VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

/// How their names begin.
const VIRTUAL: [&str; 16] = [
    "docker", "br-", "veth", "virbr", "vnet", "vmnet", "vboxnet", "lxc", "lxdbr", "incusbr", "cni", "cali", "flannel",
    "podman", "tun", "tap",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, address: &str) -> Interface {
        Interface { name: name.into(), address: address.parse().unwrap() }
    }

    #[test]
    fn a_host_with_nothing_but_loopback_announces_loopback() {
        // A host whose routing table knows the world answers by it, so only the part below the table is held here.
        let host = [card("lo", "127.0.0.1"), card("lo", "::1")];
        let found = preferred(&host);
        assert!(!found.is_empty());
        if leaves_from(true).is_none() && leaves_from(false).is_none() {
            assert_eq!(found, [host[0].address, host[1].address]);
        }
    }

    #[test]
    fn bridges_and_containers_are_nobodys_way_in() {
        assert!(is_virtual("docker0") && is_virtual("br-5f1c") && is_virtual("veth12ab"));
        assert!(is_virtual("virbr0") && is_virtual("tun0"));
        assert!(!is_virtual("br0") && !is_virtual("bond0"));
        assert!(!is_virtual("eth0") && !is_virtual("enp3s0") && !is_virtual("wlan0"));
    }

    #[test]
    fn every_card_is_a_way_in_and_few_addresses_of_each_family_are_told() {
        let mut host = vec![card("lo", "127.0.0.1"), card("docker0", "172.17.0.1"), card("eth0", "192.168.1.50")];
        host.extend([card("wlan0", "10.0.0.7"), card("wlan0", "fe80::7")]);
        host.extend((1..=9).map(|number| card("eth0", &format!("2001:db8::{number}"))));
        let found: Vec<IpAddr> = reachable(&host).collect();
        let wanted = ["192.168.1.50", "10.0.0.7", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"];
        assert_eq!(found, wanted.map(|address| address.parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn link_local_and_loopback_are_not_announced() {
        for address in ["127.0.0.1", "169.254.3.4", "::1", "fe80::1"] {
            assert!(!is_usable(address.parse().unwrap()), "{address}");
        }
        for address in ["192.168.1.50", "203.0.113.7", "fd00::2", "2001:db8::7"] {
            assert!(is_usable(address.parse().unwrap()), "{address}");
        }
    }
}
