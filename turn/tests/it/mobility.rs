//! Mobility (RFC 8016): an allocation follows its client, and nobody else.

use roundturn_turn::message::attribute::{MOBILITY_TICKET, REQUESTED_ADDRESS_FAMILY};
use roundturn_turn::{Client, Config, Event, PeerRules, Relay, Transport, Why};

use crate::dsl::*;

const HOME: &str = "84.1.1.1:4000";
const STREET: &str = "85.2.2.2:5000";
const CAFE: &str = "86.3.3.3:6000";
const PEER: &str = "9.9.9.9:9000";

fn world() -> World {
    World::with(Config { mobility: true, ..config() })
}

/// The same person somewhere else.
fn at(alice: &Speaker, remote: &str) -> Speaker {
    alice.world.client_as(remote, &alice.username, &alice.password)
}

fn mobile() -> Ask {
    allocate().with(MOBILITY_TICKET, &[])
}

fn moving(ticket: &[u8]) -> Ask {
    refresh(600).with(MOBILITY_TICKET, ticket)
}

/// A client that may move, its relay and its ticket.
fn alice(world: &World) -> (Speaker, Relay, Vec<u8>) {
    let alice = world.client(HOME);
    let answer = alice.says(mobile()).hears(success());
    alice.says(create_permission(&[PEER])).hears(success());
    (alice, answer.relay(), answer.attribute(MOBILITY_TICKET).unwrap())
}

#[test]
fn rfc8016_3_1_2_forbidden_is_told_and_a_ticket_must_be_empty() {
    let bob = World::new().client(HOME);
    bob.says(mobile()).hears(error(405));
    bob.says(allocate()).hears(success());
    bob.says(moving(&[1; 32])).hears(error(405));
    let world = world();
    world.client(HOME).says(allocate().with(MOBILITY_TICKET, &[1; 32])).hears(error(400));
    let plain = world.client(HOME).says(allocate()).hears(success());
    assert_eq!(plain.attribute(MOBILITY_TICKET), None, "who does not ask gets none");
}

#[test]
fn rfc8016_3_2_an_allocation_follows_its_client_with_all_that_it_has() {
    let world = world();
    let (home, relay, ticket) = alice(&world);
    home.says(channel_bind(0x4000, PEER)).hears(success());
    let street = at(&home, STREET);
    let answer = street.says(moving(&ticket)).hears(success());
    assert!(answer.is_signed_by(&street) && answer.lifetime() == 600);
    let next = answer.attribute(MOBILITY_TICKET).unwrap();
    assert!(next != ticket && next.len() == 32 && next.is_ascii());

    let peer = world.peer(PEER);
    peer.sends(relay, b"to the street").reaches_on(&street, 0x4000);
    street.sends_on(0x4000, b"x").reaches(relay, PEER, b"x");
    home.sends_on(0x4000, b"x").nobody_hears(Why::NoAllocation);
    home.says(refresh(600)).hears(error(437));
    assert!(world.events().contains(&Event::Moved { client: street.client, relay }));
    // It is as any other: refreshed without a ticket, and ended.
    assert_eq!(street.says(refresh(600)).hears(success()).attribute(MOBILITY_TICKET), None);
    street.says(refresh(0)).hears(success());
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}

#[test]
fn a_ticket_is_good_for_one_move() {
    let world = world();
    let (home, _, first) = alice(&world);
    let (street, cafe) = (at(&home, STREET), at(&home, CAFE));
    let second = street.says(moving(&first)).hears(success()).attribute(MOBILITY_TICKET).unwrap();
    for who in [&home, &cafe] {
        who.says(moving(&first)).hears(error(400));
    }
    cafe.says(moving(&second)).hears(success());
    street.says(moving(&second)).hears(error(400));
}

#[test]
fn a_retransmitted_move_gets_the_same_answer() {
    let world = world();
    let (home, _, ticket) = alice(&world);
    let street = at(&home, STREET);
    street.says(refresh(600)).hears(error(437));
    let bytes = street.signed(&moving(&ticket).in_transaction(9));
    let [first, second] = [(); 2].map(|()| street.says_raw(&bytes).hears(success()));
    assert_eq!(first, second);
    assert!(first.attribute(MOBILITY_TICKET).is_some());
}

#[test]
fn rfc8016_3_2_2_a_ticket_where_nothing_has_moved_gets_400() {
    let world = world();
    let (home, relay, ticket) = alice(&world);
    home.says(moving(&ticket)).hears(error(400));
    home.says(refresh(600)).hears(success());
    world.peer(PEER).sends(relay, b"x").reaches_as_indication(&home, PEER);
    at(&home, STREET).says(moving(&ticket)).hears(success());
}

#[test]
fn nobody_else_has_any_use_for_a_ticket() {
    let world = world();
    let (home, relay, ticket) = alice(&world);
    let mallory = world.client(STREET);
    mallory.says(moving(&ticket)).hears(error(400));
    at(&home, STREET).says_bare(moving(&ticket)).hears(error(401));
    for place in 0..ticket.len() {
        let mut changed = ticket.clone();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        at(&home, STREET).says(moving(&changed)).hears(error(400));
    }
    for len in [0, 1, 31] {
        at(&home, STREET).says(moving(&ticket[..len])).hears(error(400));
    }
    world.peer(PEER).sends(relay, b"still at home").reaches_as_indication(&home, PEER);
}

#[test]
fn a_ticket_ends_with_its_allocation_and_with_the_setting() {
    let world = world();
    let (home, _, ticket) = alice(&world);
    world.with_server(|server, now| server.reconfigure(now, config()));
    at(&home, STREET).says(moving(&ticket)).hears(error(405));
    world.with_server(|server, now| server.reconfigure(now, Config { mobility: true, ..config() }));
    world.later_unnoticed(secs(600));
    at(&home, STREET).says(moving(&ticket)).hears(error(400));
    let (home, ..) = alice(&world);
    at(&home, STREET).says(moving(&ticket)).hears(error(400));
}

#[test]
fn both_relays_of_an_allocation_move_and_may_be_refreshed_or_ended_alone() {
    let world = world();
    let home = world.client(HOME);
    let answer = home.says(mobile().with(0x8000, &[2, 0, 0, 0])).hears(success());
    let ticket = answer.attribute(MOBILITY_TICKET).unwrap();
    let street = at(&home, STREET);
    let answer = street.says(refresh(0).with(REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]).with(MOBILITY_TICKET, &ticket));
    assert_eq!(answer.hears(success()).lifetime(), 0);
    street.says(create_permission(&["[2a03::1]:9"])).hears(success());
    street.says(create_permission(&[PEER])).hears(error(443));
}

#[test]
fn a_ticket_outlives_the_relay_that_it_was_issued_with() {
    let world = world();
    let home = world.client(HOME);
    home.says(mobile().with(0x8000, &[2, 0, 0, 0])).hears(success());
    let ended = home.says(refresh(0).with(REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0])).hears(success());
    let ticket = ended.attribute(MOBILITY_TICKET).unwrap();
    at(&home, STREET).says(moving(&ticket)).hears(success());
}

#[test]
fn a_refused_refresh_leaves_the_ticket_good() {
    let world = world();
    let (home, _, ticket) = alice(&world);
    let street = at(&home, STREET);
    street.says(moving(&ticket).with(REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])).hears(error(443));
    home.says(refresh(600)).hears(success());
    street.says(moving(&ticket)).hears(success());
}

#[test]
fn where_mobility_was_turned_off_an_allocation_ends_with_its_stream() {
    let world = world();
    let mut home = world.client(HOME);
    home.client = Client { transport: Transport::Tcp, ..home.client };
    home.says(mobile()).hears(success());
    world.with_server(|server, now| {
        server.reconfigure(now, config());
        server.disconnect(now, home.client);
    });
    world.events();
    assert!(world.with_relays(|relays| relays.open.is_empty()));
}

/// A network that ends takes the stream with it; the allocation waits for the client, and for nobody else who may come to
/// have the same address and port.
#[test]
fn an_allocation_outlives_its_stream_where_it_may_move() {
    let world = world();
    let mut home = world.client(HOME);
    home.client = Client { transport: Transport::Tcp, ..home.client };
    let answer = home.says(mobile()).hears(success());
    home.says(create_permission(&[PEER])).hears(success());
    let (relay, ticket) = (answer.relay(), answer.attribute(MOBILITY_TICKET).unwrap());
    world.with_server(|server, now| server.disconnect(now, home.client));
    home.sends_to(PEER, b"x").nobody_hears(Why::NoAllocation);
    let street = at(&home, STREET);
    street.says(moving(&ticket)).hears(success());
    world.peer(PEER).sends(relay, b"x").reaches_as_indication(&street, PEER);
    street.says(refresh(0)).hears(success());
    assert!(world.with_server(|server, _| server.is_consistent()));
}

#[test]
fn an_allocation_is_fetched_from_another_server_of_the_process() {
    let (there, here) = (world(), world());
    let (home, relay, ticket) = alice(&there);
    let street = here.client_as(STREET, &home.username, &home.password);
    street.says(moving(&ticket)).hears(error(400));
    let external = format!("{EXTERNAL_V4}:{}", relay.port);
    here.with_relays(|relays| relays.other_ours.insert(addr(&external)));
    street.says(moving(&ticket)).nobody_hears(Why::Elsewhere);
    let Some(Event::Claimed { client, claim }) = here.events().pop() else { panic!("no claim") };
    assert_eq!((client, claim.relay), (street.client, relay));

    let handover = there.with_server(|server, now| server.surrender(now, &claim)).unwrap();
    assert_eq!(handover.relays(), [relay]);
    assert!(there.with_server(|server, now| server.surrender(now, &claim)).is_none(), "it is given once");
    let user = there.with_relays(|relays| relays.open.remove(&relay)).unwrap();
    here.with_relays(|relays| relays.open.insert(relay, user));
    here.with_server(|server, now| server.adopt(now, handover));
    home.says(refresh(600)).hears(error(437));

    let second = street.says(moving(&ticket)).hears(success()).attribute(MOBILITY_TICKET).unwrap();
    here.peer(PEER).sends(relay, b"x").reaches_as_indication(&street, PEER);
    for world in [&there, &here] {
        assert!(world.with_server(|server, _| server.is_consistent()));
    }
    at(&street, CAFE).says(moving(&second)).hears(success());
    here.later(minutes(11));
    assert!(here.with_relays(|relays| relays.open.is_empty()));
}

#[test]
fn a_user_revoked_or_a_peer_denied_while_an_allocation_was_on_its_way_is_not_forgotten() {
    for is_revoked in [true, false] {
        let (there, here) = (world(), world());
        let (home, relay, ticket) = alice(&there);
        let external = format!("{EXTERNAL_V4}:{}", relay.port);
        here.with_relays(|relays| relays.other_ours.insert(addr(&external)));
        let street = here.client_as(STREET, &home.username, &home.password);
        street.says(moving(&ticket)).nobody_hears(Why::Elsewhere);
        let Some(Event::Claimed { claim, .. }) = here.events().pop() else { panic!("no claim") };
        let handover = there.with_server(|server, now| server.surrender(now, &claim)).unwrap();
        let user = there.with_relays(|relays| relays.open.remove(&relay)).unwrap();
        here.with_relays(|relays| relays.open.insert(relay, user));
        here.with_server(|server, now| {
            if is_revoked {
                server.revoke(now, &home.username);
            } else {
                let peers = PeerRules { deny: vec!["9.9.9.0/24".parse().unwrap()], ..PeerRules::default() };
                server.reconfigure(now, Config { peers, mobility: true, ..config() });
            }
            server.adopt(now, handover);
            assert_eq!(server.stats().allocations, u64::from(!is_revoked));
            assert_eq!(server.stats().permissions, 0);
            assert!(server.is_consistent());
        });
    }
}

#[test]
fn a_claim_that_was_used_up_meanwhile_gets_nothing() {
    let (there, here) = (world(), world());
    let (home, relay, ticket) = alice(&there);
    here.with_relays(|relays| relays.other_ours.insert(addr(&format!("{EXTERNAL_V4}:{}", relay.port))));
    here.client_as(STREET, &home.username, &home.password).says(moving(&ticket)).nobody_hears(Why::Elsewhere);
    let Some(Event::Claimed { claim, .. }) = here.events().pop() else { panic!("no claim") };
    at(&home, CAFE).says(moving(&ticket)).hears(success());
    assert!(there.with_server(|server, now| server.surrender(now, &claim)).is_none());
}
