//! Reading a message: checked once from end to end, then only borrowed.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use super::attribute::{self, Attribute};
use super::{
    Class, HEADER_LEN, Integrity, Key, MAC_LEN, MAGIC_COOKIE, Method, SHA256_MAC_LEN, TransactionId, class_and_method,
    decode_xor_address, fingerprint,
};

/// A well-formed message. Its attributes are those before MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256, whichever is
/// first: what comes after is not covered by it, and RFC 8489 §14.5 and §14.6 want it ignored.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    class: Class,
    method: Method,
    /// Where the attributes end that a proof covers.
    proven_end: Option<usize>,
    /// The stronger proof of those that are there, and where its header starts.
    integrity: Option<(Integrity, usize)>,
    has_fingerprint: bool,
}

impl<'a> Message<'a> {
    /// Reads `bytes`, which are one message and nothing else. Every attribute lies within the message afterwards, and a
    /// FINGERPRINT, if there is one, is right.
    ///
    /// # Errors
    /// [`DecodeError`] where it is no STUN message of RFC 5389 or later, or a broken one.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() < HEADER_LEN || bytes[0] >= 0x40 {
            return Err(DecodeError::NotStun);
        }
        if bytes[4..8] != MAGIC_COOKIE.to_be_bytes() {
            return Err(DecodeError::Cookie);
        }
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if length % 4 != 0 || HEADER_LEN + length != bytes.len() {
            return Err(DecodeError::Length);
        }
        let (class, method) = class_and_method(u16::from_be_bytes([bytes[0], bytes[1]]));
        let mut message = Self { bytes, class, method, proven_end: None, integrity: None, has_fingerprint: false };
        message.walk()?;
        Ok(message)
    }

    /// What it is in its transaction.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Its method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Its transaction id.
    pub fn transaction(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_LEN]);
        TransactionId(id)
    }

    /// The attributes before any proof, without FINGERPRINT.
    pub fn attributes(&self) -> Attributes<'a> {
        let end = match self.proven_end {
            Some(offset) => offset,
            None if self.has_fingerprint => self.bytes.len() - fingerprint::ATTRIBUTE_LEN,
            None => self.bytes.len(),
        };
        Attributes { bytes: self.bytes, offset: HEADER_LEN, end }
    }

    /// The value of the first attribute of type `kind`.
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The first attribute of type `kind` as a 32-bit number; `None` too where it has another length.
    pub fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    /// The first attribute of type `kind` as an XOR address; `None` too where it is malformed.
    pub fn xor_address(&self, kind: u16) -> Option<SocketAddr> {
        decode_xor_address(self.attribute(kind)?, self.transaction())
    }

    /// Where the value of the first attribute of type `kind` lies in the bytes that were decoded.
    pub fn range(&self, kind: u16) -> Option<Range<usize>> {
        let mut attributes = self.attributes();
        while let Some(attribute) = attributes.next() {
            if attribute.kind == kind {
                let end = attributes.offset - padding(attribute.value.len());
                return Some(end - attribute.value.len()..end);
            }
        }
        None
    }

    /// Whether it carries MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256, right or wrong.
    pub fn has_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether it carries FINGERPRINT; decoding has found it right.
    pub fn has_fingerprint(&self) -> bool {
        self.has_fingerprint
    }

    /// The proof that counts: MESSAGE-INTEGRITY-SHA256 where it is there (RFC 8489 §9.2.4).
    pub fn integrity(&self) -> Option<Integrity> {
        self.integrity.map(|(integrity, _)| integrity)
    }

    /// Whether the [proof that counts](Self::integrity) is there and was made with `key`. Takes the same time for every
    /// wrong MAC.
    pub fn verify(&self, key: &Key) -> bool {
        let Some((integrity, offset)) = self.integrity else { return false };
        let len = match integrity {
            Integrity::Sha1 => MAC_LEN,
            Integrity::Sha256 => SHA256_MAC_LEN,
        };
        key.verify(integrity, &self.bytes[..offset], &self.bytes[offset + 4..offset + 4 + len])
    }

    /// Checks that every attribute ends within the message, and notes those that are not plain content. After one proof
    /// only a stronger one and FINGERPRINT mean anything.
    fn walk(&mut self) -> Result<(), DecodeError> {
        let mut attributes = Attributes { bytes: self.bytes, offset: HEADER_LEN, end: self.bytes.len() };
        while attributes.offset < attributes.end {
            let start = attributes.offset;
            let attribute = attributes.next().ok_or(DecodeError::Attribute)?;
            match attribute.kind {
                _ if self.has_fingerprint => return Err(DecodeError::Fingerprint),
                attribute::MESSAGE_INTEGRITY if attribute.value.len() != MAC_LEN => return Err(DecodeError::Attribute),
                attribute::MESSAGE_INTEGRITY_SHA256 if attribute.value.len() != SHA256_MAC_LEN => {
                    return Err(DecodeError::Attribute);
                }
                attribute::MESSAGE_INTEGRITY if self.integrity.is_none() => self.prove(Integrity::Sha1, start),
                attribute::MESSAGE_INTEGRITY_SHA256 if self.integrity() != Some(Integrity::Sha256) => {
                    self.prove(Integrity::Sha256, start);
                }
                attribute::FINGERPRINT => {
                    if attribute.value != fingerprint::of(&self.bytes[..start]) {
                        return Err(DecodeError::Fingerprint);
                    }
                    self.has_fingerprint = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn prove(&mut self, integrity: Integrity, start: usize) {
        self.integrity = Some((integrity, start));
        self.proven_end.get_or_insert(start);
    }
}

/// An iterator over attributes; it ends at the first that does not fit.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
    end: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let rest = self.bytes.get(self.offset..self.end)?;
        let (&[k0, k1, l0, l1], rest) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let value = rest.get(..len)?;
        // The message's length is a multiple of 4, and so is every offset: padding never reaches beyond the end.
        self.offset += 4 + len + padding(len);
        Some(Attribute { kind: u16::from_be_bytes([k0, k1]), value })
    }
}

/// Why some bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than a header, or the first two bits are not zero.
    NotStun,
    /// No magic cookie: RFC 3489, or chance.
    Cookie,
    /// The header's length is not that of the bytes, or no multiple of 4.
    Length,
    /// An attribute reaches beyond the message, or a proof has the wrong size.
    Attribute,
    /// FINGERPRINT is wrong or not the last attribute.
    Fingerprint,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStun => "not a STUN message",
            Self::Cookie => "no magic cookie",
            Self::Length => "wrong message length",
            Self::Attribute => "malformed attribute",
            Self::Fingerprint => "wrong fingerprint",
        })
    }
}

impl std::error::Error for DecodeError {}

/// How many bytes follow a value of `len` bytes up to the next multiple of 4.
pub(super) fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
