//! Shards over TCP and TLS: what works over UDP works there, and a bad stream harms nobody else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use roundturn::net::tls::{TlsError, load};
use roundturn::ports::Owner;
use roundturn::shard::StreamConfig;
use roundturn::shard::mailbox::{ShardSettings, ToShard};

use crate::stream_link::{StreamLink, path, server_config, shake_hands};
use crate::support::{Daemon, Options, free_port, socket, turn_config};
use crate::turn_client::{Heard, Link, TurnClient};

fn options() -> Options {
    let defaults = Options::default();
    let turns = vec![SocketAddr::from(([127, 0, 0, 1], free_port()))];
    let streams = StreamConfig {
        turns,
        tls: Some(server_config("")),
        proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..defaults.streams.clone()
    };
    Options { streams, ..defaults }
}

fn tcp(daemon: &Daemon, user: &str) -> TurnClient<StreamLink> {
    TurnClient::over(StreamLink::tcp(daemon.listener), daemon.listener, user)
}

fn tls(server: SocketAddr, protocols: &[&str]) -> TurnClient<StreamLink> {
    TurnClient::over(StreamLink::tls(server, "", protocols).unwrap(), server, "alice")
}

/// Everything that a client does with an allocation, and the end of it with the stream.
fn whole_life(daemon: &Daemon, mut client: TurnClient<StreamLink>) {
    let peer = socket();
    let peer_address = peer.local_addr().unwrap();
    assert_eq!(client.binding(), client.address());
    let relay = client.allocate().unwrap();
    client.permit(peer_address).unwrap();
    let mut bytes = [0; 2048];
    client.send_indication(peer_address, b"by indication");
    assert_eq!(peer.recv_from(&mut bytes).unwrap(), (13, relay));
    peer.send_to(b"back", relay).unwrap();
    assert_eq!(client.hear(), Some(Heard::Data(peer_address, b"back".to_vec())));
    client.bind_channel(0x4001, peer_address).unwrap();
    for size in [0, 1, 2, 3, 4, 1000, 1452] {
        client.send_on_channel(0x4001, &vec![7; size]);
        assert_eq!(peer.recv_from(&mut bytes).unwrap(), (size, relay));
        peer.send_to(&vec![8; size], relay).unwrap();
        assert_eq!(client.hear(), Some(Heard::Channel(0x4001, vec![8; size])));
    }
    client.refresh().unwrap();
    drop(client);
    // A shard that has answered somebody else has gone round since.
    let mut other = TurnClient::new(daemon.listener, "bob");
    let mut is_closed = || {
        other.binding();
        daemon.ports.in_use(Owner::Turn) == 0
    };
    assert!((0..2000).any(|_| is_closed()), "the allocation ends with its stream");
}

#[test]
fn a_client_over_tcp_does_all_that_one_over_udp_does() {
    for shards in [1, 2] {
        let daemon = Options { shards, ..options() }.start();
        for _ in 0..4 {
            whole_life(&daemon, tcp(&daemon, "alice"));
        }
    }
}

#[test]
fn tls_is_known_by_its_first_byte_and_has_a_port_of_its_own() {
    let options = options();
    let turns = options.streams.turns[0];
    let daemon = options.start();
    whole_life(&daemon, tls(daemon.listener, &[]));
    whole_life(&daemon, tls(daemon.listener, &["stun.turn"]));
    whole_life(&daemon, tls(turns, &[]));
    let plain = StreamLink::tcp(turns);
    plain.write(&[0, 1, 0, 0]);
    assert!(plain.is_closed(), "a port for TLS takes nothing else");
    assert!(StreamLink::tls(daemon.listener, "", &["http/1.1"]).is_err(), "another protocol is none of ours");
}

#[test]
fn a_trusted_proxy_tells_who_its_clients_are() {
    let daemon = options().start();
    let header = |host: u8| {
        let addresses = [192, 0, 2, host, 203, 0, 113, 7, 0x9C, 0x40, 0x01, 0xBB];
        [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[0x21, 0x11, 0, 12], &addresses].concat()
    };
    let link = StreamLink::tcp(daemon.listener);
    link.write(&header(1));
    let mut plain = TurnClient::over(link, daemon.listener, "alice");
    assert_eq!(plain.binding(), "192.0.2.1:40000".parse::<SocketAddr>().unwrap());
    plain.allocate().unwrap();

    let link = StreamLink::tls_after(daemon.listener, "", &[], &header(2)).unwrap();
    let mut secure = TurnClient::over(link, daemon.listener, "bob");
    assert_eq!(secure.binding(), "192.0.2.2:40000".parse::<SocketAddr>().unwrap());

    // The same client anew: what it had before is gone, and what it has now stays.
    let link = StreamLink::tcp(daemon.listener);
    link.write(&header(1));
    let mut again = TurnClient::over(link, daemon.listener, "alice");
    again.allocate().unwrap();
    assert!(plain.socket.is_closed());
    again.refresh().unwrap();

    let forged = StreamLink::tcp(daemon.listener);
    forged.write(b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0");
    assert!(forged.is_closed());
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let mut options = options();
    options.streams.proxies.clear();
    let daemon = options.start();
    let link = StreamLink::tcp(daemon.listener);
    link.write(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xC0\0\x02\x01\xCB\0\x71\x07\0\x09\0\x09");
    assert!(link.is_closed());
}

#[test]
fn bad_streams_end_and_others_go_on() {
    let daemon = options().start();
    let mut good = tcp(&daemon, "alice");
    good.allocate().unwrap();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: turn.example.org\r\n\r\n"[..],
        &[0xFF; 64],
        &[0, 1, 0, 3, 0x21, 0x12, 0xa4, 0x42],
        &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
        // Longer than a stranger may be.
        &[0, 3, 0x20, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0],
        &[0x40, 0, 0xFF, 0xFF, 0, 0],
        // TLS by its first byte, and nothing more of it.
        &[0x16, 3, 1, 0, 4, 9, 9, 9, 9, 0, 0, 0, 0],
        &[0x16; 3000],
    ] {
        let bad = StreamLink::tcp(daemon.listener);
        bad.write(bytes);
        assert!(bad.is_closed(), "{bytes:?}");
    }
    good.refresh().unwrap();
}

#[test]
fn too_many_streams_from_one_prefix_are_refused_and_ended_ones_make_room() {
    let mut options = options();
    options.streams.proxies.clear();
    options.streams.connections_per_prefix = 4;
    let daemon = options.start();
    let mut streams: Vec<_> = (0..4).map(|_| tcp(&daemon, "alice")).collect();
    streams.iter_mut().for_each(|stream| assert_eq!(stream.binding(), stream.address()));
    assert!(StreamLink::tcp(daemon.listener).is_closed());
    drop(streams.pop());
    let mut room = std::iter::repeat_with(|| StreamLink::tcp(daemon.listener)).take(1000);
    assert!(room.any(|link| {
        link.write(&[&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[5; 12]].concat());
        link.hear(daemon.listener).is_some()
    }));
}

#[test]
fn a_client_that_reads_slowly_loses_media_and_gets_its_answers() {
    for is_tls in [false, true] {
        let daemon = options().start();
        let mut client = if is_tls { tls(daemon.listener, &[]) } else { tcp(&daemon, "alice") };
        let peer = socket();
        let (relay, peer_address) = (client.allocate().unwrap(), peer.local_addr().unwrap());
        client.bind_channel(0x4000, peer_address).unwrap();
        // Far more than the kernel and we keep. The way back tells that each burst was read before the next comes.
        let (payload, mut bytes) = ([9; 1200], [0; 16]);
        for _ in 0..1000 {
            for _ in 0..32 {
                peer.send_to(&payload, relay).unwrap();
            }
            client.send_on_channel(0x4000, b"go on");
            assert_eq!(peer.recv_from(&mut bytes).unwrap(), (5, relay));
        }
        let before = client.socket.heard.get();
        client.refresh().unwrap();
        assert!(client.socket.heard.get() - before < 30_000, "media gave way");
        // What is said now is heard: the stream lives, and it is in step.
        peer.send_to(b"news", relay).unwrap();
        let news = Heard::Channel(0x4000, b"news".to_vec());
        assert!(std::iter::from_fn(|| client.hear()).take(40_000).any(|heard| heard == news));
    }
}

#[test]
fn a_new_certificate_is_for_those_who_come_and_leaves_others_alone() {
    let daemon = options().start();
    let mut old = tls(daemon.listener, &[]);
    old.allocate().unwrap();
    let options = options();
    let streams = StreamConfig { tls: Some(server_config("other-")), ..options.streams };
    let turn = turn_config(&options.addresses, &options.allow);
    daemon.shards.send(0, ToShard::Configure(Box::new(ShardSettings { turn, streams }))).unwrap();
    let renewed =
        std::iter::repeat_with(|| StreamLink::tls(daemon.listener, "other-", &[])).take(100).any(|one| one.is_ok());
    assert!(renewed);
    assert!(StreamLink::tls(daemon.listener, "", &[]).is_err());
    old.refresh().unwrap();
}

#[test]
fn without_a_certificate_tls_is_garbage() {
    let daemon = Options::default().start();
    assert!(StreamLink::tls(daemon.listener, "", &[]).is_err());
    let mut client = tcp(&daemon, "alice");
    assert_eq!(client.binding(), client.address());
}

#[test]
fn half_a_close_is_a_close() {
    let daemon = options().start();
    let mut client = tcp(&daemon, "alice");
    client.allocate().unwrap();
    client.socket.socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(client.socket.is_closed());
    let mut idle = TcpStream::connect(daemon.listener).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    idle.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(idle.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn a_goodbye_in_tls_is_answered() {
    let daemon = options().start();
    let mut stream = shake_hands(daemon.listener, "", &[], &[]).unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "a goodbye, and not a mere end");
}

#[test]
fn files_that_do_not_serve_are_named_with_owner_and_mode() {
    // openssl x509 -in tests/it/tls/certificate.pem -noout -enddate -dateopt iso_8601
    let good = load(&path("certificate.pem"), &path("key.pem")).unwrap();
    assert_eq!(good.not_after, Some(4_948_814_744));
    let missing = load(&path("nowhere.pem"), &path("key.pem")).unwrap_err();
    assert!(matches!(&missing, TlsError::Read { path, .. } if path.ends_with("nowhere.pem")), "{missing}");
    let mismatch = load(&path("certificate.pem"), &path("other-key.pem")).unwrap_err().to_string();
    assert!(mismatch.contains("other-key.pem") && mismatch.contains("/certificate.pem"), "{mismatch}");
    let swapped = load(&path("key.pem"), &path("certificate.pem")).unwrap_err().to_string();
    assert!(swapped.contains("key.pem holds no certificate"), "{swapped}");
    let folder = load(&path(""), &path("key.pem")).unwrap_err().to_string();
    assert!(folder.contains("owner ") && folder.contains("mode 0") && folder.contains("runs as"), "{folder}");
}
