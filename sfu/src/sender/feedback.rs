//! What clients ask for and tell packet by packet: transport-wide feedback, NACK, PLI, FIR, REMB.

use super::report::{self, packets};
use crate::rtp::{PAYLOAD_FEEDBACK, REPORT_COUNT, TRANSPORT_FEEDBACK, TRANSPORT_WIDE};

/// Formats of transport and of payload feedback (RFC 4585 §6.2 and §6.3, RFC 5104 §4.3.1).
const NACK: u8 = 1;
const PLI: u8 = 1;
const FIR: u8 = 4;
const APPLICATION: u8 = 15;
/// Where the SSRC that feedback is about stands, and what follows.
const ABOUT: usize = 8;
const ITEMS: usize = 12;
/// Where transport-wide feedback has the count of packets, the time of the first in 64 ms, its own number, and the first chunk
/// of two bytes (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const PACKETS: usize = 14;
const REFERENCE: usize = 15;
const NUMBER: usize = 19;
const CHUNKS: usize = 20;
/// What no feedback tells more of: clients tell several times a second.
const MOST: u16 = 1024;
/// Microseconds of a reference time, and of what is added to it.
const REFERENCE_TICK: i64 = 64_000;
const DELTA_TICK: i64 = 250;

/// When packets came, one after the other, of whatever stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrivals {
    /// The number of this feedback: where one is missing, more may have come than is known.
    pub(super) number: u8,
    /// The number of the first packet.
    pub(super) base: u16,
    /// When each came, in microseconds of the client's clock; `None`: it did not.
    pub(super) times: Vec<Option<i64>>,
}

/// What feedback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feedback {
    Arrivals(Arrivals),
    /// Packets of this SSRC did not come.
    Missing(u32, Vec<u16>),
    /// A keyframe of this SSRC is needed.
    Keyframe(u32),
    /// So many bits per second come through.
    Most(u64),
}

/// All that a compound packet says.
pub(super) fn read(compound: &[u8]) -> Vec<Feedback> {
    let mut said = Vec::new();
    for packet in packets(compound) {
        let (kind, format) = (packet[1], packet[0] & REPORT_COUNT);
        match (kind, format) {
            (TRANSPORT_FEEDBACK, TRANSPORT_WIDE) => said.extend(arrivals(packet).map(Feedback::Arrivals)),
            (TRANSPORT_FEEDBACK, NACK) => said.extend(missing(packet)),
            (PAYLOAD_FEEDBACK, PLI) => said.extend(report::word(packet, ABOUT).map(Feedback::Keyframe)),
            (PAYLOAD_FEEDBACK, FIR) => {
                let asked = packet.get(ITEMS..).unwrap_or_default().chunks_exact(8);
                said.extend(asked.filter_map(|item| report::word(item, 0)).map(Feedback::Keyframe));
            }
            (PAYLOAD_FEEDBACK, APPLICATION) => said.extend(most(packet).map(Feedback::Most)),
            _ => {}
        }
    }
    said
}

/// Each item is a number, and a bit for each of the 16 behind it.
fn missing(packet: &[u8]) -> Option<Feedback> {
    let numbers = packet.get(ITEMS..)?.chunks_exact(4).flat_map(|item| {
        let (first, others) = (u16::from_be_bytes([item[0], item[1]]), u16::from_be_bytes([item[2], item[3]]));
        let behind = (0..16).filter(move |bit| others >> bit & 1 == 1).map(move |bit| first.wrapping_add(bit + 1));
        std::iter::once(first).chain(behind)
    });
    Some(Feedback::Missing(report::word(packet, ABOUT)?, numbers.collect()))
}

/// A rate of 18 bits and by how many bits it is to be shifted, behind four letters and the count of SSRCs.
fn most(packet: &[u8]) -> Option<u64> {
    if packet.get(ITEMS..ITEMS + 4)? != b"REMB" {
        return None;
    }
    let word = report::word(packet, ITEMS + 4)?;
    u64::from(word & 0x3_ffff).checked_shl(word >> 18 & 0x3f)
}

/// The chunks are runs of one symbol, or vectors of 14 or 7. Then a time for each packet that came, of one byte or two.
fn arrivals(packet: &[u8]) -> Option<Arrivals> {
    let half = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    let (count, base, number) = (usize::from(half(PACKETS)?.min(MOST)), half(ITEMS)?, *packet.get(NUMBER)?);
    // 24 bits with a sign, behind the last byte of the count.
    let reference = i64::from((report::word(packet, REFERENCE)? << 8) as i32 >> 8);
    let mut symbols = Vec::with_capacity(count);
    let mut rest = packet.get(CHUNKS..)?;
    while symbols.len() < count {
        let Some((chunk, behind)) = rest.split_first_chunk::<2>() else { break };
        let chunk = u16::from_be_bytes(*chunk);
        let left = count - symbols.len();
        match chunk >> 14 {
            0 | 1 => symbols.extend(std::iter::repeat_n(chunk >> 13 & 3, usize::from(chunk & 0x1fff).min(left))),
            2 => symbols.extend((0..14).rev().map(|bit| chunk >> bit & 1).take(left)),
            _ => symbols.extend((0..7).rev().map(|pair| chunk >> (2 * pair) & 3).take(left)),
        }
        rest = behind;
    }
    let mut time = reference * REFERENCE_TICK;
    let mut times = Vec::with_capacity(symbols.len());
    for symbol in symbols {
        let (delta, length) = match symbol {
            1 => (rest.first().map(|byte| i64::from(*byte)), 1),
            2 => (rest.first_chunk::<2>().map(|bytes| i64::from(i16::from_be_bytes(*bytes))), 2),
            _ => (None, 0),
        };
        time += delta.unwrap_or(0) * DELTA_TICK;
        rest = rest.get(length..).unwrap_or_default();
        times.push(delta.map(|_| time));
    }
    Some(Arrivals { number, base, times })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feedback(count: u16, chunks: &[u16], deltas: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | 15, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9];
        bytes.extend(count.to_be_bytes());
        // The reference time is 2, the number 7.
        bytes.extend([0, 0, 2, 7]);
        chunks.iter().for_each(|chunk| bytes.extend(chunk.to_be_bytes()));
        bytes.extend(deltas);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes[3] = (bytes.len() / 4 - 1) as u8;
        bytes
    }

    fn times(bytes: &[u8]) -> Vec<Option<i64>> {
        match &read(bytes)[..] {
            [Feedback::Arrivals(Arrivals { number: 7, base: 9, times })] => times.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn times_are_told_in_runs_and_vectors() {
        let at = |delta: i64| Some(128_000 + delta * 250);
        let run = feedback(4, &[0x2000 | 2, 2], &[4, 8]);
        assert_eq!(times(&run), [at(4), at(12), None, None], "two that came, two that did not");
        let bits = feedback(14, &[0x8000 | 0b10_0000_0000_0001], &[1, 2]);
        assert_eq!((times(&bits)[0], times(&bits)[13], times(&bits)[5]), (at(1), at(3), None));
        let pairs = feedback(3, &[0xc000 | 0b01_10_00_00_00_00_00], &[5, 0xff, 0xfe]);
        assert_eq!(times(&pairs), [at(5), at(3), None], "a large delta may go back");
        assert_eq!(times(&feedback(2, &[0x2002], &[])), [at(0), at(0)], "zeros fill the last word");
        assert_eq!(times(&feedback(9, &[], &[])), []);
    }

    #[test]
    fn what_is_missing_is_named_with_a_number_and_bits_behind_it() {
        let nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0xff, 0xff, 0x80, 0x01];
        assert_eq!(read(&nack), [Feedback::Missing(5, vec![65_535, 0, 15])]);
    }

    #[test]
    fn keyframes_are_asked_for_in_two_ways() {
        let pli = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 5];
        let fir = [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 6, 9, 0, 0, 0];
        assert_eq!(read(&[&pli[..], &fir].concat()), [Feedback::Keyframe(5), Feedback::Keyframe(6)]);
    }

    #[test]
    fn a_client_without_transport_wide_feedback_tells_what_comes_through() {
        let mut remb = vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0];
        remb.extend(b"REMB");
        // One SSRC, two bits to shift, 250,000.
        remb.extend((1_u32 << 24 | 2 << 18 | 250_000).to_be_bytes());
        remb.extend([0, 0, 0, 5]);
        assert_eq!(read(&remb), [Feedback::Most(1_000_000)]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_its_bounds(mut bytes: Vec<u8>, kind in 205_u8..207) {
            read(&bytes);
            bytes.iter_mut().skip(1).take(1).for_each(|byte| *byte = kind);
            read(&bytes);
        }
    }
}
