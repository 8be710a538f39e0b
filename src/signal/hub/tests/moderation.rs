//! `moderate`, and who may.

use roundturn_sfu::{Event as SfuEvent, RoomId, Source, TrackId, TrackInfo};

use super::*;

fn publishes(house: &mut House, participant: u64, track: u64) {
    let (participant, track) = (ParticipantId(participant), TrackId(track));
    let track = TrackInfo { track, participant, source: Source::Microphone, name: String::new(), muted: false };
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track });
}

#[test]
fn whoever_came_first_moderates_and_nobody_else() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    for action in ["remove", "mute", "lock", "unlock", "end"] {
        house.says(bo, json!({"type":"moderate","id":13,"action":action,"participant":"p_1"}));
        assert_eq!(
            house.hears(bo),
            json!({"type":"error","reply_to":13,"code":"forbidden","message":"needs the grant moderate"})
        );
    }
    house.hears_nothing(ana);
    house.says(ana, json!({"type":"moderate","id":13,"action":"dance"}));
    house.hears_error(ana, "bad_message");
}

#[test]
fn the_removed_are_told_why_and_their_relays_end() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.says(ana, json!({"type":"moderate","id":2,"action":"remove","participant":"p_2","reason":"noise"}));
    assert_eq!(house.hears(bo), json!({"type":"bye","reason":"removed","message":"noise"}));
    assert_eq!(house.closed[&bo].close_code(), 4480);
    assert_eq!(house.hears_a(ana, "participant_left")["reason"], "removed");
    house.hears_a(ana, "ok");
    assert_eq!(house.revoked.len(), 1);
    house.says(ana, json!({"type":"moderate","id":2,"action":"remove","participant":"p_2"}));
    house.hears_error(ana, "participant_not_found");
    house.says(ana, json!({"type":"moderate","id":2,"action":"remove"}));
    house.hears_error(ana, "participant_not_found");
}

#[test]
fn a_moderator_who_removes_itself_is_answered_before_the_end() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.says(ana, json!({"type":"moderate","id":2,"action":"remove","participant":"p_1"}));
    assert_eq!(house.hears(ana), json!({"type":"ok","reply_to":2}));
    house.is_sent_away(ana, "removed", 4480);
    assert_eq!(house.hears_a(bo, "participant_left")["reason"], "removed");
}

#[test]
fn a_locked_room_lets_nobody_new_in() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    house.says(ana, json!({"type":"moderate","id":2,"action":"lock"}));
    assert_eq!(house.hears_a(bo, "room_changed")["room"]["locked"], true);
    house.hears_a(ana, "room_changed");
    house.hears_a(ana, "ok");
    let late = house.connects();
    house.says(late, json!({"type":"join","id":1,"room":"room"}));
    house.hears_error(late, "room_locked");
    house.is_sent_away(late, "room_locked", 4423);
    house.says(ana, json!({"type":"moderate","id":3,"action":"unlock"}));
    assert_eq!(house.hears_a(bo, "room_changed")["room"]["locked"], false);
    house.joins("room", "mesh");
}

#[test]
fn a_lock_ends_when_nobody_is_left_to_open_it() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"moderate","action":"lock"}));
    house.says(ana, json!({"type":"leave"}));
    let (_, joined) = house.joins("room", "mesh");
    assert_eq!(joined["room"]["locked"], false);
    assert_eq!(joined["you"]["grants"][3], "moderate", "whoever finds it empty looks after it");
}

#[test]
fn a_moderator_mutes_one_track_or_all_of_somebody() {
    let mut house = House::new();
    let (ana, _) = house.pair("sfu");
    publishes(&mut house, 2, 12);
    publishes(&mut house, 2, 13);
    publishes(&mut house, 1, 14);
    house.heard.clear();
    house.takes_commands();
    house.says(ana, json!({"type":"moderate","id":2,"action":"mute","track":"t_13"}));
    house.says(ana, json!({"type":"moderate","id":3,"action":"mute","participant":"p_2"}));
    let muted: Vec<_> = house
        .takes_commands()
        .into_iter()
        .map(|(_, command)| match command {
            Command::Mute { track, muted: true } => track.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(muted, [13, 12, 13]);
    for _ in 0..2 {
        house.hears_a(ana, "ok");
    }
    house.says(ana, json!({"type":"moderate","id":4,"action":"mute","track":"t_99"}));
    house.hears_error(ana, "track_not_found");
    house.says(ana, json!({"type":"moderate","id":4,"action":"mute"}));
    house.hears_error(ana, "bad_message");
}

#[test]
fn ending_a_room_ends_it_for_everyone() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.says(ana, json!({"type":"moderate","id":2,"action":"end"}));
    assert_eq!(house.hears(ana), json!({"type":"ok","reply_to":2}));
    house.is_sent_away(ana, "room_ended", 4410);
    house.is_sent_away(bo, "room_ended", 4410);
    assert_eq!(house.facts("room"), None);
    assert_eq!(house.revoked.len(), 2);
}

#[test]
fn nobody_can_mute_what_goes_from_peer_to_peer() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    house.says(ana, json!({"type":"moderate","id":13,"action":"mute","participant":"p_2"}));
    house.hears_error(ana, "unsupported");
    house.hears_nothing(bo);
}
