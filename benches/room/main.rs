//! Rooms in Debian's Janus and in roundturn, in one run: what a forwarded packet, a large room, and joins cost.

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod janus;
#[path = "../common/listening.rs"]
mod listening;
mod load;
mod media;
mod meeting;
mod network;
mod options;
mod ours;
mod peer;
mod report;
mod server;
mod socket;
mod tally;
mod workload;

use anyhow::Result;
use clap::Parser;

use crate::options::{Mode, Options};
use crate::report::Report;

fn main() -> Result<()> {
    let options = Options::parse();
    match &options.mode {
        None => bench(&options),
        Some(Mode::Meeting) => meeting::run(&options),
        Some(Mode::Joins) => meeting::joins(&options),
        Some(Mode::Crowd(crowd)) => crowd::run(&options, crowd),
        Some(Mode::Idle { count }) => meeting::idle(&options, *count),
    }
}

/// Every round gives every server its turn at every workload, so that whatever else the machine does hits all alike.
fn bench(options: &Options) -> Result<()> {
    let mut report = Report::new(options);
    for round in 1..=options.rounds {
        for workload in &options.workloads {
            for kind in &options.servers {
                report.progress(round, *workload, *kind);
                report.add(*kind, *workload, workload.run(*kind, options)?);
            }
        }
    }
    report.print();
    Ok(())
}
