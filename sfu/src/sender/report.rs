//! RTCP about streams that leave past an engine: our reports, and what clients report of them (RFC 3550 §6.4, §6.5).

use std::time::Duration;

use crate::rtp::{RECEIVER_REPORT, REPORT_COUNT, SENDER_REPORT};

/// From 1900, where NTP begins, to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;
const VERSION: u8 = 0x80;
const DESCRIPTION: u8 = 202;
const CNAME: u8 = 1;
/// A header, and what stands behind it before the blocks of a sender's and a receiver's report.
const HEADER: usize = 4;
const BEFORE_BLOCKS: [(u8, usize); 2] = [(SENDER_REPORT, 28), (RECEIVER_REPORT, 8)];
const BLOCK: usize = 24;
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

/// The 32 bits at this place.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The packets of a compound one, each at least its header.
pub(super) fn packets(compound: &[u8]) -> impl Iterator<Item = &[u8]> {
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
    fn ntp_counts_from_1900() {
        assert_eq!(ntp(Duration::from_millis(500)), NTP_EPOCH << 32 | 1 << 31);
        assert_eq!(middle(0x1234_5678_9abc_def0), 0x5678_9abc);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_its_bounds(bytes: Vec<u8>) {
            prop_assert!(receptions(&bytes).len() <= bytes.len() / BLOCK);
        }
    }
}
