//! What is printed: progress while it runs, tables at the end.

use crate::common::numbers::{median, sorted, verdict};
use crate::options::{Kind, Options};
use crate::workload::{Measurement, Workload};

/// So many times the packets of Janus for each second of CPU.
const TARGET: f64 = 2.5;

/// Every measurement of a run.
pub struct Report<'a> {
    options: &'a Options,
    measurements: Vec<(Workload, Kind, Measurement)>,
}

impl<'a> Report<'a> {
    /// An empty report.
    pub fn new(options: &'a Options) -> Self {
        Self { options, measurements: Vec::new() }
    }

    /// Says what is being measured.
    pub fn progress(&self, round: usize, workload: Workload, kind: Kind) {
        eprintln!("round {round}/{}  {workload}  {kind}", self.options.rounds);
    }

    /// Takes one measurement.
    pub fn add(&mut self, kind: Kind, workload: Workload, measurement: Measurement) {
        self.measurements.push((workload, kind, measurement));
    }

    /// The tables.
    pub fn print(&self) {
        let Options { rounds, seconds, rate, threads, .. } = self.options;
        println!("{rounds} rounds of {seconds} s, {rate} times the rate of a real call, {threads} thread(s) each");
        for workload in &self.options.workloads {
            println!("\n{workload}, {} participants", workload.seats().len());
            println!(
                "{:<10} {:>13} {:>15} {:>6} {:>9} {:>8} {:>9} {:>9} {:>10}",
                "server",
                "CPU µs/packet",
                "lowest-highest",
                "cores",
                "packets/s",
                "loss %",
                "p50 ms",
                "p99 ms",
                "load µs"
            );
            for kind in &self.options.servers {
                self.print_server(*workload, *kind);
            }
            self.print_ratio(*workload);
        }
    }

    fn print_server(&self, workload: Workload, kind: Kind) {
        let rounds: Vec<_> = self.rounds(workload, kind).collect();
        let middle = |value: fn(&Measurement) -> f64| median(&sorted(rounds.iter().map(|round| value(round))));
        let costs = sorted(rounds.iter().map(|round| round.cpu_micros));
        let (Some(lowest), Some(highest)) = (costs.first(), costs.last()) else { return };
        let sum = |value: fn(&Measurement) -> u64| rounds.iter().map(|round| value(round)).sum::<u64>();
        let (expected, delivered, overrun) = (sum(|m| m.expected), sum(|m| m.delivered), sum(|m| m.overrun));
        println!(
            "{kind:<10} {:>13.2} {:>15} {:>6.2} {:>9.0} {:>8.3} {:>9.2} {:>9.2} {:>10.2}",
            median(&costs),
            format!("{lowest:.2}-{highest:.2}"),
            middle(|round| round.cores),
            delivered as f64 / rounds.len() as f64 / self.options.seconds as f64,
            100.0 * expected.saturating_sub(delivered) as f64 / expected.max(1) as f64,
            middle(|round| f64::from(round.p50_micros) / 1e3),
            middle(|round| f64::from(round.p99_micros) / 1e3),
            middle(|round| round.load_micros),
        );
        if overrun > 0 {
            println!("{:<10} {overrun} of the lost ones found the load's own socket full", "");
        }
    }

    /// Each round is a pair of neighbours in time, so the ratio is taken within rounds.
    fn print_ratio(&self, workload: Workload) {
        let rounds = self.rounds(workload, Kind::Janus).zip(self.rounds(workload, Kind::Roundturn));
        let ratios = sorted(rounds.map(|(theirs, ours)| theirs.cpu_micros / ours.cpu_micros));
        let (Some(lowest), Some(highest)) = (ratios.first(), ratios.last()) else { return };
        let ratio = median(&ratios);
        println!(
            "packets per CPU second / janus {ratio:>6.2}   ({lowest:.2} - {highest:.2})   at least {TARGET:.1}: {}",
            verdict(ratio >= TARGET)
        );
    }

    fn rounds(&self, workload: Workload, kind: Kind) -> impl Iterator<Item = &Measurement> {
        let of_interest = move |entry: &&(Workload, Kind, Measurement)| (entry.0, entry.1) == (workload, kind);
        self.measurements.iter().filter(of_interest).map(|entry| &entry.2)
    }
}
