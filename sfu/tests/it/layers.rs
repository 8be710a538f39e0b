//! Simulcast: who gets which layer, and how it changes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use roundturn_sfu::Event;

use crate::support::{Received, Setup, World};

/// A publisher of three layers, without slots.
fn publisher() -> Setup {
    Setup { simulcast: true, audio_slots: 0, video_slots: 0, ..Setup::default() }
}

/// Someone who only watches, in one slot.
fn watcher() -> Setup {
    Setup { microphone: false, camera: false, audio_slots: 1, video_slots: 1, ..Setup::default() }
}

/// What a client received in its first video slot since `from`.
fn seen(world: &World, index: usize, from: Instant) -> Vec<&Received> {
    let client = &world.clients[index];
    client.in_slot(client.video_slots[0]).into_iter().filter(|packet| packet.at >= from).collect()
}

fn heights(world: &World, index: usize, from: Instant) -> BTreeSet<u16> {
    seen(world, index, from).iter().map(|packet| packet.height()).collect()
}

/// One stream without gaps: numbers, pictures and time go on, and another layer begins with a keyframe.
fn assert_unbroken(packets: &[&Received]) {
    let mut packets = packets.to_vec();
    packets.sort_by_key(|packet| packet.sequence);
    packets.dedup_by_key(|packet| packet.sequence);
    assert!(packets[0].is_keyframe());
    for pair in packets.windows(2) {
        if pair[1].sequence != pair[0].sequence + 1 {
            continue;
        }
        let switched = pair[0].height() != pair[1].height();
        assert!(!switched || pair[1].is_keyframe(), "{} to {}", pair[0].height(), pair[1].height());
        let passed = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        // A pause may lie between.
        assert!(passed < 10 * 90_000, "time goes on by {passed}");
        let pictures = pair[1].picture().wrapping_sub(pair[0].picture()) & 0x7fff;
        assert!(switched || passed == 0 || pictures >= 1, "pictures are counted on");
        assert!(!switched || pictures == 1, "pictures are counted on across a switch: {pictures}");
    }
}

/// The longest time in which no new frame came.
fn longest_gap(packets: &[&Received], end: Instant) -> Duration {
    let mut newest = None;
    let mut last: Option<Instant> = None;
    let mut longest = Duration::ZERO;
    for packet in packets {
        if newest.is_none_or(|newest| packet.frame() > newest) {
            newest = Some(packet.frame());
            longest = longest.max(last.map_or(Duration::ZERO, |last| packet.at - last));
            last = Some(packet.at);
        }
    }
    longest.max(last.map_or(Duration::MAX, |last| end - last))
}

#[test]
fn a_small_tile_gets_the_small_layer_and_a_large_one_the_large() {
    let mut world = World::new();
    let ana = world.enter(publisher());
    let (bo, cy) = (world.enter(watcher()), world.enter(watcher()));
    let camera = world.tracks_of(ana)[1];
    world.view(bo, &[(camera, 160, 0)]);
    world.view(cy, &[(camera, 720, 0)]);
    world.run_ms(5000);
    let late = world.now - Duration::from_secs(1);
    assert_eq!(heights(&world, bo, late), BTreeSet::from([180]));
    assert_eq!(heights(&world, cy, late), BTreeSet::from([720]));
    for (index, height) in [(bo, 180), (cy, 720)] {
        let (_, video) = world.slots_of(index);
        assert_eq!((video[0].height, video[0].paused), (Some(height), false));
        assert_unbroken(&seen(&world, index, late - Duration::from_secs(60)));
    }
    world.view(bo, &[(camera, 400, 0)]);
    world.run_ms(4000);
    assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([360]));
    assert_unbroken(&seen(&world, bo, late - Duration::from_secs(60)));
}

#[test]
fn a_publisher_is_told_which_layers_anyone_watches() {
    let mut world = World::new();
    let ana = world.enter(publisher());
    let bo = world.enter(watcher());
    let camera = world.tracks_of(ana)[1];
    let told = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Layers { heights, .. } => Some(heights.clone()),
            _ => None,
        })
    };
    world.view(bo, &[(camera, 180, 0)]);
    world.run_ms(6000);
    assert_eq!(told(&world), Some(vec![180]));
    world.clients[ana].active = [true, false, false];
    world.run_ms(2000);
    world.view(bo, &[(camera, 720, 0)]);
    for _ in 0..20 {
        world.run_ms(500);
        if told(&world) == Some(vec![180, 720]) {
            break;
        }
    }
    assert_eq!(told(&world), Some(vec![180, 720]), "more is told once the link is known to carry it");
    let asleep = heights(&world, bo, world.now - Duration::from_millis(500));
    assert_eq!(asleep, BTreeSet::from([180]), "what is asleep is not waited for");
    world.clients[ana].active = [true; 3];
    world.run_ms(4000);
    assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([720]));
    world.run_ms(3000);
    assert_eq!(told(&world), Some(vec![720]));
    world.view(bo, &[(camera, 0, 0)]);
    world.run_ms(3000);
    assert_eq!(told(&world), Some(Vec::new()), "nobody watches");
}

#[test]
fn a_layer_that_never_came_is_asked_for_by_whoever_shows_the_picture_large() {
    let mut world = World::new();
    let ana = world.enter(publisher());
    world.clients[ana].active = [true, true, false];
    let bo = world.enter(watcher());
    let camera = world.tracks_of(ana)[1];
    let told = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Layers { heights, .. } => Some(heights.clone()),
            _ => None,
        })
    };
    world.view(bo, &[(camera, 360, 0)]);
    world.run_ms(6000);
    assert_eq!(told(&world), Some(vec![360]));
    world.view(bo, &[(camera, 720, 0)]);
    assert_eq!(told(&world), Some(vec![360, 720]));
    world.clients[ana].active = [true; 3];
    world.run_ms(6000);
    assert_eq!(heights(&world, bo, world.now - Duration::from_millis(500)), BTreeSet::from([720]));
}

#[test]
fn a_layer_that_its_publisher_stops_is_replaced_within_a_second() {
    let mut world = World::new();
    let ana = world.enter(publisher());
    let bo = world.enter(watcher());
    world.run_ms(5000);
    let from = world.now;
    world.clients[ana].active = [true, true, false];
    world.run_ms(3000);
    let packets = seen(&world, bo, from);
    assert!(longest_gap(&packets, world.now) < Duration::from_secs(1), "{:?}", longest_gap(&packets, world.now));
    assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([360]));
}

#[test]
fn keyframes_are_asked_of_the_layer_that_is_needed_and_not_too_often() {
    let mut world = World::new();
    let ana = world.enter(publisher());
    let bo = world.enter(watcher());
    let camera = world.tracks_of(ana)[1];
    world.view(bo, &[(camera, 720, 0)]);
    world.run_ms(3000);
    world.clients[ana].obedient = false;
    world.clients[ana].layer_requests.clear();
    world.view(bo, &[(camera, 360, 0)]);
    world.run_ms(5000);
    let requests = &world.clients[ana].layer_requests;
    assert!(requests.iter().all(|(rid, _)| *rid == "h".into()), "{requests:?}");
    assert!((4..=6).contains(&requests.len()), "{} requests in 5 s", requests.len());
    assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([720]), "the old layer goes on");
    world.clients[ana].obedient = true;
    world.run_ms(3000);
    assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([360]));
}

#[test]
fn what_is_not_shown_takes_no_slot_and_priority_decides_who_does() {
    let mut world = World::new();
    let cameras: Vec<_> = (0..3)
        .map(|_| {
            let index = world.enter(publisher());
            world.clients[index].level = -90;
            world.tracks_of(index)[1]
        })
        .collect();
    let bo = world.enter(watcher());
    world.run_ms(1000);
    assert_eq!(world.video_of(bo), [Some(cameras[0])]);
    world.view(bo, &[(cameras[0], 0, 0)]);
    assert_eq!(world.video_of(bo), [Some(cameras[1])]);
    world.view(bo, &[(cameras[0], 360, 1), (cameras[2], 360, 2)]);
    assert_eq!(world.video_of(bo), [Some(cameras[2])]);
    world.view(bo, &[]);
    world.run_ms(1000);
    assert!(world.video_of(bo)[0].is_some());
}

/// From 3 Mbit/s to 600 kbit/s and back, with 2 % loss, through links that hold back so much before they drop.
#[test]
fn a_link_that_narrows_and_widens_is_followed_without_a_freeze() {
    for (seed, queue) in (1..=8).zip([250, 250, 250, 100, 100, 30, 30, 30]) {
        let mut world = World::with(|_| {}, seed);
        world.queue = Duration::from_millis(queue);
        world.enter(publisher());
        let bo = world.enter(watcher());
        world.limit(bo, 3_000_000);
        world.run_ms(12_000);
        world.loss = 20;
        assert_eq!(heights(&world, bo, world.now - Duration::from_secs(1)), BTreeSet::from([720]), "at first");
        let begin = world.now;
        world.limit(bo, 600_000);
        world.run_ms(20_000);
        let narrow = heights(&world, bo, world.now - Duration::from_secs(5));
        world.limit(bo, 3_000_000);
        world.run_ms(10_000);
        let wide = heights(&world, bo, world.now - Duration::from_millis(500));
        let packets = seen(&world, bo, begin);
        let freeze = longest_gap(&packets, world.now);
        let client = &world.clients[bo];
        let sound: Vec<_> = client.in_slot(client.audio_slots[0]).into_iter().filter(|one| one.at >= begin).collect();
        let silence = longest_gap(&sound, world.now);
        println!("seed {seed}, queue {queue} ms: {narrow:?}, {wide:?}, frozen for {freeze:?}, silent for {silence:?}");
        assert!(narrow.iter().all(|height| *height < 720), "at 600 kbit/s");
        assert_eq!(wide, BTreeSet::from([720]), "10 s later");
        assert!(freeze <= Duration::from_secs(1) && silence <= Duration::from_millis(200));
        assert_unbroken(&seen(&world, bo, begin - Duration::from_secs(60)));
    }
}

#[test]
fn streams_stay_unbroken_through_loss_reordering_and_every_wish() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let mut world = World::with(|_| {}, seed);
        let ana = world.enter(publisher());
        let watchers: Vec<_> = (0..3).map(|_| world.enter(watcher())).collect();
        let camera = world.tracks_of(ana)[1];
        world.run_ms(1500);
        (world.loss, world.late) = (10, 20);
        for _ in 0..20 {
            let who = watchers[world.random_below(3) as usize];
            match world.random_below(5) {
                0 => {
                    let rate = 200_000 + world.random_below(3_000_000);
                    world.limit(who, rate);
                }
                1 => {
                    let active = [0, 1, 2].map(|layer| layer == 0 || world.random_below(3) > 0);
                    world.clients[ana].active = active;
                }
                height => world.view(who, &[(camera, [180, 360, 720][height as usize - 2], 0)]),
            }
            let ms = 200 + world.random_below(1500);
            world.run_ms(ms);
        }
        let begin = world.now - Duration::from_secs(3600);
        for who in watchers {
            assert_unbroken(&seen(&world, who, begin));
        }
        let requests = &world.clients[ana].layer_requests;
        for rid in ["q", "h", "f"] {
            let times: Vec<_> = requests.iter().filter(|(asked, _)| *asked == rid.into()).map(|(_, at)| *at).collect();
            for pair in times.windows(2) {
                assert!(pair[1] - pair[0] >= Duration::from_millis(450), "{rid}: {:?}", pair[1] - pair[0]);
            }
        }
        assert_eq!(world.sfu.stats().failures, 0);
    }
}
