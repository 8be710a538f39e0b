//! Makes the packets of changing tracks look like one unbroken stream to the receiver of a slot.

use std::time::Instant;

use str0m::rtp::{Vp8Descriptor, Vp8Patch};

/// The numbers of one slot's stream. The SSRC stays the slot's, whatever track is in it:
///
/// ```text
///  track A   seq 70001 70002 70003 |            ts 900000 …
///  track B                         | 512 513    ts 4000 …
///  slot      seq 1     2     3     | 4   5      ts 900000 … continues by the clock
/// ```
///
/// A receiver derives the SRTP rollover counter from the first packet that it sees and starts at 0 (RFC 3711 §3.3.1), so a
/// stream must begin below 65 536, however long its publisher has been sending.
#[derive(Debug, Default)]
pub(crate) struct Rewrite {
    source: Option<Offsets>,
    last: Option<Last>,
}

/// What is added to the numbers of the present source, and where it began.
#[derive(Debug, Clone, Copy)]
struct Offsets {
    first_sequence: u64,
    sequence: u64,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
}

/// The highest numbers that were sent.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u64,
    timestamp: u32,
    at: Instant,
    picture_id: u16,
    tl0: u8,
}

/// The numbers of a packet before it is rewritten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    /// Extended sequence number.
    pub sequence: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Ticks of the timestamp in a second.
    pub clock_rate: u32,
    /// The descriptor, where the payload is VP8.
    pub vp8: Option<&'a Vp8Descriptor>,
}

/// The numbers to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) vp8: Option<Vp8Patch>,
}

impl Rewrite {
    /// Another source follows, or the same one after a pause.
    pub(crate) fn switch(&mut self) {
        self.source = None;
    }

    /// Whether the next packet is the first of its source.
    pub(crate) fn is_fresh(&self) -> bool {
        self.source.is_none()
    }

    /// The numbers for a packet, or `None` for one from before the switch to its source.
    pub(crate) fn apply(&mut self, now: Instant, packet: Incoming<'_>) -> Option<Outgoing> {
        let offsets = match self.source {
            Some(offsets) if packet.sequence < offsets.first_sequence => return None,
            Some(offsets) => offsets,
            None => *self.source.insert(self.begin(now, packet)),
        };
        let sequence = packet.sequence.wrapping_add(offsets.sequence);
        let timestamp = packet.timestamp.wrapping_add(offsets.timestamp);
        let picture_id = packet.vp8.and_then(Vp8Descriptor::picture_id).map(|id| (id + offsets.picture_id) & 0x7fff);
        let tl0 = packet.vp8.and_then(Vp8Descriptor::tl0_pic_idx).map(|index| index.wrapping_add(offsets.tl0));
        let previous = self.last;
        if previous.is_none_or(|last| last.sequence < sequence) {
            self.last = Some(Last {
                sequence,
                timestamp,
                at: now,
                picture_id: picture_id.or(previous.map(|last| last.picture_id)).unwrap_or(0),
                tl0: tl0.or(previous.map(|last| last.tl0)).unwrap_or(0),
            });
        }
        Some(Outgoing { sequence, timestamp, vp8: patch(packet.vp8, offsets, picture_id, tl0) })
    }

    fn begin(&self, now: Instant, packet: Incoming<'_>) -> Offsets {
        let Some(last) = self.last else {
            let sequence = 1_u64.wrapping_sub(packet.sequence);
            return Offsets { first_sequence: packet.sequence, sequence, timestamp: 0, picture_id: 0, tl0: 0 };
        };
        let passed_ms = now.saturating_duration_since(last.at).as_millis().clamp(1, 3_600_000) as u64;
        let ticks = (passed_ms * u64::from(packet.clock_rate) / 1000) as u32;
        let next_picture = last.picture_id.wrapping_add(1);
        let picture_id = packet.vp8.and_then(Vp8Descriptor::picture_id).map_or(0, |id| next_picture.wrapping_sub(id));
        let tl0 = packet.vp8.and_then(Vp8Descriptor::tl0_pic_idx);
        Offsets {
            first_sequence: packet.sequence,
            sequence: (last.sequence + 1).wrapping_sub(packet.sequence),
            timestamp: last.timestamp.wrapping_add(ticks).wrapping_sub(packet.timestamp),
            picture_id: picture_id & 0x7fff,
            tl0: tl0.map_or(0, |index| last.tl0.wrapping_add(1).wrapping_sub(index)),
        }
    }
}

/// The changes to the VP8 descriptor, or `None` where it may stay as it is.
fn patch(
    descriptor: Option<&Vp8Descriptor>,
    offsets: Offsets,
    picture_id: Option<u16>,
    tl0: Option<u8>,
) -> Option<Vp8Patch> {
    if offsets.picture_id == 0 && offsets.tl0 == 0 {
        return None;
    }
    let mut builder = descriptor?.patch();
    if let Some(id) = picture_id {
        builder = builder.picture_id(id);
    }
    if let Some(index) = tl0 {
        builder = builder.tl0_pic_idx(index);
    }
    // A publisher with seven-bit picture ids is left as it is: the id cannot be widened in place.
    builder.build().ok()
}

#[cfg(test)]
mod tests;
