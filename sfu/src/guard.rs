//! What one participant may send to its engine: whoever sends more than any call needs loses the excess, unread.

use std::time::Instant;

use crate::bucket::Bucket;
use crate::rtp;

/// Datagrams a second. Three layers, a screen and both their sounds are about 2,000.
const PACKETS: (u32, u32) = (5_000, 5_000);
/// ICE checks a second from addresses that have proven nothing yet: browsers send some twenty for each pair, slowly.
const CHECKS: (u32, u32) = (50, 100);
/// DTLS records a second: a handshake has a dozen, and data at its full rate some two hundred each way.
const RECORDS: (u32, u32) = (1_000, 1_000);
/// Streams that appear in a second: a browser begins a dozen when a call begins.
const STREAMS: (u32, u32) = (8, 64);
/// Streams that are remembered; beyond them the oldest counts as new again.
const REMEMBERED: usize = 64;

/// Why a datagram was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Too many of any kind.
    Packets,
    /// Too many ICE checks from unknown addresses.
    Checks,
    /// Too many DTLS records.
    Records,
    /// Too many new SSRCs.
    Streams,
}

/// The limits of one participant, and how much of them is used.
#[derive(Debug)]
pub(crate) struct Guard {
    packets: Bucket,
    checks: Bucket,
    records: Bucket,
    new_streams: Bucket,
    streams: Vec<u32>,
    oldest: usize,
}

impl Default for Guard {
    fn default() -> Self {
        let bucket = |(rate, burst)| Bucket::new(rate, burst);
        Self {
            packets: bucket(PACKETS),
            checks: bucket(CHECKS),
            records: bucket(RECORDS),
            new_streams: bucket(STREAMS),
            streams: Vec::new(),
            oldest: 0,
        }
    }
}

impl Guard {
    /// Whether a datagram may be read. `proven`: it comes from an address that is known to be the participant's.
    pub(crate) fn admit(&mut self, now: Instant, bytes: &[u8], proven: bool) -> Result<(), Excess> {
        if !proven {
            // Counted apart: whoever knows no more than the ufrag must not use up what the participant may send.
            return if self.checks.take(now, 1) { Ok(()) } else { Err(Excess::Checks) };
        }
        if !self.packets.take(now, 1) {
            return Err(Excess::Packets);
        }
        match bytes.first() {
            Some(20..=63) if !self.records.take(now, 1) => Err(Excess::Records),
            Some(128..=191) => self.admit_stream(now, bytes),
            _ => Ok(()),
        }
    }

    /// The engine makes room for each SSRC that it sees, before it knows whether the packet is sound.
    fn admit_stream(&mut self, now: Instant, bytes: &[u8]) -> Result<(), Excess> {
        let Some(&[.., a, b, c, d]) = bytes.first_chunk::<12>() else { return Ok(()) };
        if rtp::is_rtcp(bytes) {
            return Ok(());
        }
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        if self.streams.contains(&ssrc) {
            return Ok(());
        }
        if !self.new_streams.take(now, 1) {
            return Err(Excess::Streams);
        }
        if self.streams.len() < REMEMBERED {
            self.streams.push(ssrc);
        } else {
            self.streams[self.oldest] = ssrc;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
