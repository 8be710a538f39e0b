//! RFC 8656 §7.2: receiving an Allocate request, in the order of its checks.

use roundturn_turn::message::attribute;
use roundturn_turn::{Config, Family, OpenError, Relay};

use crate::dsl::*;

const V4: [u8; 4] = [1, 0, 0, 0];
const V6: [u8; 4] = [2, 0, 0, 0];

fn alice() -> (World, Speaker) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    (world, alice)
}

/// Check 1: "the server MUST require that the request be authenticated".
#[test]
fn c1_strangers_get_nothing() {
    let (world, alice) = alice();
    alice.says_bare(allocate()).hears(error(401));
    assert_eq!(world.events(), []);
}

/// Check 2: "The server checks if the 5-tuple is currently in use by an existing allocation. If yes, the server rejects
/// the request with a 437 (Allocation Mismatch) error."
#[test]
fn c2_a_5_tuple_in_use_gets_437() {
    let (world, alice) = alice();
    alice.allocates();
    alice.says(allocate()).hears(error(437));
    world.client_as("84.1.1.1:4000", "carol", "wonder").says(allocate()).hears(error(437));
}

/// Check 3: "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the server rejects the request with
/// a 400 (Bad Request) error. Otherwise, if the attribute is included but specifies a protocol that is not supported by
/// the server, ... 442 (Unsupported Transport Protocol)".
#[test]
fn c3_the_transport_is_there_and_is_udp() {
    let (_, alice) = alice();
    let transport = |value: &[u8]| bare_allocate().with(attribute::REQUESTED_TRANSPORT, value);
    alice.says(bare_allocate()).hears(error(400));
    alice.says(transport(&[])).hears(error(400));
    alice.says(transport(&[17, 0, 0])).hears(error(400));
    alice.says(transport(&[6, 0, 0, 0])).hears(error(442));
    alice.says(transport(&[17, 0, 0, 0])).hears(success());
}

/// Check 4: "the server checks if the request contains a DONT-FRAGMENT attribute. If it does, but the server does not
/// support sending UDP datagrams with the DF bit set to 1 ..., then the server treats the DONT-FRAGMENT attribute ... as an
/// unknown comprehension-required attribute." This one does support it.
#[test]
fn c4_dont_fragment_is_supported() {
    let (_, alice) = alice();
    alice.says(allocate().with(attribute::DONT_FRAGMENT, &[])).hears(success());
}

/// Check 5: "if the request contains a RESERVATION-TOKEN attribute ... and the request also contains an EVEN-PORT or
/// REQUESTED-ADDRESS-FAMILY or ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a 400 (Bad
/// Request) error. ... If the token is not valid for some reason, the server rejects the request with a 508".
#[test]
fn c5_a_token_stands_alone_and_is_known() {
    let (_, alice) = alice();
    let token = || allocate().with(attribute::RESERVATION_TOKEN, &[1; 8]);
    alice.says(token().with(attribute::EVEN_PORT, &[0])).hears(error(400));
    alice.says(token().with(attribute::REQUESTED_ADDRESS_FAMILY, &V4)).hears(error(400));
    alice.says(token().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &V6)).hears(error(400));
    alice.says(token()).hears(error(508));
}

/// Check 6: "The server checks if the request contains both REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY
/// attributes. If yes, then the server rejects the request with a 400 (Bad Request) error."
#[test]
fn c6_one_family_attribute_at_a_time() {
    let (_, alice) = alice();
    let both = allocate().with(attribute::REQUESTED_ADDRESS_FAMILY, &V6);
    alice.says(both.with(attribute::ADDITIONAL_ADDRESS_FAMILY, &V6)).hears(error(400));
}

/// Check 7: "If the server does not support the address family requested by the client in REQUESTED-ADDRESS-FAMILY, or
/// if the allocation of the requested address family is disabled by local policy, it MUST generate an Allocate error
/// response ... 440 (Address Family not Supported)". "If the REQUESTED-ADDRESS-FAMILY attribute is absent and the
/// server supports the IPv4 address family, the server MUST allocate an IPv4 relayed transport address": here, for a
/// client that came over IPv4.
#[test]
fn c7_families_are_honoured_or_refused() {
    let requested = |family: &[u8]| allocate().with(attribute::REQUESTED_ADDRESS_FAMILY, family);
    for (external_v4, external_v6, family, unsupported) in
        [(config().external_v4, None, Family::V4, V6), (None, config().external_v6, Family::V6, V4)]
    {
        let world = World::with(Config { external_v4, external_v6, ..config() });
        let alice = world.client("84.1.1.1:4000");
        alice.says(requested(&unsupported)).hears(error(440));
        assert_eq!(alice.allocates().family, family);
    }
    let (world, alice) = alice();
    alice.says(requested(&[3, 0, 0, 0])).hears(error(440));
    alice.says(requested(&[1])).hears(error(400));
    assert_eq!(alice.says(requested(&V6)).hears(success()).relay().family, Family::V6);
    assert_eq!(world.client("84.1.1.1:4001").allocates().family, Family::V4);
    assert_eq!(world.client("[2a02::1]:4001").says(requested(&V4)).hears(success()).relay().family, Family::V4);
}

/// Check 8: "The server checks if the request contains an EVEN-PORT attribute with the R bit set to 1. If yes, and the
/// request also contains an ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a 400 (Bad
/// Request) error. ... If the server cannot satisfy the request, then the server rejects the request with a 508".
#[test]
fn c8_a_pair_is_of_one_family_and_whole() {
    let (world, alice) = alice();
    let pair = || allocate().with(attribute::EVEN_PORT, &[0x80]);
    alice.says(pair().with(attribute::ADDITIONAL_ADDRESS_FAMILY, &V6)).hears(error(400));
    world.with_relays(|relays| relays.most = 1);
    alice.says(pair()).hears(error(508));
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}

/// Check 9: "If yes, and the attribute value is 0x01 (IPv4 address family), then the server rejects the request with a
/// 400 (Bad Request) error. ... If the server cannot satisfy the request, then the server rejects the request with a
/// 508 ... If the server can partially meet the request ... then it includes ADDRESS-ERROR-CODE ... 440 ... or 508 ...
/// If the server can fully meet the request, then the server allocates one IPv4 and one IPv6 relay address and returns
/// ... two XOR-RELAYED-ADDRESS attributes."
#[test]
fn c9_both_families_or_one_with_a_reason() {
    let additional = |family: &[u8]| allocate().with(attribute::ADDITIONAL_ADDRESS_FAMILY, family);
    let (world, alice) = alice();
    alice.says(additional(&V4)).hears(error(400));
    world.with_relays(|relays| relays.most = 0);
    alice.says(additional(&V6)).hears(error(508));
    world.with_relays(|relays| relays.most = 1);
    let partial = alice.says(additional(&V6)).hears(success());
    assert_eq!((partial.relay().family, partial.lifetime()), (Family::V4, 600));
    assert_eq!(partial.attribute(attribute::ADDRESS_ERROR_CODE).unwrap()[..4], [2, 0, 5, 8]);
    alice.says(refresh(0)).hears(success());
    world.with_relays(|relays| relays.most = 2);
    let whole = alice.says(additional(&V6)).hears(success());
    assert_eq!(whole.relays().iter().map(|relay| relay.family).collect::<Vec<_>>(), [Family::V4, Family::V6]);
    assert_eq!(whole.attribute(attribute::ADDRESS_ERROR_CODE), None);

    let world = World::with(Config { external_v6: None, ..config() });
    let partial = world.client("84.1.1.1:4000").says(additional(&V6)).hears(success());
    assert_eq!(partial.attribute(attribute::ADDRESS_ERROR_CODE).unwrap()[..4], [2, 0, 4, 40]);
}

/// Check 10: "At any point, the server MAY choose to reject the request with a 486 (Allocation Quota Reached) error ...
/// it SHOULD define it based on the username used to authenticate the request and not on the client's transport
/// address."
#[test]
fn c10_quotas_go_by_the_user() {
    let world = World::new();
    world.with_relays(|relays| relays.most_per_user = 1);
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    let elsewhere = world.client_as("[2a02::1]:4000", &alice.username, &alice.password);
    elsewhere.says(allocate()).hears(error(486));
    world.client("84.1.1.1:4001").allocates();
}

/// Check 11: "at any point, the server MAY choose to reject the request with a 300 (Try Alternate) error if it wishes to
/// redirect the client to a different server".
#[test]
fn c11_a_drained_server_redirects() {
    let world = World::with(Config { alternate_servers: vec![addr("5.9.0.7:3478")], ..config() });
    world.client("84.1.1.1:4000").says(allocate()).hears(error(300));
}

/// "If the request contains a RESERVATION-TOKEN attribute, the server uses the previously reserved transport address";
/// "the 5-tuple for the Allocate request containing the RESERVATION-TOKEN attribute can be any allowed 5-tuple". "If
/// the request contains an EVEN-PORT attribute with the R bit set to 0, then the server allocates a relayed transport
/// address with an even port number." With R set to 1 "Port N is used in the current allocation, while the relayed
/// transport address with port N+1 is assigned a token ... The server MUST hold this reservation for at least 30
/// seconds".
#[test]
fn ports_are_even_and_reserved_for_30_seconds() {
    let (world, alice) = alice();
    world.client("84.1.1.1:3999").allocates();
    let answer = alice.says(allocate().with(attribute::EVEN_PORT, &[0x80])).hears(success());
    let (relay, token) = (answer.relay(), answer.attribute(attribute::RESERVATION_TOKEN).unwrap());
    assert_eq!((relay.port % 2, token.len()), (0, 8));
    world.later(secs(30) - std::time::Duration::from_millis(1));
    let second = world.client_as("[2a02::1]:9999", &alice.username, &alice.password);
    let reserved = second.says(allocate().with(attribute::RESERVATION_TOKEN, &token)).hears(success());
    assert_eq!(reserved.relay(), Relay { port: relay.port + 1, ..relay });
    let even = world.client("84.1.1.1:4002").says(allocate().with(attribute::EVEN_PORT, &[0])).hears(success());
    assert_eq!((even.relay().port % 2, even.attribute(attribute::RESERVATION_TOKEN)), (0, None));
}

/// "If the request contains a LIFETIME attribute, then the server computes the minimum of the client's proposed
/// lifetime and the server's maximum allowed lifetime. If this computed value is greater than the default lifetime,
/// then the server uses the computed lifetime ... Otherwise, the server uses the default lifetime. It is RECOMMENDED
/// that the server use a maximum allowed lifetime value of no more than 3600 seconds".
#[test]
fn lifetimes_lie_between_default_and_maximum() {
    let world = World::new();
    let asked =
        [(None, 600), (Some(0), 600), (Some(599), 600), (Some(601), 601), (Some(3600), 3600), (Some(3601), 3600)];
    for (port, (asked, granted)) in (4000..).zip(asked) {
        let client = world.client_as(&format!("84.1.1.1:{port}"), "carol", "wonder");
        let ask = asked.map_or(allocate(), |secs: u32| allocate().with(attribute::LIFETIME, &secs.to_be_bytes()));
        assert_eq!(client.says(ask).hears(success()).lifetime(), granted);
        world.later(secs(u64::from(granted) - 1));
        client.says(create_permission(&["9.9.9.9:9"])).hears(success());
        world.later(secs(1));
        client.says(create_permission(&["9.9.9.9:9"])).hears(error(437));
    }
}

/// "The success response contains: An XOR-RELAYED-ADDRESS attribute ... A LIFETIME attribute ... A RESERVATION-TOKEN
/// attribute (if a second relayed transport address was reserved). An XOR-MAPPED-ADDRESS attribute".
#[test]
fn the_answer_has_what_it_must() {
    let (_, alice) = alice();
    let answer = alice.says(allocate()).hears(success());
    let kinds = [attribute::XOR_RELAYED_ADDRESS, attribute::LIFETIME, attribute::XOR_MAPPED_ADDRESS];
    assert_eq!(answer.kinds(), kinds);
    assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), addr("84.1.1.1:4000"));
    assert_eq!(answer.address(attribute::XOR_RELAYED_ADDRESS).ip(), addr("5.9.0.1:0").ip());
}

/// §19: 508 for "no more relayed transport addresses available", 486 for a quota, 440 for a family.
#[test]
fn what_is_used_up_has_its_code() {
    let (world, alice) = alice();
    let refusals = [
        (OpenError::NoPort, 508),
        (OpenError::TotalQuota, 508),
        (OpenError::UserQuota, 486),
        (OpenError::PrefixQuota, 486),
        (OpenError::Family, 440),
    ];
    for (refusal, code) in refusals {
        world.with_relays(|relays| relays.refusal = Some(refusal));
        alice.says(allocate()).hears(error(code));
    }
}
