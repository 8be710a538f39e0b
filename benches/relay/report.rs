//! What is printed: progress while it runs, tables at the end.

use std::io::{IsTerminal, Write};

use anyhow::Result;

use crate::common::numbers::{median, sorted};
use crate::load::Measurement;
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::workload::Workload;

/// What roundturn is to reach: at most this share of the other's CPU per packet.
const TARGETS: [(Workload, Kind, f64); 3] = [
    (Workload::ClientToPeer, Kind::Coturn, 0.85),
    (Workload::ClientToPeer, Kind::Forwarder, 1.15),
    (Workload::RelayToRelay, Kind::Coturn, 0.40),
];

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

    /// How the servers came up, before any load.
    pub fn started(&self, servers: &[Server]) -> Result<()> {
        let Options { rounds, seconds, size, rate, burst, threads, .. } = self.options;
        println!(
            "{size}-byte packets, {rate} a second for each flow and direction in bursts of {burst}, \
             {rounds} rounds of {seconds} s, {threads} relaying thread(s) each\n"
        );
        println!("{:<12} {:>10} {:>16}", "server", "ready ms", "idle resident MB");
        for server in servers {
            let ready = if server.ready_millis > 0.0 { format!("{:.1}", server.ready_millis) } else { "-".into() };
            println!("{:<12} {:>10} {:>16.1}", server.kind, ready, server.resident_bytes()? as f64 / 1e6);
        }
        Ok(())
    }

    /// Says what is being measured.
    pub fn progress(&self, round: usize, workload: Workload, kind: Kind) {
        let mut out = std::io::stderr();
        let text = format!("round {round}/{}  {workload}  {kind:<12}", self.options.rounds);
        // Progress that cannot be shown is no reason to stop.
        let _ = if out.is_terminal() { write!(out, "\r{text}") } else { writeln!(out, "{text}") };
    }

    /// Takes one measurement.
    pub fn add(&mut self, kind: Kind, workload: Workload, measurement: Measurement) {
        self.measurements.push((workload, kind, measurement));
    }

    /// The tables.
    pub fn print(&self) {
        if std::io::stderr().is_terminal() {
            eprintln!();
        }
        for workload in &self.options.workloads {
            println!("\n{workload}, {} calls", workload.calls(self.options));
            println!(
                "{:<12} {:>13} {:>17} {:>9} {:>9} {:>9} {:>10}",
                "server", "CPU ns/packet", "lowest - highest", "loss %", "p50 µs", "p99 µs", "delivered"
            );
            for kind in &self.options.servers {
                self.print_server(*workload, *kind);
            }
            self.print_ratios(*workload);
        }
    }

    fn print_server(&self, workload: Workload, kind: Kind) {
        let rounds: Vec<_> = self.rounds(workload, kind).collect();
        let costs = sorted(rounds.iter().map(|round| round.cpu_nanos));
        let sent: u64 = rounds.iter().map(|round| round.sent).sum();
        let delivered: u64 = rounds.iter().map(|round| round.delivered).sum();
        let (Some(lowest), Some(highest)) = (costs.first(), costs.last()) else { return };
        println!(
            "{kind:<12} {:>13.0} {:>17} {:>9.3} {:>9.0} {:>9.0} {delivered:>10}",
            median(&costs),
            format!("{lowest:.0} - {highest:.0}"),
            100.0 * sent.saturating_sub(delivered) as f64 / sent.max(1) as f64,
            median(&sorted(rounds.iter().map(|round| round.p50_nanos as f64))) / 1e3,
            median(&sorted(rounds.iter().map(|round| round.p99_nanos as f64))) / 1e3,
        );
    }

    /// Each round is a pair of neighbours in time, so the ratio is taken within rounds.
    fn print_ratios(&self, workload: Workload) {
        for other in [Kind::Coturn, Kind::Forwarder] {
            let ratios = sorted(
                self.rounds(workload, Kind::Roundturn)
                    .zip(self.rounds(workload, other))
                    .map(|(ours, theirs)| ours.cpu_nanos / theirs.cpu_nanos),
            );
            let (Some(lowest), Some(highest)) = (ratios.first(), ratios.last()) else { continue };
            let ratio = median(&ratios);
            print!("roundturn / {other:<9} {ratio:>6.2}   ({lowest:.2} - {highest:.2})");
            match TARGETS.iter().find(|target| (target.0, target.1) == (workload, other)) {
                Some((_, _, most)) if ratio <= *most => println!("   at most {most:.2}: reached"),
                Some((_, _, most)) => println!("   at most {most:.2}: missed"),
                None => println!(),
            }
        }
    }

    fn rounds(&self, workload: Workload, kind: Kind) -> impl Iterator<Item = &Measurement> {
        let of_interest = move |entry: &&(Workload, Kind, Measurement)| (entry.0, entry.1) == (workload, kind);
        self.measurements.iter().filter(of_interest).map(|entry| &entry.2)
    }
}
