//! Sound and pictures leave past the engine, and nobody can tell.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use roundturn_sfu::{Event, Quality};
use str0m::media::{Direction, MediaKind, Mid};

use crate::support::{Received, Setup, World};

/// The SSRCs of a section in an answer: of its stream, and of a picture's retransmissions.
fn ssrcs_of(answer: &str, mid: &str) -> BTreeSet<String> {
    let sections = answer.split("\r\nm=").filter(|section| section.contains(&format!("a=mid:{mid}\r\n")));
    let lines = sections.flat_map(str::lines).filter_map(|line| line.strip_prefix("a=ssrc:"));
    lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn only_voices() -> Setup {
    Setup { camera: false, video_slots: 0, ..Setup::default() }
}

/// A world in which the second hears the first, for a second already.
fn listening() -> (World, usize) {
    let mut world = World::new();
    world.enter(Setup::default());
    let bo = world.enter(only_voices());
    world.run_ms(1000);
    (world, bo)
}

/// The first audio slot of a client, and its SSRC.
fn first_slot(world: &World, index: usize) -> (Mid, BTreeSet<String>) {
    let slot = world.clients[index].audio_slots[0];
    (slot, ssrcs_of(&world.answer_of(world.clients[index].id), &slot))
}

#[test]
fn a_later_offer_keeps_the_streams_of_every_slot() {
    let mut world = World::new();
    world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1000);
    let client = &world.clients[bo];
    let (slots, id) =
        ([client.audio_slots[0], client.audio_slots[1], client.video_slots[0], client.video_slots[1]], client.id);
    let ssrcs = |world: &World| slots.map(|mid| ssrcs_of(&world.answer_of(id), &mid));
    let before = ssrcs(&world);
    assert_eq!(before.clone().map(|of_slot| of_slot.len()), [1, 1, 2, 2]);
    world.renegotiate(bo, |api, sections| {
        sections.audio_slots.push(api.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None));
        sections.video_slots.push(api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None));
    });
    world.run_ms(1000);
    world.restart_ice(bo);
    world.run_ms(1000);
    assert_eq!(before, ssrcs(&world));
    let (answer, client) = (world.answer_of(id), &world.clients[bo]);
    let known: BTreeSet<_> = before.into_iter().flatten().collect();
    for new in [client.audio_slots[2], client.video_slots[2]] {
        assert!(ssrcs_of(&answer, &new).is_disjoint(&known));
    }
    for slot in [slots[0], slots[2]] {
        let sequences: Vec<_> = client.in_slot(slot).iter().map(|packet| packet.sequence).collect();
        assert!(sequences.len() > 130, "{}", sequences.len());
        assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    }
}

#[test]
fn another_peer_connection_has_streams_and_keys_of_its_own() {
    let (mut world, bo) = listening();
    let (_, before) = first_slot(&world, bo);
    world.reopen(bo, only_voices());
    world.run_ms(1000);
    let (slot, after) = first_slot(&world, bo);
    assert_ne!(before, after);
    let received = world.clients[bo].in_slot(slot);
    assert!(received.len() > 30 && received[0].sequence < 10, "{}", received.len());
}

// There is no other way to know which time the engines' clock tells.
#[allow(clippy::disallowed_methods)]
#[test]
fn sender_reports_of_sound_and_picture_are_of_one_clock() {
    // That of the engines began when the first of them was made, with the test's.
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut world = World::with(|config| config.unix = unix, 1);
    world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(8000);
    let client = &world.clients[bo];
    let (audio, video) = (client.in_slot(client.audio_slots[0]), client.in_slot(client.video_slots[0]));
    // When a packet was sent, as the reports tell; every packet of this world takes as long.
    let sent = |packet: &Received, rate: f64| {
        let (wall, timestamp) = packet.wall.expect("a report");
        let passed = f64::from(packet.timestamp.wrapping_sub(timestamp) as i32) / rate;
        let base = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        Duration::from_secs_f64(base + passed - packet.at.saturating_duration_since(world.began).as_secs_f64())
    };
    let audio = sent(audio.last().unwrap(), 48_000.0);
    let video = sent(video.last().unwrap(), 90_000.0);
    assert!(audio.abs_diff(video) < Duration::from_millis(100), "{audio:?} {video:?}");
}

#[test]
fn a_section_that_is_no_slot_any_more_has_another_stream_when_it_is_one_again() {
    let (mut world, bo) = listening();
    let (slot, before) = first_slot(&world, bo);
    world.renegotiate(bo, |api, sections| {
        sections.audio_slots.remove(0);
        api.set_direction(slot, Direction::Inactive);
    });
    world.run_ms(500);
    world.renegotiate(bo, |api, sections| {
        sections.audio_slots.insert(0, slot);
        api.set_direction(slot, Direction::RecvOnly);
    });
    world.run_ms(1000);
    assert_ne!(before, first_slot(&world, bo).1);
    let slots = world.clients[bo].audio_slots.clone();
    let received = slots.iter().map(|mid| world.clients[bo].in_slot(*mid)).max_by_key(Vec::len).unwrap();
    let last = received.last().unwrap().at;
    assert!(world.now.saturating_duration_since(last) < Duration::from_millis(100), "it goes on");
}

#[test]
fn losses_of_sound_alone_are_told() {
    let mut world = World::new();
    world.enter(only_voices());
    let bo = world.enter(only_voices());
    world.run_ms(8000);
    let id = world.clients[bo].id;
    let down = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Quality { participant, down, .. } if *participant == id => Some(*down),
            _ => None,
        })
    };
    assert_eq!(down(&world), Some(Quality::Good));
    world.loss = 200;
    world.run_ms(30_000);
    assert_eq!(down(&world), Some(Quality::Poor));
}
