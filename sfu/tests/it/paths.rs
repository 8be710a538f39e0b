//! Ways to a participant: over TCP, after a restart of ICE, and from another address than before.

use std::net::SocketAddr;
use std::time::Duration;

use roundturn_sfu::{Event, Path, Quality, Stage};

use crate::support::{Setup, World};

/// A call of two who see and hear each other; the second of them over `setup`.
fn call(setup: Setup, seed: u64) -> World {
    let mut world = World::with(|_| {}, seed);
    world.enter(Setup::default());
    world.enter(setup);
    world.run_ms(3000);
    assert!(world.clients.iter().all(|client| client.received.len() > 200));
    world
}

/// How long after now the first packet comes to a client.
fn back_after(world: &mut World, index: usize) -> Duration {
    let (from, before) = (world.now, world.clients[index].received.len());
    world.run_ms(6000);
    // What was on its way does not count.
    let mut later = world.clients[index].received[before..].iter();
    let first = later.find(|packet| packet.at > from + Duration::from_millis(50));
    first.expect("media comes back").at - from
}

fn quality_of(world: &World, index: usize) -> Vec<(Quality, Quality, Path)> {
    let id = world.clients[index].id;
    let quality = |event: &Event| match event {
        Event::Quality { participant, up, down, path, .. } if *participant == id => Some((*up, *down, *path)),
        _ => None,
    };
    world.events.iter().filter_map(quality).collect()
}

#[test]
fn a_call_over_tcp_is_said_to_be() {
    let world = call(Setup { tcp: true, ..Setup::default() }, 1);
    assert_eq!(quality_of(&world, 1), [(Quality::Good, Quality::Good, Path::Tcp)]);
    assert_eq!(quality_of(&world, 0), [(Quality::Good, Quality::Good, Path::Udp)]);
}

#[test]
fn candidates_for_tcp_stand_behind_those_for_udp() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let answer = world.answer_of(world.clients[ana].id);
    let candidates: Vec<&str> = answer.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    for pair in candidates.chunks(2) {
        assert!(pair[0].contains(" udp ") && pair[0].contains(" 192.0.2.1 49160 typ host"), "{pair:?}");
        assert!(pair[1].contains(" tcp ") && pair[1].contains(" 192.0.2.1 3478 typ host tcptype passive"), "{pair:?}");
    }
    assert_eq!(candidates.len(), 2 * answer.lines().filter(|line| line.starts_with("m=")).count());
}

#[test]
fn a_stream_that_ended_is_replaced_by_the_next_one() {
    let mut world = call(Setup { tcp: true, ..Setup::default() }, 1);
    let (bo, tcp) = (world.clients[1].address, world.tcp_address);
    world.sfu.handle_end_of_stream(tcp, bo);
    assert!(!world.sfu.handle_frame(world.now, tcp, bo, &[128, 96, 0, 1]), "the address has proven nothing since");
    move_away(&mut world);
    let back = back_after(&mut world, 1);
    assert!(back < Duration::from_secs(2), "{back:?}");
    assert_eq!(quality_of(&world, 1).last().unwrap().2, Path::Tcp);
}

#[test]
fn a_restart_of_ice_lets_nothing_stop() {
    let mut world = call(Setup::default(), 1);
    let old = world.answer_of(world.clients[1].id);
    world.restart_ice(1);
    assert_ne!(ufrag(&world.answer_of(world.clients[1].id)), ufrag(&old));
    let back = back_after(&mut world, 1);
    assert!(back < Duration::from_millis(100), "{back:?}");
    assert_eq!(
        world.events.iter().filter(|event| matches!(event, Event::Reached { stage: Stage::Connected, .. })).count(),
        2
    );
}

#[test]
fn media_is_back_within_two_seconds_of_a_restart_from_another_address() {
    let gaps = (1..=20).map(|seed| {
        let mut world = call(Setup::default(), seed);
        world.loss = 20;
        move_away(&mut world);
        world.restart_ice(1);
        back_after(&mut world, 1)
    });
    check_gaps(gaps.collect(), Duration::from_secs(2));
}

/// The client does not notice, as when a router forgets its port. The SFU does, soon, and asks for a restart.
#[test]
fn whoever_falls_silent_is_asked_for_a_restart_and_back_within_two_seconds() {
    let gaps = (1..=20).map(|seed| {
        let mut world = call(Setup::default(), seed);
        world.loss = 20;
        let some = world.random_below(2000);
        world.run_ms(2000 + some);
        let (from, before) = (world.now, world.clients[1].received.len());
        move_away(&mut world);
        let asked = |world: &World| world.events.iter().any(|event| matches!(event, Event::RestartIce { .. }));
        assert!(!asked(&world));
        while !asked(&world) && world.now < from + Duration::from_secs(5) {
            world.run_ms(10);
        }
        // What the request and the offer take over the WebSocket.
        world.run_ms(100);
        world.restart_ice(1);
        world.run_ms(3000);
        let asked = world.events.iter().filter(|event| matches!(event, Event::RestartIce { .. })).count();
        assert!(asked <= 1, "asked {asked} times");
        let mut later = world.clients[1].received[before..].iter();
        later.find(|packet| packet.at > from + Duration::from_millis(50)).expect("media comes back").at - from
    });
    check_gaps(gaps.collect(), Duration::from_secs(2));
}

#[test]
fn whoever_is_heard_is_not_asked_for_a_restart() {
    let mut world = call(Setup::default(), 7);
    world.loss = 100;
    world.late = 200;
    world.run_ms(20_000);
    world.clients[1].talking = false;
    world.run_ms(20_000);
    assert!(!world.events.iter().any(|event| matches!(event, Event::RestartIce { .. })));
}

/// Of its checks most are answered without its engine, which must neither give up the path nor believe in it for ever.
#[test]
fn whoever_only_waits_keeps_its_path_and_is_missed_once_it_is_gone() {
    for seed in 1..=10 {
        let mut world = World::with(|_| {}, seed);
        let waiting = Setup { microphone: false, camera: false, ..Setup::default() };
        world.enter(waiting);
        world.enter(waiting);
        world.run_ms(5_000);
        world.loss = 100;
        world.run_ms(180_000);
        for index in 0..2 {
            let quality = quality_of(&world, index);
            assert!(!quality.is_empty() && quality.iter().all(|(up, ..)| *up == Quality::Good), "{seed}: {quality:?}");
        }
        world.clients[1].gone = true;
        world.run_ms(21_000);
        assert_eq!(quality_of(&world, 1).last().unwrap().0, Quality::Lost, "{seed}");
        assert_eq!(quality_of(&world, 0).last().unwrap().0, Quality::Good, "{seed}");
    }
}

/// Where nobody restarts, the client's next check has to do.
#[test]
fn media_follows_a_client_to_a_new_address_with_its_next_check() {
    let gaps = (1..=20).map(|seed| {
        let mut world = call(Setup::default(), seed);
        world.loss = 20;
        let (some, talking) = (world.random_below(2000), seed % 2 == 0);
        world.run_ms(some);
        world.clients[1].talking = talking;
        move_away(&mut world);
        back_after(&mut world, 1)
    });
    // Checks come every three seconds or so, and one of fifty is lost.
    check_gaps(gaps.collect(), Duration::from_millis(3500));
}

fn move_away(world: &mut World) {
    let elsewhere = SocketAddr::from(([10, 0, 9, 9], 9999));
    world.nat.insert(world.clients[1].address, elsewhere);
}

fn check_gaps(mut gaps: Vec<Duration>, bound: Duration) {
    gaps.sort();
    println!("{gaps:?}");
    assert!(gaps[gaps.len() * 95 / 100 - 1] < bound, "{gaps:?}");
}

fn ufrag(answer: &str) -> &str {
    answer.split("a=ice-ufrag:").nth(1).unwrap().split('\r').next().unwrap()
}
