//! coturn's address ranges as networks.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Subnets};

/// Why a peer entry cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeError {
    /// It is neither an address nor two.
    NoAddress,
    /// The two ends are of different families.
    MixedFamilies,
    /// The range ends before it begins.
    Reversed,
}

/// The fewest networks that hold exactly `first-last`, one address, or a network (which coturn refuses). What stands for
/// IPv4 is written as IPv4, but for `::ffff:0:0/96` as a whole: that is denied in any case.
pub fn networks(written: &str) -> Result<Vec<IpNet>, RangeError> {
    Ok(as_written(written)?.into_iter().map(unmapped).collect())
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().filter(|_| v6.prefix_len() > 96);
    v4.and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - 96).ok()).map_or(network, IpNet::V4)
}

fn as_written(written: &str) -> Result<Vec<IpNet>, RangeError> {
    if let Ok(network) = written.parse::<IpNet>() {
        return Ok(vec![network.trunc()]);
    }
    let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| RangeError::NoAddress);
    let Some((first, last)) = written.split_once('-') else { return Ok(vec![address(written)?.into()]) };
    match (address(first)?, address(last)?) {
        (first, last) if first.is_ipv4() == last.is_ipv4() && first > last => Err(RangeError::Reversed),
        (IpAddr::V4(first), IpAddr::V4(last)) => Ok(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ok(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()),
        _ => Err(RangeError::MixedFamilies),
    }
}

/// A network as `peers.allow` and `peers.deny` take it: one address stands alone.
pub fn written(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() { network.addr().to_string() } else { network.to_string() }
}

/// Whether an address is not one that the internet can send to.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
