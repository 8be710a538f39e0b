//! Which peers may be reached, in the order in which the rules are asked.
//!
//! ```text
//! 1 an IPv6 address that embeds an IPv4 one   deny    nothing overrides it: what it reaches is not what it says
//! 2 a relay or SFU port of this process       allow   by identity, not by address
//! 3 the operator's lists                      the longest prefix wins, deny wins a tie
//! 4 any other address of this host            deny
//! 5 the special-purpose registries            deny
//! 6 a port that real-time media never uses    deny
//! 7 the rest                                  allow
//! ```

mod lists;
mod special_purpose;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use self::lists::{Lists, Verb};
use crate::config::Config;
use crate::labels::labels;

pub use special_purpose::special_purpose;

/// The rules, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    host: Vec<IpAddr>,
    lists: Lists,
}

/// The rule that denied a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// An IPv6 address that embeds an IPv4 one: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    EmbeddedIpv4,
    /// The operator's `deny`.
    OperatorDeny,
    /// An address of this host, at a port that is no relay or SFU port of ours.
    Host,
    /// Loopback, private, link-local, multicast, documentation and the like.
    SpecialPurpose,
    /// A port that real-time media never uses.
    Port,
}

labels!(Rule {
    EmbeddedIpv4 => "embedded_ipv4",
    OperatorDeny => "peers.deny",
    Host => "host",
    SpecialPurpose => "special_purpose",
    Port => "port",
});

/// Why a peer may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grant {
    /// It is a relay or SFU port of this process.
    OwnPort,
    /// The operator's `allow`.
    OperatorAllow,
    /// No rule denies it.
    Default,
}

impl Policy {
    /// The policy of `config`.
    pub fn new(config: &Config) -> Self {
        let mut host = config.host.clone();
        host.extend(config.external_v4.map(IpAddr::V4));
        host.extend(config.external_v6.map(IpAddr::V6));
        host.sort_unstable();
        host.dedup();
        Self { host, lists: Lists::new(&config.peers) }
    }

    /// Whether data may be sent to `peer`; `is_ours` tells whether it is a relay or SFU port of this process.
    ///
    /// # Errors
    /// The rule that denies it.
    pub fn judge(&self, peer: SocketAddr, is_ours: bool) -> Result<Grant, Rule> {
        match self.judge_address(peer.ip(), is_ours)? {
            Grant::Default if is_denied_port(peer.port()) => Err(Rule::Port),
            grant => Ok(grant),
        }
    }

    /// The same for an address whose port does not matter, as in a permission (RFC 8656 §9.2).
    ///
    /// # Errors
    /// The rule that denies it.
    pub fn judge_address(&self, peer: IpAddr, is_ours: bool) -> Result<Grant, Rule> {
        if embeds_ipv4(peer) {
            return Err(Rule::EmbeddedIpv4);
        }
        if is_ours {
            return Ok(Grant::OwnPort);
        }
        match self.lists.verb(peer) {
            Some(Verb::Allow) => return Ok(Grant::OperatorAllow),
            Some(Verb::Deny) => return Err(Rule::OperatorDeny),
            None => {}
        }
        if self.is_host(peer) {
            return Err(Rule::Host);
        }
        match special_purpose(peer) {
            Some(_) => Err(Rule::SpecialPurpose),
            None => Ok(Grant::Default),
        }
    }

    /// Whether `address` is one of this host's.
    pub fn is_host(&self, address: IpAddr) -> bool {
        self.host.binary_search(&address).is_ok()
    }
}

/// `::` and `::1` are addresses of their own and judged as such.
fn embeds_ipv4(address: IpAddr) -> bool {
    let IpAddr::V6(v6) = address else { return false };
    if v6.is_unspecified() || v6.is_loopback() {
        return false;
    }
    match v6.segments() {
        // IPv4-compatible, IPv4-mapped, IPv4-translated (SIIT)
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => true,
        // NAT64: the well-known prefix (RFC 6052) and the local one (RFC 8215)
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, ..] => true,
        // 6to4 and Teredo: RFC 8656 §21.1.2 forbids both
        [0x2002, ..] | [0x2001, 0, ..] => true,
        // ISATAP interface identifiers (RFC 5214 §6.1)
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => true,
        _ => false,
    }
}

/// Well-known services, other than 443 where media servers hide, and the UDP services that answer a small question with a
/// large answer: SSDP, WS-Discovery, mDNS, memcached.
fn is_denied_port(port: u16) -> bool {
    matches!(port, 0..=442 | 444..=1023 | 1900 | 3702 | 5353 | 11211)
}
