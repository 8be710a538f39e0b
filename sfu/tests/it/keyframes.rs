//! Keyframe requests: as few as possible, as many as needed.

use std::time::Duration;

use roundturn_sfu::Command;

use crate::support::{Setup, World};

#[test]
fn requests_are_repeated_until_a_keyframe_comes_and_not_too_often() {
    let mut world = World::new();
    let ana = world.enter(Setup { audio_slots: 0, video_slots: 0, ..Setup::default() });
    world.run_ms(1000);
    world.clients[ana].obedient = false;
    let bo = world.enter(Setup::default());
    world.run_ms(5000);
    let requests = world.clients[ana].keyframe_requests.clone();
    assert!((4..=8).contains(&requests.len()), "{} requests in 5 s", requests.len());
    for pair in requests.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(480), "{:?}", pair[1] - pair[0]);
    }
    let slot = world.clients[bo].video_slots[0];
    assert!(world.clients[bo].in_slot(slot).is_empty(), "no picture can be started without");
    world.clients[ana].obedient = true;
    world.run_ms(2500);
    let packets = world.clients[bo].in_slot(slot);
    assert!(packets.len() > 50);
    assert!(packets[0].is_keyframe());
    let count = world.clients[ana].keyframe_requests.len();
    world.run_ms(3000);
    assert_eq!(world.clients[ana].keyframe_requests.len(), count, "nobody waits any more");
}

#[test]
fn many_who_join_at_once_cost_one_request() {
    let mut world = World::new();
    let ana = world.enter(Setup { audio_slots: 0, video_slots: 0, ..Setup::default() });
    world.run_ms(2000);
    let before = world.clients[ana].keyframe_requests.len();
    for _ in 0..8 {
        world.enter(Setup { camera: false, microphone: false, ..Setup::default() });
    }
    world.run_ms(3000);
    let requests = world.clients[ana].keyframe_requests.len() - before;
    assert!(requests <= 3, "{requests} requests for 8 people");
    for client in &world.clients[1..] {
        assert!(client.in_slot(client.video_slots[0])[0].is_keyframe());
    }
}

#[test]
fn nobody_is_asked_for_a_muted_track() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    world.run_ms(1000);
    world.command(Command::Mute { track: world.tracks_of(ana)[1], muted: true });
    let before = world.clients[ana].keyframe_requests.len();
    world.enter(Setup::default());
    world.run_ms(3000);
    assert_eq!(world.clients[ana].keyframe_requests.len(), before);
}

#[test]
fn the_time_to_the_first_picture_is_measured_from_the_slot_and_from_the_join() {
    let mut world = World::new();
    world.enter(Setup { audio_slots: 0, video_slots: 0, ..Setup::default() });
    world.run_ms(2000);
    for _ in 0..3 {
        world.enter(Setup { camera: false, microphone: false, ..Setup::default() });
        world.run_ms(2000);
    }
    let frames = &world.sfu.stats().first_frames;
    for times in [&frames.since_slot, &frames.since_join] {
        let (count, sum) = times.buckets().iter().fold((0, 0), |(c, s), (count, sum)| (c + count, s + sum));
        assert_eq!(count, 3);
        assert!(sum / 3 < 700, "{} ms", sum / 3);
    }
    assert!(frames.since_slot != frames.since_join, "joining takes longer");
}

#[test]
fn with_the_cache_who_comes_later_sees_something_before_a_keyframe_is_there() {
    let mut world = World::with(|config| config.keyframe_cache = true, 1);
    let ana = world.enter(Setup::default());
    world.enter(Setup::default());
    world.run_ms(3000);
    // From now on there is no keyframe, whatever is asked.
    world.clients[ana].obedient = false;
    let came = world.now;
    let cem = world.enter(Setup { microphone: false, camera: false, ..Setup::default() });
    world.run_ms(2000);
    let camera = world.tracks_of(ana)[1];
    let slot = world.slots_of(cem).1.into_iter().find(|slot| slot.track == Some(camera)).unwrap();
    let seen: Vec<_> = world.clients[cem].received.iter().filter(|packet| packet.mid == slot.mid).collect();
    assert!(seen[0].is_keyframe() && seen[0].at < came + Duration::from_millis(200));
    let last = seen.last().unwrap();
    assert!(last.at > world.now - Duration::from_millis(100), "what follows goes on");
    // No number is missing, and time has passed for the pictures as for everyone.
    assert!(seen.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    let shown = last.timestamp.wrapping_sub(seen[0].timestamp) / 90;
    assert!((4500..5500).contains(&shown), "{shown} ms");
}
