//! Pictures of one quality only, on links that are too narrow for a moment or for good.

use std::time::Duration;

use crate::support::{Setup, World};

const SECOND: u64 = 1000;
/// What a link without limits takes, in bits per second.
const FREE: u64 = 100_000_000;

/// A world in which the second sees a picture of 2.6 Mbit/s of the first, for some seconds already.
fn watching(seed: u64) -> (World, usize) {
    println!("seed {seed}");
    let mut world = World::with(|_| {}, seed);
    world.enter(Setup { heavy: true, audio_slots: 0, video_slots: 0, ..Setup::default() });
    let bo =
        world.enter(Setup { microphone: false, camera: false, audio_slots: 1, video_slots: 1, ..Setup::default() });
    world.run_ms(5 * SECOND);
    (world, bo)
}

/// Whether a new picture came within the last second.
fn sees(world: &World, bo: usize) -> bool {
    let client = &world.clients[bo];
    let last = client.in_slot(client.video_slots[0]).last().map(|packet| packet.at);
    last.is_some_and(|last| world.now.saturating_duration_since(last) < Duration::from_secs(1))
}

/// Runs until there is a picture again, at most so long; how many seconds that took.
fn seconds_until_seen(world: &mut World, bo: usize, most: u64) -> u64 {
    for passed in 0..most {
        world.run_ms(SECOND);
        if sees(world, bo) {
            return passed + 1;
        }
    }
    panic!("no picture after {most} s");
}

#[test]
fn after_a_moment_of_a_narrow_link_the_picture_is_back() {
    for seed in 1..=3 {
        for (rate, lasts) in [(300_000, SECOND), (300_000, 2 * SECOND), (100_000, 3 * SECOND)] {
            let (mut world, bo) = watching(seed);
            world.limit(bo, rate);
            world.run_ms(lasts);
            world.limit(bo, FREE);
            world.run_ms(SECOND);
            let seconds = seconds_until_seen(&mut world, bo, 15);
            println!("{rate} for {lasts} ms: back after {seconds} s");
            world.run_ms(10 * SECOND);
            assert!(sees(&world, bo), "it stays");
        }
    }
}

#[test]
fn after_a_second_of_delays_the_picture_is_back() {
    for seed in 1..=3 {
        let (mut world, bo) = watching(seed);
        world.jitter = Duration::from_millis(300);
        world.run_ms(SECOND);
        world.jitter = Duration::ZERO;
        world.run_ms(SECOND);
        let seconds = seconds_until_seen(&mut world, bo, 10);
        println!("back after {seconds} s");
    }
}

#[test]
fn a_wireless_network_takes_no_picture_away() {
    for (seed, jitter) in [(1, 10), (2, 20), (3, 40)] {
        let (mut world, bo) = watching(seed);
        world.jitter = Duration::from_millis(jitter);
        for _ in 0..20 {
            world.run_ms(SECOND);
            assert!(sees(&world, bo), "{jitter} ms");
        }
    }
}

#[test]
fn what_the_link_never_carries_is_paused_and_lets_sound_through() {
    let links = [100_000, 300_000, 1_000_000].into_iter().flat_map(|rate| [(rate, 250), (rate, 30)]);
    for (seed, (rate, queue)) in (1..).zip(links) {
        let (mut world, bo) = watching(seed);
        world.queue = Duration::from_millis(queue);
        world.limit(bo, rate);
        world.run_ms(10 * SECOND);
        let begin = world.now;
        for _ in 0..40 {
            // Where what is too much is dropped at once, a moment of it may come through whenever more is tried.
            assert!(!sees(&world, bo) || queue < 100, "{rate}, {queue} ms");
            world.run_ms(SECOND);
        }
        let client = &world.clients[bo];
        let sound: Vec<_> =
            client.in_slot(client.audio_slots[0]).iter().map(|one| one.at).filter(|at| *at >= begin).collect();
        let silence = sound.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(silence <= Duration::from_millis(200), "silent for {silence:?} at {rate}, {queue} ms");
        assert!(sound.len() > 40 * 50 * 95 / 100, "{} packets at {rate}, {queue} ms", sound.len());
    }
}
