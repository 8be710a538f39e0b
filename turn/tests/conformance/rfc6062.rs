//! RFC 6062 §5: TCP allocations, in the order of its sections.

use std::net::SocketAddr;

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{
    CloseReason, Config, ConnectionId, Event, Limits, Peer, PeerRules, Relay, Transport, Verdict, Why,
};

use crate::dsl::*;

const CLIENT: &str = "84.1.1.1:4000";
const PEER: &str = "9.9.9.9:9000";

fn config_with_tcp() -> Config {
    Config { limits: Limits { tcp_connections: 3, ..config().limits }, ..config() }
}

fn alice() -> (World, Speaker) {
    let world = World::with(config_with_tcp());
    let alice = over_tcp(&world, CLIENT);
    (world, alice)
}

fn over_tcp(world: &World, remote: &str) -> Speaker {
    let mut speaker = world.client(remote);
    speaker.client.transport = Transport::Tcp;
    speaker
}

/// The same user on another stream.
fn data_stream(speaker: &Speaker, port: u16) -> Speaker {
    let mut stream = Speaker { nonce: Default::default(), ..speaker.clone() };
    stream.client.remote.set_port(port);
    stream
}

/// A client with a TCP allocation, and its relay.
fn allocated() -> (World, Speaker, Relay) {
    let (world, alice) = alice();
    let relay = alice.says(allocate_tcp()).hears(success()).relay();
    (world, alice, relay)
}

/// A connect that the peer accepts, and its connection.
fn connected(world: &World, speaker: &Speaker, peer: &str) -> ConnectionId {
    assert_eq!(speaker.says(connect(peer)).verdict, Verdict::Later);
    let (id, _, to) = *world.with_relays(|relays| relays.connects.last().copied()).as_ref().unwrap();
    assert_eq!(to.0, addr(peer));
    world.with_server(|server, now| server.handle_connected(now, id, true));
    let answers = world.unasked(speaker);
    assert_eq!((answers.len(), answers[0].code(), answers[0].connection()), (1, None, id.0));
    assert_eq!(answers[0].message().method(), Method::CONNECT);
    assert!(answers[0].is_signed_by(speaker));
    id
}

/// What comes of a peer that connects to `relay`.
fn attempt(world: &World, relay: Relay, peer: &str, id: u32) -> Verdict {
    let peer: SocketAddr = addr(peer);
    world.with_server(|server, now| server.handle_connection(now, relay, (Peer(peer), false), ConnectionId(id)))
}

fn disconnected(world: &World) -> Vec<u32> {
    world.with_relays(|relays| std::mem::take(&mut relays.disconnected)).into_iter().map(|id| id.0).collect()
}

/// Not of the RFC: TCP allocations are off unless they are asked for, and then nothing of them is known.
#[test]
fn s5_off_by_default() {
    let world = World::new();
    let alice = over_tcp(&world, CLIENT);
    alice.says(allocate_tcp()).hears(error(442));
    alice.says(allocate()).hears(success());
    alice.says(connect(PEER)).nobody_hears(Why::Unexpected);
    alice.says(connection_bind(1)).nobody_hears(Why::Unexpected);
}

/// "If the REQUESTED-TRANSPORT attribute is included and specifies a protocol other than UDP or TCP, the server MUST
/// reject the request with a 442 (Unsupported Transport Protocol) error. ... If the client connection transport is not
/// TCP or TLS, the server MUST reject the request with a 400 (Bad Request) error. If the request contains the
/// DONT-FRAGMENT, EVEN-PORT, or RESERVATION-TOKEN attribute, the server MUST reject the request with a 400".
#[test]
fn s5_1_who_may_allocate() {
    let (world, alice) = alice();
    alice.says(bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[33, 0, 0, 0])).hears(error(442));
    world.client("84.1.1.2:4000").says(allocate_tcp()).hears(error(400));
    alice.says(allocate_tcp().with(attribute::EVEN_PORT, &[0])).hears(error(400));
    alice.says(allocate_tcp().with(attribute::RESERVATION_TOKEN, &[7; 8])).hears(error(400));
    let relay = alice.says(allocate_tcp()).hears(success()).relay();
    assert!(world.with_relays(|relays| relays.tcp.contains(&relay)));
    let mut tls = over_tcp(&world, "84.1.1.3:4000");
    tls.client.transport = Transport::Tls;
    tls.says(allocate_tcp()).hears(success());
    over_tcp(&world, "84.1.1.4:4000").says(allocate()).hears(success());
}

/// "If the value is UDP, and if UDP transport is allowed by local policy, the server MUST continue with the procedures
/// of [RFC5766]": and what belongs to datagrams means nothing on a relay that has none.
#[test]
fn s5_1_a_tcp_relay_has_no_datagrams() {
    let (_world, alice, _) = allocated();
    alice.says(create_permission(&[PEER])).hears(success());
    alice.says(channel_bind(0x4000, PEER)).hears(error(400));
    alice.sends_to(PEER, b"datagram").nobody_hears(Why::Unexpected);
    alice.sends_on(0x4000, b"datagram").nobody_hears(Why::NoChannel);
}

/// "If the request is received on a TCP connection for which no allocation exists, the server MUST return a 437
/// (Allocation Mismatch) error."
#[test]
fn s5_2_no_allocation_no_connect() {
    let (world, alice) = alice();
    alice.says(connect(PEER)).hears(error(437));
    let bob = over_tcp(&world, "84.1.1.2:4000");
    bob.says(allocate()).hears(success());
    bob.says(connect(PEER)).hears(error(437));
}

/// "If the server is currently processing a Connect request for this allocation with the same XOR-PEER-ADDRESS, it MUST
/// return a 446 (Connection Already Exists) error. If the server has already successfully processed a Connect request
/// ... and the resulting client and peer data connections are either pending or active, it MUST return a 446".
#[test]
fn s5_2_one_connection_for_each_peer() {
    let (world, alice, relay) = allocated();
    assert_eq!(alice.says(connect(PEER)).verdict, Verdict::Later);
    alice.says(connect(PEER)).hears(error(446));
    let (id, from, _) = world.with_relays(|relays| relays.connects[0]);
    assert_eq!(from, relay, "it leaves from the relayed transport address");
    world.with_server(|server, now| server.handle_connected(now, id, true));
    alice.says(connect(PEER)).hears(error(446));
    data_stream(&alice, 4001).says(connection_bind(id.0)).hears(success());
    alice.says(connect(PEER)).hears(error(446));
    world.with_server(|server, _| server.handle_disconnected(id));
    assert_eq!(disconnected(&world), [id.0]);
    assert_eq!(alice.says(connect(PEER)).verdict, Verdict::Later);
}

/// "If the request does not contain an XOR-PEER-ADDRESS attribute, or if such attribute is invalid, the server MUST
/// return a 400 (Bad Request) error."
#[test]
fn s5_2_a_connect_names_its_peer() {
    let (_world, alice, _) = allocated();
    let bare = || ask(Class::Request, Method::CONNECT);
    alice.says(bare()).hears(error(400));
    alice.says(bare().with(attribute::XOR_PEER_ADDRESS, &[0, 1, 2])).hears(error(400));
    alice.says(connect("[2a01:111::9]:9000")).hears(error(443));
}

/// "If the new connection is forbidden by local policy, the server MUST reject the request with a 403 (Forbidden)
/// error." The policy is that of datagrams: no private network, and of this host only its own TCP relays.
#[test]
fn s5_2_policy() {
    let (world, alice, relay) = allocated();
    let own = |port: u16| format!("{EXTERNAL_V4}:{port}");
    let udp = world.client("84.1.1.5:4000").allocates();
    let denied = ["127.0.0.1:9000", "10.0.0.1:9000", "169.254.169.254:80", "5.9.0.2:9000", "9.9.9.9:25"];
    for peer in denied.map(str::to_owned).into_iter().chain([own(8080), own(udp.port)]) {
        alice.says(connect(&peer)).hears(error(403));
    }
    alice.says(create_permission(&[&own(udp.port)])).hears(error(403));
    alice.says(create_permission(&[&own(relay.port)])).hears(success());
    assert_eq!(alice.says(connect(&own(relay.port))).verdict, Verdict::Later, "by identity, not by address");
    let bob = world.client("84.1.1.6:4000");
    bob.allocates();
    bob.says(channel_bind(0x4000, &own(relay.port))).hears(error(403));
}

/// "If the connection attempt fails or times out, the server MUST return a 447 (Connection Timeout or Failure) error.
/// The timeout value MUST be at least 30 seconds."
#[test]
fn s5_2_a_connect_that_fails() {
    let (world, alice, _) = allocated();
    assert_eq!(alice.says(connect(PEER)).verdict, Verdict::Later);
    world.with_server(|server, now| server.handle_connected(now, ConnectionId(1), false));
    let answers = world.unasked(&alice);
    assert_eq!((answers.len(), answers[0].code()), (1, Some(447)));
    assert!(answers[0].is_signed_by(&alice));
    assert_eq!(disconnected(&world), [1]);

    assert_eq!(alice.says(connect(PEER).fingerprinted()).verdict, Verdict::Later);
    world.later(secs(29));
    assert_eq!(world.unasked(&alice), []);
    world.later(secs(1));
    let answers = world.unasked(&alice);
    assert_eq!((answers.len(), answers[0].code()), (1, Some(447)));
    assert!(answers[0].message().has_fingerprint());
    assert_eq!(disconnected(&world), [2]);
    world.with_server(|server, now| server.handle_connected(now, ConnectionId(2), true));
    assert_eq!(world.unasked(&alice), [], "it comes too late");
}

/// "If no ConnectionBind request associated with this peer data connection is received after 30 seconds, the peer data
/// connection MUST be closed."
#[test]
fn s5_2_an_unbound_connection_ends() {
    let (world, alice, _) = allocated();
    let id = connected(&world, &alice, PEER);
    world.later(secs(29));
    assert_eq!(disconnected(&world), []);
    world.later(secs(1));
    assert_eq!(disconnected(&world), [id.0]);
    data_stream(&alice, 4001).says(connection_bind(id.0)).hears(error(400));
}

/// Not of the RFC: the connections of an allocation are bounded, in whichever direction they were made.
#[test]
fn s5_2_connections_are_bounded() {
    let (world, alice, relay) = allocated();
    connected(&world, &alice, "9.9.9.9:9001");
    assert_eq!(alice.says(connect("9.9.9.9:9002")).verdict, Verdict::Later);
    alice.says(create_permission(&[PEER])).hears(success());
    assert_eq!(attempt(&world, relay, PEER, 90), Verdict::Reply);
    alice.says(connect("9.9.9.9:9003")).hears(error(508));
    assert_eq!(attempt(&world, relay, "9.9.9.9:9004", 91), Verdict::Drop(Why::TooManyConnections));
}

/// "If no permission for this peer has been installed for this allocation, the server MUST close the connection with
/// the peer immediately after it has been accepted. Otherwise, the server sends a ConnectionAttempt indication to the
/// client over the control connection. The indication MUST include an XOR-PEER-ADDRESS attribute ... as well as a
/// CONNECTION-ID attribute".
#[test]
fn s5_3_a_peer_connects() {
    let (world, alice, relay) = allocated();
    assert_eq!(attempt(&world, relay, PEER, 5), Verdict::Drop(Why::NoPermission));
    alice.says(create_permission(&["9.9.9.9:1"])).hears(success());
    assert_eq!(attempt(&world, relay, "9.9.9.8:9000", 5), Verdict::Drop(Why::NoPermission));
    assert_eq!(attempt(&world, relay, PEER, 6), Verdict::Reply);
    let told = world.unasked(&alice);
    assert_eq!(told.len(), 1);
    let (class, method) = (told[0].message().class(), told[0].message().method());
    assert_eq!((class, method), (Class::Indication, Method::CONNECTION_ATTEMPT));
    assert_eq!((told[0].address(attribute::XOR_PEER_ADDRESS), told[0].connection()), (addr(PEER), 6));
    data_stream(&alice, 4001).says(connection_bind(6)).hears(success());
    world.later(secs(300));
    assert_eq!(attempt(&world, relay, "9.9.9.9:9001", 7), Verdict::Drop(Why::NoPermission), "its time is over");
    let udp = world.client("84.1.1.5:4000").allocates();
    assert_eq!(attempt(&world, udp, PEER, 8), Verdict::Drop(Why::NoPermission));
}

/// "If no ConnectionBind request associated with this peer data connection is received after 30 seconds, the peer data
/// connection MUST be closed."
#[test]
fn s5_3_an_attempt_that_nobody_takes_up() {
    let (world, alice, relay) = allocated();
    alice.says(create_permission(&[PEER])).hears(success());
    assert_eq!(attempt(&world, relay, PEER, 6), Verdict::Reply);
    world.later(secs(30));
    assert_eq!(disconnected(&world), [6]);
}

/// "If the client connection transport is not TCP or TLS, the server MUST return a 400 (Bad Request) error. If the
/// request does not contain the CONNECTION-ID attribute, or if this attribute does not refer to an existing pending
/// connection, the server MUST return a 400 (Bad Request) error."
#[test]
fn s5_4_what_may_be_bound() {
    let (world, alice, _) = allocated();
    assert_eq!(alice.says(connect("9.9.9.9:9001")).verdict, Verdict::Later);
    let id = connected(&world, &alice, PEER);
    let stream = data_stream(&alice, 4001);
    stream.says(ask(Class::Request, Method::CONNECTION_BIND)).hears(error(400));
    stream.says(connection_bind(id.0 + 1)).hears(error(400));
    stream.says(connection_bind(1)).hears(error(400));
    alice.says(connection_bind(id.0)).hears(error(400));
    let mut datagrams = data_stream(&alice, 4002);
    datagrams.client.transport = Transport::Udp;
    datagrams.says(connection_bind(id.0)).hears(error(400));
    over_tcp(&world, "84.1.1.7:4000").says(connection_bind(id.0)).hears(error(441));
    stream.says_bare(connection_bind(id.0)).hears(error(401));
    let heard = stream.says(connection_bind(id.0));
    assert_eq!(heard.verdict, Verdict::Splice(id));
    assert!(heard.hears(success()).is_signed_by(&alice));
    data_stream(&alice, 4003).says(connection_bind(id.0)).hears(error(400));
}

/// Not of the RFC: the nonce of the control connection is good for those that belong to it, and for no other host.
#[test]
fn s5_4_one_nonce_for_all_streams_of_a_client() {
    let (world, alice, _) = allocated();
    let id = connected(&world, &alice, PEER);
    let mut stream = alice.clone();
    stream.client.remote.set_port(4001);
    stream.says_raw(&stream.signed(&connection_bind(id.0))).hears(success());
    let mut elsewhere = alice.clone();
    elsewhere.client.remote.set_ip("84.1.1.2".parse().unwrap());
    elsewhere.says_raw(&elsewhere.signed(&connection_bind(id.0))).hears(error(438));
}

/// A ConnectionBind tells by itself whose affair it is, before anything is proved.
#[test]
fn s5_4_whose_affair_a_stream_is() {
    let (_world, alice, _) = allocated();
    assert_eq!(ConnectionId::wanted_by(&alice.signed(&connection_bind(0x0102_0304))), Some(ConnectionId(0x0102_0304)));
    assert_eq!(ConnectionId::wanted_by(&alice.signed(&connect(PEER))), None);
    assert_eq!(ConnectionId::wanted_by(&[0x00, 0x0B, 0xFF]), None);
    assert_eq!(ConnectionId::wanted_by(&[]), None);
}

/// "If the allocation associated with a data connection expires, the data connection MUST be closed."
#[test]
fn s5_5_connections_end_with_their_allocation() {
    type End = fn(&World, &Speaker);
    let ends: [(End, CloseReason); 4] = [
        (|world, _| world.later(secs(600)), CloseReason::Expired),
        (|_, alice| drop(alice.says(refresh(0)).hears(success())), CloseReason::RefreshZero),
        (|world, alice| world.with_server(|server, now| server.revoke(now, &alice.username)), CloseReason::Revoked),
        (
            |world, alice| world.with_server(|server, now| server.disconnect(now, alice.client)),
            CloseReason::Disconnected,
        ),
    ];
    for (end, expected) in ends {
        let (world, alice, _) = allocated();
        let id = connected(&world, &alice, PEER);
        data_stream(&alice, 4001).says(connection_bind(id.0)).hears(success());
        world.later(secs(1));
        world.with_server(|server, now| server.handle_moved(now, id, 100, 2000));
        world.with_server(|server, now| server.handle_moved(now, id, 1, 0));
        assert_eq!(alice.says(connect("9.9.9.9:9001")).verdict, Verdict::Later);
        world.events();
        end(&world, &alice);
        let events = world.events();
        let is_of = |event: &Event| matches!(event, Event::Disconnected { connection } if *connection == id);
        assert!(events.iter().any(is_of), "{expected:?}: {events:?}");
        let Some(&Event::Closed { reason, bytes_to_peers, bytes_to_client, .. }) = events.last() else {
            panic!("{events:?}")
        };
        assert_eq!((reason, bytes_to_peers, bytes_to_client), (expected, 101, 2000));
        world.with_server(|server, _| assert!(server.is_consistent()));
        assert_eq!(world.with_server(|server, _| server.stats().tcp_connections), 0);
    }
}

/// Not of the RFC: two connections through which nothing goes end, and those that are used do not.
#[test]
fn s5_5_idle_connections_end() {
    let (world, alice, _) = allocated();
    let id = connected(&world, &alice, PEER);
    data_stream(&alice, 4001).says(connection_bind(id.0)).hears(success());
    for _ in 0..3 {
        world.later(secs(599));
        alice.says(refresh(3600)).hears(success());
        world.with_server(|server, now| server.handle_moved(now, id, 1, 0));
    }
    assert_eq!(disconnected(&world), []);
    world.later(secs(600));
    assert_eq!(disconnected(&world), [id.0]);
}

/// Not of the RFC: what a reload forbids ends at once.
#[test]
fn s5_5_connections_end_when_their_peer_is_denied() {
    let (world, alice, _) = allocated();
    let [id, other] = [PEER, "9.9.8.8:9000"].map(|peer| connected(&world, &alice, peer));
    let peers = PeerRules { deny: vec!["9.9.9.0/24".parse().unwrap()], ..PeerRules::default() };
    world.with_server(|server, now| server.reconfigure(now, Config { peers, ..config_with_tcp() }));
    assert_eq!(disconnected(&world), [id.0]);
    data_stream(&alice, 4001).says(connection_bind(other.0)).hears(success());
}

/// Not of the RFC: a reload that turns TCP allocations off leaves none behind.
#[test]
fn s5_1_allocations_end_when_they_are_not_offered_any_more() {
    let (world, alice, relay) = allocated();
    connected(&world, &alice, PEER);
    let udp = world.client("84.1.1.9:4000").allocates();
    world.with_server(|server, now| server.reconfigure(now, config()));
    world.events();
    assert!(world.with_relays(|relays| !relays.tcp.contains(&relay) && relays.open.contains_key(&udp)));
    world.with_server(|server, _| assert!(server.is_consistent()));
}
