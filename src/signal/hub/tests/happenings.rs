//! What the application is told of its rooms.

use super::*;

/// What happened since it was asked last: event, who, why.
fn happened(house: &mut House) -> Vec<(Value, Value, Value)> {
    let all = std::mem::take(&mut house.happenings);
    let told = all.iter().map(|happening| serde_json::to_value(happening).unwrap());
    told.map(|told| (told["event"].clone(), told["participant"]["participant"].clone(), told["reason"].clone()))
        .collect()
}

fn told(event: &str, who: Option<&str>, reason: Option<&str>) -> (Value, Value, Value) {
    (event.into(), who.into(), reason.into())
}

#[test]
fn rooms_and_participants_begin_and_end() {
    let mut house = House::with(|config| config.rooms.empty_timeout = seconds(10));
    let (ana, bo) = house.pair("mesh");
    let first = serde_json::to_value(&house.happenings[1]).unwrap();
    assert_eq!(
        first,
        json!({"event":"participant_joined","at":NOON_MS,"room":"room","mode":"mesh","participant":{"participant":"p_1","name":""}})
    );
    assert_eq!(
        happened(&mut house),
        [
            told("room_started", None, None),
            told("participant_joined", Some("p_1"), None),
            told("participant_joined", Some("p_2"), None)
        ]
    );
    house.loses(ana);
    assert_eq!(happened(&mut house), [], "it may come back");
    house.later(seconds(30));
    assert_eq!(happened(&mut house), [told("participant_left", Some("p_1"), Some("timeout"))]);
    house.says(bo, json!({"type":"leave"}));
    house.later(seconds(10));
    assert_eq!(
        happened(&mut house),
        [told("participant_left", Some("p_2"), Some("left")), told("room_ended", None, Some("empty"))]
    );
}

#[test]
fn a_room_that_is_ended_takes_everyone_along() {
    let mut house = House::new();
    let (ana, _) = house.pair("sfu");
    happened(&mut house);
    house.says(ana, json!({"type":"moderate","action":"end"}));
    assert_eq!(
        happened(&mut house),
        [
            told("participant_left", Some("p_1"), Some("room_ended")),
            told("participant_left", Some("p_2"), Some("room_ended")),
            told("room_ended", None, Some("room_ended"))
        ]
    );
}
