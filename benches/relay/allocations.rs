//! What an allocation costs: the challenge, the Allocate and what stays in memory.

use std::net::Ipv4Addr;
use std::ops::Range;

use anyhow::{Result, ensure};

use crate::clock;
use crate::common::numbers::{median, sorted, verdict};
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::turn_client::TurnClient;

/// Clients come from this many source networks (127.1.N.1): a server that limits strangers by network sees a world of them.
const NETWORKS: usize = 200;

/// So many clients ask at a time: one after the other, waking up would be most of what any server does.
const AT_A_TIME: usize = 32;

/// How long they may take.
const PATIENCE_NANOS: u64 = 10_000_000_000;

/// At least so many times coturn's allocations for each CPU second.
const RATE_TARGET: f64 = 5.0;

/// At most so much resident memory for each.
const BYTES_TARGET: f64 = 2_500.0;

/// One round with one server.
struct Cost {
    kind: Kind,
    cpu_micros: f64,
    bytes: f64,
}

/// Every round starts every server anew and lets all clients allocate.
pub fn run(options: &Options, count: usize) -> Result<()> {
    ensure!(count <= 11_000, "the servers are set up for 12000 relays");
    let kinds: Vec<_> = options.servers.iter().copied().filter(|kind| *kind != Kind::Forwarder).collect();
    let mut costs = Vec::new();
    for round in 1..=options.rounds {
        for kind in &kinds {
            eprintln!("round {round}/{}  {count} allocations  {kind}", options.rounds);
            costs.push(measure(*kind, options, count)?);
        }
    }
    println!("\n{count} allocations at once, challenge included, {} rounds", options.rounds);
    println!("{:<12} {:>18} {:>26}", "server", "CPU µs, median", "resident bytes, median");
    for kind in kinds {
        let of_kind = || costs.iter().filter(|cost| cost.kind == kind);
        let (micros, bytes) = (median_of(of_kind(), |cost| cost.cpu_micros), median_of(of_kind(), |cost| cost.bytes));
        println!("{kind:<12} {micros:>18.1} {bytes:>26.0}");
    }
    let of = |kind| costs.iter().filter(move |cost: &&Cost| cost.kind == kind);
    let ratio = median(&sorted(
        of(Kind::Coturn).zip(of(Kind::Roundturn)).map(|(theirs, ours)| theirs.cpu_micros / ours.cpu_micros),
    ));
    let bytes = median_of(of(Kind::Roundturn), |cost| cost.bytes);
    println!(
        "\nallocations per CPU second / coturn   {ratio:>6.1}   at least {RATE_TARGET:.1}: {}",
        verdict(ratio >= RATE_TARGET)
    );
    println!(
        "resident bytes of roundturn           {bytes:>6.0}   at most {BYTES_TARGET:.0}: {}",
        verdict(bytes <= BYTES_TARGET)
    );
    Ok(())
}

fn measure(kind: Kind, options: &Options, count: usize) -> Result<Cost> {
    let server = Server::start(kind, options)?;
    // The first ones pay for what is made once.
    let first = allocate(&server, 0..AT_A_TIME)?;
    let (cpu, resident) = (server.cpu_nanos()?, server.resident_bytes()?);
    let clients = allocate(&server, AT_A_TIME..AT_A_TIME + count)?;
    ensure!(first.len() + clients.len() == AT_A_TIME + count, "an allocation is missing");
    let per_allocation = |total: u64| total as f64 / count as f64;
    Ok(Cost {
        kind,
        cpu_micros: per_allocation(server.cpu_nanos()? - cpu) / 1e3,
        bytes: per_allocation(server.resident_bytes()?.saturating_sub(resident)),
    })
}

/// Nobody sleeps while waiting for an answer, or waking clients up would be a good part of what any server does.
fn allocate(server: &Server, indexes: Range<usize>) -> Result<Vec<TurnClient>> {
    let mut allocated = Vec::with_capacity(indexes.len());
    let (first, last) = (indexes.start, indexes.end);
    for at in indexes.step_by(AT_A_TIME) {
        let mut asking = (at..last.min(at + AT_A_TIME)).map(|index| asks(server, index)).collect::<Result<Vec<_>>>()?;
        let deadline = clock::now_nanos() + PATIENCE_NANOS;
        while !asking.is_empty() {
            for index in (0..asking.len()).rev() {
                if asking[index].is_allocated()? {
                    allocated.push(asking.swap_remove(index));
                }
            }
            ensure!(clock::now_nanos() < deadline, "{} of {} allocations got no answer", asking.len(), last - first);
        }
    }
    Ok(allocated)
}

fn asks(server: &Server, index: usize) -> Result<TurnClient> {
    let network = Ipv4Addr::new(127, 1, (index % NETWORKS) as u8, 1);
    let client = TurnClient::new(network, server.address, &format!("client{index}"))?;
    client.ask()?;
    Ok(client)
}

fn median_of<'a>(costs: impl Iterator<Item = &'a Cost>, value: impl Fn(&Cost) -> f64) -> f64 {
    median(&sorted(costs.map(value)))
}
