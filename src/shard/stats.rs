//! Counters of one shard, brought to the metrics once a second: nothing of it is on a packet's way.

mod describe;
mod rows;

use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram, Label};

use super::core::Core;
use super::outgoing::Outgoing;
use super::sockets::Sockets;
use rows::{Row, Value};

/// Brings the counters of one shard out. Shards add up: each adds what has changed since it last did.
pub struct Exporter {
    shard: String,
    meters: Vec<Meter>,
    exported: Option<Instant>,
    turn_ended: Option<Instant>,
    busy: Duration,
}

/// What there is to export.
pub(super) struct Sample<'a> {
    pub(super) core: &'a Core,
    pub(super) sockets: &'a Sockets,
    pub(super) outgoing: &'a Outgoing,
    /// The part of the time that the thread did not wait, 0 to 1.
    pub(super) busy: f64,
    pub(super) shard: &'a str,
}

/// One series, and how much of it this shard has brought so far.
enum Meter {
    Counter(Counter, u64),
    Shared(Gauge, f64),
    Own(Gauge),
    Times(Histogram, u64, u64),
}

impl Exporter {
    /// For shard number `shard`. The metrics' recorder must be there already.
    pub fn new(shard: usize) -> Self {
        describe::describe();
        Self { shard: shard.to_string(), meters: Vec::new(), exported: None, turn_ended: None, busy: Duration::ZERO }
    }

    /// The thread waited from `before` to `now`.
    pub fn on_wakeup(&mut self, before: Instant, now: Instant) {
        if let Some(last) = self.turn_ended.replace(now) {
            self.busy += before.saturating_duration_since(last);
        }
    }

    /// Brings out what has changed. The first time makes every series, at zero where nothing happened.
    pub fn export(&mut self, now: Instant, core: &Core, sockets: &Sockets, outgoing: &Outgoing) {
        let since = self.exported.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        let busy = std::mem::take(&mut self.busy);
        let busy = if since.is_zero() { 0.0 } else { (busy.as_secs_f64() / since.as_secs_f64()).min(1.0) };
        let meters = &mut self.meters;
        let mut place = 0;
        rows::visit(&Sample { core, sockets, outgoing, busy, shard: &self.shard }, &mut |row| {
            if place == meters.len() {
                meters.push(Meter::new(&row));
            }
            meters[place].set(row.value);
            place += 1;
        });
    }
}

impl Meter {
    fn new(row: &Row<'_>) -> Self {
        let labels: Vec<Label> =
            row.labels.iter().map(|&(key, value)| Label::new(key.to_owned(), value.to_owned())).collect();
        match row.value {
            Value::Count(_) => Self::Counter(metrics::counter!(row.name, labels), 0),
            Value::Shared(_) => Self::Shared(metrics::gauge!(row.name, labels), 0.0),
            Value::Times(..) => Self::Times(metrics::histogram!(row.name, labels), 0, 0),
            Value::Own(_) => Self::Own(metrics::gauge!(row.name, labels)),
        }
    }

    fn set(&mut self, value: Value) {
        match (self, value) {
            (Self::Counter(counter, last), Value::Count(value)) => {
                counter.increment(value.saturating_sub(*last));
                *last = value;
            }
            (Self::Shared(gauge, last), Value::Shared(value)) => {
                gauge.increment(value - *last);
                *last = value;
            }
            (Self::Times(histogram, times, sum), Value::Times(count, millis)) => {
                let new = count.saturating_sub(*times);
                if new > 0 {
                    // The mean of what one bucket got is in that bucket, and the sum stays right.
                    let mean = millis.saturating_sub(*sum) as f64 / new as f64 / 1000.0;
                    histogram.record_many(mean, new as usize);
                }
                (*times, *sum) = (count, millis);
            }
            (Self::Own(gauge), Value::Own(value)) => gauge.set(value),
            // Rows come in the same order each time, so that kinds agree.
            _ => {}
        }
    }
}
