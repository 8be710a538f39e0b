//! How a password becomes a key (RFC 8489 §18.5.1), and how client and server agree on it (§14.11, §14.12).
//!
//! ```text
//! +-------------------------------+-------------------------------+
//! |  algorithm                    |  length of its parameters     |  PASSWORD-ALGORITHM: one of these
//! +-------------------------------+-------------------------------+  PASSWORD-ALGORITHMS: any number
//! ```

/// How a password becomes a key. Neither algorithm has parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasswordAlgorithm {
    /// 0x0001: what RFC 5389 has, 16 bytes.
    Md5,
    /// 0x0002: 32 bytes.
    Sha256,
}

impl PasswordAlgorithm {
    /// The PASSWORD-ALGORITHMS that this server offers, the better one first.
    pub const OFFERED: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

    /// The algorithm of a PASSWORD-ALGORITHM value; `None` where it is malformed, unknown, or has parameters.
    pub fn decode(value: &[u8]) -> Option<Self> {
        match value {
            [0, 1, 0, 0] => Some(Self::Md5),
            [0, 2, 0, 0] => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The PASSWORD-ALGORITHM value.
    pub fn encode(self) -> [u8; 4] {
        match self {
            Self::Md5 => [0, 1, 0, 0],
            Self::Sha256 => [0, 2, 0, 0],
        }
    }
}
