//! What belongs to whom.

use std::net::SocketAddr;

use super::*;
use crate::Transport;

fn check(ufrag: &str) -> Vec<u8> {
    let username = format!("{ufrag}:peer");
    let padded = username.len().div_ceil(4) * 4;
    let mut body = vec![0, 6, 0, username.len() as u8];
    body.extend(username.bytes());
    body.resize(4 + padded, 0);
    body.extend([0, 0x24, 0, 4, 1, 2, 3, 4]);
    body.extend([0, 0x08, 0, 20]);
    body.extend([0; 20]);
    let mut message = vec![0, 1, 0, body.len() as u8, 0x21, 0x12, 0xa4, 0x42];
    message.extend([9; 12]);
    message.extend(body);
    message
}

fn address(port: u16) -> Source {
    (Transport::Udp, SocketAddr::from(([10, 0, 0, 1], port)))
}

#[test]
fn a_check_is_resolved_by_its_ufrag_wherever_it_comes_from() {
    let mut demux = Demux::new(513);
    let ufrag = demux.ufrag(77, &mut Secrets::new([0; 32]));
    demux.prove(5, address(1));
    assert_eq!(demux.look(address(1), &check(&ufrag)), Sight::Check(77, &ufrag));
    assert_eq!(Demux::new(514).look(address(1), &check(&ufrag)), Sight::Nobody);
    assert_eq!(demux.look(address(1), &check("abcd")), Sight::Nobody);
    assert_eq!((shard_of(&check(&ufrag)), shard_of(&check("abcd")), shard_of(&[])), (Some(513), None, None));
}

#[test]
fn other_datagrams_are_resolved_by_a_proven_address() {
    let mut demux = Demux::new(0);
    assert_eq!(demux.look(address(1), &[128, 96, 0, 1]), Sight::Nobody);
    demux.prove(5, address(1));
    assert_eq!(demux.look(address(1), &[128, 96, 0, 1]), Sight::Known(5));
    assert_eq!(demux.look(address(1), &[22, 254, 253]), Sight::Known(5));
    assert_eq!(demux.look(address(1), &[0x40, 0, 0, 0]), Sight::Nobody);
    assert_eq!(demux.look(address(1), &[]), Sight::Nobody);
}

#[test]
fn an_address_that_changed_hands_stays_with_its_new_owner() {
    let mut demux = Demux::new(0);
    demux.prove(5, address(1));
    demux.prove(6, address(1));
    demux.forget(5);
    assert_eq!(demux.look(address(1), &[128]), Sight::Known(6));
    demux.forget(6);
    assert_eq!(demux.look(address(1), &[128]), Sight::Nobody);
}

#[test]
fn a_participant_keeps_its_last_eight_addresses() {
    let mut demux = Demux::new(0);
    for port in 1..=9 {
        demux.prove(5, address(port));
    }
    assert_eq!(demux.look(address(1), &[128]), Sight::Nobody);
    assert_eq!(demux.look(address(2), &[128]), Sight::Known(5));
    assert_eq!(demux.owners.len(), ADDRESSES);
}

#[test]
fn a_port_of_tcp_is_not_the_same_port_of_udp() {
    let mut demux = Demux::new(0);
    let (udp, tcp) = (address(1), (Transport::Tcp, address(1).1));
    demux.prove(5, udp);
    assert_eq!(demux.look(tcp, &[128]), Sight::Nobody);
    demux.prove(6, tcp);
    assert_eq!((demux.look(udp, &[128]), demux.look(tcp, &[128])), (Sight::Known(5), Sight::Known(6)));
    assert_eq!((demux.close(tcp), demux.close(tcp)), (Some(6), None));
    assert_eq!((demux.look(udp, &[128]), demux.look(tcp, &[128])), (Sight::Known(5), Sight::Nobody));
}
