//! What a subscriber's link carries, from when the packets came that were sent on it.
//!
//! ```text
//!  sent, with numbers ──► Register ─┐                 ┌─► Rate: what comes through ──┐
//!                                   ├─► each packet ──┼─► Trend: do delays grow? ────┼─► the estimate
//!  transport-wide feedback ─────────┘                 └─► Probe: does more come? ────┘
//! ```
//!
//! Delays that grow lower the estimate below what comes through. What a probe finds raises it, and while nothing is wrong it grows
//! slowly. What is lost is no business of its own: see [`Allotment`](crate::allotment::Allotment).

mod probe;
mod rate;
mod register;
mod trend;

use std::time::{Duration, Instant};

use probe::{Found, Probe};
use rate::Rate;
use register::{Register, Sent};
use trend::{Trend, Usage};

/// What a link is trusted with before it is measured, in bits per second: a call should start sharp.
const FIRST: f64 = 2_500_000.0;
/// No link is taken for narrower or wider.
const LEAST: f64 = 50_000.0;
const MOST: f64 = 100_000_000.0;
/// Where delays grow, so much of what comes through is left.
const DECREASE: f64 = 0.85;
/// How soon it is lowered again: what was sent before must have come.
const DECREASE_AGAIN: Duration = Duration::from_millis(250);
/// How fast it grows in a second, by this factor, or by so many bits per second near where it was lowered last; and how many
/// times more than what comes through it may become that way.
const GROWTH: f64 = 1.08;
const SLOW_GROWTH: f64 = 50_000.0;
const NEAR: std::ops::Range<f64> = 0.7..1.3;
const BEYOND: f64 = 1.5;
/// For so long after its last feedback a link that was too full is taken for that: whatever waited on it has left since.
const FULL: Duration = Duration::from_millis(800);
/// A link is probed with so many times what is known of it, and what is desired.
const PROBE_BEYOND: f64 = 2.0;
const PROBE_DESIRED: f64 = 1.15;
/// Probes at the beginning, and how soon one follows another.
const FIRST_PROBES: u32 = 2;
const PROBE_SOON: Duration = Duration::from_millis(120);
/// How often somebody who is held back has the link probed; and where the last probe found more than was known.
const PROBE_INTERVAL: Duration = Duration::from_millis(1500);
const PROBE_AGAIN: Duration = Duration::from_millis(300);
/// By what factor more than was known is more.
const MORE: f64 = 1.05;
/// How often packets of a probe leave, and padding that sustains a rate.
const PROBE_TICK: Duration = Duration::from_millis(1);
const PADDING_TICK: Duration = Duration::from_millis(10);
/// An estimate is told when it differs by such a part from what was told.
const NEWS: f64 = 0.03;

/// What is desired of a link.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Desire {
    /// Bits per second that are sustained, by padding where nothing else is sent.
    pub(crate) minimum: u64,
    /// What would be sent if the link took it.
    pub(crate) desired: u64,
    /// Whether somebody waits for more.
    pub(crate) is_held_back: bool,
}

/// What is known of one subscriber's link.
#[derive(Debug, Default)]
pub(crate) struct Bandwidth {
    /// Whether the client tells when packets came.
    is_measured: bool,
    /// What it tells itself; that holds as long as it told of no packets.
    told_by_client: Option<f64>,
    register: Register,
    trend: Trend,
    rate: Rate,
    estimate: f64,
    /// Whether that is trust, of which nothing is known yet.
    is_trusted: bool,
    /// What came through when it was lowered last, and when.
    lowered: Option<(f64, Instant)>,
    grown: Option<Instant>,
    heard: Option<Instant>,
    desire: Desire,
    probe: Option<Probe>,
    probes: u32,
    /// How many probes of the beginning are left, when the last one began, and whether it found more.
    first_probes: u32,
    probed: Option<Instant>,
    found_more: bool,
    /// The most that probes of the beginning found.
    found: f64,
    /// Bits that are missing of what is to be sustained, and until when that was counted.
    owed: f64,
    counted: Option<Instant>,
    said: f64,
}

impl Bandwidth {
    /// From now on the client tells when packets come.
    pub(crate) fn set_measured(&mut self) {
        if !std::mem::replace(&mut self.is_measured, true) {
            self.begin();
        }
    }

    /// Measures the link anew.
    pub(crate) fn begin(&mut self) {
        self.estimate = self.estimate.max(FIRST);
        (self.trend, self.rate) = (Trend::default(), Rate::default());
        (self.first_probes, self.found, self.probed) = (FIRST_PROBES, 0.0, None);
        (self.is_trusted, self.lowered) = (true, None);
    }

    /// Bits per second; `None`: nobody measures it.
    pub(crate) fn estimate(&self) -> Option<u64> {
        let known = self.told_by_client.filter(|_| self.heard.is_none()).or(self.is_measured.then_some(self.estimate));
        known.map(|known| known as u64)
    }

    /// The transport-wide number of the next packet.
    pub(crate) fn number(&self) -> u16 {
        self.register.next()
    }

    /// A packet was sent under that number.
    pub(crate) fn sent(&mut self, now: Instant, bytes: usize) {
        let probe = self.probe.as_mut().filter(|probe| probe.is_running());
        let id = probe.map(|probe| {
            probe.sent(now, bytes);
            probe.id
        });
        self.owed -= bytes as f64 * 8.0;
        self.register.add(Sent { at: now, bytes: bytes as u32, probe: id });
    }

    /// What is desired from now on.
    pub(crate) fn set_desire(&mut self, now: Instant, desire: Desire) {
        if self.desire.minimum == 0 {
            (self.owed, self.counted) = (0.0, Some(now));
        }
        self.desire = desire;
    }

    /// When [`Self::pad`] has something to do.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        if !self.is_measured || self.desire.desired == 0 {
            return None;
        }
        if let Some(until) = self.full_until(now) {
            return Some(until);
        }
        if self.probe.as_ref().is_some_and(Probe::is_running) {
            return Some(now + PROBE_TICK);
        }
        let counted = self.counted.unwrap_or(now);
        let padding = (self.desire.minimum > 0).then(|| counted + PADDING_TICK);
        [padding, self.next_probe(now)].into_iter().flatten().min()
    }

    /// How many bytes of padding are to leave now.
    pub(crate) fn pad(&mut self, now: Instant) -> usize {
        if !self.is_measured || self.full_until(now).is_some() {
            self.probe = None;
            return 0;
        }
        self.probe.take_if(|probe| probe.given_up_at() <= now);
        if self.next_probe(now).is_some_and(|at| at <= now) {
            self.start_probe(now);
        }
        let missing = self.probe.as_mut().filter(|probe| probe.is_running()).map(|probe| probe.missing(now));
        missing.unwrap_or_else(|| self.missing(now))
    }

    /// Feedback: when packets came, in microseconds of the client's clock, the first of them with this number. The estimate,
    /// where it is another now.
    pub(crate) fn learn(&mut self, now: Instant, base: u16, times: &[Option<i64>]) -> Option<u64> {
        self.heard = Some(now);
        for (index, came) in times.iter().enumerate() {
            let Some(sent) = self.register.get(base.wrapping_add(index as u16)) else { continue };
            if let Some(came) = came {
                self.trend.add(sent.at, *came);
                self.rate.add(*came, sent.bytes);
            }
            if let Some(probe) = self.probe.as_mut().filter(|probe| sent.probe == Some(probe.id)) {
                probe.learn(&sent, *came);
            }
        }
        let before = self.estimate;
        let mut estimate = match self.trend.usage() {
            Usage::Over => self.decrease(now, before),
            Usage::Normal => self.increase(now, before),
            Usage::Under => before,
        };
        self.grown = Some(now);
        if let Some(result) = self.probe.as_ref().and_then(Probe::result) {
            self.probe = None;
            self.found_more = false;
            if let Some(found) = result.filter(|_| self.trend.usage() != Usage::Over) {
                estimate = self.take(&found, estimate);
            }
        }
        self.estimate = estimate.clamp(LEAST, MOST);
        self.tell(self.estimate)
    }

    /// The client tells so many bits per second itself. The estimate, where it is another now.
    pub(crate) fn learn_from_client(&mut self, bits_per_second: u64) -> Option<u64> {
        let told = bits_per_second as f64;
        self.told_by_client = Some(told);
        if self.heard.is_some() { None } else { self.tell(told) }
    }

    fn tell(&mut self, estimate: f64) -> Option<u64> {
        let is_news = (estimate - self.said).abs() > self.said * NEWS;
        is_news.then(|| {
            self.said = estimate;
            estimate as u64
        })
    }

    fn decrease(&mut self, now: Instant, estimate: f64) -> f64 {
        let is_soon = |(_, at): (f64, Instant)| now.saturating_duration_since(at) < DECREASE_AGAIN;
        if self.lowered.is_some_and(is_soon) {
            return estimate;
        }
        let came = self.rate.bits_per_second().unwrap_or(estimate);
        (self.lowered, self.is_trusted) = (Some((came, now)), false);
        // What a probe of this moment would tell is of a queue that is full already.
        (self.probe, self.probed) = (None, Some(now));
        estimate.min(came * DECREASE)
    }

    fn increase(&mut self, now: Instant, estimate: f64) -> f64 {
        let Some(came) = self.rate.bits_per_second().filter(|came| estimate < came * BEYOND) else { return estimate };
        let passed = self.grown.map_or(0.0, |before| now.saturating_duration_since(before).as_secs_f64()).min(1.0);
        let is_near = |(limit, _): (f64, Instant)| NEAR.contains(&(came / limit));
        match self.lowered.is_some_and(is_near) {
            true => estimate + SLOW_GROWTH * passed,
            false => estimate * GROWTH.powf(passed),
        }
    }

    /// A probe found so much.
    fn take(&mut self, found: &Found, estimate: f64) -> f64 {
        self.found_more = found.rate > estimate * MORE;
        self.found = self.found.max(found.rate);
        if !found.is_limit {
            self.is_trusted = false;
        } else if self.is_trusted && self.first_probes == 0 {
            // One probe may have met with something else on its way. If none of them found what was trusted in, it is not there.
            self.is_trusted = false;
            return self.found;
        }
        estimate.max(found.rate)
    }

    /// Until when the link is taken for too full, if it is.
    fn full_until(&self, now: Instant) -> Option<Instant> {
        let until = self.heard.filter(|_| self.trend.usage() == Usage::Over).map(|heard| heard + FULL);
        until.filter(|until| *until > now)
    }

    /// When the link is to be probed.
    fn next_probe(&self, now: Instant) -> Option<Instant> {
        if let Some(probe) = &self.probe {
            return Some(probe.given_up_at());
        }
        if self.desire.desired == 0 {
            return None;
        }
        if self.first_probes > 0 {
            return Some(self.probed.map_or(now, |at| at + PROBE_SOON));
        }
        if !self.desire.is_held_back || self.estimate >= self.desire.desired as f64 {
            return None;
        }
        let interval = if self.found_more { PROBE_AGAIN } else { PROBE_INTERVAL };
        Some(self.probed.map_or(now, |at| at + interval))
    }

    fn start_probe(&mut self, now: Instant) {
        let rate = (self.estimate * PROBE_BEYOND).min(self.desire.desired as f64 * PROBE_DESIRED);
        self.first_probes = self.first_probes.saturating_sub(1);
        self.probes = self.probes.wrapping_add(1);
        self.probed = Some(now);
        self.found_more = false;
        self.probe = Some(Probe::new(self.probes, rate, now));
    }

    /// What is missing of the rate that is to be sustained.
    fn missing(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.counted.replace(now).unwrap_or(now)).as_secs_f64();
        let rate = (self.desire.minimum as f64).min(self.estimate);
        let most = rate * PADDING_TICK.as_secs_f64() * 2.0;
        self.owed = (self.owed + rate * passed).clamp(-most * 4.0, most);
        (self.owed.max(0.0) / 8.0) as usize
    }
}

#[cfg(test)]
mod tests;
