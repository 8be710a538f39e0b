//! Nonces and tokens without memory. A nonce is the time they were made and a MAC over it, the client's address and what was offered to it.

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::allocation::Token;
use crate::labels::Label;
use crate::message::keyed;
use crate::{Family, Relay};

/// Makes and recognises nonces. Two with the same key recognise each other's.
///
/// ```text
/// [ "obMatJos2", base64( security features, 3 bytes ) ]
///   base64url( seconds since 1970, 4 bytes | first 8 bytes of HMAC-SHA1(key, seconds | ip | port [ | features ]) )
/// ```
///
/// The first line is the nonce cookie of RFC 8489 §9.2, there only where a feature is offered: since the MAC covers it,
/// nobody on the way can bid client or server down (§9.2.1).
///
/// 64 bits of MAC are enough: a forged nonce opens nothing, it only spares its maker one round trip.
pub(crate) struct Nonces {
    key: Hmac<Sha1>,
}

/// How long a nonce is good for. A client that talks after that is told 438 and goes on with a new one.
pub(crate) const LIFETIME_SECS: u64 = 600;

/// Clocks of shards may differ by as much.
const SKEW_SECS: u64 = 5;

const COOKIE: &[u8] = b"obMatJos2";

/// The cookie and the features behind it.
const PREFIX_LEN: usize = COOKIE.len() + 4;

const TEXT_LEN: usize = 16;

/// The STUN security features (RFC 8489 §18.1) that were offered with a nonce. Bit 0 is the least significant one, as in
/// the test vector of appendix B.1, whose client was told of username anonymity alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// Bit 0: PASSWORD-ALGORITHMS came along.
    pub(crate) password_algorithms: bool,
    /// Bit 1: USERHASH is wanted instead of USERNAME.
    pub(crate) username_anonymity: bool,
}

impl Features {
    fn bits(self) -> u8 {
        u8::from(self.password_algorithms) | u8::from(self.username_anonymity) << 1
    }

    fn of_bits(bits: u8) -> Self {
        Self { password_algorithms: bits & 1 != 0, username_anonymity: bits & 2 != 0 }
    }
}

impl Nonces {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: keyed(key) }
    }

    /// A nonce for `client`, to whom `features` are offered: 16 characters long, or 29 with a cookie.
    pub(crate) fn issue(&self, unix_secs: u64, client: SocketAddr, features: Features) -> String {
        let text = URL_SAFE_NO_PAD.encode(self.bytes(unix_secs as u32, client, features));
        match features.bits() {
            0 => text,
            bits => format!("obMatJos2{}{text}", STANDARD.encode([0, 0, bits])),
        }
    }

    /// What was offered with `nonce`, if it was issued to `client` within the last [`LIFETIME_SECS`].
    pub(crate) fn recognise(&self, nonce: &[u8], unix_secs: u64, client: SocketAddr) -> Option<Features> {
        let (features, text) = split(nonce)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let made = u32::from_be_bytes(*bytes.first_chunk()?);
        let age = (unix_secs as u32).wrapping_sub(made);
        let is_young = u64::from(age) < LIFETIME_SECS || u64::from(age.wrapping_neg()) <= SKEW_SECS;
        (is_young && bool::from(self.bytes(made, client, features).ct_eq(&bytes))).then_some(features)
    }

    /// The RESERVATION-TOKEN of `relay` for `username`.
    ///
    /// ```text
    /// | port, 2 bytes | family | 0 | first 4 bytes of HMAC-SHA1(key, "reservation" | those 4 | username) |
    /// ```
    pub(crate) fn issue_token(&self, relay: Relay, username: &str) -> Token {
        let [high, low] = relay.port.to_be_bytes();
        let head = [high, low, relay.family.index() as u8, 0];
        let mac = self.mac(b"reservation", &head, username);
        let mut token = [0; 8];
        token[..4].copy_from_slice(&head);
        token[4..].copy_from_slice(&mac[..4]);
        token
    }

    /// The relay that `token` was issued for, if it was to `username`.
    pub(crate) fn recognise_token(&self, token: &[u8], username: &str) -> Option<Relay> {
        let &[high, low, family, ..] = token else { return None };
        let relay = Relay { family: *Family::ALL.get(usize::from(family))?, port: u16::from_be_bytes([high, low]) };
        bool::from(self.issue_token(relay, username).ct_eq(token)).then_some(relay)
    }

    /// A MAC over what a token of this kind says, and whose it is.
    pub(crate) fn mac(&self, kind: &[u8], head: &[u8], username: &str) -> [u8; 20] {
        let mut mac = self.key.clone();
        mac.update(kind);
        mac.update(head);
        mac.update(username.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn bytes(&self, made: u32, client: SocketAddr, features: Features) -> [u8; 12] {
        let mut mac = self.key.clone();
        mac.update(&made.to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(&client.port().to_be_bytes());
        if features.bits() != 0 {
            mac.update(&[features.bits()]);
        }
        let mac = mac.finalize().into_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&made.to_be_bytes());
        bytes[4..].copy_from_slice(&mac[..8]);
        bytes
    }
}

/// The features that a nonce's cookie tells of, and what comes after.
fn split(nonce: &[u8]) -> Option<(Features, &[u8])> {
    if nonce.len() == TEXT_LEN {
        return Some((Features::default(), nonce));
    }
    let (prefix, text) = nonce.split_at_checked(PREFIX_LEN)?;
    let bits = STANDARD.decode(prefix.strip_prefix(COOKIE)?).ok()?;
    match bits[..] {
        [0, 0, bits @ 1..=3] if text.len() == TEXT_LEN => Some((Features::of_bits(bits), text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_176_000;
    const PLAIN: Features = Features { password_algorithms: false, username_anonymity: false };
    const ALGORITHMS: Features = Features { password_algorithms: true, username_anonymity: false };
    const BOTH: Features = Features { password_algorithms: true, username_anonymity: true };

    fn client(port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, 1], port))
    }

    #[test]
    fn a_nonce_is_good_for_its_client_for_ten_minutes() {
        let nonces = Nonces::new(&[7; 32]);
        for features in [PLAIN, ALGORITHMS, BOTH] {
            let nonce = nonces.issue(NOW, client(1000), features);
            let recognise = |unix_secs, port| nonces.recognise(nonce.as_bytes(), unix_secs, client(port));
            assert_eq!(recognise(NOW, 1000), Some(features));
            assert_eq!(recognise(NOW + 599, 1000), Some(features));
            assert_eq!(recognise(NOW + 600, 1000), None);
            assert_eq!(recognise(NOW, 1001), None);
        }
    }

    #[test]
    fn the_cookie_tells_what_is_offered_and_is_not_there_where_nothing_is() {
        let nonces = Nonces::new(&[7; 32]);
        assert_eq!(nonces.issue(NOW, client(1), PLAIN).len(), 16);
        assert!(nonces.issue(NOW, client(1), ALGORITHMS).starts_with("obMatJos2AAAB"));
        assert!(nonces.issue(NOW, client(1), BOTH).starts_with("obMatJos2AAAD"));
    }

    #[test]
    fn shards_of_one_process_share_nonces_and_others_do_not() {
        let nonce = Nonces::new(&[7; 32]).issue(NOW, client(1), PLAIN);
        assert_eq!(Nonces::new(&[7; 32]).recognise(nonce.as_bytes(), NOW - 2, client(1)), Some(PLAIN));
        assert_eq!(Nonces::new(&[8; 32]).recognise(nonce.as_bytes(), NOW, client(1)), None);
    }

    #[test]
    fn a_changed_nonce_is_not_recognised() {
        let nonces = Nonces::new(&[7; 32]);
        for features in [PLAIN, BOTH] {
            let nonce = nonces.issue(NOW, client(1), features);
            for at in 0..nonce.len() {
                let mut changed = nonce.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                assert_eq!(nonces.recognise(&changed, NOW, client(1)), None, "byte {at}");
            }
        }
        let stripped = nonces.issue(NOW, client(1), BOTH).split_off(PREFIX_LEN);
        assert_eq!(nonces.recognise(stripped.as_bytes(), NOW, client(1)), None);
        let added = format!("obMatJos2AAAB{}", nonces.issue(NOW, client(1), PLAIN));
        assert_eq!(nonces.recognise(added.as_bytes(), NOW, client(1)), None);
        for nonsense in ["", "obMatJos2", "obMatJos2AAAA0123456789abcdef", "obMatJos2////0123456789abcdef"] {
            assert_eq!(nonces.recognise(nonsense.as_bytes(), NOW, client(1)), None);
        }
    }
}
