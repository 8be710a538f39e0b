//! The stream framer: however a stream comes in pieces, the same messages are cut from it, and it breaks at the same place.

use roundturn_turn::framing::{Broken, LONGEST, cut, is_data};
use roundturn_turn::message::HEADER_LEN;

use crate::bytes::Bytes;

/// The first bytes say how long messages may be and how the rest is cut up.
pub fn check(input: &[u8]) {
    let mut input = Bytes(input);
    let longest = [LONGEST, 2048][usize::from(input.byte() & 1)];
    let pieces = Bytes(input.some());
    let whole = read(longest, [input.0].into_iter());
    assert_eq!(read(longest, Pieces { lengths: pieces, stream: input.0 }), whole);
    assert_eq!(read(longest, input.0.chunks(1)), whole);
}

/// A stream in pieces of given lengths, and then what is left of it.
struct Pieces<'a> {
    lengths: Bytes<'a>,
    stream: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.stream.is_empty() {
            return None;
        }
        let len = if self.lengths.is_empty() { self.stream.len() } else { usize::from(self.lengths.byte()) };
        let (piece, rest) = self.stream.split_at(len.min(self.stream.len()));
        self.stream = rest;
        Some(piece)
    }
}

/// The messages, and why there are no more of them.
fn read<'a>(longest: usize, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Broken>) {
    let (mut waiting, mut messages) = (Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        let mut start = 0;
        loop {
            match cut(&waiting[start..], longest) {
                Ok(Some(len)) => {
                    assert!((4..=longest).contains(&len) && len.is_multiple_of(4), "{len}");
                    let message = waiting[start..start + len].to_vec();
                    let is_channel = message[0] >= 0x40;
                    assert!(is_channel || len >= HEADER_LEN);
                    assert!(is_data(&message) || !is_channel);
                    messages.push(message);
                    start += len;
                }
                Ok(None) => break,
                Err(broken) => return (messages, Some(broken)),
            }
        }
        waiting.drain(..start);
    }
    (messages, None)
}
