//! `resume`: the session survives its connection.

use roundturn_sfu::{Event as SfuEvent, RoomId, SlotAssignment, TrackId};

use super::*;

#[test]
fn missed_events_are_replayed_in_order() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    let (bo, _) = house.joins("room", "mesh");
    assert_eq!(house.hears_a(ana, "participant_joined")["seq"], 1);
    house.loses(ana);
    for number in 0..3 {
        house.says(bo, json!({"type":"message","to":"*","topic":"t","data":number}));
    }
    house.hears_nothing(bo);
    house.later(seconds(29));
    let ana = house.resumes(&joined, 1);
    let again = house.hears_a(ana, "joined");
    assert_eq!((&again["resumed"], again.get("snapshot")), (&json!(true), None));
    for name in ["session", "resume_key", "you", "room"] {
        assert_eq!(again[name], joined[name], "{name}");
    }
    assert_eq!(again["participants"][0]["participant"], "p_2");
    for number in 0..3 {
        let message = house.hears_a(ana, "message");
        assert_eq!((&message["seq"], &message["data"]), (&json!(number + 2), &json!(number)));
    }
    house.later(seconds(60));
    house.hears_nothing(bo);
    assert!(house.is_open(ana), "the wait ended with the return");
}

#[test]
fn what_is_no_longer_kept_becomes_a_snapshot() {
    let mut house = House::with(|config| config.burst = 1000);
    let (ana, joined) = house.joins("room", "sfu");
    let (bo, _) = house.joins("room", "sfu");
    let slots = vec![SlotAssignment { mid: "4".into(), track: Some(TrackId(9)), height: Some(360), paused: false }];
    house.sfu_says(SfuEvent::Slots { participant: ParticipantId(1), audio: None, video: Some(slots) });
    house.loses(ana);
    for number in 0..300 {
        house.says(bo, json!({"type":"message","to":"*","data":number}));
    }
    let ana = house.resumes(&joined, 2);
    let again = house.hears_a(ana, "joined");
    assert_eq!((&again["resumed"], &again["snapshot"]), (&json!(true), &json!(true)));
    let slots = house.hears_a(ana, "slots");
    assert_eq!(slots["seq"], 303, "numbers go on where they were");
    assert_eq!(slots["video"], json!([{"mid":"4","track":"t_9","height":360,"paused":false}]));
    house.hears_nothing(ana);
}

#[test]
fn a_wrong_key_opens_nothing_and_a_join_may_follow() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    let thief = house.connects();
    let session = &joined["session"];
    house.says(thief, json!({"type":"resume","id":1,"session":session,"resume_key":"rk_x","seq":0}));
    house.hears_error(thief, "participant_not_found");
    house.says(thief, json!({"type":"resume","id":1,"session":"s_x","resume_key":joined["resume_key"],"seq":0}));
    house.hears_error(thief, "participant_not_found");
    assert!(house.is_open(ana));
    house.says(thief, json!({"type":"join","id":2,"room":"room"}));
    assert_eq!(house.hears_a(thief, "joined")["you"]["participant"], "p_2");
}

#[test]
fn a_session_that_moves_to_another_connection_closes_the_old_one() {
    let mut house = House::new();
    let (old, joined) = house.joins("room", "mesh");
    let new = house.resumes(&joined, 0);
    house.is_sent_away(old, "replaced", 4409);
    house.hears_a(new, "joined");
    house.loses(old);
    house.later(seconds(60));
    assert!(house.is_open(new));
    assert_eq!(house.hub.occupancy(), (1, 1));
}

#[test]
fn after_the_end_there_is_nothing_to_resume() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"leave"}));
    let ana = house.resumes(&joined, 0);
    house.hears_error(ana, "participant_not_found");
}

#[test]
fn an_answer_waits_for_whoever_asked() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "sfu");
    house.says(ana, json!({"type":"offer","id":5,"generation":1,"sdp":"v=0"}));
    house.loses(ana);
    let answer = SfuEvent::Answer { participant: ParticipantId(1), generation: 1, sdp: "v=0a".into(), tracks: vec![] };
    house.sfu_says(answer);
    let ana = house.resumes(&joined, 0);
    house.hears_a(ana, "joined");
    let answer = house.hears_a(ana, "answer");
    assert_eq!((&answer["reply_to"], &answer["generation"]), (&json!(5), &json!(1)));

    // Lost on its way: whoever asks again over a new connection hears it again.
    house.loses(ana);
    let ana = house.resumes(&joined, 0);
    house.hears_a(ana, "joined");
    house.hears_nothing(ana);
    house.says(ana, json!({"type":"offer","id":8,"generation":1,"sdp":"v=0"}));
    let answer = house.hears_a(ana, "answer");
    assert_eq!((&answer["reply_to"], &answer["sdp"]), (&json!(8), &json!("v=0a")));
    house.says(ana, json!({"type":"offer","id":9,"generation":1,"sdp":"v=0"}));
    house.hears_error(ana, "stale_offer");
}

#[test]
fn passing_moods_are_not_kept() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "sfu");
    house.loses(ana);
    house.sfu_says(SfuEvent::Speakers { room: RoomId(1), participants: vec![(ParticipantId(1), -30)] });
    let ana = house.resumes(&joined, 0);
    house.hears_a(ana, "joined");
    house.hears_nothing(ana);
}

#[test]
fn what_was_done_is_not_done_again_when_it_is_asked_again() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    let (bo, _) = house.joins("room", "mesh");
    let message = json!({"type":"message","id":7,"to":"*","data":"once"});
    let signal = json!({"type":"signal","id":8,"to":"p_2","data":1});
    house.says(ana, message.clone());
    house.says(ana, signal.clone());
    // The answers are lost with the connection.
    house.loses(ana);
    let answers: Vec<_> = house.heard.remove(&ana).unwrap().into_iter().filter(|frame| frame["type"] == "ok").collect();
    let ana = house.resumes(&joined, 1);
    house.hears_a(ana, "joined");
    for (frame, answer) in [message.clone(), signal].into_iter().zip(answers) {
        house.says(ana, frame);
        assert_eq!(house.hears(ana), answer);
    }
    house.hears_a(bo, "message");
    house.hears_a(bo, "signal");
    house.hears_nothing(bo);
    // On one connection a number may be used again, and another message with an old number is another one.
    house.says(ana, message);
    house.says(ana, json!({"type":"message","id":8,"to":"*","data":"twice"}));
    assert_eq!(
        (house.hears_a(bo, "message")["data"].clone(), house.hears_a(bo, "message")["data"].clone()),
        (json!("once"), json!("twice"))
    );
}

#[test]
fn what_was_refused_is_tried_again() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    let signal = json!({"type":"signal","id":8,"to":"p_2","data":1});
    house.says(ana, signal.clone());
    house.hears_error(ana, "participant_not_found");
    house.loses(ana);
    let (_bo, _) = house.joins("room", "mesh");
    let ana = house.resumes(&joined, 1);
    house.hears_a(ana, "joined");
    house.says(ana, signal);
    house.hears_a(ana, "ok");
}
