//! Packets that leave: they are handed to an engine one by one, and come out sealed in one go.
//!
//! ```text
//!  write  write  write            pump: catch up      a step for each packet written     all the rest
//!  ─────► queues of the streams ─────► deadlines ───► time, packet │ time, packet │ … ───► … until it waits
//! ```

use std::time::{Duration, Instant};

use str0m::media::Mid;
use str0m::rtp::RtpWrite;
use str0m::{Input, PacerReason, Reason, Rtc};

use super::drain::{Drained, Hold, drain, drain_once};
use super::{Outbox, Participant};
use crate::stages::Stage;

/// Timeouts in one pump. With bandwidth estimation each lets one packet out, so this is also a burst.
const PUMP: usize = 256;
/// How far behind its time a deadline may be served as if it were on time.
const LATENESS: Duration = Duration::from_millis(2);
/// What an engine may have to say before its next packet; the rest comes when it is drained.
const ASIDE: usize = 16;
/// After a packet an engine wants to be told the time at once, only to see that there is no other. So it is told with the next
/// packet, or when this has passed.
const REST: Duration = Duration::from_millis(5);
/// Whoever did nothing for so long is idle.
const BUSY: Duration = Duration::from_millis(200);
/// Speech that pauses (DTX) comes to life within half a second, and its reports count all the while.
const RESTS: Duration = Duration::from_secs(2);
/// How often the engine of someone idle is told the time: its reports, one a second for each section, may wait for that.
const IDLE: Duration = Duration::from_secs(5);

impl Participant {
    /// Hands one packet to the stream of a slot. It leaves with the next [`Self::pump`], which also drains the engine.
    pub(crate) fn write(&mut self, mid: Mid, packet: RtpWrite, out: &mut Outbox) {
        self.drive(out, |rtc, _, _| {
            if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
                // The publisher has paced it already: a second queue adds delay, and what does not fit is not to be sent.
                stream.set_unpaced(true);
                stream.write_rtp(packet);
            }
            Some(((), None))
        });
        self.written += 1;
        self.reach(Stage::Packet, out);
        self.pend(out);
    }

    /// When the engine is to be told the time that it asked to be told at `deadline`: that, except where it has nothing to
    /// pace and nothing to estimate, and pads all the same. Hundreds of people who wait for a meeting are not worth that.
    pub(super) fn postponed(&self, deadline: Instant, reason: Reason) -> Instant {
        match self.fed.filter(|_| self.is_idle()) {
            Some(fed) if matches!(reason, Reason::Pacer(_) | Reason::BweDelayControl) => deadline.max(fed + IDLE),
            _ => deadline,
        }
    }

    /// Whether it neither sends nor is sent anything, nor waits for it.
    pub(super) fn is_idle(&self) -> bool {
        let is_busy = |(fed, busy): (Instant, Instant)| fed.saturating_duration_since(busy) < BUSY;
        self.connected && self.allotment.is_asleep && !self.fed.zip(self.busy).is_some_and(is_busy)
    }

    /// Whether it has been idle for long: what it reports is about streams that do not flow, and costs an engine as much as
    /// reports about streams that do.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.is_idle() && self.busy.is_none_or(|busy| now.saturating_duration_since(busy) >= RESTS)
    }

    /// Lets time pass for the engine until it waits for something later than `now`.
    ///
    /// Its deadlines are gone through one by one, for it sends one packet at each: pollers wake by the millisecond, and a
    /// probe whose packets went out one in each would never show that a link carries more than 2 Mbit/s.
    pub(crate) fn pump(&mut self, now: Instant, out: &mut Outbox) {
        if std::mem::take(&mut self.pending) {
            self.busy = self.busy.max(Some(now));
        }
        let mut owed = std::mem::take(&mut self.written);
        for _ in 0..PUMP {
            let earliest = self.fed.max(now.checked_sub(LATENESS)).unwrap_or(now).min(now);
            let time = self.deadline.unwrap_or(now).clamp(earliest, now);
            self.fed = Some(time);
            let steps = if time == now { std::mem::take(&mut owed) } else { 0 };
            if self.drive(out, |rtc, hold, out| advance(rtc, time, steps, hold, out)).is_none() {
                return;
            }
            if self.deadline.is_none_or(|deadline| deadline > now) {
                return;
            }
        }
        self.deadline = Some(now + Duration::from_millis(1));
    }
}

/// Tells an engine the time, once for each packet that is to leave and at least once, and drains it.
fn advance(
    rtc: &mut Rtc,
    time: Instant,
    steps: usize,
    hold: &mut Hold<'_>,
    out: &mut Outbox,
) -> Option<((), Option<Instant>)> {
    let mut sent = 0;
    loop {
        // What it was told before may have been wrong; whether it still lives is seen when it is drained.
        let _ = rtc.handle_input(Input::Timeout(time));
        if sent + 1 >= steps || !sends(rtc, hold, out)? {
            break;
        }
        sent += 1;
    }
    let before = out.transmits.len();
    let deadline = drain(rtc, hold, out)?;
    let is_done = steps > 0 && sent + 1 == steps && out.transmits.len() == before + 1;
    let is_idle = is_done && rtc.last_timeout_reason() == Reason::Pacer(PacerReason::Immediate);
    Some(((), Some(if is_idle { deadline + REST } else { deadline })))
}

/// Whether a packet comes out of an engine now.
fn sends(rtc: &mut Rtc, hold: &mut Hold<'_>, out: &mut Outbox) -> Option<bool> {
    for _ in 0..ASIDE {
        match drain_once(rtc, hold, out)? {
            Drained::Packet => return Some(true),
            Drained::Other => {}
            Drained::Until(_) => return Some(false),
        }
    }
    Some(false)
}
