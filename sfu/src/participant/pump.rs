//! Time passes for an engine.

use std::time::{Duration, Instant};

use str0m::Input;

use super::{Outbox, Participant};
use crate::timers::together;

/// Timeouts in one pump: an engine that wants more is up to no good.
const PUMP: usize = 16;
/// Whoever did nothing for so long is idle.
const BUSY: Duration = Duration::from_millis(200);
/// When the engines of those who are idle are told the time, all together. They have reports to make ready that nobody waits for; what
/// matters is when their path ends.
pub(crate) const TOGETHER: Duration = Duration::from_secs(5);
/// Speech that pauses (DTX) comes to life within half a second, and its reports count all the while.
const RESTS: Duration = Duration::from_secs(2);

impl Participant {
    /// When the engine is to be told the time that it asked to be told at `deadline`.
    pub(super) fn postponed(&self, deadline: Instant) -> Instant {
        if !self.is_idle() {
            return deadline;
        }
        together(self.sender.began(), TOGETHER, deadline.max(self.checks.expires().unwrap_or(deadline)))
    }

    /// Whether it neither sends nor is sent anything, nor waits for it.
    fn is_idle(&self) -> bool {
        let is_busy = |(fed, busy): (Instant, Instant)| fed.saturating_duration_since(busy) < BUSY;
        self.connected && self.allotment.is_asleep && !self.fed.zip(self.busy).is_some_and(is_busy)
    }

    /// Whether it has been idle for long: what it reports is about streams that do not flow, and costs an engine as much as
    /// reports about streams that do.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.is_idle() && self.busy.is_none_or(|busy| now.saturating_duration_since(busy) >= RESTS)
    }

    /// Lets time pass for the engine until it waits for something later than `now`.
    pub(crate) fn pump(&mut self, now: Instant, out: &mut Outbox) {
        self.pending = false;
        self.fed = Some(now);
        for _ in 0..PUMP {
            // What it was told before may have been wrong; whether it still lives is seen when it is drained.
            if self.mutate(out, |rtc| rtc.handle_input(Input::Timeout(now)).is_ok()).is_none() {
                return;
            }
            if self.deadline.is_none_or(|deadline| deadline > now) {
                return;
            }
        }
        self.deadline = Some(now + Duration::from_millis(1));
    }
}
