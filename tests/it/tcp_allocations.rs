//! TCP allocations over real sockets (RFC 6062): what a client says reaches its peers, whichever shard its streams come to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use roundturn::config::Limits;
use roundturn::ports::Owner;
use roundturn::shard::StreamConfig;

use crate::stream_link::{StreamLink, server_config};
use crate::support::{Daemon, Options, behind_nat};
use crate::turn_client::TurnClient;

type Client = TurnClient<StreamLink>;

fn options() -> Options {
    let defaults = Options::default();
    let streams = StreamConfig { tls: Some(server_config("")), ..defaults.streams.clone() };
    Options { tcp_connections: 4, streams, ..defaults }
}

fn tcp(daemon: &Daemon) -> Client {
    TurnClient::over(StreamLink::tcp(daemon.listener), daemon.listener, "alice")
}

fn tls(daemon: &Daemon) -> Client {
    TurnClient::over(StreamLink::tls(daemon.listener, "", &[]).unwrap(), daemon.listener, "alice")
}

/// A peer that accepts, and where.
fn peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// The client's and the peer's end of a connection that the client has asked for.
fn joined(client: &mut Client, mut data: Client) -> (Client, TcpStream) {
    let (listener, address) = peer();
    let connection = client.connect(address).unwrap();
    let peer = patient(listener.accept().unwrap().0);
    data.bind_connection(connection).unwrap();
    (data, peer)
}

/// Some bytes, no two blocks of them alike.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn exactly(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut read = vec![0; len];
    stream.read_exact(&mut read).unwrap();
    read
}

/// Waits until no relay is open any more: a shard that has answered somebody has gone round since.
fn nothing_is_open(daemon: &Daemon) -> bool {
    let mut other = tcp(daemon);
    (0..2000).any(|_| {
        other.binding();
        daemon.ports.in_use(Owner::Turn) == 0
    })
}

#[test]
fn bytes_go_both_ways_whichever_shard_the_streams_come_to() {
    for shards in [1, 3] {
        let daemon = Options { shards, ..options() }.start();
        for round in 0..12 {
            let mut client = if round % 2 == 0 { tcp(&daemon) } else { tls(&daemon) };
            let relay = client.allocate_tcp().unwrap();
            let (listener, address) = peer();
            let connection = client.connect(address).unwrap();
            let (mut peer, source) = listener.accept().map(|(stream, source)| (patient(stream), source)).unwrap();
            assert_eq!(source, relay, "it leaves from the relayed transport address");
            // What the peer says before the client is there waits for it.
            peer.write_all(b"early").unwrap();
            let mut data = if round % 4 < 2 { tcp(&daemon) } else { tls(&daemon) };
            data.bind_connection(connection).unwrap();
            assert_eq!(data.socket.read(5), b"early");
            for len in [1, 1000, 200_000] {
                data.socket.write(&bytes(len));
                assert_eq!(exactly(&mut peer, len), bytes(len));
                peer.write_all(&bytes(len)).unwrap();
                assert_eq!(data.socket.read(len), bytes(len));
            }
            client.refresh().unwrap();
        }
        assert!(nothing_is_open(&daemon));
    }
}

#[test]
fn a_slow_reader_holds_up_the_other_side_and_loses_nothing() {
    const LEN: usize = 32 << 20;
    let daemon = options().start();
    let mut client = tcp(&daemon);
    client.allocate_tcp().unwrap();
    for secure in [false, true] {
        let stream = if secure { tls(&daemon) } else { tcp(&daemon) };
        let (data, peer) = joined(&mut client, stream);
        let mut source = peer.try_clone().unwrap();
        let writer = std::thread::spawn(move || source.write_all(&bytes(LEN)).unwrap());
        // It cannot come to an end before anybody reads: that much fits no queue between here and there.
        client.refresh().unwrap();
        assert!(!writer.is_finished());
        assert!(data.socket.read(LEN) == bytes(LEN));
        writer.join().unwrap();
    }
}

#[test]
fn the_end_of_one_direction_is_passed_on_and_the_other_goes_on() {
    let daemon = options().start();
    let mut client = tcp(&daemon);
    client.allocate_tcp().unwrap();
    let (data, mut peer) = joined(&mut client, tcp(&daemon));
    data.socket.write(b"question");
    data.socket.socket.shutdown(Shutdown::Write).unwrap();
    let mut question = Vec::new();
    peer.read_to_end(&mut question).unwrap();
    assert_eq!(question, b"question");
    peer.write_all(b"answer").unwrap();
    assert_eq!(data.socket.read(6), b"answer");
    drop(peer);
    assert!(data.socket.has_ended());

    let (data, peer) = joined(&mut client, tls(&daemon));
    peer.shutdown(Shutdown::Write).unwrap();
    assert!(data.socket.has_ended(), "TLS says goodbye");
    let (data, mut peer) = joined(&mut client, tcp(&daemon));
    drop(data);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_peer_that_has_permission_may_connect_and_others_may_not() {
    for shards in [1, 2] {
        let daemon = Options { shards, ..options() }.start();
        let mut client = tcp(&daemon);
        let relay = client.allocate_tcp().unwrap();
        let mut stranger = patient(TcpStream::connect(relay).unwrap());
        assert!(!matches!(stranger.read(&mut [0]), Ok(1..)), "it is closed");
        client.permit("127.0.0.1:1".parse().unwrap()).unwrap();
        let mut peer = patient(TcpStream::connect(relay).unwrap());
        let (source, connection) = client.hear_attempt();
        assert_eq!(source, peer.local_addr().unwrap());
        let mut data = tcp(&daemon);
        data.bind_connection(connection).unwrap();
        peer.write_all(b"hello").unwrap();
        assert_eq!(data.socket.read(5), b"hello");
        client.release().unwrap();
        assert!(data.socket.is_closed());
        assert!(!matches!(peer.read(&mut [0]), Ok(1..)), "it is closed");
        assert!(nothing_is_open(&daemon));
    }
}

#[test]
fn two_relays_of_one_host_reach_each_other_behind_nat_as_well() {
    let direct = Options { allow: Vec::new(), ..options() };
    let nat = Options { addresses: behind_nat(), allow: Vec::new(), shards: 2, ..options() };
    for options in [direct, nat] {
        let daemon = options.start();
        let (mut alice, mut bob) = (tcp(&daemon), tcp(&daemon));
        let (alices, bobs) = (alice.allocate_tcp().unwrap(), bob.allocate_tcp().unwrap());
        bob.permit(alices).unwrap();
        let at_alice = alice.connect(bobs).unwrap();
        let (source, at_bob) = bob.hear_attempt();
        assert_eq!(source, alices, "by the name that the world knows");
        let [mut one, mut other] = [at_alice, at_bob].map(|connection| {
            let mut data = tcp(&daemon);
            data.bind_connection(connection).unwrap();
            data.socket
        });
        for _ in 0..2 {
            one.write(&bytes(100_000));
            assert_eq!(other.read(100_000), bytes(100_000));
            std::mem::swap(&mut one, &mut other);
        }
        // A port of this host that is no TCP relay is nobody's to reach.
        let (_listener, address) = peer();
        assert_eq!(alice.connect(SocketAddr::new(bobs.ip(), address.port())), Err(403));
        let mut udp = tcp(&daemon);
        let udp = udp.allocate().unwrap();
        assert_eq!(alice.connect(udp), Err(403));
    }
}

#[test]
fn a_peer_that_is_not_there_is_447_and_a_second_connection_is_446() {
    let daemon = options().start();
    let mut client = tcp(&daemon);
    client.allocate_tcp().unwrap();
    let (listener, address) = peer();
    let _connection = client.connect(address).unwrap();
    assert_eq!(client.connect(address), Err(446));
    drop(listener);
    let (gone, address) = peer();
    drop(gone);
    assert_eq!(client.connect(address), Err(447));
    assert_eq!(client.connect(address), Err(447), "what failed leaves nothing behind");
    let mut stray = tcp(&daemon);
    assert_eq!(stray.bind_connection(0xFF00_0001), Err(400));
}

#[test]
fn the_end_of_the_control_connection_is_the_end_of_all() {
    let daemon = Options { shards: 2, ..options() }.start();
    let mut client = tcp(&daemon);
    client.allocate_tcp().unwrap();
    let (data, mut peer) = joined(&mut client, tls(&daemon));
    drop(client);
    assert!(!matches!(peer.read(&mut [0]), Ok(1..)), "it is closed");
    assert!(data.socket.is_closed());
    assert!(nothing_is_open(&daemon));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a rate is a matter of the real clock")]
fn a_connection_waits_for_the_rate_of_its_user_and_ends_with_the_month() {
    const LEN: usize = 3_000_000;
    let daemon = options().start();
    let limits = Limits { user_rate: 8_000_000, monthly_bytes: LEN as u64 + 1, ..crate::rates::limits() };
    daemon.ledger.set_limits(limits);
    let mut client = tcp(&daemon);
    client.allocate_tcp().unwrap();
    let (data, mut peer) = joined(&mut client, tcp(&daemon));
    let begin = Instant::now();
    data.socket.write(b"?");
    assert_eq!(exactly(&mut peer, 1), b"?");
    let mut source = peer.try_clone().unwrap();
    let writer = std::thread::spawn(move || source.write_all(&bytes(LEN)));
    assert!(data.socket.read(LEN) == bytes(LEN), "nothing is lost");
    writer.join().unwrap().unwrap();
    // A million bytes a second, but for the burst and what goes in one turn.
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
    // The month is told once a second, and looked at before each turn.
    while peer.write_all(b"more").is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(60), "the connection is still there after the month's bytes");
        client.refresh().unwrap();
    }
    assert!(data.socket.is_closed());
}
