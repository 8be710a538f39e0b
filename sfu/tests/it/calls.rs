//! People who see and hear each other.

use std::collections::BTreeSet;

use roundturn_sfu::{Event, ParticipantId, Path, Quality, Stage};

use crate::support::{RED, RED_BLOCK, Received, Setup, World};

#[test]
fn two_people_see_and_hear_each_other() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(3000);
    for (me, other) in [(ana, 2), (bo, 1)] {
        let client = &world.clients[me];
        let sound = client.in_slot(client.audio_slots[0]);
        let sight = client.in_slot(client.video_slots[0]);
        assert!(sound.len() > 100, "{} packets of sound", sound.len());
        assert!(sight.len() > 150, "{} packets of sight", sight.len());
        assert!(sight[0].is_keyframe());
        assert!(sound.iter().chain(&sight).all(|packet| packet.sender() == other));
        assert_contiguous(&sound);
        assert_contiguous(&sight);
        assert_eq!(client.in_slot(client.video_slots[1]).len(), 0);
    }
    for id in [1, 2].map(ParticipantId) {
        let mut stages: Vec<_> = stages_of(&world, id);
        assert!(stages.starts_with(&[Stage::Checked, Stage::Nominated, Stage::Connected]), "{stages:?}");
        stages.sort_unstable();
        assert_eq!(stages[3..], [Stage::Packet, Stage::Keyframe, Stage::Report], "each once");
    }
    let stats = world.sfu.stats();
    assert_eq!((stats.rooms, stats.participants, stats.connected), (1, 2, 2));
    assert_eq!((stats.audio_tracks, stats.video_tracks), (2, 2));
    assert!(stats.video_packets_out > 300 && stats.audio_bytes_in > 0);
}

/// How far somebody's media came, in the order in which that was told.
fn stages_of(world: &World, id: ParticipantId) -> Vec<Stage> {
    let stage = |event: &Event| match event {
        Event::Reached { participant, stage } if *participant == id => Some(*stage),
        _ => None,
    };
    world.events.iter().filter_map(stage).collect()
}

#[test]
fn three_people_each_see_and_hear_the_two_others() {
    let mut world = World::new();
    for _ in 0..3 {
        world.enter(Setup::default());
    }
    world.run_ms(3000);
    for client in &world.clients {
        let mut seen = BTreeSet::new();
        for (sound, sight) in client.audio_slots.iter().zip(&client.video_slots) {
            let (sound, sight) = (client.in_slot(*sound), client.in_slot(*sight));
            assert!(sound.len() > 100 && sight.len() > 100);
            assert_contiguous(&sight);
            let sender = sight[0].sender();
            assert!(sound.iter().chain(&sight).all(|packet| packet.sender() == sender), "lips belong together");
            seen.insert(u64::from(sender));
        }
        seen.insert(client.id.0);
        assert_eq!(seen, BTreeSet::from([1, 2, 3]));
    }
}

#[test]
fn fifty_people_who_come_within_two_seconds_all_get_media() {
    let mut world = World::new();
    for index in 0..50 {
        let speaks = index % 10 == 0;
        world.enter(Setup { microphone: speaks, camera: speaks, audio_slots: 4, video_slots: 4, ..Setup::default() });
        world.run_ms(40);
    }
    world.run_ms(2000);
    assert_eq!(world.sfu.stats().connected, 50);
    for client in &world.clients {
        for slot in client.video_slots.iter().chain(&client.audio_slots) {
            let packets = client.in_slot(*slot);
            assert!(packets.len() > 30, "{} packets for {:?}", packets.len(), client.id);
        }
        assert!(client.keyframe_requests.len() < 20, "{} requests", client.keyframe_requests.len());
    }
}

#[test]
fn payload_types_may_differ_between_clients() {
    let mut world = World::new();
    let ana = world.enter(Setup { payload_types: (109, 120, 124), ..Setup::default() });
    let bo = world.enter(Setup { payload_types: (111, 96, 97), ..Setup::default() });
    world.run_ms(2000);
    for (me, opus, vp8) in [(ana, 109, 120), (bo, 111, 96)] {
        let client = &world.clients[me];
        let (sound, sight) = (client.in_slot(client.audio_slots[0]), client.in_slot(client.video_slots[0]));
        assert!(!sound.is_empty() && sound.iter().all(|packet| packet.payload_type == opus));
        assert!(!sight.is_empty() && sight.iter().all(|packet| packet.payload_type == vp8));
    }
}

#[test]
fn who_cannot_decode_is_told_that_the_slot_is_paused() {
    let mut world = World::new();
    let ana = world.enter(Setup { h264: true, ..Setup::default() });
    let bo = world.enter(Setup::default());
    world.run_ms(2000);
    let client = &world.clients[bo];
    assert!(!client.in_slot(client.audio_slots[0]).is_empty());
    assert!(client.in_slot(client.video_slots[0]).is_empty());
    let (_, video) = world.slots_of(bo);
    assert_eq!((video[0].track, video[0].paused), (Some(world.tracks_of(ana)[1]), true));
}

#[test]
fn a_late_joiner_gets_media_although_the_publisher_is_beyond_the_first_rollover() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    for _ in 0..5 {
        world.run_ms(600);
        world.clients[ana].video_sequence += 15_000;
        world.clients[ana].audio_sequence += 15_000;
    }
    world.run_ms(1000);
    assert!(world.clients[ana].video_sequence > 70_000);
    let cy = world.enter(Setup::default());
    world.run_ms(2000);
    let client = &world.clients[cy];
    for slot in client.video_slots.iter().chain(&client.audio_slots) {
        let packets = client.in_slot(*slot);
        assert!(packets.len() > 50, "{} packets", packets.len());
        assert!(packets[0].sequence < 65_536);
    }
    assert!(world.clients[bo].in_slot(world.clients[bo].video_slots[0]).len() > 300);
}

#[test]
fn video_flows_through_five_percent_of_loss() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let mut world = World::with(|_| {}, seed);
        world.enter(Setup::default());
        let bo = world.enter(Setup::default());
        world.run_ms(1000);
        world.loss = 50;
        world.run_ms(8000);
        let client = &world.clients[bo];
        let packets = client.in_slot(client.video_slots[0]);
        let frames: BTreeSet<u32> = packets.iter().map(|packet| packet.frame()).collect();
        let span = frames.last().unwrap() - frames.first().unwrap() + 1;
        assert!(span > 350, "{span} frames in 8 s");
        let share = frames.len() as f64 / f64::from(span);
        assert!(share > 0.99, "of {span} frames {share} came");
        let pieces = packets.iter().map(|packet| packet.sequence).collect::<BTreeSet<_>>().len() as f64;
        let sent = packets.iter().map(|packet| packet.sequence).max().unwrap() as f64;
        assert!(pieces / sent > 0.99, "of {sent} packets {pieces} came, first or again");
        let stats = world.sfu.stats();
        assert!(stats.nacks_in > 0 && stats.nacks_out > 0, "{stats:?}");
    }
}

#[test]
fn quality_tells_of_losses_once_a_second_at_most() {
    let mut world = World::new();
    world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(5000);
    let id = world.clients[bo].id;
    let said = |world: &World| -> Vec<(Quality, Quality, Path)> {
        let quality = |event: &Event| match event {
            Event::Quality { participant, up, down, path, .. } if *participant == id => Some((*up, *down, *path)),
            _ => None,
        };
        world.events.iter().filter_map(quality).collect()
    };
    assert_eq!(said(&world), [(Quality::Good, Quality::Good, Path::Udp)]);
    world.loss = 200;
    world.run_ms(10_000);
    let worse = said(&world);
    assert!(worse.len() <= 11, "{worse:?}");
    assert!(worse.iter().any(|(up, _, _)| *up == Quality::Poor), "{worse:?}");
}

#[test]
fn who_falls_silent_is_lost_and_comes_back_as_if_nothing_was() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(3000);
    world.clients[bo].gone = true;
    world.run_ms(20_000);
    let id = world.clients[bo].id;
    let last = |world: &World| {
        let quality = |event: &Event| match event {
            Event::Quality { participant, up, .. } if *participant == id => Some(*up),
            _ => None,
        };
        world.events.iter().filter_map(quality).next_back()
    };
    assert_eq!(last(&world), Some(Quality::Lost));
    assert_eq!(world.video_of(ana)[0], Some(world.tracks_of(bo)[1]), "a hint, not a verdict");
    world.clients[bo].gone = false;
    let before = world.clients[ana].received.len();
    world.run_ms(6000);
    assert_eq!(last(&world), Some(Quality::Good));
    assert!(world.clients[ana].received.len() > before + 300);
}

#[test]
fn a_client_behind_a_relay_of_ours_is_said_to_be() {
    let mut world = World::with(|config| config.relays = (vec![[10, 0, 0, 1].into()], 5000..=5001), 1);
    world.enter(Setup::default());
    world.run_ms(3000);
    let relayed = |event: &Event| matches!(event, Event::Quality { path: Path::Relay, .. });
    assert!(world.events.iter().any(relayed));
}

fn assert_contiguous(packets: &[&Received]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "a gap after {:?}", pair[0]);
    }
    assert!(packets[0].sequence < 65_536);
}

#[test]
fn whoever_waits_for_others_is_sent_nothing_but_answers_to_its_checks() {
    let mut world = World::new();
    let waits = Setup { microphone: false, camera: false, ..Setup::default() };
    let (ana, bo) = (world.enter(waits), world.enter(waits));
    world.run_ms(13_000);
    world.sent_to.clear();
    world.run_ms(15_000);
    for index in [ana, bo] {
        let sent = world.sent_to.get(&world.clients[index].address).copied().unwrap_or(0);
        assert!((1..=8).contains(&sent), "{sent} datagrams");
    }
    world.enter(Setup::default());
    world.run_ms(300);
    assert!(world.clients[ana].received.iter().any(Received::is_keyframe), "and is there at once when somebody comes");
}

#[test]
fn redundant_speech_goes_as_it_is_to_who_takes_it_and_as_plain_opus_to_the_others() {
    let mut world = World::new();
    let [ana, bo] = [(); 2].map(|()| world.enter(Setup { red: true, ..Setup::default() }));
    let cem = world.enter(Setup { payload_types: (120, 96, 97), ..Setup::default() });
    world.run_ms(3000);
    let heard = |index: usize| {
        let client = &world.clients[index];
        let slots = client.audio_slots.iter().flat_map(|mid| client.in_slot(*mid));
        slots.filter(|packet| packet.sender() == ana as u8 + 1).cloned().collect::<Vec<_>>()
    };
    assert!(heard(bo).len() > 100 && heard(cem).len() > 100);
    for packet in heard(bo) {
        assert_eq!((packet.payload_type, &packet.payload[..8]), (RED, &RED_BLOCK[..]));
    }
    for packet in heard(cem) {
        assert_eq!((packet.payload_type, &packet.payload[..4]), (120, &[0xfc, 1, 2, 3][..]));
    }
}
