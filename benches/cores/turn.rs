//! The TURN server alone: bytes in, verdicts and answers out.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use roundturn_turn::message::Message;
use roundturn_turn::{Client, Family, Holder, OpenError, Peer, Relay, Relays, Server, Transport, Verdict};

use crate::client::{self, Answers, EXTERNAL, LISTENER, PAYLOAD};

/// Reading an Allocate with everything in it, all attributes to the end.
pub fn decode(criterion: &mut Criterion) {
    let mut house = House::new(0);
    let nonce = client::nonce(&mut house, client::client(0));
    let message = client::allocate(&nonce);
    criterion.bench_function("turn/decode", |bencher| {
        bencher.iter(|| Message::decode(black_box(&message)).unwrap().attributes().count());
    });
}

/// A Binding and its answer.
pub fn binding(criterion: &mut Criterion) {
    let (mut house, request) = (House::new(0), client::binding());
    criterion.bench_function("turn/binding", |bencher| {
        bencher.iter(|| house.answer(client::client(0), black_box(&request)));
    });
}

/// The whole beginning of a relayed call, 401, Allocate and success, and its end, without the client's own work.
pub fn allocate(criterion: &mut Criterion) {
    let mut house = House::new(0);
    let client = client::client(0);
    let (unproven, nonce) = (client::allocate_unproven(), client::nonce(&mut house, client));
    let (allocate, release) = (client::allocate(&nonce), client::release(&nonce));
    criterion.bench_function("turn/allocate", |bencher| {
        bencher.iter(|| [&unproven, &allocate, &release].map(|request| house.answer(client, black_box(request))));
    });
    assert_eq!(house.server.stats().allocations, 0, "each was given back");
}

/// One packet of media each way, by the number of allocations that there are.
pub fn relay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn/relay");
    group.throughput(Throughput::Elements(1));
    for clients in [1, 50, 5000] {
        let mut house = House::new(clients);
        let data = client::channel_data(&[0; PAYLOAD]);
        let mut turn = (0..clients).cycle();
        group.bench_function(BenchmarkId::new("client_to_peer", clients), |bencher| {
            bencher.iter(|| {
                let client = as_client(client::client(turn.next().unwrap()));
                house.server.handle_client(house.now, client, black_box(&data), &mut house.ports)
            });
        });
        group.bench_function(BenchmarkId::new("peer_to_client", clients), |bencher| {
            bencher.iter(|| {
                let number = turn.next().unwrap();
                let relay = house.relays[usize::from(number)];
                house.server.handle_peer(house.now, relay, Peer(client::peer(number)), black_box(PAYLOAD))
            });
        });
        let stats = house.server.stats();
        assert!(stats.to_peers.packets > 0 && stats.to_clients.packets > 0, "packets went through");
    }
}

/// A server with some clients, each with a channel to a peer of its own.
struct House {
    server: Server,
    ports: Ports,
    relays: Vec<Relay>,
    now: Instant,
}

impl House {
    fn new(clients: u16) -> Self {
        let now = Instant::now();
        let server = Server::new(now, client::NOW, client::config(), [7; 32]);
        let mut house = Self { server, ports: Ports::default(), relays: Vec::new(), now };
        for number in 0..clients {
            let port = client::open(&mut house, client::client(number));
            house.relays.push(Relay { family: Family::V4, port });
            client::bind(&mut house, client::client(number), client::peer(number));
        }
        house
    }
}

impl Answers for House {
    fn answer(&mut self, client: SocketAddr, request: &[u8]) -> Vec<u8> {
        let verdict = self.server.handle_client(self.now, as_client(client), request, &mut self.ports);
        assert_eq!(verdict, Verdict::Reply);
        while self.server.poll_event().is_some() {}
        self.server.poll_transmit().unwrap().bytes
    }
}

fn as_client(remote: SocketAddr) -> Client {
    Client { remote, local: SocketAddr::from(LISTENER), transport: Transport::Udp }
}

/// Relay ports that count up, and go round when somebody allocates again and again.
#[derive(Default)]
struct Ports(u16);

impl Relays for Ports {
    fn open(&mut self, family: Family, _: Holder<'_>) -> Result<Relay, OpenError> {
        self.0 = (self.0 + 1) % 10_000;
        Ok(Relay { family, port: 50_000 + self.0 })
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        address.ip() == std::net::IpAddr::from(EXTERNAL) && address.port() >= 50_000
    }
}
