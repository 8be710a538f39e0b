//! coturn, a bare forwarder and roundturn side by side in one run: what a packet, an allocation and a flood cost each.

mod allocations;
mod call;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod flood;
mod forwarder;
mod load;
mod options;
mod ready;
mod report;
mod server;
mod setup;
mod turn_client;
mod workload;

use anyhow::Result;
use clap::Parser;

use crate::options::{Mode, Options};
use crate::report::Report;
use crate::server::Server;

fn main() -> Result<()> {
    let options = Options::parse();
    match options.mode {
        None => bench(&options),
        Some(Mode::Forwarder { flows, paired }) => forwarder::run(flows, paired),
        Some(Mode::Allocations { count }) => allocations::run(&options, count),
        Some(Mode::Flood { rate, seconds }) => flood::run(&options, rate, seconds),
    }
}

/// Every round gives every server its turn at every workload, so that whatever else the machine does hits all alike.
fn bench(options: &Options) -> Result<()> {
    let servers = options.servers.iter().map(|kind| Server::start(*kind, options)).collect::<Result<Vec<_>>>()?;
    let mut report = Report::new(options);
    report.started(&servers)?;
    for round in 1..=options.rounds {
        for workload in &options.workloads {
            for server in &servers {
                report.progress(round, *workload, server.kind);
                report.add(server.kind, *workload, workload.run(server, options)?);
            }
        }
    }
    report.print();
    Ok(())
}
