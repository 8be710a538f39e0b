//! RFC 8656 §11 and §14: Send and Data indications, ICMP.

use roundturn_turn::message::{Class, Message, Method, attribute};
use roundturn_turn::{Icmp, Peer, Relay, Verdict, Why};

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";

fn alice() -> (World, Speaker, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(create_permission(&[PEER])).hears(success());
    (world, alice, relay)
}

/// §11.2: "The Send indication MUST contain both an XOR-PEER-ADDRESS attribute and a DATA attribute. If one of these
/// attributes is missing or invalid, then the message is discarded. Note that the DATA attribute is allowed to contain
/// zero bytes of data."
#[test]
fn s11_2_peer_and_data_are_there() {
    let (_, alice, relay) = alice();
    let bare = || ask(Class::Indication, Method::SEND);
    alice.says_bare(bare()).nobody_hears(Why::Malformed);
    alice.says_bare(bare().with_peer(PEER)).nobody_hears(Why::Malformed);
    alice.says_bare(bare().with(attribute::DATA, b"x")).nobody_hears(Why::Malformed);
    let broken = bare().with(attribute::XOR_PEER_ADDRESS, &[0, 1, 0, 0, 9, 9, 9]).with(attribute::DATA, b"x");
    alice.says_bare(broken).nobody_hears(Why::Malformed);
    alice.sends_to(PEER, b"").reaches(relay, PEER, b"");
}

/// §11.2 and §14: "If the DONT-FRAGMENT attribute is present ..., the server MUST set the DF bit in the outgoing IP header
/// to 1; otherwise, the DF bit is set to 0." Without it, and by a channel, it is not.
#[test]
fn s14_dont_fragment_is_for_the_one_datagram_that_says_so() {
    let (_, alice, relay) = alice();
    let whole = |heard: Heard| match heard.verdict {
        Verdict::ToPeer { dont_fragment, .. } => dont_fragment,
        other => panic!("{other:?}"),
    };
    let ask = send(PEER, b"x").with(attribute::DONT_FRAGMENT, &[]);
    alice.says_bare(ask.clone()).reaches(relay, PEER, b"x");
    assert!(whole(alice.says_bare(ask)));
    assert!(!whole(alice.sends_to(PEER, b"x")));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    assert!(!whole(alice.sends_on(0x4000, b"x")));
}

/// §11.2: "The server also checks that there is a permission installed for the IP address contained in the
/// XOR-PEER-ADDRESS attribute. If no such permission exists, the message is discarded. Note that a Send indication
/// never causes the server to refresh the permission."
#[test]
fn s11_2_a_permission_is_needed_and_not_refreshed() {
    let (world, alice, relay) = alice();
    alice.sends_to("9.9.9.8:9000", b"x").nobody_hears(Why::NoPermission);
    world.later(secs(299));
    alice.sends_to(PEER, b"x").reaches(relay, PEER, b"x");
    world.later(secs(1));
    alice.sends_to(PEER, b"x").nobody_hears(Why::NoPermission);
}

/// §11.2: "The server MAY impose restrictions on the IP address and port values allowed in the XOR-PEER-ADDRESS
/// attribute; if a value is not allowed, the server silently discards the Send indication."
#[test]
fn s11_2_forbidden_ports_are_discarded() {
    let (_, alice, _) = alice();
    alice.sends_to("9.9.9.9:53", b"x").nobody_hears(Why::PeerDenied);
}

/// §11.2: "the source transport address is the relayed transport address of the allocation ...; the destination
/// transport address is taken from the XOR-PEER-ADDRESS attribute; the data following the UDP header is the contents of
/// the value field of the DATA attribute".
#[test]
fn s11_2_the_datagram() {
    let (_, alice, relay) = alice();
    for data in [&b"1"[..], b"12", b"123", b"1234", &[0; 1400]] {
        alice.sends_to("9.9.9.9:65535", data).reaches(relay, "9.9.9.9:65535", data);
    }
}

/// §11.3: "If relaying is permitted but no channel is bound to the peer, then the server forms and sends a Data
/// indication. The Data indication MUST contain both an XOR-PEER-ADDRESS and a DATA attribute. The DATA attribute is
/// set to the value of the "data octets" field from the datagram, and the XOR-PEER-ADDRESS attribute is set to the
/// source transport address".
#[test]
fn s11_3_data_from_peers() {
    let (world, alice, relay) = alice();
    for data in [&b""[..], b"1", b"12", b"123", b"1234"] {
        world.peer(PEER).sends(relay, data).reaches_as_indication(&alice, PEER);
    }
    world.peer("9.9.9.8:9000").sends(relay, b"x").nobody_hears(Why::NoPermission);
}

/// §11.5: "the type is either 3 or 11 for an ICMPv4 packet or either 1, 2, or 3 for an ICMPv6 packet"; "the source IP
/// address MUST NOT be checked against the permissions list ... Instead, the server extracts the destination IP address
/// from the encapsulated IP header"; "the Data indication MUST contain both an XOR-PEER-ADDRESS and an ICMP attribute".
/// §18.13: "For other ICMPv6 types and ICMPv4 types and codes, the Error Data field MUST be set to zero."
#[test]
fn s11_5_icmp_errors() {
    let (world, alice, relay) = alice();
    let tell = |peer: &str, kind, code| {
        world.with_server(|server, now| {
            let verdict = server.handle_icmp(now, relay, Peer(addr(peer)), Icmp { kind, code, mtu: 1400 });
            (verdict, server.poll_transmit())
        })
    };
    for (code, data) in [(4, [0, 0, 5, 0x78]), (3, [0; 4])] {
        let (verdict, transmit) = tell(PEER, 3, code);
        let transmit = transmit.unwrap();
        let message = Message::decode(&transmit.bytes).unwrap();
        assert_eq!((verdict, transmit.to), (Verdict::Reply, alice.client));
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
        assert_eq!(message.xor_address(attribute::XOR_PEER_ADDRESS), Some(addr(PEER)));
        let expected = [&[0, 0, 3 << 1, code][..], &data].concat();
        assert_eq!(message.attribute(attribute::ICMP), Some(&expected[..]));
    }
    assert_eq!(tell("9.9.9.8:9000", 3, 3), (Verdict::Drop(Why::NoPermission), None));
    assert_eq!(tell(PEER, 5, 0), (Verdict::Drop(Why::Unexpected), None));
}
