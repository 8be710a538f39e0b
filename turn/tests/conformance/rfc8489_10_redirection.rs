//! RFC 8489 §10 and §14.8: ALTERNATE-SERVER.

use roundturn_turn::Config;
use roundturn_turn::message::attribute;

use crate::dsl::*;

fn world() -> World {
    let alternate_servers = vec![addr("5.9.0.7:3478"), addr("[2a01:4f8::7]:3478")];
    World::with(Config { alternate_servers, ..config() })
}

/// §10: "The server MUST include at least one ALTERNATE-SERVER attribute in the error response, which MUST contain an
/// IP address of the same address family as the source IP address of the request message. The server SHOULD include an
/// additional ALTERNATE-SERVER attribute, after the mandatory one, that contains an IP address of the address family
/// other than the source IP address of the request message."
#[test]
fn the_clients_family_comes_first_and_the_other_second() {
    for (remote, families) in [("84.1.1.1:4000", [1, 2]), ("[2a02::1]:4000", [2, 1])] {
        let answer = world().client(remote).says(allocate()).hears(error(300));
        let message = answer.message();
        let alternates = message.attributes().filter(|attribute| attribute.kind == attribute::ALTERNATE_SERVER);
        assert_eq!(alternates.map(|attribute| attribute.value[1]).collect::<Vec<u8>>(), families);
    }
}

/// §14.8: "This error response MUST only be sent if the request included either a USERNAME or USERHASH attribute and a
/// valid MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute".
#[test]
fn only_the_proven_are_sent_elsewhere() {
    let alice = world().client("84.1.1.1:4000");
    alice.says_bare(allocate()).hears(error(401));
    alice.says(allocate().fingerprinted()).hears(error(300));
    world().client_as("84.1.1.1:4001", "carol", "guess").says(allocate()).hears(error(401));
}

/// §14.8: "This error response MUST be protected with the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute".
#[test]
fn the_redirection_is_sealed() {
    let alice = world().client("84.1.1.1:4000");
    assert!(alice.says(allocate()).hears(error(300)).is_signed_by(&alice));
}

/// §12: "It SHOULD NOT utilize the ALTERNATE-SERVER mechanism" for Binding.
#[test]
fn bindings_are_answered() {
    world().client("84.1.1.1:4000").says(binding()).hears(success());
}
