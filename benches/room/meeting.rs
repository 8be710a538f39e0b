//! What is asked of roundturn alone: a large room, many joins at once, and participants that do nothing.

use std::time::Duration;

use anyhow::Result;

use crate::common::numbers::{sorted, verdict};
use crate::load::Load;
use crate::options::{Kind, Options};
use crate::ours;
use crate::peer::Shape;
use crate::server::Server;
use crate::workload::{Seat, join, measure};

/// People in the large room.
const PEOPLE: usize = 50;
/// Everybody sends, sees nine and hears four.
const SHAPE: Shape = Shape { microphone: true, camera: true, audio_slots: 4, video_slots: 9 };
/// Goals of the large room.
const CORES: f64 = 0.6;
const P99_MILLIS: f64 = 5.0;
/// Goals of the joins: all within this time, and the first frame of 95 of 100 within that.
const JOINING: Duration = Duration::from_secs(2);
const FIRST_FRAME_MILLIS: f64 = 700.0;
/// Goals of 500 that do nothing.
const IDLE_CORES: f64 = 0.01;
const IDLE_MEGABYTES: f64 = 250.0;
/// People in a room that does nothing.
const IDLE_ROOM: usize = 50;
/// Who waits for a meeting to begin shows nothing yet.
const IDLE: Shape = Shape { microphone: false, camera: false, ..SHAPE };

/// The large room.
pub fn run(options: &Options) -> Result<()> {
    let server = Server::start(Kind::Roundturn, options)?;
    let mut load = Load::new(options.rate)?;
    join(&server, &mut load, &[Seat { room: 0, shape: SHAPE }; PEOPLE])?;
    let measured = measure(&server, &mut load, options, |_, load| load.tally.delivered() + load.tally.gaps())?;
    let (p50, p99) = (f64::from(measured.p50_micros) / 1e3, f64::from(measured.p99_micros) / 1e3);
    let lost = measured.expected - measured.delivered;
    println!("a room of {PEOPLE}, {} streams to receivers", measured.streams);
    println!("packets delivered a second   {:>8}", measured.delivered / options.seconds);
    println!("CPU µs for each              {:>8.2}", measured.cpu_micros);
    println!(
        "share of a core              {:>8.2}   at most {CORES}: {}",
        measured.cores,
        verdict(measured.cores <= CORES)
    );
    println!("lost                         {lost:>8}   none: {}", verdict(lost == 0));
    println!("p50 ms                       {p50:>8.2}");
    println!("p99 ms                       {p99:>8.2}   at most {P99_MILLIS}: {}", verdict(p99 <= P99_MILLIS));
    Ok(())
}

/// Everybody joins at once, while those who are there already send.
pub fn joins(options: &Options) -> Result<()> {
    let server = Server::start(Kind::Roundturn, options)?;
    let mut load = Load::new(options.rate)?;
    load.sending = true;
    let mut began = Vec::new();
    for _ in 0..PEOPLE {
        let (index, offer) = load.offer(SHAPE)?;
        began.push(load.nanos());
        ours::join(server.address, "room0".to_owned(), index, offer, load.sender())?;
        load.run(JOINING / PEOPLE as u32)?;
    }
    load.run(Duration::from_secs(5))?;
    let connected = load.peers.iter().filter(|peer| peer.connected).count();
    let times = (0..PEOPLE).filter_map(|index| Some((load.tally.first_picture(index)? - began[index]) as f64 / 1e6));
    let times = sorted(times);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(f64::INFINITY);
    println!("{PEOPLE} joins within {JOINING:?}");
    println!("connected             {connected:>8}   all: {}", verdict(connected == PEOPLE));
    println!("saw a first frame     {:>8}   all: {}", times.len(), verdict(times.len() == PEOPLE));
    println!("p50 ms                {:>8.0}", at(50));
    println!(
        "p95 ms                {:>8.0}   below {FIRST_FRAME_MILLIS}: {}",
        at(95),
        verdict(at(95) < FIRST_FRAME_MILLIS)
    );
    Ok(())
}

/// Everybody is there, and nobody sends.
pub fn idle(options: &Options, count: usize) -> Result<()> {
    let server = Server::start(Kind::Roundturn, options)?;
    let mut load = Load::new(options.rate)?;
    let seats: Vec<_> = (0..count).map(|index| Seat { room: index / IDLE_ROOM, shape: IDLE }).collect();
    join(&server, &mut load, &seats)?;
    load.run(Duration::from_secs(options.warm_up))?;
    let cpu = server.cpu_nanos()?;
    load.run(Duration::from_secs(options.seconds))?;
    let cores = (server.cpu_nanos()? - cpu) as f64 / 1e9 / options.seconds as f64;
    let megabytes = server.resident_bytes()? as f64 / 1e6;
    println!("{count} participants that send nothing");
    println!("share of a core   {cores:>8.4}   below {IDLE_CORES}: {}", verdict(cores < IDLE_CORES));
    println!("resident MB       {megabytes:>8.1}   below {IDLE_MEGABYTES}: {}", verdict(megabytes < IDLE_MEGABYTES));
    Ok(())
}
