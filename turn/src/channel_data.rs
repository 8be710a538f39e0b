//! ChannelData (RFC 8656 §12.4): four bytes of header before the payload.
//!
//! ```text
//! +-------------------------------+-------------------------------+
//! |  channel number 0x4000-0x7FFF |  length of the data in bytes  |
//! +-------------------------------+-------------------------------+
//! |  data, and up to 3 bytes of padding                           |
//! ```

use std::ops::Range;

/// The bytes before the data.
pub const HEADER_LEN: usize = 4;

/// The channel number and where the data lies in `bytes`, a whole datagram or a message cut out of a stream. Over UDP
/// padding is allowed and not required (§12.5). `None` where the datagram is shorter than it says, or longer than padding explains.
pub fn decode(bytes: &[u8]) -> Option<(u16, Range<usize>)> {
    let (&[n0, n1, l0, l1], data) = bytes.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let extra = data.len().checked_sub(len)?;
    let number = u16::from_be_bytes([n0, n1]);
    (extra < 4 && is_channel_number(number)).then_some((number, HEADER_LEN..HEADER_LEN + len))
}

/// How many bytes follow `len` bytes of data over a stream, up to the next multiple of 4 (RFC 8656 §12.5).
pub(crate) fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}

/// The header for `len` bytes on channel `number`.
pub fn header(number: u16, len: u16) -> [u8; HEADER_LEN] {
    let ([n0, n1], [l0, l1]) = (number.to_be_bytes(), len.to_be_bytes());
    [n0, n1, l0, l1]
}

/// Whether `number` may be bound. RFC 8656 §12 narrowed the range to 0x4000-0x4FFF; clients of RFC 5766 use all of
/// 0x4000-0x7FFF, and no demultiplexing of ours needs the difference.
pub fn is_channel_number(number: u16) -> bool {
    number >> 14 == 1
}
