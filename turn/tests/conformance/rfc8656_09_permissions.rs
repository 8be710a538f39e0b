//! RFC 8656 §9 and §10: permissions and CreatePermission.

use roundturn_turn::message::attribute;
use roundturn_turn::{Relay, Why};

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";

fn alice() -> (World, Speaker, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    (world, alice, relay)
}

/// §9: "The Permission Lifetime MUST be 300 seconds"; if one exists, it "is reset".
#[test]
fn s9_a_permission_lasts_300_seconds() {
    let (world, alice, relay) = alice();
    for _ in 0..2 {
        alice.says(create_permission(&[PEER])).hears(success());
        world.later(secs(299));
        world.peer(PEER).sends(relay, b"x").reaches_as_indication(&alice, PEER);
        alice.says(refresh(600)).hears(success());
    }
    world.later(secs(1));
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoPermission);
}

/// §9: "only addresses are compared and port numbers are not considered. If no match is found, relaying is not
/// permitted and the server silently discards the UDP datagram."
#[test]
fn s9_ports_do_not_matter_and_addresses_do() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&["9.9.9.9:0"])).hears(success());
    for port in [1, 9000, 65535] {
        let peer = format!("9.9.9.9:{port}");
        world.peer(&peer).sends(relay, b"x").reaches_as_indication(&alice, &peer);
    }
    world.peer("9.9.9.8:9000").sends(relay, b"x").nobody_hears(Why::NoPermission);
}

/// §9: "The permissions for one allocation are totally unrelated to the permissions for a different allocation. If an
/// allocation expires, all its permissions expire with it."
#[test]
fn s9_permissions_belong_to_their_allocation() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[PEER])).hears(success());
    let other = world.client_as("84.1.1.1:4001", &alice.username, &alice.password).allocates();
    world.peer(PEER).sends(other, b"x").nobody_hears(Why::NoPermission);
    alice.says(refresh(0)).hears(success());
    let again = alice.allocates();
    world.peer(PEER).sends(again, b"x").nobody_hears(Why::NoPermission);
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoAllocation);
}

/// §9: data does not refresh a permission.
#[test]
fn s9_data_refreshes_no_permission() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[PEER])).hears(success());
    world.later(secs(299));
    alice.sends_to(PEER, b"x").reaches(relay, PEER, b"x");
    world.peer(PEER).sends(relay, b"x").reaches_as_indication(&alice, PEER);
    world.later(secs(1));
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoPermission);
}

/// §10.2: "The CreatePermission request MUST contain at least one XOR-PEER-ADDRESS attribute and MAY contain multiple
/// such attributes. If no such attribute exists, or if any of these attributes are invalid, then a 400 (Bad Request)
/// error is returned."
#[test]
fn s10_2_at_least_one_peer_and_none_malformed() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[])).hears(error(400));
    for broken in [&[][..], &[0, 1, 0, 0, 9, 9, 9], &[0, 2, 0, 0, 9, 9, 9, 9], &[0, 5, 0, 0, 9, 9, 9, 9]] {
        let ask = create_permission(&[PEER]).with(attribute::XOR_PEER_ADDRESS, broken);
        alice.says(ask).hears(error(400));
        world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
    }
    let answer = alice.says(create_permission(&[PEER, "8.8.8.8:1", "1.1.1.1:1"])).hears(success());
    assert_eq!(answer.kinds(), []);
    for peer in [PEER, "8.8.8.8:1", "1.1.1.1:1"] {
        world.peer(peer).sends(relay, b"x").reaches_as_indication(&alice, peer);
    }
}

/// §10.2: "If an XOR-PEER-ADDRESS attribute contains an address of an address family that is not the same as that of a
/// relayed transport address for the allocation, the server MUST generate an error response with the 443 (Peer Address
/// Family Mismatch) response code."
#[test]
fn s10_2_another_family_gets_443() {
    let (world, alice, relay) = alice();
    alice.says(create_permission(&[PEER, "[2a03::1]:9"])).hears(error(443));
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
}

/// §10.2: "The server MAY impose restrictions on the IP address allowed in the XOR-PEER-ADDRESS attribute; if a value
/// is not allowed, the server rejects the request with a 403 (Forbidden) error." §21.1.2: tunnelled and loopback
/// addresses.
#[test]
fn s10_2_forbidden_peers_get_403_and_take_the_request_with_them() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let both = allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let relay = alice.says(both).hears(success()).relays()[0];
    let forbidden = ["127.0.0.1:9", "[::1]:9", "[2002:909:909::1]:9", "[2001:0:909:909::1]:9", "[::ffff:9.9.9.9]:9"];
    for peer in forbidden {
        alice.says(create_permission(&[PEER, peer])).hears(error(403));
        world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
    }
}

/// §10.2: "If ... the server is unable to satisfy the request due to some capacity limit ... 508 (Insufficient
/// Capacity)".
#[test]
fn s10_2_more_than_there_is_room_for_gets_508() {
    let (_, alice, _) = alice();
    let peers: Vec<String> = (1..=33).map(|host| format!("9.9.9.{host}:9")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    alice.says(create_permission(&peers)).hears(error(508));
    alice.says(create_permission(&peers[..32])).hears(success());
    alice.says(create_permission(&peers[32..])).hears(error(508));
}
