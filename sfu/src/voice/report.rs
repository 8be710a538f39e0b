//! RTCP about streams that leave past an engine: our reports, and what clients report of them (RFC 3550 §6.4, §6.5).

use std::time::Duration;

use crate::rtp::{RECEIVER_REPORT, REPORT_COUNT, SENDER_REPORT, TRANSPORT_FEEDBACK, TRANSPORT_WIDE};

/// From 1900, where NTP begins, to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;
const VERSION: u8 = 0x80;
const DESCRIPTION: u8 = 202;
const CNAME: u8 = 1;
/// A header, and what stands behind it before the blocks of a sender's and a receiver's report.
const HEADER: usize = 4;
const BEFORE_BLOCKS: [(u8, usize); 2] = [(SENDER_REPORT, 28), (RECEIVER_REPORT, 8)];
const BLOCK: usize = 24;
/// Where transport-wide feedback has the number of its first packet, the count of packets, its own number, and the first chunk
/// of two bytes.
const BASE: usize = 12;
const PACKETS: usize = 14;
const NUMBER: usize = 19;
const CHUNKS: usize = 20;

/// What is said of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SenderReport {
    pub(super) ssrc: u32,
    /// The time that it is said, of the wall clock; and by the stream's clock.
    pub(super) ntp: u64,
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

/// What a client says of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reception {
    pub(super) ssrc: u32,
    /// Packets that never came, in all; negative where some came twice.
    pub(super) lost: i32,
    /// The highest sequence number, with its rollovers above.
    pub(super) highest: u32,
    /// The middle of the NTP time of our last report, 0 without one; and how long ago that came, in 1/65536 s.
    pub(super) last_report: u32,
    pub(super) delay: u32,
}

/// What a client says of packets one after the other, of whatever stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrivals {
    /// The number of this report: where one is missing, more may have come than is known.
    pub(super) number: u8,
    /// The number of the first.
    pub(super) base: u16,
    /// How many came and how many did not.
    pub(super) came: u16,
    pub(super) lost: u16,
}

/// An NTP timestamp: seconds and their 2^32ths.
pub(super) fn ntp(unix: Duration) -> u64 {
    let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
    ((unix.as_secs() + NTP_EPOCH) << 32) | fraction
}

/// The part of an NTP timestamp that reports carry back, in 1/65536 s.
pub(super) fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

impl SenderReport {
    /// The compound packet with the sender's name.
    pub(super) fn write(&self, cname: &str) -> Vec<u8> {
        let mut bytes = vec![VERSION, SENDER_REPORT, 0, 6];
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(self.ntp.to_be_bytes());
        for word in [self.timestamp, self.packets, self.octets] {
            bytes.extend(word.to_be_bytes());
        }
        let begins = bytes.len();
        let name = &cname.as_bytes()[..cname.len().min(usize::from(u8::MAX))];
        bytes.extend([VERSION | 1, DESCRIPTION, 0, 0]);
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend([CNAME, name.len() as u8]);
        bytes.extend_from_slice(name);
        // At least one zero ends the list.
        bytes.resize((bytes.len() + 1).next_multiple_of(4), 0);
        let words = ((bytes.len() - begins) / 4 - 1) as u16;
        bytes[begins + 2..begins + 4].copy_from_slice(&words.to_be_bytes());
        bytes
    }
}

/// What a compound packet says of streams that were received.
pub(super) fn receptions(compound: &[u8]) -> Vec<Reception> {
    let blocks = |packet: &'_ [u8]| -> Vec<Reception> {
        let begins = BEFORE_BLOCKS.iter().find(|(kind, _)| packet[1] == *kind).map(|(_, begins)| *begins);
        let blocks = begins.and_then(|begins| packet.get(begins..)).unwrap_or_default();
        blocks.chunks_exact(BLOCK).take(usize::from(packet[0] & REPORT_COUNT)).map(Reception::read).collect()
    };
    packets(compound).flat_map(blocks).collect()
}

/// What a compound packet says of all streams together, packet by packet.
pub(super) fn arrivals(compound: &[u8]) -> Vec<Arrivals> {
    let is_feedback = |packet: &&[u8]| (packet[1], packet[0] & REPORT_COUNT) == (TRANSPORT_FEEDBACK, TRANSPORT_WIDE);
    packets(compound).filter(is_feedback).filter_map(read_arrivals).collect()
}

/// The chunks are runs of one symbol, or vectors of 14 or 7.
fn read_arrivals(packet: &[u8]) -> Option<Arrivals> {
    let word = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    let mut all = Arrivals { number: *packet.get(NUMBER)?, base: word(BASE)?, came: 0, lost: 0 };
    let mut count = |symbol: u16, times: u16, left: u16| {
        let times = times.min(left);
        *(if symbol == 0 { &mut all.lost } else { &mut all.came }) += times;
        left - times
    };
    let mut left = word(PACKETS)?;
    for chunk in packet.get(CHUNKS..)?.chunks_exact(2) {
        let chunk = u16::from_be_bytes([chunk[0], chunk[1]]);
        match chunk >> 14 {
            0 | 1 => left = count(chunk >> 13 & 3, chunk & 0x1fff, left),
            2 => (0..14).rev().for_each(|bit| left = count(chunk >> bit & 1, 1, left)),
            _ => (0..7).rev().for_each(|pair| left = count(chunk >> (2 * pair) & 3, 1, left)),
        }
        if left == 0 {
            break;
        }
    }
    Some(all)
}

/// The packets of a compound one, each at least its header.
fn packets(compound: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = compound;
    std::iter::from_fn(move || {
        let words = u16::from_be_bytes(rest.get(2..HEADER)?.try_into().ok()?);
        let (packet, behind) = rest.split_at_checked((usize::from(words) + 1) * 4)?;
        rest = behind;
        Some(packet)
    })
}

impl Reception {
    fn read(block: &[u8]) -> Self {
        let word = |at: usize| block[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        Self {
            ssrc: word(0),
            // 24 bits with a sign.
            lost: (word(4) << 8) as i32 >> 8,
            highest: word(8),
            last_report: word(16),
            delay: word(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(ssrc: u32, lost: u32) -> Vec<u8> {
        [ssrc, lost, 0x0001_0010, 9, 0x1111_2222, 65_536].iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_report_says_the_time_and_the_name() {
        let report = SenderReport { ssrc: 5, ntp: 1 << 32 | 2, timestamp: 3, packets: 4, octets: 6 };
        let bytes = report.write("abc");
        assert_eq!(bytes[..8], [0x80, 200, 0, 6, 0, 0, 0, 5]);
        assert_eq!(bytes[8..28], [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 6]);
        assert_eq!(bytes[28..], [0x81, 202, 0, 3, 0, 0, 0, 5, 1, 3, b'a', b'b', b'c', 0, 0, 0]);
        assert_eq!(report.write("ab").len(), 28 + 4 + 4 + 2 + 2 + 4, "a zero ends what fills its word");
    }

    #[test]
    fn what_clients_lost_is_read_from_both_kinds_of_reports() {
        let mut bytes = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
        bytes.extend(block(5, 0x80_00_00_03));
        bytes.extend([0x81, 200, 0, 12, 0, 0, 0, 1]);
        bytes.extend([0; 20]);
        bytes.extend(block(6, 0x00_ff_ff_ff));
        let read = receptions(&bytes);
        let first = Reception { ssrc: 5, lost: 3, highest: 0x1_0010, last_report: 0x1111_2222, delay: 65_536 };
        assert_eq!(read, [first, Reception { ssrc: 6, lost: -1, ..first }]);
    }

    #[test]
    fn what_came_is_counted_in_runs_and_vectors() {
        let feedback = |packets: u16, chunks: &[u16]| {
            let mut bytes = vec![0x80 | 15, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9];
            bytes.extend(packets.to_be_bytes());
            bytes.extend([0; 4]);
            chunks.iter().for_each(|chunk| bytes.extend(chunk.to_be_bytes()));
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes[3] = (bytes.len() / 4 - 1) as u8;
            bytes
        };
        let arrivals =
            |bytes: &[u8]| -> Vec<_> { arrivals(bytes).iter().map(|read| (read.base, read.came, read.lost)).collect() };
        assert_eq!(arrivals(&feedback(30, &[0x2000 | 20, 10])), [(9, 20, 10)], "a run that came, one that did not");
        assert_eq!(arrivals(&feedback(14, &[0x8000 | 0b11_0000_0000_0001])), [(9, 3, 11)], "a vector of bits");
        assert_eq!(
            arrivals(&feedback(5, &[0xc000 | 0b01_00_10_00_01_01_01])),
            [(9, 3, 2)],
            "pairs, of which five count"
        );
        let both = [feedback(2, &[0x2002]), feedback(3, &[3])].concat();
        assert_eq!(arrivals(&both), [(9, 2, 0), (9, 0, 3)]);
        assert_eq!(arrivals(&feedback(9, &[])), [(9, 0, 0)]);
    }

    #[test]
    fn ntp_counts_from_1900() {
        assert_eq!(ntp(Duration::from_millis(500)), NTP_EPOCH << 32 | 1 << 31);
        assert_eq!(middle(0x1234_5678_9abc_def0), 0x5678_9abc);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_its_bounds(bytes: Vec<u8>) {
            prop_assert!(receptions(&bytes).len() <= bytes.len() / BLOCK);
            arrivals(&bytes);
        }
    }
}
