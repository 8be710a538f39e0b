//! RFC 8489 §6.3, §7 and §12: receiving messages, FINGERPRINT, and the basic server.

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{Verdict, Why};

use crate::dsl::*;

/// §6.3: "It checks ... that the method value is a supported method. It checks that the message class is allowed for the
/// particular method. ... If any errors are detected, the message is silently discarded."
#[test]
fn methods_and_classes_that_mean_nothing_are_discarded() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    let requests = [Method::SEND, Method::DATA, Method(0x000), Method(0x002), Method(0x00A), Method(0xFFF)];
    requests.iter().for_each(|method| alice.says(ask(Class::Request, *method)).nobody_hears(Why::Unexpected));
    let indications = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::DATA, Method::BINDING];
    indications
        .iter()
        .for_each(|method| alice.says_bare(ask(Class::Indication, *method)).nobody_hears(Why::Unexpected));
    for class in [Class::Success, Class::Error] {
        alice.says(ask(class, Method::BINDING)).nobody_hears(Why::Unexpected);
        alice.says(ask(class, Method::ALLOCATE)).nobody_hears(Why::Unexpected);
    }
}

/// §6.3: "Unknown comprehension-optional attributes MUST be ignored by the agent."
#[test]
fn unknown_optional_attributes_are_ignored() {
    let alice = World::new().client("84.1.1.1:4000");
    let with = |ask: Ask| ask.with(0x8FFF, b"what").with(0xFFFF, &[]);
    alice.says_bare(with(binding())).hears(success());
    let relay = alice.says(with(allocate())).hears(success()).relay();
    alice.says(with(refresh(600))).hears(success());
    alice.says(with(create_permission(&["9.9.9.9:9"]))).hears(success());
    alice.says(with(channel_bind(0x4000, "9.9.9.9:9000"))).hears(success());
    alice.says_bare(with(send("9.9.9.9:9000", b"x"))).reaches(relay, "9.9.9.9:9000", b"x");
}

/// §6.3: "Known-but-unexpected attributes SHOULD be ignored by the agent."
#[test]
fn known_attributes_out_of_place_are_ignored() {
    let alice = World::new().client("84.1.1.1:4000");
    let odd = |ask: Ask| ask.with(attribute::CHANNEL_NUMBER, &[9; 3]).with(attribute::UNKNOWN_ATTRIBUTES, &[]);
    alice.says_bare(odd(binding()).with(attribute::LIFETIME, &[1])).hears(success());
    alice.says(odd(allocate()).with(attribute::DATA, b"data")).hears(success());
    alice.says(odd(refresh(600)).with(attribute::REQUESTED_TRANSPORT, &[6])).hears(success());
}

/// §6.3.1: "If the request contains one or more unknown comprehension-required attributes, the server replies with an
/// error response with an error code of 420 ... and includes an UNKNOWN-ATTRIBUTES attribute in the response that lists
/// the unknown comprehension-required attributes."
#[test]
fn unknown_required_attributes_are_listed_in_a_420() {
    let alice = World::new().client("84.1.1.1:4000");
    let with = |ask: Ask| ask.with(0x7FFF, b"what").with(0x8FFF, b"never mind").with(0x0003, &[0; 4]);
    let listed = Some(vec![0x7F, 0xFF, 0x00, 0x03]);
    assert_eq!(alice.says_bare(with(binding())).hears(error(420)).attribute(attribute::UNKNOWN_ATTRIBUTES), listed);
    let asks = [allocate(), refresh(0), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9000")];
    for ask in asks.into_iter().map(with) {
        let answer = alice.says(ask).hears(error(420));
        assert_eq!(answer.attribute(attribute::UNKNOWN_ATTRIBUTES), listed);
        assert!(answer.is_signed_by(&alice));
    }
}

/// §6.3: "Once the authentication checks are done, the STUN agent checks for unknown attributes".
#[test]
fn authentication_comes_before_unknown_attributes() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.says_bare(allocate().with(0x7FFF, b"what")).hears(error(401));
}

/// §6.3.1: "The server MUST respond to retransmissions such that ... the overall state on the client and server is
/// identical".
#[test]
fn retransmissions_are_answered_as_the_first_was() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    alice.says_bare(binding()).hears(success());
    let asks = [allocate(), refresh(1200), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9000")];
    alice.says(refresh(600)).hears(error(437));
    for (number, ask) in (1..).zip(asks) {
        let bytes = alice.signed(&ask.in_transaction(number));
        let first = alice.says_raw(&bytes).hears(success());
        for _ in 0..6 {
            world.later(secs(5));
            assert_eq!(alice.says_raw(&bytes).hears(success()).bytes, first.bytes);
        }
    }
    world.with_server(|server, _| {
        let stats = server.stats();
        assert_eq!((stats.allocations, stats.permissions, stats.channels), (1, 1, 1));
    });
}

/// §6.3.1.1: "For an error response, the server MUST add an ERROR-CODE attribute"; "the method of the response is the
/// same as that of the request".
#[test]
fn errors_say_which_and_to_what() {
    let alice = World::new().client("84.1.1.1:4000");
    let challenge = alice.says_bare(allocate()).hears(error(401));
    assert_eq!((challenge.message().class(), challenge.message().method()), (Class::Error, Method::ALLOCATE));
    assert_eq!(challenge.attribute(attribute::ERROR_CODE), Some(vec![0, 0, 4, 1]));
    assert_eq!(alice.says_bare(refresh(0)).hears(error(401)).message().method(), Method::REFRESH);
}

/// §6.3.1.1: "the server adds an XOR-MAPPED-ADDRESS attribute to the response; this attribute contains the source
/// transport address of the request message." §12: "The STUN server MUST support the Binding method. It SHOULD NOT
/// utilize the short-term or long-term credential mechanism." §12: "It MAY utilize the FINGERPRINT mechanism but MUST
/// NOT require it."
#[test]
fn a_binding_needs_nothing_and_tells_the_source_address() {
    let world = World::new();
    for remote in ["84.1.1.1:4000", "[2a02::1]:65535"] {
        let alice = world.client(remote);
        let answer = alice.says_bare(binding()).hears(success());
        assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), addr(remote));
        assert!(!answer.message().has_integrity());
        let signed = alice.says(binding().fingerprinted()).hears(success());
        assert_eq!(signed.address(attribute::XOR_MAPPED_ADDRESS), addr(remote));
    }
}

/// §6.3.1.2: "the destination IP address and port of the response are the source IP address and port of the received
/// request message, and the source ... equal to the destination".
#[test]
fn answers_go_back_the_way_the_request_came() {
    let world = World::new();
    let mut alice = world.client("84.1.1.1:4000");
    alice.client.local = addr("5.9.0.2:443");
    let bytes = alice.signed(&binding());
    let to = world.with_server(|server, now| {
        let mut relays = TestRelays::new();
        assert_eq!(server.handle_client(now, alice.client, &bytes, &mut relays), Verdict::Reply);
        server.poll_transmit().unwrap().to
    });
    assert_eq!(to, alice.client);
}

/// §6.3.2: "If the indication contains unknown comprehension-required attributes, the indication is discarded"; "no
/// response is generated for an indication".
#[test]
fn an_indication_that_is_not_understood_is_discarded() {
    let alice = World::new().client("84.1.1.1:4000");
    alice.allocates();
    alice.says(create_permission(&["9.9.9.9:9"])).hears(success());
    alice.says_bare(send("9.9.9.9:9", b"x").with(0x7FFF, &[])).nobody_hears(Why::Malformed);
}

/// §7: "If the FINGERPRINT extension is being used, the agent checks that the FINGERPRINT attribute is present and
/// contains the correct value" (§6.3); a message "with FINGERPRINT" is answered with one.
#[test]
fn fingerprints_are_checked_and_answered() {
    let alice = World::new().client("84.1.1.1:4000");
    for ask in [allocate(), refresh(600), create_permission(&["9.9.9.9:9"]), channel_bind(0x4000, "9.9.9.9:9000")] {
        assert!(!alice.says(ask.clone().in_transaction(1)).hears(success()).message().has_fingerprint());
        let answer = alice.says(ask.fingerprinted().in_transaction(1)).hears(success());
        assert!(answer.message().has_fingerprint() && answer.is_signed_by(&alice));
    }
    let mut bytes = alice.signed(&refresh(0).fingerprinted());
    let last = bytes.len() - 1;
    bytes[last] ^= 0x80;
    alice.says_raw(&bytes).nobody_hears(Why::Unauthenticated);
    alice.says(refresh(600)).hears(success());
}
