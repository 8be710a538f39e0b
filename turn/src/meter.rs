//! Measuring what is relayed is a capability that the embedder hands in with each relay.

use std::time::Instant;

use crate::{Limits, Why};

/// Counts the payload of one allocation against budgets that it may share with others, of other servers of the process
/// too. It is asked for each packet, so it must neither wait nor lock.
pub trait Meter: Send {
    /// Counts a packet of `bytes` bytes of payload, if it may pass.
    ///
    /// # Errors
    /// The budget that is used up: [`Why::UserRate`], [`Why::TotalRate`] or [`Why::MonthlyBytes`].
    fn pass(&mut self, now: Instant, direction: Direction, bytes: usize) -> Result<(), Why>;

    /// When more may pass: now or later. For streams, whose bytes wait for it instead of being lost.
    ///
    /// # Errors
    /// [`Why::MonthlyBytes`]: not for a long time.
    fn opens(&mut self, now: Instant, direction: Direction) -> Result<Instant, Why>;

    /// Counts `bytes` that have passed.
    fn charge(&mut self, now: Instant, direction: Direction, bytes: usize);
}

/// Which way payload goes; each has a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to its peers.
    ToPeers,
    /// From peers to the client.
    ToClient,
}

/// Asks `meter`, where there is one and anything is limited at all.
#[inline(always)]
pub(crate) fn pass(
    limits: &Limits,
    meter: &mut Option<Box<dyn Meter>>,
    now: Instant,
    direction: Direction,
    bytes: usize,
) -> Result<(), Why> {
    if limits.metered { ask(meter, now, direction, bytes) } else { Ok(()) }
}

/// When both directions of a stream may move more bytes: at once where nothing is limited.
pub(crate) fn opens(limits: &Limits, meter: &mut Option<Box<dyn Meter>>, now: Instant) -> Result<Instant, Why> {
    let Some(meter) = meter.as_mut().filter(|_| limits.metered) else { return Ok(now) };
    Ok(meter.opens(now, Direction::ToPeers)?.max(meter.opens(now, Direction::ToClient)?))
}

/// Counts what a stream has moved.
pub(crate) fn charge(
    limits: &Limits,
    meter: &mut Option<Box<dyn Meter>>,
    now: Instant,
    direction: Direction,
    bytes: usize,
) {
    if let Some(meter) = meter.as_mut().filter(|_| limits.metered) {
        meter.charge(now, direction, bytes);
    }
}

/// Apart, so that it costs nothing where nothing is limited.
#[inline(never)]
fn ask(meter: &mut Option<Box<dyn Meter>>, now: Instant, direction: Direction, bytes: usize) -> Result<(), Why> {
    meter.as_mut().map_or(Ok(()), |meter| meter.pass(now, direction, bytes))
}
