//! MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6): an HMAC over the message before them.

use std::fmt;

use hmac::digest::Output;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{HEADER_LEN, PasswordAlgorithm};

/// How long the MAC of MESSAGE-INTEGRITY is.
pub const MAC_LEN: usize = 20;

/// How long the MAC of MESSAGE-INTEGRITY-SHA256 is: TURN permits no truncation (RFC 8489 §14.6).
pub const SHA256_MAC_LEN: usize = 32;

/// One of the two attributes that prove a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// MESSAGE-INTEGRITY
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256
    Sha256,
}

/// A key. HMAC-SHA1, which nearly everybody uses, has taken in its two hash blocks already: cloning that is cheaper than
/// keying anew, so holders keep it.
#[derive(Clone)]
pub struct Key {
    sha1: Hmac<Sha1>,
    bytes: Box<[u8]>,
    algorithm: PasswordAlgorithm,
}

impl Key {
    /// The key of the long-term mechanism as everybody knows it: MD5 of `username:realm:password` (RFC 8489 §9.2.2).
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        Self::derive(PasswordAlgorithm::Md5, username, realm, password)
    }

    /// The key of the long-term mechanism by `algorithm`: a hash of `username:realm:password` (RFC 8489 §18.5.1).
    pub fn derive(algorithm: PasswordAlgorithm, username: &str, realm: &str, password: &str) -> Self {
        let parts = [username, ":", realm, ":", password];
        match algorithm {
            PasswordAlgorithm::Md5 => Self::new(algorithm, &hash::<Md5>(&parts)),
            PasswordAlgorithm::Sha256 => Self::new(algorithm, &hash::<Sha256>(&parts)),
        }
    }

    /// The key of the short-term mechanism: the password itself (RFC 8489 §9.1.1).
    pub fn short_term(password: &str) -> Self {
        Self::new(PasswordAlgorithm::Md5, password.as_bytes())
    }

    /// A key that was derived by `algorithm` before, of the length that this algorithm has.
    pub(crate) fn new(algorithm: PasswordAlgorithm, bytes: &[u8]) -> Self {
        Self { sha1: keyed(bytes), bytes: bytes.into(), algorithm }
    }

    /// The key itself.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The algorithm that it was derived by.
    pub(crate) fn algorithm(&self) -> PasswordAlgorithm {
        self.algorithm
    }

    /// The MAC of MESSAGE-INTEGRITY over `before`, the bytes of its message before it.
    pub(super) fn mac(&self, before: &[u8]) -> [u8; MAC_LEN] {
        mac(self.sha1.clone(), before, MAC_LEN).into()
    }

    /// The MAC of MESSAGE-INTEGRITY-SHA256 over `before`, the bytes of its message before it.
    pub(super) fn mac_sha256(&self, before: &[u8]) -> [u8; SHA256_MAC_LEN] {
        let mut block = [0; 64];
        if self.bytes.len() <= block.len() {
            block[..self.bytes.len()].copy_from_slice(&self.bytes);
        } else {
            block[..SHA256_MAC_LEN].copy_from_slice(&Sha256::digest(&self.bytes));
        }
        mac(Hmac::<Sha256>::new(&block.into()), before, SHA256_MAC_LEN).into()
    }

    /// Whether `mac` is what `integrity` has over `before`, in constant time.
    pub(super) fn verify(&self, integrity: Integrity, before: &[u8], mac: &[u8]) -> bool {
        match integrity {
            Integrity::Sha1 => self.mac(before).ct_eq(mac).into(),
            Integrity::Sha256 => self.mac_sha256(before).ct_eq(mac).into(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The USERHASH of `username` (RFC 8489 §14.4).
pub fn user_hash(username: &str, realm: &str) -> [u8; 32] {
    hash::<Sha256>(&[username, ":", realm]).into()
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

/// The length in the header counts the attribute that the MAC is for, and nothing after it.
fn mac<M: Mac>(mut mac: M, before: &[u8], mac_len: usize) -> Output<M> {
    let length = (before.len() - HEADER_LEN + 4 + mac_len) as u16;
    mac.update(&before[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&before[4..]);
    mac.finalize().into_bytes()
}

fn hash<D: Digest>(parts: &[&str]) -> Output<D> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}
