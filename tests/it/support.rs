//! What several modules need: free ports, and a shard or several on the loopback.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use roundturn::config::Limits;
use roundturn::ledger::Ledger;
use roundturn::nat::Addresses;
use roundturn::net::udp::BindError;
use roundturn::ports::Ports;
use roundturn::shard::mailbox::{FromShard, Sender, Shards, ToShard};
use roundturn::shard::{Shard, ShardConfig, StreamConfig};
use roundturn_sfu as sfu;
use roundturn_turn as turn;
use tokio::sync::mpsc::Receiver;

/// The secret that credentials are signed with.
pub const SECRET: &[u8] = b"north";

/// A port of UDP and TCP that nobody held a moment ago.
pub fn free_port() -> u16 {
    loop {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        if TcpListener::bind(address).is_ok() {
            return address.port();
        }
    }
}

/// Shards on 127.0.0.1, stopped when dropped.
pub struct Daemon {
    /// Where clients send to.
    pub listener: SocketAddr,
    /// The port range.
    pub ports: Arc<Ports>,
    /// The quotas.
    pub ledger: Arc<Ledger>,
    /// The port of each shard's SFU.
    pub sfu_ports: Vec<u16>,
    /// The mailboxes.
    pub shards: Shards,
    /// What the SFUs say.
    pub events: Receiver<FromShard>,
    threads: Vec<JoinHandle<()>>,
}

/// How a [`Daemon`] is to be.
#[derive(Clone)]
pub struct Options {
    /// Shards.
    pub shards: usize,
    /// Whether the shortcut is taken.
    pub hairpin: bool,
    /// Networks that relays may reach.
    pub allow: Vec<&'static str>,
    /// Allocations of one user.
    pub per_user: usize,
    /// Whether allocations may move.
    pub mobility: bool,
    /// The alternate address of NAT behaviour discovery.
    pub discovery: Option<SocketAddr>,
    /// The addresses of the host.
    pub addresses: Addresses,
    /// TCP connections of one TCP allocation.
    pub tcp_connections: usize,
    /// What is to be done about streams.
    pub streams: StreamConfig,
}

impl Default for Options {
    fn default() -> Self {
        let addresses = Addresses {
            external_v4: Some(Ipv4Addr::LOCALHOST),
            local_v4: Some(Ipv4Addr::LOCALHOST),
            host: vec![Ipv4Addr::LOCALHOST.into()],
            ..Addresses::default()
        };
        let streams = StreamConfig {
            turns: Vec::new(),
            tls: None,
            proxies: Vec::new(),
            connections: 1000,
            connections_per_prefix: 1000,
        };
        Self {
            shards: 1,
            hairpin: true,
            allow: vec!["127.0.0.0/8"],
            per_user: 100,
            mobility: false,
            discovery: None,
            tcp_connections: 0,
            addresses,
            streams,
        }
    }
}

impl Options {
    /// Starts it. A port that was free may be a relay of another test's by the time it is bound: then others do.
    pub fn start(self) -> Daemon {
        (0..50).find_map(|_| self.try_start()).expect("free ports")
    }

    fn try_start(&self) -> Option<Daemon> {
        let listener = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        // Apart from where the kernel takes the ports of listeners and clients.
        let first = 10_000 + free_port() % 20_000;
        let ports = Ports::new(first..=first + 400);
        let ledger = Ledger::new(Limits {
            allocations: 1000,
            allocations_per_user: self.per_user,
            allocations_per_prefix: 1000,
            user_rate: 0,
            total_rate: 0,
            monthly_bytes: 0,
        });
        let (events_in, events) = tokio::sync::mpsc::channel(64);
        let bound: Vec<(Shard, Sender)> = (0..self.shards)
            .map(|index| {
                let config = self.config(index, listener);
                Shard::bind(config, Arc::clone(&ports), Arc::clone(&ledger), events_in.clone()).ok()
            })
            .collect::<Option<_>>()?;
        let sfu_ports = bound.iter().map(|(shard, _)| shard.sfu_port()).collect();
        let (shards, senders): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
        let senders = Shards::new(senders);
        let threads = shards.into_iter().map(|shard| shard.spawn(senders.neighbours()).unwrap()).collect();
        Some(Daemon { listener, ports, ledger, sfu_ports, shards: senders, events, threads })
    }

    /// Binds one shard at `listener`, without starting it.
    pub fn bind_at(&self, listener: SocketAddr) -> Result<(Shard, Sender), BindError> {
        let (events, _) = tokio::sync::mpsc::channel(1);
        let ledger = Ledger::new(Limits {
            allocations: 1,
            allocations_per_user: 1,
            allocations_per_prefix: 1,
            user_rate: 0,
            total_rate: 0,
            monthly_bytes: 0,
        });
        Shard::bind(self.config(0, listener), Ports::new(20_000..=20_100), ledger, events)
    }

    fn config(&self, index: usize, listener: SocketAddr) -> ShardConfig {
        let mut turn = turn_config(&self.addresses, &self.allow);
        turn.limits.tcp_connections = self.tcp_connections;
        turn.mobility = self.mobility;
        turn.discovery = self.discovery.map(|alternate| turn::Discovery { primary: listener, alternate });
        ShardConfig {
            index,
            listen: vec![listener],
            streams: self.streams.clone(),
            addresses: self.addresses.clone(),
            hairpin: self.hairpin,
            turn,
            turn_key: [7; 32],
            sfu: sfu::Config {
                candidates: Vec::new(),
                tcp_candidates: Vec::new(),
                relays: (Vec::new(), 0..=0),
                shard: 0,
                audio_slots: 16,
                video_slots: 16,
                keyframe_cache: false,
                tracks: 8,
                participants: 100,
                unix: roundturn::clock::unix(),
                clock: roundturn::clock::worked,
            },
            sfu_seed: [index as u8; 32],
        }
    }
}

/// A TURN server of `addresses` that lets relays reach `allow`.
pub fn turn_config(addresses: &Addresses, allow: &[&str]) -> turn::Config {
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    turn::Config {
        realm: "test".into(),
        external_v4: addresses.external_v4,
        external_v6: addresses.external_v6,
        host: addresses.host.clone(),
        secrets: vec![turn::Secret {
            name: "test".into(),
            value: SECRET.to_vec(),
            validity: turn::Validity::default(),
        }],
        users: HashMap::new(),
        password_algorithms: false,
        alternate_servers: Vec::new(),
        discovery: None,
        mobility: false,
        strict_expiry: false,
        peers: turn::PeerRules { allow, deny: Vec::new() },
        limits: turn::Limits {
            max_lifetime_secs: 3600,
            permissions: 32,
            channels: 32,
            tcp_connections: 0,
            stranger_answers_per_second: 1000,
            stranger_answers_burst: 1000,
            metered: true,
        },
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for shard in 0..self.shards.count() {
            let _ = self.shards.send(shard, ToShard::Stop);
        }
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok(), "a shard panicked");
        }
    }
}

/// A host behind NAT: the world's name for it is no address of any card.
pub fn behind_nat() -> Addresses {
    let external = Ipv4Addr::new(198, 51, 100, 7);
    Addresses {
        external_v4: Some(external),
        local_v4: Some(Ipv4Addr::LOCALHOST),
        host: vec![external.into(), Ipv4Addr::LOCALHOST.into()],
        ..Addresses::default()
    }
}

/// A socket that waits at most two seconds for anything.
pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    socket
}
