//! Payload is measured on its way in both directions, and what the meter refuses is dropped for its reason.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use roundturn_turn::{Config, Direction, Limits, Meter, OpenError, Why};

use crate::dsl::*;

/// Tells what it is asked for, and has one answer.
#[derive(Clone)]
struct Ear {
    heard: Sender<(Direction, usize)>,
    answer: Result<(), Why>,
}

impl Meter for Ear {
    fn pass(&mut self, _: Instant, direction: Direction, bytes: usize) -> Result<(), Why> {
        self.heard.send((direction, bytes)).unwrap();
        self.answer
    }

    fn opens(&mut self, now: Instant, _: Direction) -> Result<Instant, Why> {
        self.answer.map(|()| now)
    }

    fn charge(&mut self, _: Instant, direction: Direction, bytes: usize) {
        self.heard.send((direction, bytes)).unwrap();
    }
}

/// A world whose next allocations are measured by an ear.
fn measured(metered: bool, answer: Result<(), Why>) -> (World, Receiver<(Direction, usize)>) {
    let world = World::with(Config { limits: Limits { metered, ..config().limits }, ..config() });
    let (sender, heard) = channel();
    let ear = Ear { heard: sender, answer };
    world.with_relays(|relays| relays.meter = Some(Box::new(move || Box::new(ear.clone()))));
    (world, heard)
}

#[test]
fn each_packet_of_payload_is_measured_once() {
    let (world, heard) = measured(true, Ok(()));
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, "9.9.9.9:9999")).hears(success());
    alice.says(create_permission(&["9.9.9.8:8888"])).hears(success());
    alice.sends_on(0x4000, b"four").reaches(relay, "9.9.9.9:9999", b"four");
    alice.sends_to("9.9.9.8:8888", b"five!").reaches(relay, "9.9.9.8:8888", b"five!");
    world.peer("9.9.9.9:9999").sends(relay, b"six six").reaches_on(&alice, 0x4000);
    world.peer("9.9.9.8:8888").sends(relay, b"").reaches_as_indication(&alice, "9.9.9.8:8888");
    // What is not relayed is not measured.
    alice.sends_on(0x4001, b"nowhere").nobody_hears(Why::NoChannel);
    alice.sends_to("9.9.9.7:7777", b"nowhere").nobody_hears(Why::NoPermission);
    world.peer("9.9.9.7:7777").sends(relay, b"nowhere").nobody_hears(Why::NoPermission);
    let expected =
        [(Direction::ToPeers, 4), (Direction::ToPeers, 5), (Direction::ToClient, 7), (Direction::ToClient, 0)];
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_the_meter_refuses_is_dropped_for_its_reason_and_not_counted_as_relayed() {
    for why in [Why::UserRate, Why::TotalRate, Why::MonthlyBytes] {
        let (world, _heard) = measured(true, Err(why));
        let alice = world.client("84.1.1.1:4000");
        let relay = alice.allocates();
        alice.says(channel_bind(0x4000, "9.9.9.9:9999")).hears(success());
        alice.sends_on(0x4000, b"lost").nobody_hears(why);
        alice.sends_to("9.9.9.9:9999", b"lost").nobody_hears(why);
        world.peer("9.9.9.9:9999").sends(relay, b"lost").nobody_hears(why);
        alice.says(refresh(600)).hears(success());
        world.with_server(|server, _| {
            let stats = server.stats();
            assert_eq!((stats.drops.of(why), stats.to_peers.packets, stats.to_clients.packets), (3, 0, 0));
        });
    }
}

#[test]
fn limits_that_come_later_hold_for_what_is_there() {
    let (world, heard) = measured(false, Err(Why::UserRate));
    let alice = world.client("84.1.1.1:4000");
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, "9.9.9.9:9999")).hears(success());
    alice.sends_on(0x4000, b"free").reaches(relay, "9.9.9.9:9999", b"free");
    assert!(heard.try_recv().is_err(), "nobody is asked where nothing is limited");
    let limits = Limits { metered: true, ..config().limits };
    world.with_server(|server, now| server.reconfigure(now, Config { limits, ..config() }));
    alice.sends_on(0x4000, b"lost").nobody_hears(Why::UserRate);
}

#[test]
fn who_exceeds_its_rate_gets_486_and_where_the_server_does_508() {
    let refusals = [
        (OpenError::UserRate, 486, "rate_user"),
        (OpenError::TotalRate, 508, "rate_total"),
        (OpenError::MonthlyBytes, 508, "monthly_bytes"),
    ];
    for (refusal, code, reason) in refusals {
        let world = World::new();
        world.with_relays(|relays| relays.refusal = Some(refusal));
        world.client("84.1.1.1:4000").says(allocate()).hears(error(code));
        let counted = world.with_server(|server, _| server.stats().failed.iter().find(|row| row.0 == reason));
        assert_eq!(counted, Some((reason, 1)));
    }
}
