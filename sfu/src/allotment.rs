//! What is known of a subscriber's link, and what was made of it.

use std::time::{Duration, Instant};

/// From this share of lost packets on, what came is taken for what the link carries: estimates see delays, and there are none
/// where what is too much is dropped at once. Where that was seen, less is taken for the same.
const HEAVY_LOSS: f32 = 0.25;
const LOSS: f32 = 0.1;
/// What came is counted for so long at least.
const COUNTED: Duration = Duration::from_millis(150);
/// After that nothing more is tried for so long, and for so long where it has happened lately; then ever more, by so much in a
/// second, until there is loss again or the ceiling is so many times higher.
const HOLD: Duration = Duration::from_secs(2);
const HOLD_AGAIN: Duration = Duration::from_secs(4);
const LATELY: Duration = Duration::from_secs(12);
const GROWTH: f64 = 1.5;
const LIFTED: f64 = 6.0;
/// Losses that half as much sent does not lessen have other reasons, for so long.
const OTHER_REASONS: Duration = Duration::from_secs(30);

/// A subscriber's link.
#[derive(Debug, Default)]
pub(crate) struct Allotment {
    /// Since when there has been room for more.
    pub(crate) room_since: Option<Instant>,
    /// Whether there is nothing to show, so that the link is not measured.
    pub(crate) is_asleep: bool,
    /// Bytes of pictures, again or for the first time, and of padding that left since.
    sent: u64,
    sent_since: Option<Instant>,
    /// When losses showed what the link carries.
    cut: Option<Cut>,
    /// Until when losses have other reasons than what is sent.
    innocent_until: Option<Instant>,
}

/// What losses showed.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: Instant,
    /// For how long nothing more is tried.
    hold: Duration,
    /// What was sent and what came of it, in bits per second, and the share that was lost.
    sent: f64,
    came: f64,
    share: f32,
}

impl Allotment {
    /// So many bytes left: pictures, again or for the first time, and padding.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The client says that it lost this share of the pictures since it said so last. Whether less than before is to be sent.
    pub(crate) fn lose(&mut self, now: Instant, share: f32) -> bool {
        let Some(since) = self.sent_since else {
            (self.sent, self.sent_since) = (0, Some(now));
            return false;
        };
        let passed = now.saturating_duration_since(since);
        if passed < COUNTED {
            return false;
        }
        let sent = std::mem::take(&mut self.sent) as f64 * 8.0 / passed.as_secs_f64();
        self.sent_since = Some(now);
        if sent == 0.0 {
            return false;
        }
        let before = self.ceiling(now);
        if share < if before.is_some() { LOSS } else { HEAVY_LOSS }
            || self.innocent_until.is_some_and(|until| now < until)
        {
            return false;
        }
        if let Some(cut) = self.cut
            && now.saturating_duration_since(cut.at) >= cut.hold
            && sent < cut.sent / 2.0
            && share > cut.share * 0.8
        {
            self.innocent_until = Some(now + OTHER_REASONS);
            self.cut = None;
            return true;
        }
        let came = (sent * f64::from(1.0 - share)).max(1.0);
        // A report that still tells of what was sent before the last one is not news.
        let is_news = before.is_none_or(|before| sent > before as f64 * 0.9);
        if is_news {
            // What is lost while nothing more is tried is still of what was sent before.
            let is_again =
                self.cut.is_some_and(|cut| (cut.hold..LATELY).contains(&now.saturating_duration_since(cut.at)));
            let hold = if is_again { HOLD_AGAIN } else { HOLD };
            self.cut = Some(Cut { at: now, hold, sent, share, came });
        }
        is_news
    }

    /// What losses leave of the link, where there were any.
    pub(crate) fn ceiling(&self, now: Instant) -> Option<u64> {
        let Cut { at, hold, came, .. } = self.cut?;
        let growing = now.saturating_duration_since(at).saturating_sub(hold).as_secs_f64();
        let times = GROWTH.powf(growing);
        (times < LIFTED).then_some((came * times) as u64)
    }

    /// What may be sustained by padding, so that it shows whether more would come: nothing, as long as it did not.
    pub(crate) fn to_sustain(&self, now: Instant, minimum: u64) -> u64 {
        match self.cut {
            Some(cut) if now.saturating_duration_since(cut.at) < cut.hold => 0,
            _ => self.ceiling(now).map_or(minimum, |ceiling| minimum.min(ceiling)),
        }
    }
}

#[cfg(test)]
mod tests;
