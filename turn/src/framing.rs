//! Cuts a byte stream into STUN messages and ChannelData (RFC 8489 §6.2.2, RFC 8656 §12.5).
//!
//! ```text
//!  stream ──► | STUN header 20 | attributes  | 00.. |      length in bytes 2 and 3, a multiple of 4
//!             | 01.. channel   | data        | pad  |      length in bytes 2 and 3, padded to a multiple of 4
//!             | anything else: the end of the stream
//! ```

use crate::channel_data;
use crate::labels::labels;
use crate::message::{Class, HEADER_LEN, MAGIC_COOKIE, Method, message_type};

/// The longest message that there is: a STUN header and as much as its length can tell.
pub const LONGEST: usize = HEADER_LEN + (u16::MAX as usize & !3);

/// Why what follows in a stream cannot be cut: where the next message begins is no longer known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Neither STUN nor ChannelData by its first two bits.
    Garbage,
    /// It begins like STUN, and has no magic cookie.
    Cookie,
    /// A STUN message whose length is no multiple of 4.
    Length,
    /// Longer than this client may send.
    TooLong,
}

labels!(Broken {
    Garbage => "garbage",
    Cookie => "cookie",
    Length => "length",
    TooLong => "too_long",
});

/// How long the first message of `bytes` is, padding included; `None` while more of it has to come. What is returned lies
/// within `bytes` and is at most `longest`.
///
/// # Errors
/// [`Broken`] where no message begins there. The stream must be closed.
pub fn cut(bytes: &[u8], longest: usize) -> Result<Option<usize>, Broken> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let len = match first >> 6 {
        0b00 => stun(bytes)?,
        0b01 => channel(bytes),
        _ => return Err(Broken::Garbage),
    };
    match len {
        Some(len) if len > longest => Err(Broken::TooLong),
        Some(len) if len <= bytes.len() => Ok(Some(len)),
        _ => Ok(None),
    }
}

/// Whether a message of ours is a peer's data, which may be lost, and no answer, which may not.
pub fn is_data(message: &[u8]) -> bool {
    let indication = message_type(Class::Indication, Method::DATA).to_be_bytes();
    message.first().is_some_and(|first| first >> 6 == 0b01) || message.starts_with(&indication)
}

fn stun(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(&[_, _, l0, l1, ref cookie @ ..]) = bytes.first_chunk::<8>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if *cookie != MAGIC_COOKIE.to_be_bytes() {
        return Err(Broken::Cookie);
    }
    if !length.is_multiple_of(4) {
        return Err(Broken::Length);
    }
    Ok(Some(HEADER_LEN + length))
}

fn channel(bytes: &[u8]) -> Option<usize> {
    let &[_, _, l0, l1] = bytes.first_chunk()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    Some(channel_data::HEADER_LEN + len + channel_data::padding(len))
}
