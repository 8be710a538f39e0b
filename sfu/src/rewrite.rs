//! Makes the packets of changing tracks and layers look like one unbroken stream to the receiver of a slot.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m::rtp::Vp8Descriptor;

use crate::codec::Glance;
use crate::patch::Patch;

/// Numbers that were left out lately and are remembered one by one, for packets that come late.
const REMEMBERED: usize = 512;
/// A publisher's clock may tell another time than the arrival of its packets by so much; beyond that it is not believed.
const CREDIBLE: Duration = Duration::from_millis(500);

/// The numbers of one slot's stream. The SSRC stays the slot's, whatever track and layer is in it:
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
    source: Option<Source>,
    last: Option<Last>,
    /// A time of the publisher's clock and the timestamp here that belongs to it: all encodings of a track share them.
    anchor: Option<(Duration, u32)>,
}

/// What is added to the numbers of the present source, where it began, and what of it was left out.
#[derive(Debug)]
struct Source {
    first_sequence: u64,
    sequence: u64,
    timestamp: u32,
    picture: u64,
    tl0: u8,
    frame: u16,
    omitted: Omitted,
    omitted_pictures: Omitted,
    newest_picture: u64,
}

/// The highest numbers that were sent.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u64,
    timestamp: u32,
    at: Instant,
    picture: u64,
    tl0: u8,
    frame: u16,
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
    /// When the publisher made it, by its own clock, where its sender reports tell.
    pub captured: Option<Duration>,
    /// The numbers in the payload and the dependency descriptor.
    pub glance: &'a Glance,
}

/// The numbers to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outgoing {
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    /// Those inside the payload, where they differ from what came.
    pub(crate) patch: Option<Patch>,
    /// The dependency descriptor's frame number.
    pub(crate) frame: Option<u16>,
}

impl Rewrite {
    /// Another stream of the same publisher follows, or the same one after a pause.
    pub(crate) fn switch(&mut self) {
        self.source = None;
    }

    /// Another publisher's stream follows, with a clock of its own.
    pub(crate) fn replace(&mut self) {
        self.source = None;
        self.anchor = None;
    }

    /// The numbers for a packet, or `None` for one from before the switch to its source.
    pub(crate) fn apply(&mut self, now: Instant, packet: Incoming<'_>) -> Option<Outgoing> {
        let mut source = match self.source.take() {
            Some(source) => source,
            None => self.begin(now, packet),
        };
        let numbers = source.numbers(packet);
        self.source = Some(source);
        let (outgoing, picture, tl0) = numbers?;
        let previous = self.last;
        if previous.is_none_or(|last| last.sequence < outgoing.sequence) {
            self.last = Some(Last {
                sequence: outgoing.sequence,
                timestamp: outgoing.timestamp,
                at: now,
                picture: picture.or(previous.map(|last| last.picture)).unwrap_or(0),
                tl0: tl0.or(previous.map(|last| last.tl0)).unwrap_or(0),
                frame: outgoing.frame.or(previous.map(|last| last.frame)).unwrap_or(0),
            });
        }
        Some(outgoing)
    }

    /// A packet of the present source is left out: what follows closes the gap.
    pub(crate) fn omit(&mut self, packet: Incoming<'_>) {
        let Some(source) = self.source.as_mut().filter(|source| source.first_sequence <= packet.sequence) else {
            return;
        };
        source.omitted.insert(packet.sequence);
        // Whoever counts VP8 pictures waits for those that are missing; VP9 and AV1 say by name what they need.
        if let Some(id) = packet.glance.vp8.as_ref().and_then(Vp8Descriptor::picture_id) {
            let picture = source.unwrap_picture(id, 0x7fff);
            source.omitted_pictures.insert(picture);
        }
    }

    fn begin(&mut self, now: Instant, packet: Incoming<'_>) -> Source {
        let mut source = Source {
            first_sequence: packet.sequence,
            sequence: 1_u64.wrapping_sub(packet.sequence),
            timestamp: 0,
            picture: 0,
            tl0: 0,
            frame: 0,
            omitted: Omitted::default(),
            omitted_pictures: Omitted::default(),
            // Far from zero, so that earlier pictures have numbers too.
            newest_picture: 1 << 32 | u64::from(packet.picture_id().map_or(0, |(id, _)| id)),
        };
        if let Some(last) = self.last {
            source.sequence = (last.sequence + 1).wrapping_sub(packet.sequence);
            source.timestamp = self.timestamp(now, packet, last).wrapping_sub(packet.timestamp);
            source.picture = (last.picture + 1).wrapping_sub(source.newest_picture);
            source.tl0 = packet.tl0().map_or(0, |index| last.tl0.wrapping_add(1).wrapping_sub(index));
            source.frame = packet.frame().map_or(0, |number| last.frame.wrapping_add(1).wrapping_sub(number));
        }
        if let (Some(captured), None) = (packet.captured, self.anchor) {
            self.anchor = Some((captured, packet.timestamp.wrapping_add(source.timestamp)));
        }
        source
    }

    /// The timestamp that goes on from the last one: by the publisher's clock, which all of its encodings share, else by
    /// the time that passed here.
    fn timestamp(&self, now: Instant, packet: Incoming<'_>, last: Last) -> u32 {
        let ticks = |passed: Duration| (passed.as_micros() * u128::from(packet.clock_rate) / 1_000_000) as u32;
        let passed = now.saturating_duration_since(last.at).clamp(Duration::from_millis(1), Duration::from_secs(3600));
        let by_arrival = last.timestamp.wrapping_add(ticks(passed));
        let by_clock =
            self.anchor.zip(packet.captured).map(|((then, timestamp), captured)| match captured.checked_sub(then) {
                Some(later) => timestamp.wrapping_add(ticks(later)),
                None => timestamp.wrapping_sub(ticks(then - captured)),
            });
        let credible = |timestamp: &u32| (timestamp.wrapping_sub(by_arrival) as i32).unsigned_abs() < ticks(CREDIBLE);
        let chosen = by_clock.filter(credible).unwrap_or(by_arrival);
        // Time goes on, if by one tick: the picture before may have been a later one.
        if (chosen.wrapping_sub(last.timestamp) as i32) < 1 { last.timestamp.wrapping_add(1) } else { chosen }
    }
}

impl Source {
    /// The numbers for a packet of this source, with its extended picture number and TL0PICIDX.
    fn numbers(&mut self, packet: Incoming<'_>) -> Option<(Outgoing, Option<u64>, Option<u8>)> {
        if packet.sequence < self.first_sequence {
            return None;
        }
        let gap = self.omitted.below(packet.sequence)?;
        let picture = match packet.picture_id() {
            Some((id, mask)) => {
                let picture = self.unwrap_picture(id, mask);
                let gap = self.omitted_pictures.below(picture)?;
                Some(picture.wrapping_add(self.picture).wrapping_sub(gap))
            }
            None => None,
        };
        let glance = packet.glance;
        let mut outgoing = Outgoing {
            sequence: packet.sequence.wrapping_add(self.sequence).wrapping_sub(gap),
            timestamp: packet.timestamp.wrapping_add(self.timestamp),
            frame: packet.frame().map(|number| number.wrapping_add(self.frame)),
            ..Outgoing::default()
        };
        let tl0 = packet.tl0().map(|index| index.wrapping_add(self.tl0));
        if let Some(vp8) = &glance.vp8 {
            let picture = picture.map(|picture| picture as u16 & 0x7fff);
            let differs = vp8.picture_id() != picture || vp8.tl0_pic_idx() != tl0;
            outgoing.patch = differs.then_some(Patch::Vp8 { picture: picture.unwrap_or(0), tl0: tl0.unwrap_or(0) });
        }
        if let Some(vp9) = glance.vp9.as_ref().filter(|_| picture.is_some() || tl0.is_some()) {
            let picture = picture.unwrap_or(0) as u16 & vp9.picture_mask();
            let tl0 = tl0.unwrap_or(0);
            let differs =
                vp9.picture_id().is_some_and(|old| old != picture) || vp9.tl0_pic_idx().is_some_and(|old| old != tl0);
            outgoing.patch = differs.then_some(Patch::Vp9 { picture, tl0 });
        }
        Some((outgoing, picture, tl0))
    }

    /// The number of a picture without its rollovers.
    fn unwrap_picture(&mut self, id: u16, mask: u16) -> u64 {
        let span = u64::from(mask) + 1;
        let ahead = (u64::from(id).wrapping_sub(self.newest_picture)) & u64::from(mask);
        if ahead < span / 2 {
            self.newest_picture += ahead;
            self.newest_picture
        } else {
            self.newest_picture - (span - ahead)
        }
    }
}

/// Numbers that were left out of an ascending row.
#[derive(Debug, Default)]
struct Omitted {
    recent: VecDeque<u64>,
    count: u64,
    newest: u64,
}

impl Omitted {
    /// This one is left out, unless a later one was numbered already: its place stays empty then.
    fn insert(&mut self, number: u64) {
        if number <= self.newest {
            return;
        }
        self.newest = number;
        self.count += 1;
        self.recent.push_back(number);
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    /// How many before this one were left out. `None`: it is too late to know, or was itself left out.
    fn below(&mut self, number: u64) -> Option<u64> {
        self.newest = self.newest.max(number);
        let later = match self.recent.back() {
            Some(last) if *last >= number => {
                let at = self.recent.partition_point(|other| *other < number);
                if at == 0 && self.count > self.recent.len() as u64 || self.recent.get(at) == Some(&number) {
                    return None;
                }
                self.recent.len() - at
            }
            _ => 0,
        };
        Some(self.count - later as u64)
    }
}

impl Incoming<'_> {
    /// The picture's number and its bits, as a mask.
    fn picture_id(&self) -> Option<(u16, u16)> {
        let vp8 = self.glance.vp8.as_ref().and_then(Vp8Descriptor::picture_id).map(|id| (id, 0x7fff));
        vp8.or_else(|| self.glance.vp9.as_ref().and_then(|vp9| Some((vp9.picture_id()?, vp9.picture_mask()))))
    }

    fn tl0(&self) -> Option<u8> {
        let vp8 = self.glance.vp8.as_ref().and_then(Vp8Descriptor::tl0_pic_idx);
        vp8.or_else(|| self.glance.vp9.as_ref().and_then(|vp9| vp9.tl0_pic_idx()))
    }

    fn frame(&self) -> Option<u16> {
        self.glance.frame.as_ref().map(|frame| frame.number)
    }
}

#[cfg(test)]
mod tests;
