//! People and tracks coming and going, offers after the first.

use roundturn_sfu::{Command, Event, ParticipantId, RejectReason, RoomId};
use str0m::media::{Direction, MediaKind};

use crate::support::{ROOM, Setup, World};

#[test]
fn others_are_told_of_tracks_and_participants_never_receive_themselves() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    world.run_ms(1000);
    let tracks = world.tracks_of(ana);
    let added =
        |event: &Event| matches!(event, Event::TrackAdded { room: ROOM, track } if tracks.contains(&track.track));
    assert_eq!(world.events.iter().filter(|event| added(event)).count(), 2);
    let (audio, video) = world.slots_of(ana);
    assert_eq!((audio.len(), video.len()), (2, 2));
    assert!(audio.iter().chain(&video).all(|slot| slot.track.is_none()));
    let bo = world.enter(Setup::default());
    let (audio, video) = world.slots_of(bo);
    assert_eq!([audio[0].track, video[0].track], [Some(tracks[0]), Some(tracks[1])]);
    assert_eq!(world.video_of(ana)[0], Some(world.tracks_of(bo)[1]));
}

#[test]
fn a_muted_track_keeps_its_slot_and_nothing_of_it_is_forwarded() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(2000);
    let track = world.tracks_of(ana)[1];
    world.command(Command::Mute { track, muted: true });
    world.run_ms(100);
    let slot = world.clients[bo].video_slots[0];
    let before = world.clients[bo].in_slot(slot).len();
    world.run_ms(1000);
    assert_eq!(world.clients[bo].in_slot(slot).len(), before);
    assert_eq!(world.video_of(bo)[0], Some(track));
    let requests = world.clients[ana].keyframe_requests.len();
    world.command(Command::Mute { track, muted: false });
    world.run_ms(1000);
    assert_eq!(world.clients[ana].keyframe_requests.len(), requests + 1);
    let packets = world.clients[bo].in_slot(slot);
    assert!(packets.len() > before + 50);
    assert!(packets[before].is_keyframe());
    assert_eq!(packets[before].sequence, packets[before - 1].sequence + 1);
    let changed = world.events.iter().filter(|event| matches!(event, Event::TrackChanged { .. })).count();
    assert_eq!(changed, 2);
}

#[test]
fn an_unpublished_track_leaves_the_slots() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(500);
    let track = world.tracks_of(ana)[1];
    world.command(Command::Unpublish { track });
    assert_eq!(world.video_of(bo)[0], None);
    assert!(
        world.events.iter().any(|event| matches!(event, Event::TrackRemoved { track: gone, .. } if *gone == track))
    );
    world.command(Command::Mute { track, muted: true });
    world.run_ms(500);
    assert_eq!(world.sfu.stats().video_tracks, 1);
}

#[test]
fn who_leaves_takes_everything_along_and_the_last_closes_the_room() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    world.command(Command::Leave { participant: world.clients[ana].id });
    assert_eq!(world.video_of(bo)[0], None);
    let removed = world.events.iter().filter(|event| matches!(event, Event::TrackRemoved { .. })).count();
    assert_eq!(removed, 2);
    world.run_ms(500);
    assert!(!world.events.iter().any(|event| matches!(event, Event::Failed { .. })));
    world.command(Command::Leave { participant: world.clients[bo].id });
    let stats = world.sfu.stats();
    assert_eq!((stats.rooms, stats.participants, stats.audio_tracks, stats.video_tracks), (0, 0, 0, 0));
}

#[test]
fn rooms_do_not_mix() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    world.room = RoomId(2);
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    assert_eq!(world.clients[ana].received.len() + world.clients[bo].received.len(), 0);
    assert_eq!(world.sfu.stats().rooms, 2);
}

#[test]
fn an_offer_is_refused_for_its_reason() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let good = world.clients[ana].offer(world.clients[ana].sdp.clone());
    let mut refused = |change: &dyn Fn(&mut roundturn_sfu::Offer)| {
        let mut offer = good.clone();
        change(&mut offer);
        world.command(Command::Offer(offer));
        match world.events.last() {
            Some(Event::Rejected { reason, .. }) => *reason,
            other => panic!("not refused: {other:?}"),
        }
    };
    assert_eq!(refused(&|_| {}), RejectReason::StaleOffer);
    assert_eq!(refused(&|offer| offer.participant = ParticipantId(77)), RejectReason::ParticipantNotFound);
    assert_eq!(refused(&|offer| (offer.generation, offer.sdp) = (2, "v=0".to_owned())), RejectReason::SdpRejected);
    world.run_ms(1000);
    assert!(world.clients[ana].connected, "what was negotiated before still holds");
}

#[test]
fn who_may_not_publish_or_subscribe_does_neither() {
    let mut world = World::new();
    world.enter(Setup::default());
    world.grants = (false, true, true);
    let offer = world.try_enter(Setup::default());
    assert!(matches!(world.events.last(), Some(Event::Rejected { reason: RejectReason::Forbidden, .. })), "{offer}");
    world.grants = (true, false, true);
    let cy = world.enter(Setup::default());
    world.run_ms(1000);
    assert_eq!(world.clients[cy].received.len(), 0);
    assert!(world.video_of(cy).iter().all(Option::is_none));
}

#[test]
fn a_later_offer_adds_a_source_and_keeps_the_tracks() {
    let mut world = World::new();
    let ana = world.enter(Setup { camera: false, ..Setup::default() });
    let bo = world.enter(Setup::default());
    world.run_ms(1000);
    let microphone = world.tracks_of(ana)[0];
    world.renegotiate(ana, |api, client| {
        client.camera = Some(api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None));
    });
    let tracks = world.tracks_of(ana);
    assert_eq!((tracks[0], tracks.len()), (microphone, 2));
    world.run_ms(1500);
    let client = &world.clients[bo];
    assert_eq!(world.video_of(bo)[0], Some(tracks[1]));
    assert!(client.in_slot(client.video_slots[0]).len() > 50);
    assert!(client.in_slot(client.audio_slots[0]).len() > 100);
    let camera = world.clients[ana].sections.camera.take().unwrap();
    world.renegotiate(ana, |api, _| api.set_direction(camera, Direction::Inactive));
    assert_eq!(world.tracks_of(ana), [microphone]);
    assert_eq!(world.video_of(bo)[0], None);
}

#[test]
fn a_later_offer_may_bring_more_slots() {
    let mut world = World::new();
    let ana = world.enter(Setup { video_slots: 1, ..Setup::default() });
    world.enter(Setup::default());
    world.enter(Setup::default());
    world.run_ms(1000);
    let before = world.video_of(ana);
    world.renegotiate(ana, |api, client| {
        let slot = api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        client.video_slots.push(slot);
    });
    world.run_ms(1000);
    let after = world.video_of(ana);
    assert_eq!((after.len(), after[0]), (2, before[0]));
    let client = &world.clients[ana];
    assert!(client.in_slot(client.video_slots[1]).len() > 40);
}

#[test]
fn an_ice_restart_gives_new_credentials_of_ours_and_media_goes_on() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    let ufrag = |sdp: &str| sdp.split("a=ice-ufrag:").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    let before = ufrag(&world.answer_of(world.clients[bo].id));
    world.renegotiate(bo, |api, _| {
        api.ice_restart(true);
    });
    let answer = world.answer_of(world.clients[bo].id);
    let after = ufrag(&answer);
    assert_ne!(before, after);
    assert_eq!(before[..8], after[..8], "shard and key stay");
    assert!(answer.contains(&format!("ufrag {after}\r\n")) && !answer.contains(&before));
    let slot = world.clients[bo].video_slots[0];
    let received = world.clients[bo].in_slot(slot).len();
    world.run_ms(3000);
    assert!(world.clients[bo].in_slot(slot).len() > received + 150);
    assert!(world.clients[bo].rtc.is_connected() && world.clients[ana].rtc.is_connected());
}

#[test]
fn when_our_address_goes_its_users_are_asked_for_a_restart() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    world.run_ms(1000);
    let (old, new) = (world.address, ([198, 51, 100, 7], 49160).into());
    let tcp = world.tcp_address;
    world.sfu.set_candidates(world.now, vec![old, new], vec![tcp]);
    world.run_ms(100);
    let asked = |event: &Event| matches!(event, Event::RestartIce { .. });
    assert!(!world.events.iter().any(asked), "its address is still there");
    world.sfu.set_candidates(world.now, vec![new], Vec::new());
    world.address = new;
    world.run_ms(100);
    assert_eq!(world.events.iter().filter(|event| asked(event)).count(), 1);
    world.renegotiate(ana, |api, _| {
        api.ice_restart(true);
    });
    let answer = world.answer_of(world.clients[ana].id);
    assert!(answer.contains("198.51.100.7") && !answer.contains("192.0.2.1"), "{answer}");
    world.run_ms(2000);
    assert!(world.clients[ana].rtc.is_connected());
    assert!(world.sfu.stats().audio_packets_in > 100);
}

#[test]
fn another_peer_connection_of_the_same_participant_replaces_the_first() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(1500);
    world.reopen(bo, Setup::default());
    world.run_ms(2000);
    for (me, other) in [(ana, 2), (bo, 1)] {
        let client = &world.clients[me];
        let recent: Vec<_> = client.in_slot(client.video_slots[0]);
        let since = recent.iter().filter(|packet| packet.at + std::time::Duration::from_millis(1000) > world.now);
        assert!(since.clone().count() > 40, "{me}");
        assert!(since.clone().all(|packet| packet.sender() == other));
    }
}
