//! Random lives of rooms, from seeds: whatever people do, what signaling is told stays consistent.

use std::collections::BTreeMap;

use roundturn_sfu::{Command, Event, ParticipantId, TrackId};
use str0m::media::{Direction, MediaKind};

use crate::support::{Setup, World};

#[test]
fn rooms_stay_consistent_whatever_people_do() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let mut world = World::with(|_| {}, seed);
        world.loss = seed % 3 * 20;
        let mut present: Vec<usize> = Vec::new();
        for _ in 0..40 {
            act(&mut world, &mut present);
            let ms = 20 + world.random_below(300);
            world.run_ms(ms);
            check(&world);
        }
        world.loss = 0;
        world.run_ms(8000);
        for me in &present {
            assert!(world.clients[*me].connected, "client {me} of {present:?}");
            let assigned = world.video_of(*me).iter().flatten().count();
            let cameras =
                present.iter().filter(|other| *other != me && world.clients[**other].camera.is_some()).count();
            assert_eq!(assigned, cameras.min(2), "client {me} of {present:?}");
        }
        assert_eq!(world.sfu.stats().failures, 0);
    }
}

/// Somebody does something.
fn act(world: &mut World, present: &mut Vec<usize>) {
    let choice = world.random_below(10);
    if present.len() < 2 || choice < 3 && present.len() < 6 {
        let h264 = world.random_below(5) == 0;
        present.push(world.enter(Setup { h264, ..Setup::default() }));
        return;
    }
    let who = world.random_below(present.len() as u64) as usize;
    let index = present[who];
    match choice {
        3 => {
            world.command(Command::Leave { participant: world.clients[index].id });
            world.clients[index].leave();
            present.remove(who);
        }
        4 | 5 => {
            if let Some(track) = world.tracks_of(index).last().copied() {
                let muted = world.random_below(2) == 0;
                world.command(Command::Mute { track, muted });
            }
        }
        6 => world.renegotiate(index, |api, sections| match sections.camera.take() {
            Some(camera) => api.set_direction(camera, Direction::Inactive),
            None => sections.camera = Some(api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None)),
        }),
        7 => world.renegotiate(index, |api, _| {
            api.ice_restart(true);
        }),
        8 => world.clients[index].level = if world.clients[index].level < -50 { -20 } else { -90 },
        _ => {}
    }
}

/// What was told adds up: tracks in slots exist and are others'.
fn check(world: &World) {
    let mut tracks: BTreeMap<TrackId, ParticipantId> = BTreeMap::new();
    for event in &world.events {
        match event {
            Event::TrackAdded { track, .. } => {
                assert_eq!(tracks.insert(track.track, track.participant), None, "a track is added once");
            }
            Event::TrackRemoved { track, participant, .. } => {
                assert_eq!(tracks.remove(track), Some(*participant), "what ends was there");
            }
            Event::TrackChanged { track, .. } => assert!(tracks.contains_key(&track.track)),
            Event::Failed { participant } => panic!("{participant:?} failed"),
            _ => {}
        }
    }
    for (index, client) in world.clients.iter().enumerate().filter(|(_, client)| !client.gone) {
        let (audio, video) = world.slots_of(index);
        for slot in audio.iter().chain(&video) {
            if let Some(track) = slot.track {
                let publisher = tracks.get(&track).expect("what is in a slot exists");
                assert_ne!(*publisher, client.id, "nobody receives itself");
            }
        }
    }
    let stats = world.sfu.stats();
    assert_eq!(stats.audio_tracks + stats.video_tracks, tracks.len() as u64);
}
