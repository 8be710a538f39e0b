//! What was sent of a stream lately, to be sent again (RFC 4588).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// For so long, and so many packets: what comes later than that, no decoder waits for.
const LASTS: Duration = Duration::from_secs(1);
const MOST: usize = 1024;
/// How many packets come before the old ones are looked for: they are far from whatever the processor has at hand.
const SWEEP: u64 = 32;
/// A packet that is asked for again sooner is still on its way.
const AGAIN: Duration = Duration::from_millis(25);
/// Of so many bytes one may be sent again, and so many at first: a link that loses more than that is not helped by more.
const SHARE: usize = 4;
const CREDIT: usize = 60_000;

/// Packets by ascending number, and what is known of each.
#[derive(Debug)]
pub(super) struct History<T> {
    packets: VecDeque<Kept<T>>,
    /// Bytes that may be sent again.
    credit: usize,
}

#[derive(Debug)]
struct Kept<T> {
    sequence: u64,
    bytes: usize,
    /// When it was sent last.
    at: Instant,
    what: T,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { packets: VecDeque::new(), credit: CREDIT }
    }
}

impl<T> History<T> {
    /// A packet of so many bytes was sent under this number.
    pub(super) fn keep(&mut self, now: Instant, sequence: u64, bytes: usize, what: T) {
        let kept = Kept { sequence, bytes, at: now, what };
        if kept.sequence.is_multiple_of(SWEEP) {
            let is_old = |first: &Kept<T>| now.saturating_duration_since(first.at) > LASTS;
            while self.packets.len() >= MOST || self.packets.front().is_some_and(is_old) {
                self.packets.pop_front();
            }
        }
        self.credit = (self.credit + bytes / SHARE).min(CREDIT);
        // Some come late.
        let later = self.packets.iter().rev().take_while(|other| other.sequence > kept.sequence).count();
        self.packets.insert(self.packets.len() - later, kept);
    }

    /// The newest packet.
    pub(super) fn last(&self) -> Option<&T> {
        self.packets.back().map(|kept| &kept.what)
    }

    /// The packet of this number, where it is to be sent again now.
    pub(super) fn again(&mut self, now: Instant, number: u16) -> Option<&T> {
        let last = self.packets.back()?.sequence;
        let sequence = last.checked_sub(u64::from((last as u16).wrapping_sub(number)))?;
        let at = self.packets.binary_search_by_key(&sequence, |kept| kept.sequence).ok()?;
        let kept = self.packets.get_mut(at)?;
        if now.saturating_duration_since(kept.at) < AGAIN || self.credit < kept.bytes {
            return None;
        }
        self.credit -= kept.bytes;
        kept.at = now;
        Some(&kept.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    /// A history of packets with these numbers, one a millisecond.
    fn history(sequences: impl IntoIterator<Item = u64>) -> (History<u64>, Instant) {
        let (mut history, mut now) = (History::default(), start());
        for sequence in sequences {
            now += Duration::from_millis(1);
            history.keep(now, sequence, 1000, sequence);
        }
        (history, now)
    }

    #[test]
    fn packets_are_found_by_number_also_those_that_came_late() {
        let (mut history, now) = history((65_530..65_540).chain([65_541, 65_540]));
        let mut again = |number| history.again(now + AGAIN, number).copied();
        assert_eq!([again(65_535), again(0), again(4), again(5)], [65_535, 65_536, 65_540, 65_541].map(Some));
        assert_eq!([again(65_529), again(6)], [None; 2]);
    }

    #[test]
    fn a_packet_that_is_on_its_way_is_not_sent_again() {
        let (mut history, now) = history(1..10);
        assert!(history.again(now, 9).is_none());
        assert!(history.again(now + AGAIN, 9).is_some());
        assert!(history.again(now + AGAIN, 9).is_none());
        assert!(history.again(now + 2 * AGAIN, 9).is_some());
    }

    #[test]
    fn of_what_is_sent_only_a_part_is_sent_again() {
        let (mut history, now) = history(1..=1000);
        let again = (1..=1000).filter(|number| history.again(now + AGAIN, *number).is_some()).count();
        assert_eq!(again, CREDIT / 1000);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (mut history, now) = history(1..=20);
        history.keep(now + LASTS + Duration::from_millis(1), SWEEP, 1000, SWEEP);
        assert_eq!(history.packets.len(), 1, "all but the newest");
    }
}
