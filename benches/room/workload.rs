//! Who is in which room, and what the rooms cost a server.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::common::process::cpu_nanos;
use crate::load::Load;
use crate::options::{Kind, Options};
use crate::peer::Shape;
use crate::server::Server;
use crate::{janus, ours};

/// How long all may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two joins: a handshake after the other, so that no server is measured by its queue of them.
const BETWEEN_JOINS: Duration = Duration::from_millis(15);
/// How long stragglers may take.
const DRAIN: Duration = Duration::from_millis(300);

/// What a server is asked to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Ten rooms of five who all see and hear each other.
    Rooms,
    /// One with camera and microphone, two hundred who watch.
    Broadcast,
    /// Ten who speak, a hundred who listen.
    Audio,
}

/// One participant.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    /// Number of its room.
    pub room: usize,
    /// What it sends, and the slots for what it receives.
    pub shape: Shape,
}

/// What one server did with one workload.
#[derive(Debug)]
pub struct Measurement {
    /// Microseconds of the server's CPU for each packet that it delivered.
    pub cpu_micros: f64,
    /// Microseconds of the load's CPU for each packet that was delivered.
    pub load_micros: f64,
    /// The server's share of one core.
    pub cores: f64,
    /// Packets that should have arrived.
    pub expected: u64,
    /// Packets that did.
    pub delivered: u64,
    /// Packets that the load's own socket had no room for.
    pub overrun: u64,
    /// Streams that packets came on.
    pub streams: usize,
    /// The middle of all latencies, the load's own delays included, in microseconds.
    pub p50_micros: u32,
    /// The 99th of 100.
    pub p99_micros: u32,
}

impl Workload {
    /// Everybody's seat.
    pub fn seats(self) -> Vec<Seat> {
        let slots = |audio_slots, video_slots| Shape { audio_slots, video_slots, ..Shape::default() };
        let publisher = Shape { microphone: true, camera: true, ..Shape::default() };
        match self {
            Self::Rooms => {
                let shape = Shape { microphone: true, camera: true, ..slots(4, 4) };
                (0..50).map(|index| Seat { room: index / 5, shape }).collect()
            }
            Self::Broadcast => {
                let watchers = std::iter::repeat_n(slots(1, 1), 200);
                std::iter::once(publisher).chain(watchers).map(|shape| Seat { room: 0, shape }).collect()
            }
            Self::Audio => {
                let speakers = std::iter::repeat_n(Shape { microphone: true, ..Shape::default() }, 10);
                let listeners = std::iter::repeat_n(slots(10, 0), 100);
                speakers.chain(listeners).map(|shape| Seat { room: 0, shape }).collect()
            }
        }
    }

    /// Lets everybody join, measures, and ends it with the server.
    pub fn run(self, kind: Kind, options: &Options) -> Result<Measurement> {
        let server = Server::start(kind, options)?;
        let seats = self.seats();
        let mut load = Load::new(options.rate)?;
        join(&server, &mut load, &seats)?;
        measure(&server, &mut load, options, |sent, load| expected(&seats, sent, load))
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Rooms => "rooms",
            Self::Broadcast => "broadcast",
            Self::Audio => "audio",
        })
    }
}

/// Everybody takes their seat and is connected.
pub fn join(server: &Server, load: &mut Load, seats: &[Seat]) -> Result<()> {
    match server.kind {
        Kind::Roundturn => {
            for seat in seats {
                let (index, offer) = load.offer(seat.shape)?;
                ours::join(server.address, format!("room{}", seat.room), index, offer, load.sender())?;
                load.run(BETWEEN_JOINS)?;
            }
        }
        Kind::Janus => join_janus(server, load, seats)?,
    }
    load.run_until_connected(PATIENCE)
}

/// First the publishers, whose numbers are their seats', then those who subscribe to them.
fn join_janus(server: &Server, load: &mut Load, seats: &[Seat]) -> Result<()> {
    let room_of = |seat: &Seat| seat.room + 1;
    let rooms = seats.iter().map(room_of).max().unwrap_or(0);
    (1..=rooms).try_for_each(|room| janus::create(server.address, room, seats.len()))?;
    let mut publishers = Vec::new();
    for seat in seats.iter().filter(|seat| seat.shape.microphone) {
        let shape = Shape { audio_slots: 0, video_slots: 0, ..seat.shape };
        let (index, offer) = load.offer(shape)?;
        janus::publish(server.address, room_of(seat), index, offer, load.sender())?;
        publishers.push((index, seat.room));
        load.run(BETWEEN_JOINS)?;
    }
    load.run_until_connected(PATIENCE)?;
    let mut next_publisher = 0;
    for seat in seats {
        let own = seat.shape.microphone.then(|| publishers[next_publisher].0);
        next_publisher += usize::from(seat.shape.microphone);
        if seat.shape.audio_slots == 0 {
            continue;
        }
        let others = publishers.iter().filter(|(index, room)| *room == seat.room && Some(*index) != own);
        let others = others.map(|(index, _)| *index).collect();
        let index = load.add()?;
        janus::subscribe(server.address, room_of(seat), index, others, load.sender())?;
        load.run(BETWEEN_JOINS)?;
    }
    Ok(())
}

/// Sends for the warm-up and the window, and tells what the window cost the server.
pub fn measure(
    server: &Server,
    load: &mut Load,
    options: &Options,
    expected: impl FnOnce(&[[u64; 2]], &Load) -> u64,
) -> Result<Measurement> {
    load.sending = true;
    load.run(Duration::from_secs(options.warm_up))?;
    let (from, window) = (load.nanos(), Duration::from_secs(options.seconds));
    load.tally.window = from..from + window.as_nanos() as u64;
    let (cpu, own, sent, overrun) = (server.cpu_nanos()?, cpu_nanos("self")?, load.sent(), load.overrun());
    load.run(window)?;
    let cpu = (server.cpu_nanos()? - cpu) as f64;
    let own = (cpu_nanos("self")? - own) as f64;
    let sent: Vec<_> =
        load.sent().iter().zip(sent).map(|(after, before)| [after[0] - before[0], after[1] - before[1]]).collect();
    load.sending = false;
    load.run(DRAIN)?;
    let delivered = load.tally.delivered();
    Ok(Measurement {
        cpu_micros: cpu / 1e3 / delivered.max(1) as f64,
        load_micros: own / 1e3 / delivered.max(1) as f64,
        cores: cpu / window.as_nanos() as f64,
        expected: expected(&sent, load),
        delivered,
        overrun: load.overrun() - overrun,
        streams: load.tally.streams(),
        p50_micros: load.tally.percentile(50),
        p99_micros: load.tally.percentile(99),
    })
}

/// What should arrive: every packet at everyone in the room who has slots, except at its sender.
fn expected(seats: &[Seat], sent: &[[u64; 2]], _load: &Load) -> u64 {
    let mut publishers = sent.iter().filter(|sent| **sent != [0, 0]);
    let mut sum = 0;
    for seat in seats.iter().filter(|seat| seat.shape.microphone) {
        let Some([audio, video]) = publishers.next() else { break };
        let others = || seats.iter().filter(|other| other.room == seat.room);
        let own = u64::from(seat.shape.audio_slots > 0);
        let count = |has: fn(&Shape) -> bool| others().filter(|other| has(&other.shape)).count() as u64;
        sum += audio * (count(|shape| shape.audio_slots > 0) - own);
        sum += video * count(|shape| shape.video_slots > 0).saturating_sub(own);
    }
    sum
}
