//! MESSAGE-INTEGRITY (RFC 8489 §14.5): HMAC-SHA1 over the message before it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::HEADER_LEN;

/// How long a MAC is.
pub const MAC_LEN: usize = 20;

/// A key with its two hash blocks already taken in: cloning it is cheaper than keying anew, so holders keep it.
#[derive(Clone)]
pub struct Key(Hmac<Sha1>);

impl Key {
    /// The key of the long-term mechanism: MD5 of `username:realm:password` (RFC 8489 §18.5.1.1).
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        let mut md5 = Md5::new();
        for part in [username, ":", realm, ":", password] {
            md5.update(part);
        }
        Self(keyed(&md5.finalize()))
    }

    /// The key of the short-term mechanism: the password itself (RFC 8489 §9.1.1).
    pub fn short_term(password: &str) -> Self {
        Self(keyed(password.as_bytes()))
    }

    /// The MAC of a message whose bytes before MESSAGE-INTEGRITY are `before`: the length in its header counts
    /// MESSAGE-INTEGRITY too, and nothing after it.
    pub(super) fn mac(&self, before: &[u8]) -> [u8; MAC_LEN] {
        let length = (before.len() - HEADER_LEN + 4 + MAC_LEN) as u16;
        let mut mac = self.0.clone();
        mac.update(&before[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&before[4..]);
        mac.finalize().into_bytes().into()
    }

    /// Whether `mac` is the MAC of `before`, in constant time.
    pub(super) fn verify(&self, before: &[u8], mac: &[u8]) -> bool {
        self.mac(before).ct_eq(mac).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// HMAC-SHA1 with a key of any length (RFC 2104 §2: keys longer than a block are hashed first).
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha1> {
    let mut block = [0; 64];
    if key.len() <= block.len() {
        block[..key.len()].copy_from_slice(key);
    } else {
        block[..MAC_LEN].copy_from_slice(&Sha1::digest(key));
    }
    Hmac::new(&block.into())
}
