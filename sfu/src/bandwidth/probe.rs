//! Probes: a moment of more than is sent otherwise, padded, to see whether it comes through.

use std::time::{Duration, Instant};

use super::register::Sent;

/// How long a probe lasts, and how many packets it has at least.
const LASTS: Duration = Duration::from_millis(20);
const PACKETS: u32 = 6;
/// Whose feedback does not come for so long is forgotten.
const PATIENCE: Duration = Duration::from_secs(1);
/// So much of it must have come, in percent.
const COME: u64 = 80;
/// It came so many times faster than it was sent: something on the way held it back, and it tells nothing.
const IMPLAUSIBLE: f64 = 2.0;
/// What comes slower than it was sent, by this factor, came as fast as the link can; a little less is what it carries.
const SLOWER: f64 = 0.9;
const UTILIZATION: f64 = 0.95;

/// A probe, from its first packet until its feedback is there.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) id: u32,
    /// Bits per second.
    rate: f64,
    began: Instant,
    is_over: bool,
    sent: Side<Instant>,
    came: Side<i64>,
    /// Packets of which feedback told, whether they came or not.
    told: u32,
}

/// What a probe tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Bits per second.
    pub(super) rate: f64,
    /// Whether more was sent than the link carries.
    pub(super) is_limit: bool,
}

/// One end of the link: what passed it, and when.
#[derive(Debug)]
struct Side<T> {
    packets: u32,
    bytes: u64,
    first: Option<(T, u32)>,
    last: Option<(T, u32)>,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self { packets: 0, bytes: 0, first: None, last: None }
    }
}

impl<T: Copy + Ord> Side<T> {
    fn add(&mut self, at: T, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
        if self.first.is_none_or(|(first, _)| at < first) {
            self.first = Some((at, bytes));
        }
        if self.last.is_none_or(|(last, _)| at >= last) {
            self.last = Some((at, bytes));
        }
    }
}

impl Probe {
    pub(super) fn new(id: u32, rate: f64, now: Instant) -> Self {
        let (sent, came) = (Side::default(), Side::default());
        Self { id, rate, began: now, is_over: false, sent, came, told: 0 }
    }

    /// Whether packets that are sent now are part of it.
    pub(super) fn is_running(&self) -> bool {
        !self.is_over
    }

    /// When its feedback will not come any more.
    pub(super) fn given_up_at(&self) -> Instant {
        self.began + PATIENCE
    }

    /// A packet was sent as a part of it.
    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        self.sent.add(now, bytes as u32);
    }

    /// How many bytes are missing now. When all are sent it is over.
    pub(super) fn missing(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.began);
        let due = self.rate * passed.min(LASTS).as_secs_f64() / 8.0;
        let missing = (due as usize).saturating_sub(self.sent.bytes as usize);
        if passed >= LASTS && self.sent.packets >= PACKETS {
            self.is_over = true;
            return 0;
        }
        // The first packet leaves at once, so that it is seen when it begins.
        missing.max(usize::from(self.sent.packets == 0 || passed >= LASTS))
    }

    /// Feedback tells of one of its packets: when it came, in microseconds of the client's clock, if it did.
    pub(super) fn learn(&mut self, sent: &Sent, came: Option<i64>) {
        self.told += 1;
        if let Some(came) = came {
            self.came.add(came, sent.bytes);
        }
    }

    /// What came through, once all is known. `None` inside: it tells nothing.
    pub(super) fn result(&self) -> Option<Option<Found>> {
        (self.is_over && self.told >= self.sent.packets).then(|| self.found())
    }

    fn found(&self) -> Option<Found> {
        let ((first_sent, _), (last_sent, last_bytes)) = (self.sent.first?, self.sent.last?);
        let ((first_came, first_bytes), (last_came, _)) = (self.came.first?, self.came.last?);
        if self.came.bytes * 100 < self.sent.bytes * COME {
            return None;
        }
        let rate = |bytes: u64, seconds: f64| (seconds > 0.0).then(|| bytes as f64 * 8.0 / seconds);
        let passed = last_sent.saturating_duration_since(first_sent).as_secs_f64();
        let sent = rate(self.sent.bytes - u64::from(last_bytes), passed)?;
        let came = rate(self.came.bytes - u64::from(first_bytes), (last_came - first_came) as f64 / 1e6)?;
        if came > sent * IMPLAUSIBLE {
            return None;
        }
        let is_limit = came < sent * SLOWER;
        Some(Found { rate: if is_limit { came * UTILIZATION } else { came.min(sent) }, is_limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    /// What a probe of 4 Mbit/s finds on a link that takes so many microseconds for each packet of 250 bytes and loses so many
    /// of the last ones.
    fn found(takes: i64, lost: usize) -> Option<Option<Found>> {
        let begin = start();
        let (mut probe, mut sent, mut now) = (Probe::new(1, 4e6, begin), Vec::new(), begin);
        while probe.is_running() {
            let mut missing = probe.missing(now);
            while missing > 0 {
                probe.sent(now, 250);
                sent.push(Sent { at: now, bytes: 250, probe: Some(1) });
                missing = missing.saturating_sub(250);
            }
            now += Duration::from_millis(1);
        }
        assert!((38..45).contains(&sent.len()), "{}", sent.len());
        assert_eq!(probe.result(), None);
        let (mut free, count) = (0, sent.len());
        for (index, one) in sent.iter().enumerate() {
            free = free.max(one.at.saturating_duration_since(begin).as_micros() as i64) + takes;
            probe.learn(one, (index < count - lost).then_some(free));
        }
        probe.result()
    }

    #[test]
    fn a_free_link_takes_what_is_sent_and_a_narrow_one_tells_its_width() {
        let free = found(10, 0).unwrap().unwrap();
        assert!((3.6e6..4.6e6).contains(&free.rate) && !free.is_limit, "{free:?}");
        let narrow = found(2000, 0).unwrap().unwrap();
        assert!((0.9e6..1.0e6).contains(&narrow.rate) && narrow.is_limit, "{narrow:?}");
    }

    #[test]
    fn losses_tell_nothing() {
        assert!(found(10, 4).unwrap().is_some());
        assert_eq!(found(10, 12), Some(None));
    }
}
