//! One thread with its sockets, its TURN server and its SFU.
//!
//! ```text
//!                          ┌──────────────── shard ────────────────┐
//!   listeners (shared) ──► │ sockets ──► core ──► outbox ──► wire  │ ──► listeners, relays, SFU port
//!   relays, SFU port   ──► │              │ turn, sfu, hairpin     │
//!   mailbox            ──► │              ▼                        │
//!                          │           outgoing                    │ ──► tokio
//!                          └───────────────────────────────────────┘
//! ```

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use mio::{Poll, Waker};
use roundturn_sfu as sfu;
use roundturn_turn as turn;
use tokio::sync::mpsc;
use turn::Family;

mod complaints;
pub mod core;
pub mod hairpin;
pub mod handover;
pub mod mailbox;
mod naps;
pub mod outbox;
mod outgoing;
mod run;
mod sockets;
mod stats;
mod streams;

use self::core::Core;
use self::hairpin::Hairpin;
use self::mailbox::{FromShard, Neighbours, ToShard};
use self::outgoing::Outgoing;
use self::run::Running;
use self::sockets::{MAILBOX, Sockets};
use self::stats::Exporter;
pub use self::streams::StreamConfig;
use self::streams::Streams;
use crate::clock;
use crate::ledger::Ledger;
use crate::nat::Addresses;
use crate::net::relays::RelaySockets;
use crate::net::tcp;
use crate::net::tcp_relays::TcpRelays;
use crate::net::udp::{self, BindError};
use crate::ports::{Lease, Ports};

/// Candidates for ICE-TCP at most: a browser opens a stream to each of them.
const TCP_CANDIDATES: usize = 6;

/// What a shard is made from. No field means "default".
#[derive(Debug, Clone)]
pub struct ShardConfig {
    /// Its number, from 0. The first one checks that nobody else listens where all of them will.
    pub index: usize,
    /// Where clients are listened for; `[::]` stands for both families.
    pub listen: Vec<SocketAddr>,
    /// Streams: what is listened for at the same addresses over TCP, and elsewhere.
    pub streams: StreamConfig,
    /// What this host is called.
    pub addresses: Addresses,
    /// Whether datagrams to our own names are handed over inside the shard.
    pub hairpin: bool,
    /// The TURN server's configuration.
    pub turn: turn::Config,
    /// Key of its nonces, the same for all shards.
    pub turn_key: [u8; 32],
    /// The SFU's configuration. Candidates, relays and shard number are filled in here, once the port is known.
    pub sfu: sfu::Config,
    /// Makes the SFU's secrets unpredictable; another for each shard.
    pub sfu_seed: [u8; 32],
}

/// A shard whose sockets are bound, and whose thread does not run yet: all shards' listeners have to be there before
/// any of them is read, because the kernel spreads clients over those that are.
pub struct Shard {
    config: ShardConfig,
    poll: Poll,
    sockets: Sockets,
    listeners: Vec<SocketAddr>,
    /// Where streams of all kinds are listened for.
    doors: Vec<SocketAddr>,
    sfu_lease: Lease,
    mailbox: Receiver<ToShard>,
    outgoing: Outgoing,
}

impl Shard {
    /// Binds a shard's listeners and its SFU's port.
    ///
    /// # Errors
    /// [`BindError`], with the address and who holds it.
    pub fn bind(
        config: ShardConfig,
        ports: Arc<Ports>,
        ledger: Arc<Ledger>,
        events: mpsc::Sender<FromShard>,
    ) -> Result<(Self, mailbox::Sender), BindError> {
        let mut wanted: Vec<SocketAddr> = config.listen.iter().copied().flat_map(udp::expand).collect();
        let clients = wanted.len();
        let discovery = config.turn.discovery.iter().flat_map(turn::Discovery::sockets);
        let others: Vec<SocketAddr> = discovery.filter(|address| !wanted.contains(address)).collect();
        wanted.extend(others);
        if config.index == 0 {
            wanted.iter().try_for_each(|&address| udp::check_free(address))?;
        }
        let listeners = wanted.into_iter().map(udp::listen).collect::<Result<Vec<_>, _>>()?;
        let plain: Vec<SocketAddr> = listeners.iter().take(clients).map(|listener| listener.address).collect();
        let (plain, turns) = bind_streams(&config, plain)?;
        let doors = plain.iter().map(|listener| listener.address).collect();
        let families = families(&config.addresses);
        let names: Vec<Family> = families.iter().map(|&(family, _)| family).collect();
        let (sfu_lease, sfu) = ports.lease_sfu(&names, |port| udp::open_sfu(&families, port))?;

        let poll = Poll::new().map_err(BindError::Poller)?;
        let waker = Waker::new(poll.registry(), MAILBOX).map_err(BindError::Poller)?;
        let (sender, mailbox) = mailbox::mailbox(Arc::new(move || {
            // It fails only when the shard is gone, and then nobody needs to be woken.
            let _ = waker.wake();
        }));
        let registry = poll.registry().try_clone().map_err(BindError::Poller)?;
        let tcp = TcpRelays::new(poll.registry().try_clone().map_err(BindError::Poller)?, config.index);
        let relays = RelaySockets::new(config.index, registry, tcp, ports, ledger, config.addresses.clone());
        let bound = listeners.iter().map(|listener| listener.address).collect();
        let registry = poll.registry().try_clone().map_err(BindError::Poller)?;
        let streams = Streams::new(registry, plain, turns, config.streams.clone()).map_err(BindError::Poller)?;
        let sockets = Sockets::new(poll.registry(), listeners, sfu, relays, streams).map_err(BindError::Poller)?;
        let outgoing = Outgoing::new(config.index, events);
        Ok((Self { config, poll, sockets, listeners: bound, doors, sfu_lease, mailbox, outgoing }, sender))
    }

    /// What its listeners are bound to.
    pub fn listeners(&self) -> &[SocketAddr] {
        &self.listeners
    }

    /// The port of its SFU.
    pub fn sfu_port(&self) -> u16 {
        self.sfu_lease.port()
    }

    /// Starts the thread. It ends at [`ToShard::Stop`], or when every sender of its mailbox is gone. A panic in it is a
    /// bug that no part of the process survives: it ends the process, and whoever supervises that starts it anew. Streams
    /// and allocations that belong to another shard are handed to its `neighbours`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn spawn(self, neighbours: Neighbours) -> io::Result<JoinHandle<()>> {
        let name = format!("shard-{}", self.config.index);
        std::thread::Builder::new().name(name).spawn(move || {
            let _guard = EndProcess;
            self.run(neighbours);
        })
    }

    fn run(self, neighbours: Neighbours) {
        let Self { config, poll, sockets, listeners, doors, sfu_lease, mailbox, outgoing } = self;
        let now = clock::now();
        let (index, sfu_port) = (config.index, sfu_lease.port());
        let sfu = sfu::Sfu::new(now, sfu_config(&config, sfu_port, &doors, &sockets), config.sfu_seed);
        let hairpin = Hairpin {
            enabled: config.hairpin,
            addresses: config.addresses,
            sfu_port,
            allow: config.turn.peers.allow.clone(),
        };
        let turn = turn::Server::new(now, clock::unix_secs(), config.turn, config.turn_key);
        let core = Core::new(turn, sfu, hairpin, listeners);
        Running { index, neighbours, poll, core, sockets, mailbox, outgoing, exporter: Exporter::new(index) }.run();
    }
}

/// Listens for streams where datagrams are listened for, and for TLS where the configuration says so and there is a
/// certificate.
fn bind_streams(
    config: &ShardConfig,
    plain: Vec<SocketAddr>,
) -> Result<(Vec<tcp::Listener>, Vec<tcp::Listener>), BindError> {
    let turns = if config.streams.tls.is_some() { config.streams.turns.as_slice() } else { &[] };
    let turns: Vec<SocketAddr> = turns.iter().copied().flat_map(udp::expand).collect();
    if config.index == 0 {
        plain.iter().chain(&turns).try_for_each(|&address| tcp::check_free(address))?;
    }
    let listen = |addresses: Vec<SocketAddr>| addresses.into_iter().map(tcp::listen).collect::<Result<Vec<_>, _>>();
    Ok((listen(plain)?, listen(turns)?))
}

/// The families that this host has a name in, and the local address of each where there is only one. IPv4 where there is
/// none: the SFU has a port even before its address is known.
fn families(addresses: &Addresses) -> Vec<(Family, Option<IpAddr>)> {
    let only = |family| addresses.local_of(family).or_else(|| addresses.announced_of(family).next());
    let named: Vec<_> = [Family::V4, Family::V6]
        .into_iter()
        .filter(|&family| addresses.announced_of(family).next().is_some())
        .map(|family| (family, only(family).filter(|_| !addresses.has_several(family))))
        .collect();
    if named.is_empty() { vec![(Family::V4, None)] } else { named }
}

fn sfu_config(config: &ShardConfig, port: u16, doors: &[SocketAddr], sockets: &Sockets) -> sfu::Config {
    let names = announced(&config.addresses);
    sfu::Config {
        candidates: names.iter().map(|&ip| SocketAddr::new(ip, port)).collect(),
        tcp_candidates: tcp_candidates(&config.addresses, doors),
        relays: (config.addresses.external(), sockets.relays.ports().range()),
        shard: config.index as u16,
        unix: crate::clock::unix(),
        ..config.sfu.clone()
    }
}

fn announced(addresses: &Addresses) -> Vec<IpAddr> {
    [Family::V4, Family::V6].into_iter().flat_map(|family| addresses.announced_of(family)).collect()
}

/// What is announced of the doors for streams: every name by which one of them can be reached.
fn tcp_candidates(addresses: &Addresses, doors: &[SocketAddr]) -> Vec<SocketAddr> {
    let reaches = |name: IpAddr, door: &SocketAddr| {
        let local = addresses.to_local(SocketAddr::new(name, door.port())).ip();
        door.ip() == local || door.ip().is_unspecified() && door.is_ipv4() == name.is_ipv4()
    };
    let names = announced(addresses).into_iter();
    let all = names.flat_map(|name| {
        doors.iter().filter(move |door| reaches(name, door)).map(move |door| SocketAddr::new(name, door.port()))
    });
    all.take(TCP_CANDIDATES).collect()
}

/// Ends the process when the thread that holds it panics.
struct EndProcess;

impl Drop for EndProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(101);
        }
    }
}
