//! Clients over streams: their messages leave by their stream, and nothing is left of them when it ends.

use super::*;

const CAROL: ([u8; 4], u16) = ([198, 51, 100, 3], 3333);

fn client(remote: SocketAddr) -> Client {
    Client { remote, local: LISTENER.parse().unwrap(), transport: Transport::Tcp }
}

/// A shard to which `remote` has connected, as stream number 7.
fn shard(remote: SocketAddr) -> Shard {
    let mut shard = Shard::new(true, &[LISTENER]);
    shard.core.stream_opened(client(remote), 7);
    shard.streams.insert(remote, 7);
    shard
}

#[test]
fn data_leaves_by_the_stream_with_padding() {
    let (alice, peer) = (at(ALICE.0, ALICE.1), at(PEER.0, PEER.1));
    let mut shard = shard(alice);
    let relay = shard.call(alice, peer);
    let sent = shard.client_says(alice, LISTENER, &[&channel_data(b"hello")[..], &[0; 3]].concat());
    assert_eq!(sent.0, [(relay_exit(relay), peer, None, b"hello".to_vec())]);
    let sent = shard.peer_says(peer, relay, b"hi");
    assert_eq!(sent.0, [(Exit::Stream(7), alice, None, [&channel_data(b"hi")[..], &[0; 2]].concat())]);
    assert!(shard.core.is_allocated(shard.now, client(alice)));
}

#[test]
fn a_client_over_a_stream_and_one_over_udp_meet_inside_the_shard() {
    let (alice, carol) = (at(ALICE.0, ALICE.1), at(CAROL.0, CAROL.1));
    let mut shard = shard(alice);
    let (over_stream, over_udp) = (shard.allocate(alice), shard.allocate(carol));
    shard.bind(alice, at(EXTERNAL, over_udp));
    shard.bind(carol, at(EXTERNAL, over_stream));
    let sent = shard.client_says(carol, LISTENER, &channel_data(b"hello"));
    assert_eq!(sent.0, [(Exit::Stream(7), alice, None, [&channel_data(b"hello")[..], &[0; 3]].concat())]);
    let sent = shard.client_says(alice, LISTENER, &[&channel_data(b"hi")[..], &[0; 2]].concat());
    assert_eq!(sent.0, [(Exit::Listener(0), carol, None, channel_data(b"hi"))]);
}

#[test]
fn what_a_stream_had_ends_with_it() {
    let (alice, peer) = (at(ALICE.0, ALICE.1), at(PEER.0, PEER.1));
    let mut shard = shard(alice);
    let relay = shard.call(alice, peer);
    assert_eq!(shard.core.stream_of(client(alice)), Some(7));
    shard.core.stream_closed(shard.now, client(alice));
    assert_eq!(shard.flush(Outbox::default(), &[]).0, []);
    assert!(shard.house.open.is_empty(), "the port came back");
    assert_eq!(shard.core.stream_of(client(alice)), None);
    assert_eq!(shard.peer_says(peer, relay, b"hi").0, []);
    // An answer to somebody who is no longer there goes nowhere.
    assert_eq!(shard.client_says(alice, LISTENER, b"\0\x01\0\0\x21\x12\xa4\x42............").0, []);
}
