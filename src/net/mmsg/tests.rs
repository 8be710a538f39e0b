//! Real sockets on the loopback: what is sent in one call arrives as it was.

use std::net::UdpSocket;
use std::os::fd::AsFd;

use nix::sys::socket::{setsockopt, sockopt};
use roundturn_turn::Family;

use super::*;
use crate::shard::outbox::Datagram;

fn socket(address: &str) -> UdpSocket {
    UdpSocket::bind(address).unwrap()
}

fn datagram(to: SocketAddr, bytes: &[u8]) -> Datagram<'_> {
    Datagram { to, from: None, pieces: [bytes, &[], &[]] }
}

fn received(batch: &ReceiveBatch) -> Vec<(SocketAddr, Vec<u8>)> {
    let slots = (0..SLOTS).filter_map(|slot| batch.received(slot));
    slots
        .flat_map(|one| one.datagrams().map(move |range| (one.source, range)).collect::<Vec<_>>())
        .map(|(source, range)| (source, batch.buffer()[range].to_vec()))
        .collect()
}

/// What is left of an ICMP error is told by refusing the next call, and that is no reason not to send.
#[test]
fn an_icmp_error_is_found_in_the_queue_and_holds_up_nothing() {
    let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    setsockopt(&from, sockopt::Ipv4RecvErr, &true).unwrap();
    let closed = socket("127.0.0.1:0").local_addr().unwrap();
    let address = to.local_addr().unwrap();
    let mut batch = SendBatch::default();
    for round in 0..10 {
        assert_eq!(batch.send(from.as_fd(), &[datagram(closed, b"anyone there")]).sent, 1);
        let pair = [datagram(address, b"one"), datagram(address, b"two")];
        assert_eq!(batch.send(from.as_fd(), &pair[..1 + round % 2]).refused, 0);
    }
    let error = Undelivered { to: closed, icmp: roundturn_turn::Icmp { kind: 3, code: 3, mtu: 0 } };
    assert!((0..10).all(|_| next_error(from.as_fd()).unwrap() == Some(error)));
    assert_eq!(next_error(from.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

/// With its headers the largest datagram is larger than the loopback's MTU. This host is the one that says so, and says it
/// once for each attempt.
#[test]
fn what_must_stay_whole_is_refused_where_it_does_not_fit() {
    let (from, to) = (socket("[::1]:0"), socket("[::1]:0"));
    setsockopt(&from, sockopt::Ipv6RecvErr, &true).unwrap();
    let address = to.local_addr().unwrap();
    let large = vec![0; 65_507];
    let send = |bytes: &[u8]| SendBatch::default().send(from.as_fd(), &[datagram(address, bytes)]);
    allow_fragments(from.as_fd(), Family::V6).unwrap();
    assert_eq!(send(&large).sent, 1);
    set_whole(from.as_fd(), Family::V6, true).unwrap();
    assert_eq!((send(&large).refused, send(&large[..1000]).sent), (1, 1));
    let error = Undelivered { to: address, icmp: roundturn_turn::Icmp { kind: 2, code: 0, mtu: 65_536 } };
    assert_eq!(next_error(from.as_fd()).unwrap(), Some(error));
    set_whole(from.as_fd(), Family::V6, false).unwrap();
    assert_eq!(send(&large).sent, 1);
}

#[test]
fn pieces_arrive_as_one_datagram_each_at_its_destination() {
    let (from, one, two) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let to = |socket: &UdpSocket| socket.local_addr().unwrap();
    let sent = SendBatch::default().send(
        from.as_fd(),
        &[
            Datagram { to: to(&one), from: None, pieces: [b"head", b"payload", &[0]] },
            datagram(to(&two), b"other"),
            datagram(to(&one), b""),
        ],
    );
    assert_eq!((sent.sent, sent.refused, sent.full), (3, 0, 0));
    let mut batch = ReceiveBatch::default();
    assert_eq!(batch.receive(one.as_fd(), 8).unwrap(), 0..2, "fewer than asked for: drained");
    assert_eq!(batch.receive(two.as_fd(), 8).unwrap(), 2..3, "behind what is already there");
    assert_eq!(batch.receive(two.as_fd(), 8).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let me = to(&from);
    assert_eq!(received(&batch), [(me, b"headpayload\0".to_vec()), (me, vec![]), (me, b"other".to_vec())]);
    batch.clear();
    assert!(received(&batch).is_empty());
}

/// A train of equal datagrams and a shorter one, to a socket that takes trains and one that does not.
#[test]
fn a_train_is_cut_into_the_same_datagrams_with_and_without_gro() {
    for gro in [false, true] {
        let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        setsockopt(&to, sockopt::UdpGroSegment, &gro).unwrap();
        let address = to.local_addr().unwrap();
        let payloads: Vec<Vec<u8>> =
            (0..70u8).map(|n| vec![n; if n == 69 { 30 } else { 900 }]).chain([vec![99; 1200]]).collect();
        let datagrams: Vec<_> = payloads
            .iter()
            .map(|payload| Datagram { to: address, from: None, pieces: [&payload[..4], &payload[4..], &[]] })
            .collect();
        let sent = SendBatch::default().send(from.as_fd(), &datagrams);
        assert_eq!((sent.sent, sent.calls), (71, 1), "one call for all of them");
        let mut batch = ReceiveBatch::default();
        while batch.receive(to.as_fd(), 64).is_ok() {}
        let arrived: Vec<Vec<u8>> = received(&batch).into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(arrived, payloads, "gro {gro}");
        assert_eq!(gro, batch.received(0).unwrap().datagrams().count() > 1);
    }
}

#[test]
fn datagrams_that_do_not_fit_a_frame_go_one_by_one() {
    let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let large = vec![7; 9000];
    let address = to.local_addr().unwrap();
    let sent = SendBatch::default().send(from.as_fd(), &[datagram(address, &large), datagram(address, &large)]);
    assert_eq!(sent.sent, 2);
    let mut batch = ReceiveBatch::default();
    assert_eq!(batch.receive(to.as_fd(), 8).unwrap(), 0..2);
    assert_eq!(received(&batch)[1].1, large);
}

#[test]
fn one_that_is_refused_does_not_hold_up_the_others() {
    let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let good = to.local_addr().unwrap();
    let wrong_family: SocketAddr = "[::1]:9".parse().unwrap();
    let too_large = vec![0; 65_530];
    let sent = SendBatch::default().send(
        from.as_fd(),
        &[
            datagram(good, b"a"),
            datagram(wrong_family, b"b"),
            datagram(good, &too_large),
            datagram(good, b"c"),
            datagram(wrong_family, b"d"),
        ],
    );
    assert_eq!((sent.sent, sent.refused), (2, 3));
    let mut batch = ReceiveBatch::default();
    batch.receive(to.as_fd(), 8).unwrap();
    assert_eq!(received(&batch).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [b"a", b"c"]);
}

#[test]
fn a_reply_leaves_from_the_address_that_was_hit() {
    for (wildcard, hit, client) in [("0.0.0.0:0", "127.0.0.2", "127.0.0.1:0"), ("[::]:0", "::1", "[::1]:0")] {
        let (server, client) = (socket(wildcard), socket(client));
        match server.local_addr().unwrap() {
            SocketAddr::V4(_) => setsockopt(&server, sockopt::Ipv4PacketInfo, &true).unwrap(),
            SocketAddr::V6(_) => setsockopt(&server, sockopt::Ipv6RecvPacketInfo, &true).unwrap(),
        }
        let hit: IpAddr = hit.parse().unwrap();
        let address = SocketAddr::new(hit, server.local_addr().unwrap().port());
        client.send_to(b"ping", address).unwrap();
        let mut batch = ReceiveBatch::default();
        batch.receive(server.as_fd(), 4).unwrap();
        let ping = batch.received(0).unwrap();
        assert_eq!((ping.source, ping.local), (client.local_addr().unwrap(), Some(hit)));
        let reply = Datagram { to: ping.source, from: ping.local, pieces: [b"pong", &[], &[]] };
        assert_eq!(SendBatch::default().send(server.as_fd(), &[reply, reply]).sent, 2, "as a train, too");
        let mut bytes = [0; 16];
        for _ in 0..2 {
            assert_eq!(client.recv_from(&mut bytes).unwrap(), (4, address));
        }
    }
}

/// A socket that may leave checksums out takes no trains: the kernel's rule.
#[test]
fn a_train_that_is_refused_goes_one_by_one_with_what_comes_after_it() {
    let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let yes: libc::c_int = 1;
    // SAFETY: the kernel reads one `c_int` at the address that it is given.
    let set = unsafe {
        let len = size_of::<libc::c_int>() as libc::socklen_t;
        libc::setsockopt(from.as_raw_fd(), libc::SOL_SOCKET, libc::SO_NO_CHECK, ptr::from_ref(&yes).cast(), len)
    };
    assert_eq!(set, 0);
    let (good, wrong_family) = (to.local_addr().unwrap(), "[::1]:9".parse().unwrap());
    let sent = SendBatch::default().send(
        from.as_fd(),
        &[
            datagram(wrong_family, b"a"),
            datagram(good, b"b"),
            datagram(good, b"c"),
            datagram(wrong_family, b"d"),
            datagram(good, b"e"),
            datagram(good, b"f"),
        ],
    );
    assert_eq!((sent.sent, sent.refused, sent.full), (4, 2, 0));
    assert_eq!(sent.calls, 5, "a; the train; b and c; d; e and f");
    let mut batch = ReceiveBatch::default();
    batch.receive(to.as_fd(), 8).unwrap();
    assert_eq!(received(&batch).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [b"b", b"c", b"e", b"f"]);
}
