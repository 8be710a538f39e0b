//! Writing a message, attribute by attribute, at the end of a caller's buffer.

use std::net::{IpAddr, SocketAddr};

use crate::Family;

use super::decode::padding;
use super::{
    Class, HEADER_LEN, Key, MAGIC_COOKIE, Method, TransactionId, attribute, encode_xor_address, fingerprint,
    message_type,
};

/// A message in the making. The header's length is right after every step, so that integrity and fingerprint are
/// computed over what is there.
#[derive(Debug)]
pub struct Encoder<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    transaction: TransactionId,
}

impl<'a> Encoder<'a> {
    /// Starts a message after what `bytes` already holds.
    pub fn new(bytes: &'a mut Vec<u8>, class: Class, method: Method, transaction: TransactionId) -> Self {
        let start = bytes.len();
        bytes.extend_from_slice(&message_type(class, method).to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        bytes.extend_from_slice(&transaction.0);
        Self { bytes, start, transaction }
    }

    /// Adds an attribute. One that would make the message longer than 65535 bytes is left out.
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let padding = padding(value.len());
        let content = self.bytes.len() - self.start - HEADER_LEN + 4 + value.len() + padding;
        let (Ok(len), Ok(_)) = (u16::try_from(value.len()), u16::try_from(content)) else { return self };
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(&[0; 3][..padding]);
        self.set_length(content);
        self
    }

    /// Adds a 32-bit number.
    pub fn number(self, kind: u16, value: u32) -> Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Adds an address as MAPPED-ADDRESS has it (RFC 8489 §14.1), which is how ALTERNATE-SERVER is written.
    pub fn address(self, kind: u16, address: SocketAddr) -> Self {
        let [high, low] = address.port().to_be_bytes();
        match address.ip() {
            IpAddr::V4(ip) => self.attribute(kind, &[&[0, 0x01, high, low][..], &ip.octets()].concat()),
            IpAddr::V6(ip) => self.attribute(kind, &[&[0, 0x02, high, low][..], &ip.octets()].concat()),
        }
    }

    /// Adds an XOR-...-ADDRESS.
    pub fn xor_address(self, kind: u16, address: SocketAddr) -> Self {
        let (value, len) = encode_xor_address(address, self.transaction);
        self.attribute(kind, &value[..len])
    }

    /// Adds ERROR-CODE (RFC 8489 §14.8): `code` from 300 to 699, and a phrase for people, at most 127 characters long.
    pub fn error_code(self, code: u16, phrase: &str) -> Self {
        let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend_from_slice(phrase.as_bytes());
        self.attribute(attribute::ERROR_CODE, &value)
    }

    /// Adds ADDRESS-ERROR-CODE (RFC 8656 §18.12): why there is no relay of `family`.
    pub fn address_error_code(self, family: Family, code: u16, phrase: &str) -> Self {
        let family = match family {
            Family::V4 => 0x01,
            Family::V6 => 0x02,
        };
        let mut value = vec![family, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend_from_slice(phrase.as_bytes());
        self.attribute(attribute::ADDRESS_ERROR_CODE, &value)
    }

    /// Adds UNKNOWN-ATTRIBUTES (RFC 8489 §14.13).
    pub fn unknown_attributes(self, kinds: &[u16]) -> Self {
        let value: Vec<u8> = kinds.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        self.attribute(attribute::UNKNOWN_ATTRIBUTES, &value)
    }

    /// Adds MESSAGE-INTEGRITY over all that is there.
    pub fn integrity(self, key: &Key) -> Self {
        let mac = key.mac(&self.bytes[self.start..]);
        self.attribute(attribute::MESSAGE_INTEGRITY, &mac)
    }

    /// Adds MESSAGE-INTEGRITY-SHA256 over all that is there.
    pub fn integrity_sha256(self, key: &Key) -> Self {
        let mac = key.mac_sha256(&self.bytes[self.start..]);
        self.attribute(attribute::MESSAGE_INTEGRITY_SHA256, &mac)
    }

    /// Adds FINGERPRINT over all that is there; nothing may follow it.
    pub fn fingerprint(self) -> Self {
        let value = fingerprint::of(&self.bytes[self.start..]);
        self.attribute(attribute::FINGERPRINT, &value)
    }

    fn set_length(&mut self, content: usize) {
        self.bytes[self.start + 2..self.start + 4].copy_from_slice(&(content as u16).to_be_bytes());
    }
}
