//! How sessions and rooms end.

use super::*;

#[test]
fn leaving_ends_the_session_at_once() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.takes_commands();
    house.says(bo, json!({"type":"leave","id":9}));
    assert_eq!(house.hears(bo), json!({"type":"ok","reply_to":9}));
    house.is_sent_away(bo, "left", 1000);
    assert_eq!(house.hears(ana), json!({"type":"participant_left","seq":2,"participant":"p_2","reason":"left"}));
    assert!(matches!(house.commands[..], [(0, Command::Leave { participant: ParticipantId(2) })]));
    assert_eq!(house.revoked.len(), 1);
    assert_eq!(house.hub.occupancy(), (1, 1));
}

#[test]
fn a_lost_connection_is_waited_for_and_then_given_up() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.loses(bo);
    house.later(seconds(29));
    house.hears_nothing(ana);
    assert!(house.revoked.is_empty());
    house.later(seconds(1));
    assert_eq!(house.hears_a(ana, "participant_left")["reason"], "timeout");
    assert_eq!(house.revoked.len(), 1);
    assert_eq!(house.hub.occupancy(), (1, 1));
}

#[test]
fn whoever_says_nothing_is_sent_away_after_five_seconds() {
    let mut house = House::new();
    let silent = house.connects();
    house.later(Duration::from_millis(4999));
    assert!(house.is_open(silent));
    house.later(Duration::from_millis(1));
    house.is_sent_away(silent, "join_timeout", 4408);
}

#[test]
fn what_is_no_message_ends_the_session() {
    for frame in
        ["", "x", "[]", r#"["ping",5]"#, "null", "{}", r#"{"id":1}"#, r#"{"type":7}"#, r#"{"type":"ping","id":0}"#]
    {
        let mut house = House::new();
        let (ana, bo) = house.pair("mesh");
        house.says_text(bo, frame);
        house.is_sent_away(bo, "bad_message", 4400);
        assert_eq!(house.hears_a(ana, "participant_left")["reason"], "removed", "{frame}");
        let early = house.connects();
        house.says_text(early, frame);
        house.is_sent_away(early, "bad_message", 4400);
    }
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    house.happens(Input::NotText(ana));
    house.is_sent_away(ana, "bad_message", 4400);
}

#[test]
fn a_room_ends_with_its_time() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.later(seconds(4 * 3600 - 1));
    assert!(house.is_open(ana));
    house.heard.clear();
    house.later(seconds(1));
    house.is_sent_away(ana, "room_expired", 4410);
    house.is_sent_away(bo, "room_expired", 4410);
    assert_eq!(house.facts("room"), None);
    assert_eq!(house.hub.occupancy(), (0, 0));
    assert_eq!(house.hub.poll_timeout(), None, "nothing is left to wait for");
}

#[test]
fn an_empty_room_waits_for_five_minutes() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.says(ana, json!({"type":"leave"}));
    house.later(seconds(299));
    assert!(house.facts("room").is_some());
    let (bo, _) = house.joins("room", "sfu");
    house.later(seconds(1000));
    assert!(house.facts("room").is_some(), "whoever comes in time keeps it");
    house.says(bo, json!({"type":"leave"}));
    house.later(seconds(300));
    assert_eq!(house.facts("room"), None);
    assert_eq!(house.hub.poll_timeout(), None);
}

#[test]
fn draining_says_bye_to_everyone_and_lets_nobody_in() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    let waiting = house.connects();
    house.hub.drain(Bye::Draining);
    house.drain();
    for client in [ana, bo, waiting] {
        let frame = house.hears(client);
        assert_eq!(frame, json!({"type":"bye","reason":"draining","retry_ms":2000}));
        assert_eq!(house.closed[&client].close_code(), 4503);
    }
    let late = house.connects();
    house.is_sent_away(late, "draining", 4503);
    assert_eq!(
        house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap_err().code,
        ErrorCode::Draining
    );
}

#[test]
fn comings_and_goings_leave_nothing_behind() {
    let mut house = House::with(|config| config.rooms_max = 10_000);
    for round in 0..1000 {
        let (client, _) = house.joins("room", if round % 2 == 0 { "mesh" } else { "sfu" });
        house.says(client, json!({"type":"leave"}));
    }
    assert!(house.hub.timers.len() <= 2, "{} timers for one empty room", house.hub.timers.len());
    house.later(seconds(300));
    assert_eq!(house.hub.timers.len(), 0);
    assert!(house.hub.members.is_empty() && house.hub.sessions.is_empty() && house.hub.connections.is_empty());
    assert!(house.hub.rooms.is_empty() && house.hub.names.is_empty());
    assert_eq!(house.hub.load, [(0, 0)]);
}

#[test]
fn a_room_ends_in_time_though_it_would_have_ended_empty_at_the_same_moment() {
    let mut house = House::new();
    let ana = house.connects();
    house.says(ana, json!({"type":"join","id":1,"room":"r","create":{"ttl_seconds":300}}));
    house.hears_a(ana, "joined");
    house.later(seconds(300));
    house.is_sent_away(ana, "room_expired", 4410);
    assert_eq!(house.hub.occupancy(), (0, 0));
}
