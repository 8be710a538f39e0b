//! PROXY protocol version 2 (haproxy's proxy-protocol.txt §2.2): the addresses that a proxy in front of us has seen.
//!
//! ```text
//! | signature 12 | version 2, command | family, protocol | length 16 bits | addresses | TLVs |
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a connection through a proxy begins with. Neither STUN nor ChannelData nor TLS does.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes before the addresses.
const HEAD_LEN: usize = 16;

/// Longer headers than any proxy sends are refused.
const LONGEST: usize = 2048;

/// A whole header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its bytes.
    pub len: usize,
    /// Source and destination of the connection that the proxy has accepted; `None` where it speaks for itself (LOCAL), or of
    /// a connection that is not over IP.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
}

/// Bytes that are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Reads the header that `bytes` begin with; `None` while more of it has to come.
///
/// # Errors
/// [`Malformed`] where there is none, or one of another version.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err(Malformed);
    }
    let Some(&[.., command, family, l0, l1]) = bytes.first_chunk::<HEAD_LEN>() else { return Ok(None) };
    let len = HEAD_LEN + usize::from(u16::from_be_bytes([l0, l1]));
    if len > LONGEST || !matches!(command, 0x20 | 0x21) {
        return Err(Malformed);
    }
    let Some(body) = bytes.get(HEAD_LEN..len) else { return Ok(None) };
    // 0x20 is LOCAL: a health check of the proxy's own. 0x11 and 0x21 are TCP over IPv4 and IPv6.
    let addresses = match (command, family) {
        (0x21, 0x11) => Some(v4(body).ok_or(Malformed)?),
        (0x21, 0x21) => Some(v6(body).ok_or(Malformed)?),
        _ => None,
    };
    Ok(Some(Header { len, addresses }))
}

fn v4(body: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = body.split_first_chunk::<4>()?;
    let (destination, ports) = rest.split_first_chunk::<4>()?;
    addresses(Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into(), ports)
}

fn v6(body: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = body.split_first_chunk::<16>()?;
    let (destination, ports) = rest.split_first_chunk::<16>()?;
    addresses(Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into(), ports)
}

/// An IPv4 address in IPv6 clothes is an IPv4 address: limits and permissions know it by that.
fn addresses(source: IpAddr, destination: IpAddr, ports: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let &[s0, s1, d0, d1] = ports.first_chunk()?;
    let source = SocketAddr::new(source.to_canonical(), u16::from_be_bytes([s0, s1]));
    Some((source, SocketAddr::new(destination.to_canonical(), u16::from_be_bytes([d0, d1]))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        [&SIGNATURE[..], &[command, family], &(body.len() as u16).to_be_bytes(), body].concat()
    }

    fn v4_body() -> Vec<u8> {
        [&[192, 0, 2, 1, 203, 0, 113, 7][..], &40_000u16.to_be_bytes(), &443u16.to_be_bytes()].concat()
    }

    #[test]
    fn addresses_of_both_families_are_taken_over_and_tlvs_passed_over() {
        let body = [v4_body(), vec![0x04, 0, 1, 0]].concat();
        let bytes = header(0x21, 0x11, &body);
        let expected = ("192.0.2.1:40000".parse().unwrap(), "203.0.113.7:443".parse().unwrap());
        assert_eq!(parse(&bytes), Ok(Some(Header { len: 32, addresses: Some(expected) })));

        let (source, destination): (Ipv6Addr, Ipv6Addr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let body = [&source.octets()[..], &destination.octets(), &[0, 7, 1, 187]].concat();
        let expected = (SocketAddr::new(source.into(), 7), SocketAddr::new(destination.into(), 443));
        assert_eq!(parse(&header(0x21, 0x21, &body)), Ok(Some(Header { len: 52, addresses: Some(expected) })));
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_names_nobody() {
        assert_eq!(parse(&header(0x20, 0x00, &[])), Ok(Some(Header { len: 16, addresses: None })));
        assert_eq!(parse(&header(0x21, 0x00, &[1, 2])), Ok(Some(Header { len: 18, addresses: None })));
    }

    #[test]
    fn other_versions_short_addresses_and_giants_are_refused() {
        assert_eq!(parse(&header(0x11, 0x11, &v4_body())), Err(Malformed));
        assert_eq!(parse(&header(0x22, 0x11, &v4_body())), Err(Malformed));
        assert_eq!(parse(&header(0x21, 0x11, &v4_body()[..11])), Err(Malformed));
        assert_eq!(parse(&header(0x21, 0x21, &v4_body())), Err(Malformed));
        assert_eq!(parse(&header(0x20, 0x00, &[0; 2100])), Err(Malformed));
        assert_eq!(parse(b"PROXY TCP4 192.0.2.1 203.0.113.7 1 2\r\n"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn a_header_means_the_same_once_it_is_whole(
            command in 0x1F..0x23u8, family: u8, body in prop::collection::vec(any::<u8>(), 0..60), more: [u8; 4],
        ) {
            let bytes = header(command, family, &body);
            let whole = parse(&bytes);
            prop_assert_eq!(parse(&[&bytes[..], &more].concat()), whole);
            for cut in 0..bytes.len() {
                let part = parse(&bytes[..cut]);
                prop_assert!(part == Ok(None) || part == whole);
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(Some(header)) = parse(&bytes) {
                prop_assert!(header.len <= bytes.len());
            }
        }
    }
}
