//! The load generator: one thread, one poller, every end of every flow.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, ensure};
use mio::{Events, Interest, Poll, Token};

use crate::clock;
use crate::options::Options;
use crate::server::Server;
use crate::turn_client::CHANNEL;

/// What one server did with one workload.
pub struct Measurement {
    /// CPU nanoseconds of the server for each packet that it delivered, both directions together.
    pub cpu_nanos: f64,
    /// Packets that were sent within the window.
    pub sent: u64,
    /// How many of them arrived.
    pub delivered: u64,
    /// The middle latency end to end, the generator's own delays included.
    pub p50_nanos: u64,
    /// The 99th of 100 latencies.
    pub p99_nanos: u64,
}

/// One end of a flow: what it sends comes out at the other end.
pub struct End {
    socket: mio::net::UdpSocket,
    to: SocketAddr,
    packet: Vec<u8>,
    header: usize,
}

/// Packets leave in ticks: what is due within one leaves together, as a network card hands over what came in meanwhile.
const TICK_NANOS: u64 = 1_000_000;
/// Sockets, caches and CPU clocks get used to the load; nothing of it counts.
const WARM_UP_NANOS: u64 = 1_000_000_000;
/// How long stragglers may take.
const DRAIN_NANOS: u64 = 200_000_000;
/// When a packet was sent stands in the first bytes of its payload.
const STAMP: usize = 8;

impl End {
    /// A TURN client that sends and receives ChannelData.
    pub fn in_channel(socket: UdpSocket, to: SocketAddr) -> Result<Self> {
        Self::new(socket, to, 4)
    }

    /// A peer, or either end of the forwarder.
    pub fn plain(socket: UdpSocket, to: SocketAddr) -> Result<Self> {
        Self::new(socket, to, 0)
    }

    fn new(socket: UdpSocket, to: SocketAddr, header: usize) -> Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), to, packet: Vec::new(), header })
    }

    fn fill(&mut self, size: usize) {
        self.packet = vec![0x5a; self.header + size];
        if self.header > 0 {
            self.packet[..2].copy_from_slice(&CHANNEL.to_be_bytes());
            self.packet[2..4].copy_from_slice(&(size as u16).to_be_bytes());
        }
    }

    /// A full send buffer loses the packet: it counts as lost.
    fn send(&mut self, now: u64) {
        self.packet[self.header..self.header + STAMP].copy_from_slice(&now.to_be_bytes());
        let _ = self.socket.send_to(&self.packet, self.to);
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Option<u64> {
        loop {
            match self.socket.recv_from(buffer) {
                Ok((len, _)) if len == self.packet.len() => {
                    let stamp = buffer[self.header..self.header + STAMP].try_into().ok()?;
                    return Some(u64::from_be_bytes(stamp));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                // A port unreachable from before the other side listened.
                Err(_) => {}
            }
        }
    }
}

/// Sends and receives for the warm-up and the window, and tells what the window cost the server.
pub fn run(ends: Vec<End>, server: &Server, options: &Options) -> Result<Measurement> {
    let mut generator = Generator::new(ends, options)?;
    let Range { start, end } = generator.window;
    generator.run_until(start)?;
    let before = server.cpu_nanos()?;
    generator.run_until(end)?;
    let cpu_nanos = server.cpu_nanos()? - before;
    generator.run_until(end + DRAIN_NANOS)?;
    Ok(generator.measurement(cpu_nanos))
}

/// The sockets and what they have seen.
struct Generator {
    poll: Poll,
    ends: Vec<End>,
    start: u64,
    /// Nanoseconds between the turns of two ends.
    period: u64,
    /// Packets in a turn.
    burst: u64,
    /// What is sent within counts; after it nothing is sent.
    window: Range<u64>,
    turns: u64,
    sent: u64,
    latencies: Vec<u64>,
}

impl Generator {
    fn new(mut ends: Vec<End>, options: &Options) -> Result<Self> {
        ensure!(options.size >= STAMP, "packets are at least {STAMP} bytes");
        ensure!(options.rate > 0 && !ends.is_empty(), "there is nothing to send");
        let poll = Poll::new()?;
        for (index, end) in ends.iter_mut().enumerate() {
            end.fill(options.size);
            poll.registry().register(&mut end.socket, Token(index), Interest::READABLE)?;
        }
        let start = clock::now_nanos();
        let from = start + WARM_UP_NANOS;
        let window = from..from + options.seconds * 1_000_000_000;
        let period = 1_000_000_000 * options.burst / options.rate / ends.len() as u64;
        let burst = options.burst;
        Ok(Self { poll, ends, start, period, burst, window, turns: 0, sent: 0, latencies: Vec::new() })
    }

    fn run_until(&mut self, deadline: u64) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 65_536];
        let mut tick = clock::now_nanos();
        loop {
            let now = clock::now_nanos();
            if now >= deadline {
                return Ok(());
            }
            if now >= tick {
                self.send_due(now);
                tick = now - now % TICK_NANOS + TICK_NANOS;
            }
            let wait = Duration::from_nanos(tick.saturating_sub(clock::now_nanos()));
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in &events {
                self.receive(event.token().0, &mut buffer);
            }
        }
    }

    fn send_due(&mut self, now: u64) {
        while self.start + self.turns * self.period <= now && now < self.window.end {
            let index = self.turns as usize % self.ends.len();
            for _ in 0..self.burst {
                let stamp = clock::now_nanos();
                self.ends[index].send(stamp);
                self.sent += u64::from(self.window.contains(&stamp));
            }
            self.turns += 1;
        }
    }

    fn receive(&mut self, index: usize, buffer: &mut [u8]) {
        while let Some(stamp) = self.ends[index].receive(buffer) {
            if self.window.contains(&stamp) {
                self.latencies.push(clock::now_nanos() - stamp);
            }
        }
    }

    fn measurement(mut self, cpu_nanos: u64) -> Measurement {
        self.latencies.sort_unstable();
        let delivered = self.latencies.len();
        let at = |share: f64| self.latencies.get((delivered as f64 * share) as usize).copied().unwrap_or(0);
        Measurement {
            cpu_nanos: cpu_nanos as f64 / delivered.max(1) as f64,
            sent: self.sent,
            delivered: delivered as u64,
            p50_nanos: at(0.50),
            p99_nanos: at(0.99),
        }
    }
}
