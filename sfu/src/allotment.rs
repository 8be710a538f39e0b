//! What is known of a subscriber's link, and what was made of it.

use std::time::{Duration, Instant};

use crate::budget::Plan;

/// How often somebody who is held back has the link probed.
const PROBE_INTERVAL: Duration = Duration::from_millis(1500);
/// The same where the last probe found more than was known.
const PROBE_AGAIN: Duration = Duration::from_millis(300);
/// How much more is desired each time, and where it begins again, in bits per second.
const NUDGE: u64 = 1_000;
const NUDGES: u64 = 100_000;
/// A link on which every picture is paused, and of which nothing was learned for so long, is measured anew, and then twice as
/// seldom each time: with nothing on it, an engine that saw it overused would never see it free.
const STUCK: Duration = Duration::from_millis(900);
const STUCK_MOST: u32 = 2;
/// From this share of lost packets on, what came is taken for what the link carries. Estimates see delays, but a queue that is
/// always full delays everything alike.
const HEAVY_LOSS: f32 = 0.4;
/// What came is counted for so long at least.
const COUNTED: Duration = Duration::from_millis(500);

/// A subscriber's link.
#[derive(Debug, Default)]
pub(crate) struct Allotment {
    /// Bits per second that the link is trusted with for pictures; `None`: nobody measures it.
    pub(crate) estimate: Option<u64>,
    /// When that was learned, or measuring begun.
    measured: Option<Instant>,
    /// How often it was begun anew, since there was a picture last.
    begun_anew: u32,
    /// Since when there has been room for more.
    pub(crate) room_since: Option<Instant>,
    /// Whether there is nothing to show, so that the link is not measured.
    pub(crate) is_asleep: bool,
    /// The minimum and the rate that were asked of the engine last.
    pub(crate) asked: (u64, u64),
    /// When the engine was made to probe last, at which estimate, and what was added to the desired rate for that.
    nudged: Option<(Instant, u64, u64)>,
    /// Bytes of pictures that were sent since.
    sent: u64,
    sent_since: Option<Instant>,
}

impl Allotment {
    /// The engine estimates so much, or nothing.
    pub(crate) fn learn(&mut self, now: Instant, estimate: Option<u64>) {
        self.estimate = estimate;
        self.measured = Some(now);
    }

    /// So many bytes of a picture were sent.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The client says that it lost this share of the pictures since it said so last. What came, in bits per second, where the
    /// link carries no more than that.
    pub(crate) fn lose(&mut self, now: Instant, share: f32) -> Option<u64> {
        let since = *self.sent_since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed < COUNTED || self.sent == 0 {
            return None;
        }
        let sent = std::mem::take(&mut self.sent) as f64 * 8.0 / passed.as_secs_f64();
        self.sent_since = Some(now);
        let came = (sent * f64::from(1.0 - share)) as u64;
        (share >= HEAVY_LOSS && self.estimate.is_some_and(|known| came < known)).then_some(came)
    }

    /// Whether nothing is learned of the link though everything waits for that.
    pub(crate) fn is_stuck(&mut self, now: Instant, plan: &Plan) -> bool {
        if plan.next.is_none() || plan.choices.iter().any(Option::is_some) {
            self.begun_anew = 0;
            return false;
        }
        let since = *self.measured.get_or_insert(now);
        if now.saturating_duration_since(since) < STUCK * (1 << self.begun_anew) {
            return false;
        }
        self.begun_anew = (self.begun_anew + 1).min(STUCK_MOST);
        self.measured = Some(now);
        true
    }

    /// What to add to the desired rate: the engine probes where it grows, and somebody who is held back wants to know soon
    /// whether the link has become wider. Where the last probe found more, the next one follows soon.
    pub(crate) fn nudge(&mut self, now: Instant, is_held_back: bool) -> u64 {
        let estimate = self.estimate.unwrap_or(0);
        let (at, before, nudge) = *self.nudged.get_or_insert((now, estimate, 0));
        let interval = if estimate > before + before / 20 { PROBE_AGAIN } else { PROBE_INTERVAL };
        if !is_held_back || now.saturating_duration_since(at) < interval {
            return nudge;
        }
        let nudge = (nudge + NUDGE) % NUDGES;
        self.nudged = Some((now, estimate, nudge));
        nudge
    }
}
