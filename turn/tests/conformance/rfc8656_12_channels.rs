//! RFC 8656 §12: channels.

use roundturn_turn::message::{Class, Method, attribute};
use roundturn_turn::{Relay, Why};

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";
const OTHER: &str = "9.9.9.9:9001";

fn alice() -> (World, Speaker, Relay) {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.says(allocate().with(attribute::LIFETIME, &3600u32.to_be_bytes())).hears(success()).relay();
    (world, alice, relay)
}

/// §12: "Channel bindings are specific to an allocation"; "If an allocation expires, all its channel bindings expire
/// with it."
#[test]
fn s12_channels_belong_to_their_allocation() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    let bob = world.client("84.1.1.1:4001");
    let bobs = bob.allocates();
    bob.says(channel_bind(0x4000, OTHER)).hears(success());
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    bob.sends_on(0x4000, b"x").reaches(bobs, OTHER, b"x");
    alice.says(refresh(0)).hears(success());
    alice.allocates();
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
    alice.says(channel_bind(0x4000, OTHER)).hears(success());
}

/// §12: "the same channel cannot be bound to two different transport addresses, nor can the same transport address be
/// bound to two different channels."
#[test]
fn s12_a_channel_is_one_number_and_one_peer() {
    let (_, alice, _) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.says(channel_bind(0x4000, OTHER)).hears(error(400));
    alice.says(channel_bind(0x4001, PEER)).hears(error(400));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
}

/// §12: "A channel binding lasts for 10 minutes unless refreshed."
#[test]
fn s12_a_channel_lasts_ten_minutes() {
    let (world, alice, relay) = alice();
    for _ in 0..2 {
        alice.says(channel_bind(0x4000, PEER)).hears(success());
        world.later(secs(599));
        alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    }
    world.later(secs(1));
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
}

/// §12: "the client MUST wait 5 minutes after the channel binding expires before attempting to bind the channel number
/// to a different transport address or the transport address to a different channel number": the server holds it to
/// that.
#[test]
fn s12_number_and_peer_are_quarantined() {
    let (world, alice, _) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.later(secs(899));
    alice.says(channel_bind(0x4000, OTHER)).hears(error(400));
    alice.says(channel_bind(0x4001, PEER)).hears(error(400));
    world.later(secs(1));
    alice.says(channel_bind(0x4000, OTHER)).hears(success());
    alice.says(channel_bind(0x4001, PEER)).hears(success());
}

/// §12.2: "The request contains both a CHANNEL-NUMBER and an XOR-PEER-ADDRESS attribute; The channel number is in the
/// range 0x4000 through 0x4FFF (inclusive) ... If any of these tests fail, the server replies with a 400 (Bad Request)
/// error."
#[test]
fn s12_2_number_and_peer_are_there_and_in_range() {
    let (_, alice, _) = alice();
    let bare = || ask(Class::Request, Method::CHANNEL_BIND);
    alice.says(bare()).hears(error(400));
    alice.says(bare().with_peer(PEER)).hears(error(400));
    alice.says(bare().with(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0])).hears(error(400));
    alice.says(bare().with(attribute::CHANNEL_NUMBER, &[0x40, 0]).with_peer(PEER)).hears(error(400));
    for number in [0, 0x3FFF, 0x8000, 0xFFFF] {
        alice.says(channel_bind(number, PEER)).hears(error(400));
    }
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.says(channel_bind(0x4FFF, OTHER)).hears(success());
}

/// §12.2: 443 for another family, 403 for a peer that is not allowed, 508 "due to some capacity limit or similar".
#[test]
fn s12_2_refusals_have_their_codes() {
    let (_, alice, _) = alice();
    alice.says(channel_bind(0x4000, "[2a03::1]:9000")).hears(error(443));
    alice.says(channel_bind(0x4000, "127.0.0.1:9000")).hears(error(403));
    alice.says(channel_bind(0x4000, "9.9.9.9:53")).hears(error(403));
    for number in 0..32 {
        alice.says(channel_bind(0x4000 + number, &format!("9.9.9.9:{}", 9000 + number))).hears(success());
    }
    alice.says(channel_bind(0x4FFF, "9.9.9.9:9999")).hears(error(508));
}

/// §12.2: "the server creates or refreshes the channel binding ... The server also installs or refreshes a permission
/// for the IP address in the XOR-PEER-ADDRESS attribute". "There are no required attributes in a successful ChannelBind
/// response."
#[test]
fn s12_2_a_channel_brings_a_permission() {
    let (world, alice, relay) = alice();
    assert_eq!(alice.says(channel_bind(0x4000, PEER)).hears(success()).kinds(), []);
    world.peer(OTHER).sends(relay, b"x").reaches_as_indication(&alice, OTHER);
    world.later(secs(299));
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.later(secs(299));
    world.peer(PEER).sends(relay, b"x").reaches_on(&alice, 0x4000);
    world.later(secs(1));
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
}

/// §12.5: "The server ... MUST use the ChannelData message if a channel has been bound to the peer"; the client "may
/// freely intermix the two message types". "Over UDP, the padding is not required but MAY be included."
#[test]
fn s12_5_the_server_uses_the_channel_and_the_client_what_it_likes() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    world.peer(PEER).sends(relay, b"hello").reaches_on(&alice, 0x4000);
    alice.sends_to(PEER, b"x").reaches(relay, PEER, b"x");
    alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    alice.says_raw(&[0x40, 0, 0, 1, b'x', 0, 0, 0]).reaches(relay, PEER, b"x");
}

/// §12.6: "if the UDP datagram is too short to contain the claimed length of the ChannelData message ... then the
/// message is silently discarded"; likewise "on a channel that is not bound to any peer". "Note that if the Length
/// field in the ChannelData message is 0, then there will be no data in the UDP datagram, but the UDP datagram is still
/// formed and sent".
#[test]
fn s12_6_short_and_stray_data_is_discarded_and_empty_data_is_sent() {
    let (_, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    alice.says_raw(&[0x40, 0, 0, 2, b'x']).nobody_hears(Why::Malformed);
    alice.says_raw(&[0x40, 0, 0]).nobody_hears(Why::Malformed);
    alice.sends_on(0x4001, b"x").nobody_hears(Why::NoChannel);
    alice.sends_on(0x8000, b"x").nobody_hears(Why::Malformed);
    alice.sends_on(0x4000, b"").reaches(relay, PEER, b"");
}

/// §12.6: "the receipt of a ChannelData message MUST NOT refresh either the channel binding or the permission towards
/// the peer."
#[test]
fn s12_6_data_refreshes_neither_channel_nor_permission() {
    let (world, alice, relay) = alice();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    for _ in 0..2 {
        world.later(secs(299));
        alice.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    }
    world.peer(PEER).sends(relay, b"x").nobody_hears(Why::NoPermission);
    world.later(secs(2));
    alice.sends_on(0x4000, b"x").nobody_hears(Why::NoChannel);
}
