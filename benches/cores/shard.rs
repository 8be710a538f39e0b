//! One shard's core with its outbox: a batch of packets in, the datagrams of a flush out, and the shortcut between two
//! relays.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Instant;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use roundturn::nat::Addresses;
use roundturn::shard::core::{self, Core};
use roundturn::shard::hairpin::Hairpin;
use roundturn::shard::outbox::{Datagram, Exit, Outbox, Wire};
use roundturn_sfu::{Config as SfuConfig, Sfu};
use roundturn_turn::{Family, Holder, OpenError, Relay, Relays, Server};

use crate::client::{self, Answers, EXTERNAL, LISTENER, PAYLOAD};

/// Packets that are read at once.
const BATCH: u16 = 32;
const SFU_PORT: u16 = 49_160;

/// Batches from 32 clients to peers, from their peers to them, and from 32 clients to each other's relays.
pub fn relay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shard/relay");
    group.throughput(Throughput::Elements(BATCH.into()));
    let peers: Vec<_> = (0..BATCH).map(client::peer).collect();
    to_peers(&mut group, "client_to_peer", &mut Shard::new(|number, _| peers[usize::from(number)]));
    from_peers(&mut group, &mut Shard::new(|number, _| peers[usize::from(number)]));
    // Neighbours call each other.
    let mut hairpin = Shard::new(|number, relays| SocketAddr::from((EXTERNAL, relays[usize::from(number ^ 1)])));
    to_peers(&mut group, "relay_to_relay", &mut hairpin);
    assert!(hairpin.core.inside().to_client.packets > 0, "the shortcut was taken");
}

fn to_peers(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, shard: &mut Shard) {
    let (buffer, ranges) = batch(&client::channel_data(&[0; PAYLOAD]));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for (number, at) in (0..BATCH).zip(&ranges) {
                let way = (client::client(number), SocketAddr::from(LISTENER));
                shard.core.from_client(shard.now, way, (&buffer, at.clone()), &mut shard.house, &mut shard.outbox);
            }
            shard.flush(&buffer)
        });
    });
    assert_eq!(shard.wire.last, usize::from(BATCH), "every packet of a batch leaves");
}

fn from_peers(group: &mut BenchmarkGroup<'_, WallTime>, shard: &mut Shard) {
    let (buffer, ranges) = batch(&[0; PAYLOAD]);
    group.bench_function("peer_to_client", |bencher| {
        bencher.iter(|| {
            for (number, at) in (0..BATCH).zip(&ranges) {
                let relay = Relay { family: Family::V4, port: shard.relays[usize::from(number)] };
                let (core, outbox) = (&mut shard.core, &mut shard.outbox);
                core.from_peer(shard.now, relay, client::peer(number), at.clone(), &shard.house, outbox);
            }
            shard.flush(&buffer)
        });
    });
    assert_eq!(shard.wire.last, usize::from(BATCH), "every packet of a batch leaves");
}

/// The same datagram again and again, as one buffer, and where each of them is.
fn batch(datagram: &[u8]) -> (Vec<u8>, Vec<Range<usize>>) {
    let ranges = (0..usize::from(BATCH)).map(|number| number * datagram.len()..(number + 1) * datagram.len());
    (datagram.repeat(BATCH.into()), ranges.collect())
}

struct Shard {
    core: Core,
    house: House,
    outbox: Outbox,
    wire: Count,
    relays: Vec<u16>,
    now: Instant,
}

impl Shard {
    /// A shard with a batch of clients; `peer` says whom each has a channel to, by its number and everyone's relays.
    fn new(peer: impl Fn(u16, &[u16]) -> SocketAddr) -> Self {
        let now = Instant::now();
        let addresses =
            Addresses { external_v4: Some(EXTERNAL.into()), local_v4: Some(EXTERNAL.into()), ..Addresses::default() };
        let hairpin = Hairpin { enabled: true, addresses, sfu_port: SFU_PORT, allow: Vec::new() };
        let turn = Server::new(now, client::NOW, client::config(), [7; 32]);
        let core = Core::new(turn, Sfu::new(now, sfu(), [8; 32]), hairpin, vec![SocketAddr::from(LISTENER)]);
        let mut shard = Self {
            core,
            house: House::default(),
            outbox: Outbox::default(),
            wire: Count::default(),
            relays: Vec::new(),
            now,
        };
        shard.relays = (0..BATCH).map(|number| client::open(&mut shard, client::client(number))).collect();
        for number in 0..BATCH {
            let peer = peer(number, &shard.relays);
            client::bind(&mut shard, client::client(number), peer);
        }
        shard
    }

    /// What a shard does at the end of a batch.
    fn flush(&mut self, buffer: &[u8]) -> usize {
        self.core.settle(self.now, &mut self.house, &mut self.outbox);
        self.wire.last = 0;
        self.outbox.flush(buffer, &mut self.wire);
        self.wire.last
    }
}

impl Answers for Shard {
    fn answer(&mut self, client: SocketAddr, request: &[u8]) -> Vec<u8> {
        let (way, at) = ((client, SocketAddr::from(LISTENER)), 0..request.len());
        self.core.from_client(self.now, way, (request, at), &mut self.house, &mut self.outbox);
        self.flush(request);
        std::mem::take(&mut self.wire.answer)
    }
}

fn sfu() -> SfuConfig {
    SfuConfig {
        candidates: vec![SocketAddr::from((EXTERNAL, SFU_PORT))],
        tcp_candidates: Vec::new(),
        relays: (vec![EXTERNAL.into()], 50_000..=60_000),
        shard: 0,
        audio_slots: 4,
        video_slots: 9,
        keyframe_cache: false,
        tracks: 4,
        participants: 10,
        unix: roundturn::clock::unix(),
        clock: roundturn::clock::worked,
    }
}

/// A wire that only counts, and keeps the last answer to a request: requests come one at a time.
#[derive(Default)]
struct Count {
    last: usize,
    answer: Vec<u8>,
}

impl Wire for Count {
    fn send(&mut self, _: Exit, datagrams: &[Datagram<'_>]) {
        self.last += datagrams.len();
        if let [Datagram { pieces: [answer, [], []], .. }] = datagrams {
            self.answer = answer.to_vec();
        }
    }
}

/// Relay ports that count up.
#[derive(Default)]
struct House(HashSet<u16>);

impl Relays for House {
    fn open(&mut self, family: Family, _: Holder<'_>) -> Result<Relay, OpenError> {
        let port = 50_000 + self.0.len() as u16;
        self.0.insert(port);
        Ok(Relay { family, port })
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        address.ip() == IpAddr::from(EXTERNAL) && (address.port() == SFU_PORT || self.0.contains(&address.port()))
    }
}

impl core::House for House {
    fn is_here(&self, relay: Relay) -> bool {
        self.0.contains(&relay.port)
    }

    fn close(&mut self, relay: Relay) {
        self.0.remove(&relay.port);
    }
}
