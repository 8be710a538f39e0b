//! More people than slots: who is seen and heard.

use roundturn_sfu::Event;

use crate::support::{Setup, World};

#[test]
fn six_cameras_and_two_slots_follow_the_speaker() {
    let mut world = World::new();
    for _ in 0..6 {
        let index = world.enter(Setup::default());
        world.clients[index].level = -90;
    }
    let eve = world.enter(Setup { microphone: false, camera: false, ..Setup::default() });
    world.run_ms(1500);
    let camera = |world: &World, index: usize| Some(world.tracks_of(index)[1]);
    assert_eq!(world.video_of(eve), [camera(&world, 0), camera(&world, 1)], "nobody spoke: who came first");
    world.clients[4].level = -20;
    world.run_ms(1500);
    let shown = world.video_of(eve);
    assert!(shown.contains(&camera(&world, 4)) && shown.contains(&camera(&world, 0)), "{shown:?}");
    world.clients[4].level = -90;
    world.clients[5].level = -20;
    world.run_ms(2000);
    let shown = world.video_of(eve);
    assert!(shown.contains(&camera(&world, 5)) && shown.contains(&camera(&world, 4)), "{shown:?}");
    world.clients[5].level = -90;
    world.run_ms(2000);
    assert_eq!(world.video_of(eve), shown, "silence moves nobody");
    let client = &world.clients[eve];
    for slot in &client.video_slots {
        let packets = client.in_slot(*slot);
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence + 1);
            assert!(pair[0].sender() == pair[1].sender() || pair[1].is_keyframe(), "a switch begins with a keyframe");
            assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 90_000, "time goes on");
            assert!(picture(pair[1]).wrapping_sub(picture(pair[0])) & 0x7fff <= 1, "pictures are counted on");
        }
        assert!(packets.iter().map(|packet| packet.sender()).collect::<std::collections::BTreeSet<_>>().len() > 1);
    }
}

#[test]
fn slots_tell_the_height_of_a_picture_once_it_is_known() {
    let mut world = World::new();
    let (ana, bo) = (world.enter(Setup::default()), world.enter(Setup::default()));
    world.run_ms(1500);
    for index in [ana, bo] {
        let (_, video) = world.slots_of(index);
        let shown: Vec<_> = video.iter().filter(|slot| slot.track.is_some()).map(|slot| slot.height).collect();
        assert_eq!(shown, [Some(360)]);
    }
}

#[test]
fn what_cannot_be_decoded_takes_no_slot_from_what_can() {
    let mut world = World::new();
    for h264 in [true, false, false] {
        world.enter(Setup { h264, ..Setup::default() });
    }
    let eve = world.enter(Setup { microphone: false, camera: false, ..Setup::default() });
    world.run_ms(2000);
    let cameras = [world.tracks_of(1)[1], world.tracks_of(2)[1]];
    let shown = world.video_of(eve);
    assert!(cameras.iter().all(|camera| shown.contains(&Some(*camera))), "{shown:?}");
    let client = &world.clients[eve];
    assert!(client.video_slots.iter().all(|slot| client.in_slot(*slot).len() > 30));
}

#[test]
fn speakers_are_told_loudest_first_and_at_most_four_times_a_second() {
    let mut world = World::new();
    for level in [-40, -20, -90] {
        let index = world.enter(Setup::default());
        world.clients[index].level = level;
    }
    world.run_ms(3000);
    let speakers = |event: &Event| match event {
        Event::Speakers { participants, .. } => Some(participants.iter().map(|(id, _)| id.0).collect::<Vec<_>>()),
        _ => None,
    };
    let said: Vec<_> = world.events.iter().filter_map(speakers).collect();
    assert_eq!(said.last(), Some(&vec![2, 1]));
    assert!(said.len() <= 12, "{said:?}");
    world.clients[0].level = -100;
    world.clients[1].talking = false;
    world.run_ms(3000);
    let last = world.events.iter().rev().find_map(|event| match event {
        Event::Speakers { participants, .. } => Some(participants.clone()),
        _ => None,
    });
    assert_eq!(last, Some(Vec::new()), "silence is told too");
}

#[test]
fn a_microphone_and_a_camera_of_one_person_share_an_index() {
    let mut world = World::new();
    world.enter(Setup { camera: false, ..Setup::default() });
    world.enter(Setup { microphone: false, ..Setup::default() });
    world.enter(Setup::default());
    let eve = world.enter(Setup { audio_slots: 3, video_slots: 3, ..Setup::default() });
    let (audio, video) = world.slots_of(eve);
    let tracks = world.tracks_of(2);
    let sound = audio.iter().position(|slot| slot.track == Some(tracks[0]));
    let sight = video.iter().position(|slot| slot.track == Some(tracks[1]));
    assert!(sound.is_some());
    assert_eq!(sound, sight);
}

/// The VP8 picture id of a packet.
fn picture(packet: &crate::support::Received) -> u16 {
    u16::from_be_bytes([packet.payload[2] & 0x7f, packet.payload[3]])
}
