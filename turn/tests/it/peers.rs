//! Which peers may be reached (RFC 8656 §21.1.2): every address form that some server has let through, over every way in.

use std::time::Duration;

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{Config, Family, PeerRules, Relay, Why};

use crate::dsl::*;

const DENIED_V4: &[&str] = &[
    "0.0.0.0:5000",
    "0.1.2.3:5000",
    "10.0.0.1:5000",
    "100.64.0.1:5000",
    "100.127.255.255:5000",
    "127.0.0.1:5000",
    "127.255.255.255:5000",
    "169.254.169.254:5000",
    "172.16.0.1:5000",
    "172.31.255.255:5000",
    "192.0.0.1:5000",
    "192.0.2.1:5000",
    "192.31.196.1:5000",
    "192.52.193.1:5000",
    "192.88.99.1:5000",
    "192.168.1.1:5000",
    "192.175.48.1:5000",
    "198.18.0.1:5000",
    "198.19.255.255:5000",
    "198.51.100.1:5000",
    "203.0.113.1:5000",
    "224.0.0.1:5000",
    "239.255.255.255:5000",
    "240.0.0.1:5000",
    "255.255.255.255:5000",
    "5.9.0.1:3478",
    "5.9.0.2:5000",
];

const DENIED_V6: &[&str] = &[
    "[::]:5000",
    "[::1]:5000",
    // Mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP: whether what they embed is private or not
    "[::ffff:127.0.0.1]:5000",
    "[::ffff:0.0.0.0]:5000",
    "[::ffff:169.254.169.254]:5000",
    "[::ffff:8.8.8.8]:5000",
    "[::127.0.0.1]:5000",
    "[::8.8.8.8]:5000",
    "[::ffff:0:10.0.0.1]:5000",
    "[::ffff:0:8.8.8.8]:5000",
    "[64:ff9b::127.0.0.1]:5000",
    "[64:ff9b::8.8.8.8]:5000",
    "[64:ff9b:1::10.0.0.1]:5000",
    "[64:ff9b:1:ffff::1]:5000",
    "[2002:7f00:1::1]:5000",
    "[2002:808:808::1]:5000",
    "[2001::1]:5000",
    "[2001:0:7f00:1::1]:5000",
    "[2a00:1::5efe:127.0.0.1]:5000",
    "[2a00:1::200:5efe:10.0.0.1]:5000",
    "[fe80::5efe:8.8.8.8]:5000",
    // The registries: benchmarking, ORCHID, DET among 2001::/23
    "[100::1]:5000",
    "[100:0:0:1::1]:5000",
    "[2001:2::1]:5000",
    "[2001:10::1]:5000",
    "[2001:20::1]:5000",
    "[2001:30::1]:5000",
    "[2001:1ff:ffff::1]:5000",
    "[2001:db8::1]:5000",
    "[2620:4f:8000::1]:5000",
    "[3fff::1]:5000",
    "[3fff:fff::1]:5000",
    "[4000::1]:5000",
    "[5f00::1]:5000",
    "[fc00::1]:5000",
    "[fd00::1]:5000",
    "[fe80::1]:5000",
    "[febf::1]:5000",
    "[fec0::1]:5000",
    "[feff::1]:5000",
    "[ff02::1]:5000",
    "[ff0e::1]:5000",
    // This host
    "[2a01:4f8::1]:3478",
];

/// Addresses that are allowed at other ports.
const DENIED_PORTS: &[&str] = &[
    "9.9.9.9:0",
    "9.9.9.9:22",
    "9.9.9.9:53",
    "9.9.9.9:1023",
    "9.9.9.9:1900",
    "9.9.9.9:3702",
    "9.9.9.9:5353",
    "9.9.9.9:11211",
];

/// A client of each family with a relay, each in a world of its own, with a peer that is allowed and those that are not.
fn families() -> [(Speaker, &'static str, &'static [&'static str]); 2] {
    let client = |remote: &str| {
        let client = World::new().client(remote);
        assert_eq!(client.allocates(), relay_of(&client));
        client
    };
    [(client("84.1.1.1:4000"), "9.9.9.9:9000", DENIED_V4), (client("[2a02::1]:4000"), "[2a03::1]:9000", DENIED_V6)]
}

/// The first relay of a client's world.
fn relay_of(client: &Speaker) -> Relay {
    Relay { family: Family::of(client.client.remote), port: 50_000 }
}

#[test]
fn a_denied_peer_gets_no_permission() {
    for (client, _, denied) in families() {
        for peer in denied {
            client.says(create_permission(&[peer])).hears(error(403));
            client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
        }
        assert_eq!(client.world.with_server(|server, _| server.stats().permissions), 0);
    }
}

#[test]
fn a_denied_peer_gets_no_channel_and_no_permission_with_it() {
    for (client, _, denied) in families() {
        for peer in denied {
            client.says(channel_bind(0x4000, peer)).hears(error(403));
            client.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
            client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
        }
    }
}

#[test]
fn rfc8656_10_2_one_denied_peer_among_others_refuses_all() {
    for (client, allowed, denied) in families() {
        for peer in denied {
            client.says(create_permission(&[allowed, peer])).hears(error(403));
            client.says(create_permission(&[peer, allowed])).hears(error(403));
            client.says(create_permission(&[allowed, peer, allowed])).hears(error(403));
            client.sends_to(allowed, b"x").nobody_hears(Why::NoPermission);
        }
        let world = client.world.clone();
        let counted = world.with_server(|server, _| server.stats().denied.total());
        assert_eq!(counted, 3 * denied.len() as u64);
        let denial = world.with_server(|server, _| server.poll_denial()).unwrap();
        assert_eq!((denial.client, denial.peer.0), (client.client, addr(denied.last().unwrap())));
        assert!(world.with_server(|server, _| server.poll_denial()).is_none());
    }
}

/// With relays of both families, none of them is a way to the other's forbidden addresses.
#[test]
fn one_denied_peer_among_others_of_both_families_refuses_all() {
    let client = World::new().client("84.1.1.1:4000");
    client.says(allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])).hears(success());
    let allowed = ["9.9.9.9:9000", "[2a03::1]:9000"];
    for peer in DENIED_V4.iter().chain(DENIED_V6) {
        client.says(create_permission(&[allowed[0], allowed[1], peer])).hears(error(403));
        client.says(create_permission(&[allowed[0], peer, allowed[1]])).hears(error(403));
        client.says(channel_bind(0x4000, peer)).hears(error(403));
        client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
    }
    for peer in allowed {
        client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
    }
    client.says(create_permission(&allowed)).hears(success());
}

/// Permissions are for addresses of any port: a neighbour of a permitted peer is still none.
#[test]
fn a_denied_peer_gets_nothing_through_beside_a_permitted_one() {
    for (client, allowed, denied) in families() {
        client.says(create_permission(&[allowed])).hears(success());
        let relay = relay_of(&client);
        for peer in denied {
            client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
            client.world.peer(peer).sends(relay, b"x").nobody_hears(Why::NoPermission);
        }
    }
}

#[test]
fn no_allow_of_the_operators_opens_an_address_that_embeds_ipv4() {
    let peers = PeerRules { allow: vec!["::/0".parse().unwrap(), "0.0.0.0/0".parse().unwrap()], deny: Vec::new() };
    let client = World::with(Config { peers, ..config() }).client("[2a02::1]:4000");
    client.allocates();
    let embeds = |peer: &&&str| {
        ["[::ffff", "[::127", "[::8", "[64:", "[2002:", "[2001:0:", "[2001::"]
            .iter()
            .any(|start| peer.starts_with(start))
            || peer.contains("5efe")
    };
    let forms: Vec<&&str> = DENIED_V6.iter().filter(embeds).collect();
    assert_eq!(forms.len(), 19);
    for peer in forms {
        client.says(create_permission(&["[2a03::1]:9000", peer])).hears(error(403));
        client.says(channel_bind(0x4000, peer)).hears(error(403));
        client.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
    }
}

/// A peer whose address has another length than its family says, or no family at all, is none.
#[test]
fn a_malformed_peer_is_refused_among_others() {
    let client = World::new().client("84.1.1.1:4000");
    client.allocates();
    let malformed: [&[u8]; 6] = [
        &[],
        &[0, 1, 0, 0],
        &[0, 1, 0, 0, 1, 2, 3],
        &[0, 0, 0, 0, 1, 2, 3, 4],
        &[0, 3, 0, 0, 1, 2, 3, 4],
        &[0, 2, 0, 0, 1, 2, 3, 4],
    ];
    for value in malformed {
        let with = |ask: Ask| ask.with(attribute::XOR_PEER_ADDRESS, value);
        client.says(with(create_permission(&["9.9.9.9:9000"]))).hears(error(400));
        client.says(with(create_permission(&[]))).hears(error(400));
        let bind = ask(Class::Request, Method::CHANNEL_BIND).with(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0]);
        client.says(with(bind)).hears(error(400));
        let data = ask(Class::Indication, Method::SEND).with(attribute::DATA, b"x");
        client.says_bare(with(data)).nobody_hears(Why::Malformed);
    }
    client.sends_to("9.9.9.9:9000", b"x").nobody_hears(Why::NoPermission);
}

#[test]
fn a_denied_port_is_refused_where_ports_count() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    for peer in DENIED_PORTS {
        alice.says(channel_bind(0x4000, peer)).hears(error(403));
        alice.says(create_permission(&[peer])).hears(success());
        alice.sends_to(peer, b"x").nobody_hears(Why::PeerDenied);
    }
}

#[test]
fn a_peer_of_the_other_family_gets_443() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    for peer in ["[2a03::1]:9000", "[::ffff:127.0.0.1]:9000"] {
        alice.says(create_permission(&["9.9.9.9:9000", peer])).hears(error(443));
        alice.says(channel_bind(0x4000, peer)).hears(error(443));
        alice.sends_to(peer, b"x").nobody_hears(Why::NoPermission);
    }
    alice.sends_to("9.9.9.9:9000", b"x").nobody_hears(Why::NoPermission);
}

#[test]
fn our_own_relays_and_sfu_ports_are_peers_by_identity() {
    let world = World::new();
    let (alice, bob) = (world.client("84.1.1.1:4000"), world.client("84.1.1.2:4000"));
    let (a, b) = (alice.allocates(), bob.allocates());
    let (a_addr, b_addr) = (format!("{EXTERNAL_V4}:{}", a.port), format!("{EXTERNAL_V4}:{}", b.port));
    alice.says(channel_bind(0x4000, &b_addr)).hears(success());
    bob.says(channel_bind(0x4001, &a_addr)).hears(success());
    alice.sends_on(0x4000, b"hello").reaches(a, &b_addr, b"hello");
    world.peer(&a_addr).sends(b, b"hello").reaches_on(&bob, 0x4001);

    alice.says(channel_bind(0x4002, "5.9.0.2:49999")).hears(error(403));
    world.with_relays(|relays| relays.other_ours.insert(addr("5.9.0.2:49999")));
    alice.says(channel_bind(0x4002, "5.9.0.2:49999")).hears(success());
    alice.sends_to("5.9.0.2:22000", b"x").nobody_hears(Why::PeerDenied);
    assert!(world.with_server(|server, _| server.stats().denied.iter().any(|count| count == ("host", 2))));
}

#[test]
fn a_permission_is_refreshed_though_the_relay_it_was_for_has_ended() {
    let world = World::new();
    let (alice, bob) = (world.client("84.1.1.1:4000"), world.client("84.1.1.2:4000"));
    alice.allocates();
    let bobs = format!("{EXTERNAL_V4}:{}", bob.allocates().port);
    alice.says(create_permission(&[&bobs, "9.9.9.9:9000"])).hears(success());
    bob.says(refresh(0)).hears(success());
    alice.says(create_permission(&[&bobs, "9.9.9.9:9000"])).hears(success());
    alice.sends_to(&bobs, b"x").nobody_hears(Why::PeerDenied);
    world.later(Duration::from_secs(301));
    alice.says(create_permission(&[&bobs])).hears(error(403));
}

#[test]
fn the_operators_lists_override_the_built_in_rules() {
    let nets = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect();
    let peers = PeerRules { allow: nets(&["192.168.1.0/24", "5.9.0.2/32"]), deny: nets(&["9.9.9.0/24"]) };
    let world = World::with(Config { peers, ..config() });
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(create_permission(&["192.168.1.1:53", "5.9.0.2:80"])).hears(success());
    alice.sends_to("192.168.1.1:53", b"x").reaches(relay, "192.168.1.1:53", b"x");
    alice.sends_to("5.9.0.2:80", b"x").reaches(relay, "5.9.0.2:80", b"x");
    alice.says(create_permission(&["192.168.2.1:5000"])).hears(error(403));
    alice.says(create_permission(&["9.9.9.9:5000"])).hears(error(403));
}

#[test]
fn new_rules_take_away_what_they_no_longer_allow() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, "9.9.9.9:9000")).hears(success());
    alice.says(channel_bind(0x4001, "8.8.8.8:9000")).hears(success());
    let peers = PeerRules { allow: Vec::new(), deny: vec!["9.0.0.0/8".parse().unwrap()] };
    world.with_server(|server, now| server.reconfigure(now, Config { peers, ..config() }));
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
    alice.sends_to("9.9.9.9:9000", b"x").nobody_hears(Why::NoPermission);
    world.peer("9.9.9.9:9000").sends(relay, b"x").nobody_hears(Why::NoPermission);
    alice.sends_on(0x4001, b"x").reaches(relay, "8.8.8.8:9000", b"x");
    assert_eq!(world.with_server(|server, _| (server.stats().permissions, server.stats().channels)), (1, 1));
}

#[test]
fn new_rules_leave_our_own_ports_and_take_back_an_allow() {
    let peers = PeerRules { allow: vec!["5.9.0.2/32".parse().unwrap()], deny: Vec::new() };
    let world = World::with(Config { peers, ..config() });
    let (alice, bob) = (world.client("84.1.1.1:4000"), world.client("84.1.1.2:4000"));
    let (relay, other) = (alice.allocates(), bob.allocates());
    let own = format!("{EXTERNAL_V4}:{}", other.port);
    alice.says(channel_bind(0x4000, &own)).hears(success());
    alice.says(channel_bind(0x4001, "5.9.0.2:8000")).hears(success());
    world.with_server(|server, now| server.reconfigure(now, config()));
    alice.sends_on(0x4000, b"x").reaches(relay, &own, b"x");
    alice.sends_on(0x4001, b"x").nobody_hears(Why::NoChannel);
    alice.sends_to("5.9.0.2:8000", b"x").nobody_hears(Why::NoPermission);
}
