//! What was sent under which transport-wide number.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Feedback that comes later than that tells nothing.
const LASTS: Duration = Duration::from_secs(2);
const MOST: usize = 8192;
/// How many packets come before the old ones are looked for: they are far from whatever the processor has at hand.
const SWEEP: u64 = 64;

/// A packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) bytes: u32,
    /// The probe that it was part of.
    pub(super) probe: Option<u32>,
}

/// Packets by ascending number.
#[derive(Debug, Default)]
pub(super) struct Register {
    packets: VecDeque<Sent>,
    /// The number of the next packet.
    next: u64,
}

impl Register {
    /// The number of the next packet.
    pub(super) fn next(&self) -> u16 {
        self.next as u16
    }

    /// A packet was sent under that number.
    pub(super) fn add(&mut self, sent: Sent) {
        if self.next.is_multiple_of(SWEEP) {
            let is_old = |first: &Sent| sent.at.saturating_duration_since(first.at) > LASTS;
            while self.packets.len() >= MOST || self.packets.front().is_some_and(is_old) {
                self.packets.pop_front();
            }
        }
        self.packets.push_back(sent);
        self.next += 1;
    }

    /// The packet of a number that was used lately.
    pub(super) fn get(&self, number: u16) -> Option<Sent> {
        let back = usize::from(self.next().wrapping_sub(number));
        self.packets.get(self.packets.len().checked_sub(back).filter(|_| back > 0)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    #[test]
    fn packets_are_found_over_a_rollover_and_forgotten_after_a_while() {
        let (mut register, begin) = (Register::default(), start());
        let sent = |index: u64| Sent { at: begin + Duration::from_millis(index), bytes: index as u32, probe: None };
        assert_eq!(register.get(0), None);
        (0..65_540).for_each(|index| register.add(sent(index)));
        assert_eq!(register.next(), 4);
        assert_eq!(register.get(3), Some(sent(65_539)));
        assert_eq!(register.get(65_535), Some(sent(65_535)));
        assert_eq!(register.get(4), None, "not yet");
        assert_eq!(register.get(60_000), None, "long ago");
    }
}
