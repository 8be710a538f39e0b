//! FINGERPRINT (RFC 8489 §14.7): a CRC-32 that tells STUN from whatever else shares the port.

use super::HEADER_LEN;

/// Header and value.
pub(super) const ATTRIBUTE_LEN: usize = 8;

/// The value for a message whose bytes before the FINGERPRINT are `before`: the length in its header counts the
/// FINGERPRINT too.
pub(super) fn of(before: &[u8]) -> [u8; 4] {
    let length = (before.len() - HEADER_LEN + ATTRIBUTE_LEN) as u16;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&before[..2]);
    crc.update(&length.to_be_bytes());
    crc.update(&before[4..]);
    (crc.finalize() ^ 0x5354_554E).to_be_bytes()
}
