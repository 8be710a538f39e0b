//! Signaling alone: what messages between participants and connections that do nothing cost the daemon.

mod client;
#[path = "../common/mod.rs"]
mod common;
mod latencies;
#[path = "../common/listening.rs"]
mod listening;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use futures_util::future::try_join_all;

use crate::client::{Client, Traffic};
use crate::common::numbers::{median, sorted, verdict};
use crate::latencies::Latencies;
use crate::server::Server;

/// Rooms that are joined at a time: a handshake each, and the load shares the machine.
const AT_ONCE: usize = 32;
/// Goals of the messages.
const P99_MILLIS: f64 = 5.0;
const CORES: f64 = 0.25;
/// Goals of the idle ones.
const IDLE_CORES: f64 = 0.01;
const IDLE_MEGABYTES: f64 = 120.0;

/// Fills the daemon with mesh rooms of two whose people send each other signals, and tells how long those take.
#[derive(Debug, Parser)]
struct Options {
    /// Rooms of two.
    #[arg(long, default_value_t = 1000)]
    rooms: usize,
    /// Signals a second, all together.
    #[arg(long, default_value_t = 5000)]
    messages: u64,
    /// Bytes of a signal: a candidate has some 200, a description thousands.
    #[arg(long, default_value_t = 400)]
    bytes: usize,
    /// How often it is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement lasts.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds before it.
    #[arg(long, default_value_t = 5)]
    warm_up: u64,
    /// The daemon to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_roundturn"))]
    roundturn: PathBuf,
    /// Given by `cargo bench`, means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
    /// What else may be asked.
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Mode {
    /// WebSockets whose people say nothing: CPU and memory.
    Idle {
        /// How many.
        #[arg(long, default_value_t = 2000)]
        count: usize,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let server = Server::start(&options.roundturn)?;
    match options.mode {
        None => messages(&options, &server).await,
        Some(Mode::Idle { count }) => idle(&options, &server, count).await,
    }
}

async fn messages(options: &Options, server: &Server) -> Result<()> {
    let latencies = Arc::new(Latencies::default());
    let people = come(server, options.rooms, &latencies).await?;
    let between = Duration::from_secs(people.len() as u64) / u32::try_from(options.messages.max(1))?;
    let traffic = Traffic { between, bytes: options.bytes };
    people.into_iter().for_each(|client| client.talk(traffic));
    tokio::time::sleep(Duration::from_secs(options.warm_up)).await;
    latencies.take();
    let (mut cores, mut times) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        cores.push(share_of_core(options, server).await?);
        times.push(latencies.take());
    }
    let at = |percent: usize| {
        let of = |times: &Vec<f64>| times.get(times.len() * percent / 100).copied().unwrap_or(f64::INFINITY);
        median(&sorted(times.iter().map(of)))
    };
    let delivered = median(&sorted(times.iter().map(|times| times.len() as f64)));
    let cores = median(&sorted(cores.into_iter()));
    println!("{} rooms of two, signals of {} bytes, medians of {}", options.rooms, options.bytes, options.rounds);
    println!("delivered a second  {:>8.0}", delivered / options.seconds as f64);
    println!("CPU µs for each     {:>8.1}", cores * 1e6 * options.seconds as f64 / delivered.max(1.0));
    println!("share of a core     {cores:>8.3}   below {CORES}: {}", verdict(cores < CORES));
    println!("p50 ms              {:>8.2}", at(50));
    println!("p99 ms              {:>8.2}   below {P99_MILLIS}: {}", at(99), verdict(at(99) < P99_MILLIS));
    println!("resident MB         {:>8.1}", server.resident_bytes()? as f64 / 1e6);
    Ok(())
}

async fn idle(options: &Options, server: &Server, count: usize) -> Result<()> {
    let people = come(server, count / 2, &Arc::new(Latencies::default())).await?;
    people.into_iter().for_each(Client::listen);
    tokio::time::sleep(Duration::from_secs(options.warm_up)).await;
    let mut cores = Vec::new();
    for _ in 0..options.rounds {
        cores.push(share_of_core(options, server).await?);
    }
    let cores = median(&sorted(cores.into_iter()));
    let megabytes = server.resident_bytes()? as f64 / 1e6;
    println!("{count} WebSockets that do nothing");
    println!("share of a core  {cores:>8.4}   below {IDLE_CORES}: {}", verdict(cores < IDLE_CORES));
    println!("resident MB      {megabytes:>8.1}   below {IDLE_MEGABYTES}: {}", verdict(megabytes < IDLE_MEGABYTES));
    Ok(())
}

/// What the daemon takes of a core for one measurement's time.
async fn share_of_core(options: &Options, server: &Server) -> Result<f64> {
    let before = server.cpu_nanos()?;
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    Ok((server.cpu_nanos()? - before) as f64 / 1e9 / options.seconds as f64)
}

/// Fills so many rooms with two each.
async fn come(server: &Server, rooms: usize, latencies: &Arc<Latencies>) -> Result<Vec<Client>> {
    let mut people = Vec::with_capacity(rooms * 2);
    let numbers: Vec<usize> = (0..rooms).collect();
    for chunk in numbers.chunks(AT_ONCE) {
        let pair = |room: &usize| {
            let name = format!("room{room}");
            async move {
                let first = Client::join(server.address, &name, latencies.clone()).await?;
                let second = Client::join(server.address, &name, latencies.clone()).await?;
                anyhow::Ok([first, second])
            }
        };
        people.extend(try_join_all(chunk.iter().map(pair)).await?.into_iter().flatten());
    }
    let ids: Vec<String> = people.iter().map(|client| client.id.clone()).collect();
    for (index, client) in people.iter_mut().enumerate() {
        // The other one of the pair.
        client.peer.clone_from(&ids[index ^ 1]);
    }
    Ok(people)
}
