//! Too much, too large, too many.

use super::*;

#[test]
fn a_flood_ends_the_connection_and_nobody_elses() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    let (flooder, joined) = house.joins("room", "mesh");
    house.heard.clear();
    for _ in 0..300 {
        house.says(flooder, json!({"type":"ping"}));
    }
    let frames = house.heard.remove(&flooder).unwrap();
    assert_eq!(frames.len(), 200, "199 after join, and a farewell");
    assert_eq!(frames[199], json!({"type":"bye","reason":"rate_limited","retry_ms":4000}));
    assert_eq!(house.closed[&flooder].close_code(), 4429);

    house.says(ana, json!({"type":"signal","id":1,"to":"p_2","data":1}));
    house.hears_a(bo, "signal");
    house.hears_a(ana, "ok");
    // It may come back and be what it was.
    house.later(seconds(4));
    let back = house.resumes(&joined, 0);
    assert_eq!(house.hears_a(back, "joined")["you"]["participant"], "p_3");
}

#[test]
fn the_steady_rate_is_fine_for_ever() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    for _ in 0..2000 {
        house.says(ana, json!({"type":"ping"}));
        house.hears_a(ana, "pong");
        house.later(Duration::from_millis(20));
    }
}

#[test]
fn a_frame_above_64_kib_is_too_large() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    let frame = |bytes: usize| {
        let empty = r#"{"type":"message","id":1,"to":"*","data":""}"#;
        empty.replace(r#""data":"""#, &format!(r#""data":"{}""#, "x".repeat(bytes - empty.len())))
    };
    house.says_text(bo, &frame(65_536));
    house.hears_a(bo, "ok");
    house.hears_a(ana, "message");
    house.says_text(bo, &frame(65_537));
    house.is_sent_away(bo, "too_large", 4413);
    let early = house.connects();
    house.happens(Input::TooLarge(early));
    house.is_sent_away(early, "too_large", 4413);
}

#[test]
fn an_unknown_type_is_unsupported_or_ignored() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"teleport","id":5}));
    let error = house.hears_a(ana, "error");
    assert_eq!((&error["reply_to"], &error["code"]), (&json!(5), &json!("unsupported")));
    house.says(ana, json!({"type":"teleport"}));
    house.hears_nothing(ana);
}

#[test]
fn a_bad_field_is_answered_by_number_and_the_session_goes_on() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    for frame in [
        json!({"type":"signal","id":5,"to":7,"data":1}),
        json!({"type":"signal","id":5,"to":"p_1"}),
        json!({"type":"mute","id":5,"track":"t_1","muted":"yes"}),
        json!({"type":"message","id":5}),
        json!({"type":"moderate","id":5}),
        json!({"type":"update","id":5,"meta":"text"}),
        json!({"type":"join","id":5,"room":"room"}),
        json!({"type":"resume","id":5,"session":"s","resume_key":"k","seq":0}),
    ] {
        house.says(ana, frame);
        let error = house.hears_a(ana, "error");
        assert_eq!((&error["reply_to"], &error["code"]), (&json!(5), &json!("bad_message")));
    }
    assert!(house.is_open(ana));
}
