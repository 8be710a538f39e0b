//! What a stream is, by its first bytes.
//!
//! ```text
//!  0D 0A 0D 0A .. ──► PROXY v2, from trusted proxies only; then the next byte decides
//!  16 ─────────────► TLS, where there is a certificate
//!  .. .. 00 01 .. .. 21 12 A4 42 ─► frames of ICE-TCP: a length, then a STUN Binding request (RFC 6544 §3)
//!  anything else ──► TURN as it is, except where TLS is due
//! ```

use std::net::SocketAddr;

use roundturn_sfu::framing;

use super::end::End;
use crate::net::proxy_protocol::{self, SIGNATURE};

/// The first byte of a TLS record that holds a ClientHello (RFC 8446 §5.1). Neither STUN nor ChannelData begins with it and
/// goes on with a magic cookie.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a framed Binding request has at which places: its type and the magic cookie. A STUN message that is not framed has the
/// low byte of its length at the second of them, which is a multiple of 4.
const FRAMED_CHECK: [(usize, u8); 6] = [(2, 0x00), (3, 0x01), (6, 0x21), (7, 0x12), (8, 0xA4), (9, 0x42)];

/// What is known about a stream before its first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door {
    /// It comes from a trusted proxy.
    pub(super) proxied: bool,
    /// There is a certificate.
    pub(super) offers_tls: bool,
    /// The listener is for TLS only.
    pub(super) wants_tls: bool,
}

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decided {
    /// Bytes of a proxy's header, to be passed over.
    pub(super) skip: usize,
    /// Source and destination as a proxy has told them.
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
    /// Whether TLS begins there.
    pub(super) is_tls: bool,
    /// Whether frames of ICE-TCP begin there.
    pub(super) is_ice: bool,
}

impl Door {
    /// Decides by `bytes`, the first ones; `None` while more have to come.
    ///
    /// # Errors
    /// [`End::Proxy`] or [`End::Tls`].
    pub(super) fn decide(self, bytes: &[u8]) -> Result<Option<Decided>, End> {
        let (mut skip, mut addresses) = (0, None);
        if self.proxied && bytes.first() == Some(&SIGNATURE[0]) {
            let Some(header) = proxy_protocol::parse(bytes).map_err(|_| End::Proxy)? else { return Ok(None) };
            (skip, addresses) = (header.len, header.addresses);
        }
        let Some(first) = bytes.get(skip) else { return Ok(None) };
        let is_tls = *first == TLS_HANDSHAKE && self.offers_tls;
        if self.wants_tls && !is_tls {
            return Err(End::Tls);
        }
        let Some(is_ice) = is_framed_check(&bytes[skip..]) else { return Ok(None) };
        Ok(Some(Decided { skip, addresses, is_tls, is_ice }))
    }
}

/// Whether a stream begins with a framed ICE check; `None` while more has to come.
fn is_framed_check(bytes: &[u8]) -> Option<bool> {
    if usize::from(*bytes.first()?) > framing::LONGEST >> 8 {
        return Some(false);
    }
    for (place, wanted) in FRAMED_CHECK {
        if *bytes.get(place)? != wanted {
            return Some(false);
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Door = Door { proxied: false, offers_tls: true, wants_tls: false };

    fn proxied(bytes: &[u8]) -> Vec<u8> {
        let addresses = [192, 0, 2, 1, 203, 0, 113, 7, 0, 9, 13, 150];
        [&SIGNATURE[..], &[0x21, 0x11, 0, 12], &addresses, bytes].concat()
    }

    #[test]
    fn the_first_byte_tells_tls_from_turn() {
        let plain = Decided { skip: 0, addresses: None, is_tls: false, is_ice: false };
        assert_eq!(ANY.decide(&[]), Ok(None));
        assert_eq!(ANY.decide(&[0x00, 0x01, 0x00, 0x00]), Ok(Some(plain)));
        assert_eq!(ANY.decide(&[0x40]), Ok(Some(plain)));
        assert_eq!(ANY.decide(&[0x16]), Ok(Some(Decided { is_tls: true, ..plain })));
        assert_eq!(Door { offers_tls: false, ..ANY }.decide(&[0x16]), Ok(Some(plain)));
    }

    #[test]
    fn a_framed_check_is_known_from_a_request_by_where_its_type_stands() {
        let framed = [0, 100, 0, 1, 0, 80, 0x21, 0x12, 0xA4, 0x42];
        assert!((0..10).all(|cut| ANY.decide(&framed[..cut]) == Ok(None)));
        assert!(ANY.decide(&framed).unwrap().unwrap().is_ice);
        for (place, _) in FRAMED_CHECK {
            let mut other = framed;
            other[place] ^= 0x40;
            assert!(!ANY.decide(&other).unwrap().unwrap().is_ice, "byte {place}");
        }
        assert!(!ANY.decide(&framed[2..]).unwrap().unwrap().is_ice, "a Binding request as it is");
        let door = Door { proxied: true, ..ANY };
        assert!(door.decide(&proxied(&framed)).unwrap().unwrap().is_ice);
    }

    #[test]
    fn a_listener_for_tls_takes_nothing_else() {
        let door = Door { wants_tls: true, ..ANY };
        assert_eq!(door.decide(&[0x00, 0x01]), Err(End::Tls));
        assert!(door.decide(&[0x16]).unwrap().unwrap().is_tls);
    }

    #[test]
    fn only_trusted_proxies_may_name_others() {
        let door = Door { proxied: true, ..ANY };
        let (tls, plain) = (proxied(&[0x16]), proxied(&[0x40]));
        assert!((0..28).all(|cut| door.decide(&tls[..cut]) == Ok(None)));
        let decided = door.decide(&tls).unwrap().unwrap();
        assert_eq!((decided.skip, decided.is_tls), (28, true));
        assert_eq!(decided.addresses, Some(("192.0.2.1:9".parse().unwrap(), "203.0.113.7:3478".parse().unwrap())));
        assert!(!door.decide(&plain).unwrap().unwrap().is_tls);
        assert_eq!(ANY.decide(&tls).unwrap().unwrap().addresses, None);
        assert_eq!(door.decide(b"\r\nGET /"), Err(End::Proxy));
    }
}
