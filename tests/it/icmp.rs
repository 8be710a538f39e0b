//! ICMP errors about what relays have sent, from the kernel's error queue to the client (RFC 8656 §11.5).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use roundturn::nat::Addresses;

use crate::support::{Options, free_port, socket};
use crate::turn_client::{Heard, TurnClient};

/// A peer where nobody listens.
fn closed() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

#[test]
fn a_client_is_told_that_a_peers_port_is_closed() {
    let daemon = Options::default().start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    client.allocate().unwrap();
    let peer = closed();
    client.permit(peer).unwrap();
    client.send_indication(peer, b"anyone there");
    assert_eq!(client.hear(), Some(Heard::Icmp(peer, 3, 3)));
    client.bind_channel(0x4000, peer).unwrap();
    client.send_on_channel(0x4000, b"anyone there");
    assert_eq!(client.hear(), Some(Heard::Icmp(peer, 3, 3)));
}

#[test]
fn a_client_is_told_so_over_ipv6() {
    let mut options = Options { allow: vec!["::1/128"], ..Options::default() };
    options.addresses =
        Addresses { external_v6: Some(Ipv6Addr::LOCALHOST), local_v6: Some(Ipv6Addr::LOCALHOST), ..options.addresses };
    let daemon = options.start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    client.allocate_v6().unwrap();
    let peer = UdpSocket::bind("[::1]:0").unwrap().local_addr().unwrap();
    client.permit(peer).unwrap();
    client.send_indication(peer, b"anyone there");
    assert_eq!(client.hear(), Some(Heard::Icmp(peer, 1, 4)));
}

/// An error is told by the kernel in place of the next thing that is asked of the socket: neither what goes to other peers
/// nor what comes from them may be lost to it, however many there are.
#[test]
fn a_closed_peer_costs_the_others_nothing() {
    let daemon = Options::default().start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    let relay = client.allocate().unwrap();
    let (deaf, peer) = (closed(), socket());
    let address = peer.local_addr().unwrap();
    client.permit(address).unwrap();
    let mut bytes = [0; 100];
    for round in 0..200u32 {
        let data = round.to_be_bytes();
        client.send_indication(deaf, &data);
        client.send_indication(address, &data);
        client.send_indication(deaf, &data);
        peer.send_to(&data, relay).unwrap();
        assert_eq!(peer.recv_from(&mut bytes).unwrap(), (4, relay));
        assert_eq!(bytes[..4], data);
        // Errors may come late, and two of each round.
        let mut heard = std::iter::repeat_with(|| client.hear().expect("the peer's datagram")).take(500);
        let heard = heard.find(|heard| !matches!(heard, Heard::Icmp(_, 3, 3)));
        assert_eq!(heard, Some(Heard::Data(address, data.to_vec())));
    }
}

#[test]
fn what_may_not_be_fragmented_passes_where_it_fits() {
    let daemon = Options::default().start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    let relay = client.allocate().unwrap();
    let peer = socket();
    let address = peer.local_addr().unwrap();
    client.permit(address).unwrap();
    let mut bytes = vec![0; 2000];
    for size in [1, 1000] {
        client.send_whole(address, &vec![7; size]);
        assert_eq!(peer.recv_from(&mut bytes).unwrap(), (size, relay));
        client.send_indication(address, &vec![7; size]);
        assert_eq!(peer.recv_from(&mut bytes).unwrap(), (size, relay));
    }
}
