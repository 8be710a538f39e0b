//! When to ask a publisher for a keyframe: at once, but not often, and again until one comes.

use std::time::{Duration, Instant};

/// Nobody is asked more often: a keyframe costs as much as a second of video.
const THROTTLE: Duration = Duration::from_millis(500);
/// The pause between requests for an encoding that is not its track's smallest, and for any once two were not answered.
const PATIENCE: Duration = Duration::from_secs(1);

/// The keyframe requests of one encoding.
///
/// ```text
///  idle ──want──► ask ──500 ms──► ask ──1 s──► ask ──1 s──► …
///    ▲                                                   │
///    └───────────────── keyframe or pause ◄──────────────┘
/// ```
#[derive(Debug, Default)]
pub(crate) struct KeyframeRequests {
    wanted: bool,
    unanswered: u32,
    last: Option<Instant>,
}

impl KeyframeRequests {
    /// Someone needs a keyframe.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// One came, or nobody needs one any more.
    pub(crate) fn settle(&mut self) {
        self.wanted = false;
        self.unanswered = 0;
    }

    /// When to ask next, if anyone needs one. May be in the past: at once.
    pub(crate) fn due(&self, now: Instant, is_lowest: bool) -> Option<Instant> {
        let pause = if self.unanswered > 1 || !is_lowest { PATIENCE } else { THROTTLE };
        self.wanted.then(|| self.last.map_or(now, |last| last + pause))
    }

    /// Whether to ask now; counts as asked.
    pub(crate) fn ask(&mut self, now: Instant, is_lowest: bool) -> bool {
        let ask = self.due(now, is_lowest).is_some_and(|due| due <= now);
        if ask {
            self.last = Some(now);
            self.unanswered = self.unanswered.saturating_add(1);
        }
        ask
    }
}

#[cfg(test)]
mod tests;
