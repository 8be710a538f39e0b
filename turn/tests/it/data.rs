//! Permissions, channels and the data that passes (RFC 8656 §9 to §12).

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{Config, Limits, Peer, Relay, Transport, Verdict, Why};

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";

fn alice() -> (World, Speaker, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    (world, alice, relay)
}

#[test]
fn rfc8656_12_data_passes_both_ways_on_a_channel() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.sends_on(0x4000, b"hello").reaches(relay, PEER, b"hello");
    world.peer(PEER).sends(relay, b"hello").reaches_on(&alice, 0x4000);
    world.peer("9.9.9.9:9001").sends(relay, b"hello").reaches_as_indication(&alice, "9.9.9.9:9001");
    world.peer("9.9.9.8:9000").sends(relay, b"hello").nobody_hears(Why::NoPermission);
}

#[test]
fn rfc8656_11_data_passes_both_ways_in_indications() {
    let world = World::new();
    let alice = world.client("[2a02::1]:4000");
    let relay = alice.allocates();
    alice.sends_to("[2a03::1]:9000", b"early").nobody_hears(Why::NoPermission);
    alice.says(create_permission(&["[2a03::1]:1"])).hears(success());
    for data in [&b""[..], b"1", b"12", b"123", b"1234"] {
        alice.sends_to("[2a03::1]:9000", data).reaches(relay, "[2a03::1]:9000", data);
        world.peer("[2a03::1]:9000").sends(relay, data).reaches_as_indication(&alice, "[2a03::1]:9000");
    }
}

#[test]
fn rfc8656_9_a_permission_lasts_five_minutes() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[PEER, "9.9.9.8:1"])).hears(success());
    world.later(secs(200));
    alice.says(create_permission(&[PEER])).hears(success());
    world.later(secs(100));
    alice.sends_to("9.9.9.8:1024", b"x").nobody_hears(Why::NoPermission);
    world.peer("9.9.9.8:1024").sends(relay, b"x").nobody_hears(Why::NoPermission);
    assert_eq!(world.with_server(|server, _| server.stats().permissions), 1);
    alice.sends_to(PEER, b"x").reaches(relay, PEER, b"x");
    world.later_unnoticed(secs(200));
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoPermission);
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
}

#[test]
fn rfc8656_12_a_channel_lasts_ten_minutes_and_its_permission_five() {
    let (world, alice, relay) = alice();
    alice.says(refresh(3600)).hears(success());
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.later(secs(299));
    world.peer(PEER).sends(relay, b"x").reaches_on(&alice, 0x4000);
    world.later(secs(1));
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    world.later(secs(299));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.peer(PEER).sends(relay, b"x").reaches_on(&alice, 0x4000);
    world.later(secs(599));
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    world.later_unnoticed(secs(1));
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
    assert!(world.with_server(|server, _| server.is_consistent()));
}

#[test]
fn rfc8656_12_number_and_peer_are_quarantined_for_five_minutes() {
    let other = "9.9.9.9:9001";
    for noticed in [true, false] {
        let (world, alice, relay) = alice();
        let later = |duration| if noticed { world.later(duration) } else { world.later_unnoticed(duration) };
        alice.says(refresh(3600)).hears(success());
        alice.says(channel_bind(0x4000, PEER)).hears(success());
        later(secs(600));
        for pause in [0, 299] {
            later(secs(pause));
            alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
            world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
            alice.says(channel_bind(0x4000, other)).hears(error(400));
            alice.says(channel_bind(0x4001, PEER)).hears(error(400));
        }
        later(secs(1));
        alice.says(channel_bind(0x4001, PEER)).hears(success());
        alice.says(channel_bind(0x4000, other)).hears(success());
        alice.sends_on(0x4001, b"x").reaches(relay, PEER, b"x");
    }
}

#[test]
fn rfc8656_12_a_quarantined_pair_may_be_bound_again_at_once() {
    let (world, alice, relay) = alice();
    alice.says(refresh(3600)).hears(success());
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.later(secs(700));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    assert_eq!(world.with_server(|server, _| server.stats().channels), 1);
}

#[test]
fn rfc8656_12_2_number_and_peer_are_each_bound_once() {
    let (world, alice, _) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.says(channel_bind(0x4000, "9.9.9.9:9001")).hears(error(400));
    alice.says(channel_bind(0x4001, PEER)).hears(error(400));
    alice.says(channel_bind(0x4001, "9.9.9.9:9001")).hears(success());
    assert_eq!(world.with_server(|server, _| server.stats().channels), 2);
}

#[test]
fn channel_numbers_of_rfc5766_are_accepted_and_others_get_400() {
    let (_, alice, relay) = alice();
    for number in [0x0000, 0x3FFF, 0x8000, 0xFFFF] {
        alice.says(channel_bind(number, PEER)).hears(error(400));
    }
    for number in [0x4000, 0x4FFF, 0x5000, 0x7FFE, 0x7FFF] {
        let peer = format!("9.9.9.9:{number}");
        alice.says(channel_bind(number, &peer)).hears(success());
        alice.sends_on(number, b"x").reaches(relay, &peer, b"x");
    }
}

#[test]
fn requests_without_what_they_need_get_400() {
    let (_, alice, _) = alice();
    alice.says(create_permission(&[])).hears(error(400));
    alice.says(create_permission(&[PEER]).with(attribute::XOR_PEER_ADDRESS, &[0, 3, 1, 1, 1, 1])).hears(error(400));
    let bare = || ask(Class::Request, Method::CHANNEL_BIND);
    alice.says(bare()).hears(error(400));
    alice.says(bare().with_peer(PEER)).hears(error(400));
    alice.says(bare().with(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0])).hears(error(400));
    alice.says(bare().with(attribute::CHANNEL_NUMBER, &[0x40, 0]).with_peer(PEER)).hears(error(400));
}

#[test]
fn requests_without_an_allocation_get_437() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    for ask in [refresh(600), refresh(0), create_permission(&[PEER]), channel_bind(0x4000, PEER)] {
        alice.says(ask).hears(error(437));
    }
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoAllocation);
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoAllocation);
}

#[test]
fn an_allocation_has_room_for_so_many_permissions_and_channels() {
    let limits = Limits { permissions: 3, channels: 2, ..config().limits };
    let world = World::with(Config { limits, ..config() });
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    alice.says(create_permission(&["9.9.9.1:1", "9.9.9.2:1", "9.9.9.3:1", "9.9.9.4:1"])).hears(error(508));
    assert_eq!(world.with_server(|server, _| server.stats().permissions), 0);
    alice.says(create_permission(&["9.9.9.1:1", "9.9.9.1:2", "9.9.9.2:1"])).hears(success());
    alice.says(channel_bind(0x4000, "9.9.9.1:2000")).hears(success());
    alice.says(channel_bind(0x4001, "9.9.9.1:2001")).hears(success());
    alice.says(channel_bind(0x4002, "9.9.9.1:2002")).hears(error(508));
    alice.says(create_permission(&["9.9.9.3:1"])).hears(success());
    alice.says(create_permission(&["9.9.9.4:1"])).hears(error(508));
    world.later(secs(300));
    alice.says(create_permission(&["9.9.9.4:1"])).hears(success());
}

#[test]
fn rfc8656_12_5_padding_over_udp_is_allowed_and_not_required() {
    let (_, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    for padding in 0..4 {
        let mut bytes = vec![0x40, 0, 0, 5, 1, 2, 3, 4, 5];
        bytes.resize(bytes.len() + padding, 0);
        alice.says_raw(&bytes).reaches(relay, PEER, &[1, 2, 3, 4, 5]);
    }
    alice.sends_on(0x4000, b"").reaches(relay, PEER, b"");
    alice.says_raw(&[0x40, 0, 0, 5, 1, 2, 3, 4]).nobody_hears(Why::Malformed);
    alice.says_raw(&[0x40, 0, 0, 1, 1, 2, 3, 4, 5]).nobody_hears(Why::Malformed);
    alice.says_raw(&[0x40, 0, 0]).nobody_hears(Why::Malformed);
    alice.sends_on(0x4001, b"x").nobody_hears(Why::NoChannel);
}

#[test]
fn rfc8656_11_2_a_broken_send_indication_is_dropped() {
    let (_, alice, _) = alice();
    alice.says(create_permission(&[PEER])).hears(success());
    let bare = || ask(Class::Indication, Method::SEND);
    alice.says_bare(bare().with_peer(PEER)).nobody_hears(Why::Malformed);
    alice.says_bare(bare().with(attribute::DATA, b"x")).nobody_hears(Why::Malformed);
    alice.says_bare(send(PEER, b"x").with(0x7001, &[])).nobody_hears(Why::Malformed);
}

#[test]
fn a_datagram_too_long_for_its_header_is_dropped() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    let peer = Peer(addr("9.9.9.9:9001"));
    let long = |peer, len| world.with_server(|server, now| server.handle_peer(now, relay, peer, len));
    assert_eq!(long(peer, 65_535), Verdict::Drop(Why::Malformed));
    assert!(matches!(long(peer, 65_507), Verdict::ToClient { .. }));
    assert!(matches!(long(Peer(addr(PEER)), 65_535), Verdict::ToClient { .. }));
    assert_eq!(long(Peer(addr(PEER)), 65_536), Verdict::Drop(Why::Malformed));
}

#[test]
fn a_relay_of_another_family_or_port_is_another() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[PEER])).hears(success());
    let other = Relay { family: roundturn_turn::Family::V6, ..relay };
    world.peer(PEER).sends(other, b"x").nobody_hears(Why::NoAllocation);
    world.peer(PEER).sends(Relay { port: relay.port + 1, ..relay }, b"x").nobody_hears(Why::NoAllocation);
}

#[test]
fn what_passed_is_counted() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.sends_on(0x4000, &[0; 100]);
    alice.sends_to(PEER, &[0; 10]);
    world.peer(PEER).sends(relay, &[0; 30]);
    world.with_server(|server, _| {
        let stats = server.stats();
        assert_eq!((stats.to_peers.packets, stats.to_peers.bytes), (2, 110));
        assert_eq!((stats.to_clients.packets, stats.to_clients.bytes), (1, 30));
        let bound = stats.responses.of(Transport::Udp).iter().find(|row| (row.0, row.1) == ("channel_bind", "200"));
        assert_eq!(bound.map(|row| row.2), Some(1));
        assert_eq!(stats.requests.of(Transport::Udp).iter().map(|row| row.1).sum::<u64>(), 3);
    });
    alice.says(refresh(0)).hears(success());
    let closed = world.events().pop().unwrap();
    let roundturn_turn::Event::Closed { bytes_to_peers, bytes_to_client, .. } = closed else { panic!("{closed:?}") };
    assert_eq!((bytes_to_peers, bytes_to_client), (110, 30));
}
