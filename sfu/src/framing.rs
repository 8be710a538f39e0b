//! Cuts a TCP stream into what would be datagrams over UDP: a length of two bytes goes before each (RFC 4571 §2).
//!
//! ```text
//!  stream ──► | length 2 | STUN, DTLS, RTP or RTCP | length 2 | ..      a length of 0 is a frame of nothing
//! ```

use std::ops::Range;

/// The bytes before a frame.
pub const HEADER_LEN: usize = 2;

/// The longest frame that is taken. What clients send fits an Ethernet frame, as it would over UDP.
pub const LONGEST: usize = 2048;

/// A frame longer than [`LONGEST`]: the stream must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TooLong;

/// Where the first frame's content lies in `bytes`; what follows it is the next one's. `None` while more of it has to come.
///
/// # Errors
/// [`TooLong`], as soon as its length is there.
pub fn cut(bytes: &[u8]) -> Result<Option<Range<usize>>, TooLong> {
    let Some(header) = bytes.first_chunk() else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes(*header));
    if len > LONGEST {
        return Err(TooLong);
    }
    let end = HEADER_LEN + len;
    Ok((end <= bytes.len()).then_some(HEADER_LEN..end))
}

/// What goes before a frame of `len` bytes. `None`: no length can tell that.
pub fn header(len: usize) -> Option<[u8; HEADER_LEN]> {
    u16::try_from(len).ok().map(u16::to_be_bytes)
}

/// Whether a packet of ours may be lost on its way, since whoever misses it asks again or does without: media, and what
/// data channels carry. Not so ICE's answers and DTLS's handshake, by their first bytes (RFC 9443 §3).
pub fn may_be_lost(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| *first > 22)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_longer_than_any_datagram_ends_the_stream_before_it_came() {
        assert_eq!(cut(&[0x08, 0x01]), Err(TooLong));
        assert_eq!(cut(&[0x08, 0x00]), Ok(None));
        assert_eq!(cut(&[0x08]), Ok(None));
        assert_eq!(header(0x1_0000), None);
    }

    #[test]
    fn answers_and_handshakes_are_not_lost() {
        assert!(!may_be_lost(&[1, 1]) && !may_be_lost(&[22, 254, 253]));
        assert!(may_be_lost(&[23]) && may_be_lost(&[128]) && may_be_lost(&[47]));
    }

    proptest! {
        /// However a stream is torn, exactly what was framed comes out, in order, and nothing else.
        #[test]
        fn what_was_framed_comes_out(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=LONGEST), 0..20),
            tears in prop::collection::vec(1..3000usize, 1..20),
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(|frame| [&header(frame.len()).unwrap()[..], frame].concat()).collect();
            let (mut waiting, mut rest, mut heard) = (Vec::new(), &stream[..], Vec::new());
            for tear in tears.iter().cycle() {
                let (now, later) = rest.split_at((*tear).min(rest.len()));
                waiting.extend_from_slice(now);
                rest = later;
                while let Some(at) = cut(&waiting).unwrap() {
                    heard.push(waiting[at.clone()].to_vec());
                    waiting.drain(..at.end);
                }
                prop_assert!(waiting.len() < HEADER_LEN + LONGEST, "no more is kept than one frame's beginning");
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(waiting.is_empty());
            prop_assert_eq!(heard, frames);
        }

        /// Garbage is cut into something or ends the stream, and each cut goes on.
        #[test]
        fn garbage_comes_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
            let mut rest = &bytes[..];
            while let Ok(Some(at)) = cut(rest) {
                prop_assert!(at.end >= HEADER_LEN && at.end <= rest.len() && at.len() <= LONGEST);
                rest = &rest[at.end..];
            }
        }
    }
}
