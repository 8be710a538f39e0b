//! What a client's first message offers (RFC 6347 §4.2.2, RFC 5246 §7.4.1.2).
//!
//! ```text
//!  │ record, 13 bytes │ handshake, 12: type, length, number, offset, length │ version, 2 │ random, 32 │ session │ cookie │ suites │ …
//!   22 …               1                             0                                                1 + n     1 + n    2 + n
//!  … │ compression │ extensions │
//!      1 + n         2 + n: type, 2 │ 2 + n
//! ```

use std::ops::Range;

/// The content type of handshakes, and the type of a ClientHello among these.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 13;
/// A handshake's length, its number, the offset of this fragment and its length.
const FRAGMENT: usize = 3 + 2 + 3 + 3;
const OFFSET: Range<usize> = 5..8;
const VERSION_AND_RANDOM: usize = 2 + 32;
/// An extension that DTLS 1.3 has brought (RFC 8446 §4.2.1).
const SUPPORTED_VERSIONS: usize = 43;
/// Suites with Diffie-Hellman in finite fields and RSA: browsers have given them up, OpenSSL offers them unless it is told what to
/// offer.
const FINITE_FIELDS: [u16; 7] = [0x0033, 0x0039, 0x0067, 0x006b, 0x009e, 0x009f, 0xccaa];

/// Whether it is the first message of a client that knows less than a browser. Its certificate may be by RSA, as those that OpenSSL's
/// users make often are; what it offers does not tell. `None`: it is no first message, or not its beginning.
pub(super) fn is_older(packet: &[u8]) -> Option<bool> {
    let handshake = packet.strip_prefix(&[HANDSHAKE]).and_then(|_| packet.get(RECORD_HEADER..))?;
    let (fragment, hello) = handshake.strip_prefix(&[CLIENT_HELLO])?.split_at_checked(FRAGMENT)?;
    (number(&fragment[OFFSET]) == 0).then(|| read(hello).unwrap_or(false))
}

/// OpenSSL, which does not know how large a datagram may be, cuts its first message after some 230 bytes: its suites are among
/// them, its extensions not all.
fn read(mut hello: &[u8]) -> Option<bool> {
    take(&mut hello, VERSION_AND_RANDOM)?;
    let _session = counted(&mut hello, 1)?;
    let _cookie = counted(&mut hello, 1)?;
    let suites = counted(&mut hello, 2)?;
    let is_old = |suite: &[u8]| FINITE_FIELDS.iter().any(|old| usize::from(*old) == number(suite));
    Some(suites.chunks_exact(2).any(is_old) && !extends(hello, SUPPORTED_VERSIONS).unwrap_or(false))
}

/// Whether there is an extension of this type behind the compression. `None`: not among those that are here.
fn extends(mut rest: &[u8], kind: usize) -> Option<bool> {
    let _compression = counted(&mut rest, 1)?;
    let length = number(take(&mut rest, 2)?);
    let mut extensions = rest.get(..length).unwrap_or(rest);
    while !extensions.is_empty() {
        if number(take(&mut extensions, 2)?) == kind {
            return Some(true);
        }
        counted(&mut extensions, 2)?;
    }
    Some(false)
}

/// What stands behind its own length of so many bytes.
fn counted<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let length = number(take(rest, bytes)?);
    take(rest, length)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A first message with these suites and extensions.
    fn hello(suites: &[u16], extensions: &[u16]) -> Vec<u8> {
        let counted = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
        let suites = counted(suites.iter().flat_map(|suite| suite.to_be_bytes()).collect());
        let extension = |kind: &u16| [&kind.to_be_bytes()[..], &[0, 2, 1, 2]].concat();
        let extensions = counted(extensions.iter().flat_map(extension).collect());
        let body = [&[0xfe, 0xfd][..], &[7; 32], &[2, 1, 2], &[0], &suites, &[1, 0], &extensions].concat();
        let length = (body.len() as u32).to_be_bytes();
        let head = [&[1][..], &length[1..], &[0, 0, 0, 0, 0], &length[1..]].concat();
        [&[22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &head, &body].concat()
    }

    #[test]
    fn whoever_offers_finite_fields_and_no_dtls_1_3_is_older() {
        assert_eq!(is_older(&hello(&[0xc02b, 0x009e], &[10, 11, 14])), Some(true));
        assert_eq!(is_older(&hello(&[0xc02b, 0x009e], &[10, 43])), Some(false), "DTLS 1.3");
        assert_eq!(is_older(&hello(&[0xc02b, 0xc02f], &[10, 11, 14])), Some(false), "what a browser offers");
    }

    #[test]
    fn what_is_no_first_message_decides_nothing() {
        let whole = hello(&[0x009e], &[]);
        for other in [&[][..], &[22], &whole[..13], &[&[20], &whole[1..]].concat(), &[&whole[..13], &[2]].concat()] {
            assert_eq!(is_older(other), None);
        }
    }

    #[test]
    fn the_beginning_of_one_is_enough_where_all_suites_are_there() {
        let whole = hello(&[0xc02b, 0x009e], &[10, 11, 14]);
        let suites = 25 + 34 + 3 + 1 + 2 + 4;
        for end in 25..whole.len() {
            assert_eq!(is_older(&whole[..end]), Some(end >= suites), "{end} bytes");
        }
        let mut later = whole;
        later[20] = 1;
        assert_eq!(is_older(&later), None, "not its beginning");
    }

    proptest! {
        #[test]
        fn anything_is_read_to_its_end(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let packet = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], &tail].concat();
            prop_assert_eq!(is_older(&packet).is_some(), tail.len() >= FRAGMENT && tail[OFFSET] == [0; 3]);
        }
    }
}
