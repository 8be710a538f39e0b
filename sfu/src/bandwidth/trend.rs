//! Whether delays grow: packets that were sent together are held against those before them, and a line is laid through how much
//! later than these they came (draft-ietf-rmcat-gcc-02 §5.2 to §5.4, with the line of best fit that browsers use).
//!
//! ```text
//!  delay                    ╭── the slope of this line, against a threshold that follows it
//!   │              ·  ·─────╯
//!   │      ·  ·────
//!   │ ·──·                        Over: it rises too steeply.  Under: it falls, queues are being emptied.
//!   └────────────────────► time
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What was sent within so much time is one group.
const BURST: Duration = Duration::from_millis(5);
/// What comes closer together than it was sent is one, too, up to so much time.
const ARRIVES_AT_ONCE: i64 = 5_000;
const LONGEST: i64 = 100_000;
/// Groups that the line is laid through.
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
/// A slope counts for more the more groups there were, up to so many, and so many times.
const GROUPS: u32 = 60;
const GAIN: f64 = 4.0;
/// The threshold in milliseconds, how fast it follows what is above and below it, and within which bounds.
const THRESHOLD: f64 = 12.5;
const FOLLOWS: (f64, f64) = (0.0087, 0.039);
const BOUNDS: (f64, f64) = (6.0, 600.0);
/// What lies so far above is an event of its own, and moves no threshold.
const OUTLIER: f64 = 15.0;
/// It must be too steep for so many milliseconds.
const LASTS: f64 = 10.0;

/// What is made of the delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    #[default]
    Normal,
    Over,
    Under,
}

/// The delays of one link.
#[derive(Debug)]
pub(super) struct Trend {
    current: Option<Group>,
    before: Option<Group>,
    /// When a group came and by how much later than the first, smoothed, both in milliseconds.
    points: VecDeque<(f64, f64)>,
    groups: u32,
    delay: f64,
    smoothed: f64,
    slope: f64,
    threshold: f64,
    followed: Option<f64>,
    over_for: f64,
    over_groups: u32,
    usage: Usage,
}

/// Packets that were sent together.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Instant,
    last_sent: Instant,
    first_came: i64,
    last_came: i64,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            current: None,
            before: None,
            points: VecDeque::with_capacity(WINDOW),
            groups: 0,
            delay: 0.0,
            smoothed: 0.0,
            slope: 0.0,
            threshold: THRESHOLD,
            followed: None,
            over_for: 0.0,
            over_groups: 0,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet that was sent at this time came at that, in microseconds of the client's clock. In the order of sending.
    pub(super) fn add(&mut self, sent: Instant, came: i64) {
        let Some(group) = &mut self.current else {
            self.current = Some(Group::new(sent, came));
            return;
        };
        if sent < group.first_sent {
            return;
        }
        if group.takes(sent, came) {
            group.last_sent = group.last_sent.max(sent);
            group.last_came = group.last_came.max(came);
            return;
        }
        let complete = std::mem::replace(group, Group::new(sent, came));
        if let Some(before) = self.before.replace(complete) {
            self.compare(&before, &complete);
        }
    }

    fn compare(&mut self, before: &Group, group: &Group) {
        let sent = group.last_sent.saturating_duration_since(before.last_sent).as_secs_f64() * 1e3;
        let came = (group.last_came - before.last_came) as f64 / 1e3;
        if came < 0.0 {
            // They overtook each other.
            return;
        }
        self.groups = (self.groups + 1).min(GROUPS);
        self.delay += came - sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        if self.points.len() == WINDOW {
            self.points.pop_front();
        }
        let now = group.last_came as f64 / 1e3;
        self.points.push_back((now, self.smoothed));
        let slope = if self.points.len() == WINDOW { slope(&self.points).unwrap_or(self.slope) } else { self.slope };
        self.judge(slope, sent, now);
    }

    fn judge(&mut self, slope: f64, sent: f64, now: f64) {
        let steepness = f64::from(self.groups) * slope * GAIN;
        let is_over = steepness > self.threshold;
        if is_over {
            self.over_for += if self.over_groups == 0 { sent / 2.0 } else { sent };
            self.over_groups += 1;
            if self.over_for > LASTS && self.over_groups > 1 && slope >= self.slope {
                self.usage = Usage::Over;
                (self.over_for, self.over_groups) = (0.0, 0);
            }
        } else {
            (self.over_for, self.over_groups) = (0.0, 0);
            self.usage = if steepness < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.slope = slope;
        self.follow(steepness.abs(), now);
    }

    /// The threshold follows what links do all the time, so that no other flow takes everything.
    fn follow(&mut self, steepness: f64, now: f64) {
        let passed = (now - self.followed.replace(now).unwrap_or(now)).clamp(0.0, 100.0);
        if steepness > self.threshold + OUTLIER {
            return;
        }
        let (up, down) = FOLLOWS;
        let speed = if steepness < self.threshold { down } else { up };
        self.threshold += speed * (steepness - self.threshold) * passed;
        self.threshold = self.threshold.clamp(BOUNDS.0, BOUNDS.1);
    }
}

impl Group {
    fn new(sent: Instant, came: i64) -> Self {
        Self { first_sent: sent, last_sent: sent, first_came: came, last_came: came }
    }

    fn takes(&self, sent: Instant, came: i64) -> bool {
        if sent.saturating_duration_since(self.first_sent) <= BURST {
            return true;
        }
        let passed = sent.saturating_duration_since(self.last_sent).as_micros() as i64;
        let apart = came - self.last_came;
        apart < passed && apart <= ARRIVES_AT_ONCE && came - self.first_came < LONGEST
    }
}

/// The slope of the line of best fit.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = points.len() as f64;
    let (mut x, mut y) = (0.0, 0.0);
    points.iter().for_each(|(at, delay)| (x, y) = (x + at, y + delay));
    let (x, y) = (x / count, y / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (at, delay) in points {
        above += (at - x) * (delay - y);
        below += (at - x) * (at - x);
    }
    (below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    /// What is made of packets every 10 ms, the n-th of which takes so many microseconds.
    fn usages(count: u64, takes: impl Fn(u64) -> i64) -> Vec<Usage> {
        let (mut trend, begin) = (Trend::default(), start());
        let mut seen = Vec::new();
        for index in 0..count {
            let at = Duration::from_millis(index * 10);
            trend.add(begin + at, at.as_micros() as i64 + takes(index));
            seen.push(trend.usage());
        }
        seen
    }

    #[test]
    fn a_queue_that_grows_is_seen_and_one_that_is_emptied_too() {
        let seen = usages(200, |index| 10_000 + if index < 60 { 0 } else { (index as i64 - 60) * 3_000 });
        assert!(seen[..60].iter().all(|usage| *usage == Usage::Normal));
        let over = seen.iter().position(|usage| *usage == Usage::Over).unwrap();
        assert!((60..85).contains(&over), "after {} packets", over - 60);
        let seen = usages(200, |index| 200_000 - if index < 60 { 0 } else { (index as i64 - 60) * 1_000 });
        assert!(seen.contains(&Usage::Under) && !seen.contains(&Usage::Over));
    }

    #[test]
    fn what_comes_unevenly_is_no_queue() {
        let uneven = |index: u64| 10_000 + (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as i64 % 8_000;
        assert!(usages(2000, uneven).iter().all(|usage| *usage != Usage::Over));
    }
}
