//! What requests of strangers cost a server, what it sends back, and whether those who are in a call notice.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::integrity::MessageIntegrity;
use stun::message::{BINDING_REQUEST, CLASS_REQUEST, METHOD_ALLOCATE, Message, MessageType, Setter};
use stun::textattrs::TextAttribute;
use turn::proto::PROTO_UDP;
use turn::proto::reqtrans::RequestedTransport;

use crate::call::Call;
use crate::clock;
use crate::common::numbers::verdict;
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::setup;
use crate::turn_client::TurnClient;

/// Source addresses, each of a network of its own: 127.2.N.1.
const SOURCES: u8 = 255;
const TICK_NANOS: u64 = 1_000_000;
/// Goals: CPU of each request, growth of the resident memory, and bytes out for each byte in.
const CPU_TARGET_MICROS: f64 = 9.0;
const MEMORY_TARGET_BYTES: u64 = 2_000_000;
const AMPLIFICATION_TARGET: f64 = 1.0;
/// A request that nobody answers within this time is not answered at once.
const AT_ONCE_MILLIS: f64 = 150.0;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flood {
    /// An Allocate without credentials.
    Allocate,
    /// An Allocate that names a user and has a real nonce, but not the key.
    Forged,
    /// A Binding request.
    Binding,
    /// What is no STUN.
    Junk,
}

/// What a flood did.
struct Outcome {
    sent: u64,
    bytes_in: u64,
    bytes_out: u64,
    cpu_micros: f64,
    grown_bytes: u64,
    call_sent: u64,
    call_lost: u64,
    allocated_millis: f64,
}

/// Floods each server with each kind, one after the other.
pub fn run(options: &Options, rate: u64, seconds: u64) -> Result<()> {
    println!("{rate} requests a second from {} source networks, {seconds} s for each kind\n", u32::from(SOURCES) + 1);
    println!(
        "{:<12} {:<9} {:>9} {:>10} {:>9} {:>10} {:>15} {:>13}",
        "server", "flood", "sent", "CPU µs", "out / in", "grown kB", "call lost", "Allocate ms"
    );
    for kind in options.servers.iter().filter(|kind| **kind != Kind::Forwarder) {
        let server = Server::start(*kind, options)?;
        for flood in Flood::value_variants() {
            let outcome = measure(&server, *flood, rate, seconds)?;
            print(*kind, *flood, &outcome);
        }
    }
    Ok(())
}

fn print(kind: Kind, flood: Flood, outcome: &Outcome) {
    let amplification = outcome.bytes_out as f64 / outcome.bytes_in.max(1) as f64;
    let name = flood.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    println!(
        "{kind:<12} {name:<9} {:>9} {:>10.2} {amplification:>9.2} {:>10} {:>15} {:>13.1}",
        outcome.sent,
        outcome.cpu_micros,
        outcome.grown_bytes / 1000,
        format!("{} of {}", outcome.call_lost, outcome.call_sent),
        outcome.allocated_millis,
    );
    if kind == Kind::Roundturn {
        let all = outcome.cpu_micros <= CPU_TARGET_MICROS
            && outcome.grown_bytes <= MEMORY_TARGET_BYTES
            && amplification < AMPLIFICATION_TARGET
            && outcome.call_lost == 0
            && outcome.allocated_millis <= AT_ONCE_MILLIS;
        println!(
            "{:<22} at most {CPU_TARGET_MICROS} µs, below 1, 2000 kB, nothing lost, at once: {}",
            "",
            verdict(all)
        );
    }
}

fn measure(server: &Server, flood: Flood, rate: u64, seconds: u64) -> Result<Outcome> {
    let mut sources = (0..=SOURCES).map(|index| Source::new(index, server, flood)).collect::<Result<Vec<_>>>()?;
    let call = Call::start(server)?;
    // A stranger's Allocate in the middle, from a network that had no part in it.
    let address = server.address;
    let newcomer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds) / 2);
        let start = clock::now_nanos();
        let allocated = TurnClient::allocate_from(Ipv4Addr::new(127, 3, 0, 1), address, "newcomer");
        (allocated.map(|(client, _)| client), (clock::now_nanos() - start) as f64 / 1e6)
    });
    let (cpu, resident) = (server.cpu_nanos()?, server.resident_bytes()?);
    let (sent, grown_bytes) = send(&mut sources, server, rate, seconds, resident)?;
    let cpu_nanos = server.cpu_nanos()? - cpu;
    let (allocated, allocated_millis) = newcomer.join().map_err(|_| anyhow::anyhow!("the newcomer panicked"))?;
    allocated.context("the newcomer's Allocate")?.release()?;
    let (call_sent, call_lost) = call.end()?;
    Ok(Outcome {
        sent,
        bytes_in: sources.iter().map(|source| source.bytes_sent).sum(),
        bytes_out: sources.iter().map(|source| source.bytes_received).sum(),
        cpu_micros: cpu_nanos as f64 / sent.max(1) as f64 / 1e3,
        grown_bytes,
        call_sent,
        call_lost,
        allocated_millis,
    })
}

/// Sends in ticks, and reads all answers of the tick before; how many were sent, and the highest growth of memory.
fn send(sources: &mut [Source], server: &Server, rate: u64, seconds: u64, resident: u64) -> Result<(u64, u64)> {
    let start = clock::now_nanos();
    let end = start + seconds * 1_000_000_000;
    let (mut sent, mut grown, mut tick) = (0, 0, start);
    while tick < end {
        let now = clock::now_nanos();
        if now < tick {
            std::thread::sleep(Duration::from_nanos(tick - now));
        }
        tick += TICK_NANOS;
        let due = (tick - start) * rate / 1_000_000_000;
        let count = sources.len() as u64;
        while sent < due {
            let source = &mut sources[(sent % count) as usize];
            source.send();
            sent += 1;
        }
        // A part of the sources each time: a socket holds what comes within a tenth of a second.
        let turn = (tick / TICK_NANOS) as usize % 16;
        sources.iter_mut().skip(turn).step_by(16).for_each(Source::receive);
        if (tick / TICK_NANOS).is_multiple_of(500) {
            grown = grown.max(server.resident_bytes()?.saturating_sub(resident));
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    sources.iter_mut().for_each(Source::receive);
    Ok((sent, grown))
}

/// One source address.
struct Source {
    socket: UdpSocket,
    to: SocketAddr,
    packet: Vec<u8>,
    serial: u64,
    bytes_sent: u64,
    bytes_received: u64,
}

impl Source {
    fn new(index: u8, server: &Server, flood: Flood) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 2, index, 1), 0))?;
        let packet = packet(flood, &socket, server.address)?;
        socket.set_nonblocking(true)?;
        let serial = u64::from(index) << 48;
        Ok(Self { socket, to: server.address, packet, serial, bytes_sent: 0, bytes_received: 0 })
    }

    /// Every request is a new transaction.
    fn send(&mut self) {
        self.serial += 1;
        self.packet[8..16].copy_from_slice(&self.serial.to_be_bytes());
        if let Ok(len) = self.socket.send_to(&self.packet, self.to) {
            self.bytes_sent += len as u64;
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 2048];
        while let Ok(len) = self.socket.recv(&mut buffer) {
            self.bytes_received += len as u64;
        }
    }
}

fn packet(flood: Flood, socket: &UdpSocket, server: SocketAddr) -> Result<Vec<u8>> {
    let mut setters: Vec<Box<dyn Setter>> = vec![Box::<TransactionId>::default()];
    match flood {
        Flood::Junk => return Ok((0..100_u8).map(|byte| byte.wrapping_mul(37) | 0x80).collect()),
        Flood::Binding => setters.push(Box::new(BINDING_REQUEST)),
        Flood::Allocate | Flood::Forged => {
            setters.push(Box::new(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST)));
            setters.push(Box::new(RequestedTransport { protocol: PROTO_UDP }));
        }
    }
    if flood == Flood::Forged {
        let (username, _) = setup::credential("nobody")?;
        let nonce = challenge(socket, server)?;
        setters.push(Box::new(TextAttribute::new(ATTR_USERNAME, username.clone())));
        setters.push(Box::new(TextAttribute::new(ATTR_REALM, setup::REALM.to_owned())));
        setters.push(Box::new(TextAttribute::new(ATTR_NONCE, nonce)));
        let guess = "not the password".to_owned();
        setters.push(Box::new(MessageIntegrity::new_long_term_integrity(username, setup::REALM.to_owned(), guess)));
    }
    let mut request = Message::new();
    request.build(&setters)?;
    Ok(request.raw)
}

/// A nonce that the server made for this source.
fn challenge(socket: &UdpSocket, server: SocketAddr) -> Result<String> {
    let request = packet(Flood::Allocate, socket, server)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut buffer = [0; 2048];
    for _ in 0..10 {
        socket.send_to(&request, server)?;
        let Ok(len) = socket.recv(&mut buffer) else { continue };
        let mut answer = Message::new();
        answer.unmarshal_binary(&buffer[..len])?;
        return Ok(TextAttribute::get_from_as(&answer, ATTR_NONCE)?.text);
    }
    anyhow::bail!("no challenge from {server}")
}
