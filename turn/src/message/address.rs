//! XOR-MAPPED-ADDRESS and its kin (RFC 8489 §14.2): addresses that no NAT rewrites by mistake.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{MAGIC_COOKIE, TransactionId};

/// The address in the value of an XOR-...-ADDRESS attribute; `None` where family and length do not fit.
pub fn decode_xor_address(value: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    let (&[_, family, high, low], address) = value.split_first_chunk()?;
    let port = u16::from_be_bytes([high, low]) ^ PORT_MASK;
    let ip = match family {
        0x01 => IpAddr::V4(Ipv4Addr::from_bits(u32::from_be_bytes(address.try_into().ok()?) ^ MAGIC_COOKIE)),
        0x02 => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(address.try_into().ok()?) ^ mask(transaction))),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The value of an XOR-...-ADDRESS attribute: 8 bytes for IPv4, 20 for IPv6.
pub fn encode_xor_address(address: SocketAddr, transaction: TransactionId) -> ([u8; 20], usize) {
    let mut value = [0; 20];
    value[2..4].copy_from_slice(&(address.port() ^ PORT_MASK).to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = 0x01;
            value[4..8].copy_from_slice(&(ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes());
            (value, 8)
        }
        IpAddr::V6(ip) => {
            value[1] = 0x02;
            value[4..].copy_from_slice(&(ip.to_bits() ^ mask(transaction)).to_be_bytes());
            (value, 20)
        }
    }
}

const PORT_MASK: u16 = (MAGIC_COOKIE >> 16) as u16;

/// The cookie, then the transaction id.
fn mask(transaction: TransactionId) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    bytes[4..].copy_from_slice(&transaction.0);
    u128::from_be_bytes(bytes)
}
