//! Mobility (RFC 8016) across shards: wherever the kernel puts the new address, the allocation comes after it.

use crate::support::{Options, socket};
use crate::turn_client::{Heard, TurnClient};

#[test]
fn an_allocation_follows_its_client_to_whichever_shard_it_reaches() {
    let daemon = Options { shards: 4, mobility: true, ..Options::default() }.start();
    let peer = socket();
    let address = peer.local_addr().unwrap();
    let mut client = TurnClient::new(daemon.listener, "alice");
    let (relay, mut ticket) = client.allocate_mobile().unwrap();
    client.bind_channel(0x4000, address).unwrap();
    let mut bytes = [0; 100];
    // Twelve addresses: that all of them come to one shard of four is as good as impossible.
    for round in 0..12u8 {
        let former = client.socket.try_clone().unwrap();
        client.socket = socket();
        let next = client.follow(&ticket).unwrap();
        assert_ne!(next, ticket);
        ticket = next;
        for number in 0..20 {
            client.send_on_channel(0x4000, &[round, number]);
            assert_eq!(peer.recv_from(&mut bytes).unwrap(), (2, relay));
            peer.send_to(&[number, round], relay).unwrap();
            assert_eq!(client.hear(), Some(Heard::Channel(0x4000, vec![number, round])));
        }
        former.set_nonblocking(true).unwrap();
        assert!(former.recv(&mut bytes).is_err(), "the old address hears nothing");
    }
    client.release().unwrap();
    let mut again = TurnClient::new(daemon.listener, "bob");
    assert!(again.allocate().is_ok());
}

#[test]
fn a_used_ticket_moves_nothing_from_any_shard() {
    let daemon = Options { shards: 4, mobility: true, ..Options::default() }.start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    let (_, ticket) = client.allocate_mobile().unwrap();
    client.socket = socket();
    client.follow(&ticket).unwrap();
    for _ in 0..8 {
        let mut other = client.elsewhere();
        other.socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        assert!(matches!(other.try_follow(&ticket), None | Some(Err(400))));
    }
    client.refresh().unwrap();
}
