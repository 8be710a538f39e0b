//! STUN on the wire (RFC 8489 §5, §14): borrowed decoding, encoding into a caller's buffer.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|  method and class         |  length of what follows byte 20|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   magic cookie 0x2112A442                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   transaction id, 96 bits                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | attributes: type 16, length 16, value, padding to 4 bytes ... |
//! ```

mod address;
pub mod attribute;
mod decode;
mod encode;
mod fingerprint;
mod integrity;
mod password_algorithm;

pub use address::{decode_xor_address, encode_xor_address};
pub use attribute::Attribute;
pub use decode::{Attributes, DecodeError, Message};
pub use encode::Encoder;
pub(crate) use integrity::keyed;
pub use integrity::{Integrity, Key, MAC_LEN, SHA256_MAC_LEN, user_hash};
pub use password_algorithm::PasswordAlgorithm;

/// What tells STUN of RFC 5389 and later from RFC 3489.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// The bytes before the first attribute.
pub const HEADER_LEN: usize = 20;

/// The 96 bits that tie an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// What a message is in its transaction (RFC 8489 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It wants an answer.
    Request,
    /// It wants none.
    Indication,
    /// The answer is yes.
    Success,
    /// The answer is no.
    Error,
}

/// A method's number, 12 bits (RFC 8489 §18.2, RFC 8656 §17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(pub u16);

impl Method {
    /// RFC 8489 §18.2
    pub const BINDING: Self = Self(0x001);
    /// RFC 8656 §17
    pub const ALLOCATE: Self = Self(0x003);
    /// RFC 8656 §17
    pub const REFRESH: Self = Self(0x004);
    /// RFC 8656 §17
    pub const SEND: Self = Self(0x006);
    /// RFC 8656 §17
    pub const DATA: Self = Self(0x007);
    /// RFC 8656 §17
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// RFC 8656 §17
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// RFC 6062 §6.1
    pub const CONNECT: Self = Self(0x00A);
    /// RFC 6062 §6.1
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// RFC 6062 §6.1
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);
}

/// The first 16 bits: the method's bits with the two bits of the class among them.
pub(crate) fn message_type(class: Class, method: Method) -> u16 {
    let class_bits = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    (method.0 & 0x00F) | (method.0 & 0x070) << 1 | (method.0 & 0xF80) << 2 | class_bits
}

/// The reverse of [`message_type`]; the first two bits of `bits` are zero.
pub(crate) fn class_and_method(bits: u16) -> (Class, Method) {
    let class = match bits & 0x110 {
        0x000 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    };
    (class, Method(bits & 0x00F | (bits >> 1) & 0x070 | (bits >> 2) & 0xF80))
}
