//! Nonces without memory: the time they were made and a MAC over it and the client's address.

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::message::keyed;

/// Makes and recognises nonces. Two with the same key recognise each other's.
///
/// ```text
/// base64url( seconds since 1970, 4 bytes | first 8 bytes of HMAC-SHA1(key, seconds | ip | port) )
/// ```
///
/// 64 bits of MAC are enough: a forged nonce opens nothing, it only spares its maker one round trip.
pub(crate) struct Nonces {
    key: Hmac<Sha1>,
}

/// How long a nonce is good for. A client that talks after that is told 438 and goes on with a new one.
pub(crate) const LIFETIME_SECS: u64 = 600;

/// Clocks of shards may differ by as much.
const SKEW_SECS: u64 = 5;

const TEXT_LEN: usize = 16;

impl Nonces {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: keyed(key) }
    }

    /// A nonce for `client`, 16 characters long.
    pub(crate) fn issue(&self, unix_secs: u64, client: SocketAddr) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes(unix_secs as u32, client))
    }

    /// Whether `nonce` was issued to `client` within the last [`LIFETIME_SECS`].
    pub(crate) fn is_fresh(&self, nonce: &[u8], unix_secs: u64, client: SocketAddr) -> bool {
        if nonce.len() != TEXT_LEN {
            return false;
        }
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else { return false };
        let Some(&made) = bytes.first_chunk() else { return false };
        let made = u32::from_be_bytes(made);
        let age = (unix_secs as u32).wrapping_sub(made);
        let is_young = u64::from(age) < LIFETIME_SECS || u64::from(age.wrapping_neg()) <= SKEW_SECS;
        is_young && bool::from(self.bytes(made, client).ct_eq(&bytes))
    }

    fn bytes(&self, made: u32, client: SocketAddr) -> [u8; 12] {
        let mut mac = self.key.clone();
        mac.update(&made.to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(&client.port().to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&made.to_be_bytes());
        bytes[4..].copy_from_slice(&mac[..8]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_176_000;

    fn client(port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, 1], port))
    }

    #[test]
    fn a_nonce_is_good_for_its_client_for_ten_minutes() {
        let nonces = Nonces::new(&[7; 32]);
        let nonce = nonces.issue(NOW, client(1000));
        assert!(nonces.is_fresh(nonce.as_bytes(), NOW, client(1000)));
        assert!(nonces.is_fresh(nonce.as_bytes(), NOW + 599, client(1000)));
        assert!(!nonces.is_fresh(nonce.as_bytes(), NOW + 600, client(1000)));
        assert!(!nonces.is_fresh(nonce.as_bytes(), NOW, client(1001)));
    }

    #[test]
    fn shards_of_one_process_share_nonces_and_others_do_not() {
        let nonce = Nonces::new(&[7; 32]).issue(NOW, client(1));
        assert!(Nonces::new(&[7; 32]).is_fresh(nonce.as_bytes(), NOW - 2, client(1)));
        assert!(!Nonces::new(&[8; 32]).is_fresh(nonce.as_bytes(), NOW, client(1)));
    }

    #[test]
    fn a_changed_nonce_is_not_fresh() {
        let nonces = Nonces::new(&[7; 32]);
        let nonce = nonces.issue(NOW, client(1));
        for at in 0..nonce.len() {
            let mut changed = nonce.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!nonces.is_fresh(&changed, NOW, client(1)), "byte {at}");
        }
        assert!(!nonces.is_fresh(b"", NOW, client(1)));
    }
}
