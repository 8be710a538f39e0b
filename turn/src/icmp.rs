//! ICMP errors about what a relay has sent, passed on to the client (RFC 8656 §11.5, §18.13).

use std::time::Instant;

use crate::message::{Class, Encoder, Method, attribute};
use crate::server::Server;
use crate::{Family, Peer, Relay, Transmit, Verdict, Why};

/// An ICMP or ICMPv6 error, by the family of the relay that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// The type.
    pub kind: u8,
    /// The code.
    pub code: u8,
    /// The next hop's maximum transmission unit in bytes; 0 where the error tells of none.
    pub mtu: u32,
}

impl Server {
    /// Judges an ICMP error about a datagram that `relay` had sent to `peer`. A Data indication is queued where the
    /// client is to know. Who sent the error does not matter, since any router may; that `peer` has a permission does.
    pub fn handle_icmp(&mut self, now: Instant, relay: Relay, peer: Peer, icmp: Icmp) -> Verdict {
        self.icmp(now, relay, peer, icmp).unwrap_or_else(|why| self.drop(why))
    }

    fn icmp(&mut self, now: Instant, relay: Relay, peer: Peer, icmp: Icmp) -> Result<Verdict, Why> {
        if !is_passed_on(relay.family, icmp) {
            return Err(Why::Unexpected);
        }
        let allocation = self.table.of_relay_mut(relay).ok_or(Why::NoAllocation)?;
        if allocation.alive_relay_mut(now, relay.family).is_none() {
            return Err(Why::NoAllocation);
        }
        if !allocation.permissions.allows(now, peer.0.ip()) {
            return Err(Why::NoPermission);
        }
        let to = allocation.client;
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, Class::Indication, Method::DATA, self.transactions.next())
            .xor_address(attribute::XOR_PEER_ADDRESS, peer.0)
            .attribute(attribute::ICMP, &value(relay.family, icmp));
        self.transmits.push_back(Transmit { to, bytes });
        Ok(Verdict::Reply)
    }
}

/// Destination unreachable and time exceeded; for IPv6 also packet too big.
fn is_passed_on(family: Family, icmp: Icmp) -> bool {
    match family {
        Family::V4 => matches!(icmp.kind, 3 | 11),
        Family::V6 => matches!(icmp.kind, 1..=3),
    }
}

/// ```text
/// +-------------------------------+-------------+-----------------+
/// |  reserved                     |  type, 7    |  code, 9        |
/// +-------------------------------+-------------+-----------------+
/// |  error data: the MTU, or 0                                    |
/// +---------------------------------------------------------------+
/// ```
fn value(family: Family, icmp: Icmp) -> [u8; 8] {
    let tells_mtu = match family {
        Family::V4 => (icmp.kind, icmp.code) == (3, 4),
        Family::V6 => icmp.kind == 2,
    };
    let [high, low] = (u16::from(icmp.kind) << 9 | u16::from(icmp.code)).to_be_bytes();
    let [d0, d1, d2, d3] = if tells_mtu { icmp.mtu } else { 0 }.to_be_bytes();
    [0, 0, high, low, d0, d1, d2, d3]
}
