//! Why did this call fail: how far each session came, for whoever may know.

use roundturn_sfu::{Event as SfuEvent, ParticipantId, RejectReason, Stage};

use super::tokens::{guard, token};
use super::*;

impl House {
    fn record(&mut self, token: &str, session: &Value) -> Result<Value, ErrorCode> {
        let (now, session) = (self.now, session.as_str().unwrap());
        let facts = self.hub.session_facts(now, &visitor(Some(token)), session).map_err(|error| error.code)?;
        Ok(serde_json::to_value(facts).unwrap())
    }

    /// What a session is told of itself.
    fn own_record(&mut self, joined: &Value) -> Value {
        self.record(joined["resume_key"].as_str().unwrap(), &joined["session"]).unwrap()
    }

    fn reaches(&mut self, stage: Stage) {
        self.sfu_says(SfuEvent::Reached { participant: ParticipantId(1), stage });
    }
}

fn offers(house: &mut House, client: Client, generation: u64) {
    house.says(client, json!({"type":"offer","id":5,"generation":generation,"sdp":"v=0","tracks":[],"slots":{}}));
}

#[test]
fn each_stage_that_a_call_may_end_at_has_its_time_and_its_reason() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "sfu");
    assert_eq!(house.own_record(&joined)["reason"], "in_progress");
    house.later(seconds(6));
    assert_eq!(house.own_record(&joined)["reason"], "no_offer");
    offers(&mut house, ana, 1);
    assert_eq!(house.own_record(&joined)["reason"], "in_progress");
    house.later(seconds(6));
    assert_eq!(house.own_record(&joined)["reason"], "no_stun");
    for (stage, reason) in [
        (Stage::Checked, "not_nominated"),
        (Stage::Nominated, "no_dtls"),
        (Stage::Connected, "no_media"),
        (Stage::Packet, "no_report"),
        (Stage::Keyframe, "no_report"),
        (Stage::Report, "ok"),
    ] {
        house.reaches(stage);
        house.later(seconds(6));
        assert_eq!(house.own_record(&joined)["reason"], reason);
    }
    let record = house.own_record(&joined);
    let stages = json!([
        {"stage":"join","after_ms":0}, {"stage":"offer","after_ms":6000}, {"stage":"stun","after_ms":12_000},
        {"stage":"nominated","after_ms":18_000}, {"stage":"dtls","after_ms":24_000},
        {"stage":"packet","after_ms":30_000}, {"stage":"keyframe","after_ms":36_000},
        {"stage":"report","after_ms":42_000},
    ]);
    assert_eq!((&record["stages"], &record["last_stage"]), (&stages, &json!("report")));
    assert_eq!(
        (&record["room"], &record["mode"], &record["participant"], &record["joined_at"], &record["ended"]),
        (&json!("room"), &json!("sfu"), &json!("p_1"), &json!(NOON_MS), &Value::Null)
    );
}

#[test]
fn a_refused_offer_is_the_reason_until_one_is_taken() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "sfu");
    offers(&mut house, ana, 1);
    let (participant, reason) = (ParticipantId(1), RejectReason::NoCommonCodec);
    house.sfu_says(SfuEvent::Rejected { participant, generation: 1, reason, message: "no codec in common".into() });
    let record = house.own_record(&joined);
    assert_eq!((&record["reason"], &record["error"]), (&json!("offer_rejected"), &json!("no_common_codec")));
    assert!(record["message"].as_str().unwrap().contains("no codec in common"), "{record}");
    offers(&mut house, ana, 2);
    house.sfu_says(SfuEvent::Answer { participant, generation: 2, sdp: "v=0".into(), tracks: Vec::new() });
    assert_eq!(house.own_record(&joined)["reason"], "in_progress");
}

#[test]
fn in_a_mesh_signals_are_all_that_the_server_sees() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    house.joins("room", "mesh");
    house.says(ana, json!({"type":"signal","id":2,"to":"p_2","data":{}}));
    let record = house.own_record(&joined);
    assert_eq!((&record["last_stage"], &record["reason"]), (&json!("offer"), &json!("peer_to_peer")));
}

#[test]
fn a_record_outlives_its_session_by_an_hour() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "sfu");
    offers(&mut house, ana, 1);
    house.says(ana, json!({"type":"leave"}));
    assert_eq!(house.hub.stats().sessions(RoomMode::Sfu, crate::signal::record::Stage::Offer), 1);
    let record = house.own_record(&joined);
    assert_eq!((&record["ended"], &record["ended_at"]), (&json!("left"), &json!(NOON_MS)));
    assert_eq!(record["reason"], "no_stun", "who has ended waits for nothing");
    house.later(seconds(3601));
    let (other, _) = house.joins("other", "sfu");
    house.says(other, json!({"type":"leave"}));
    let key = joined["resume_key"].as_str().unwrap();
    assert_eq!(house.record(key, &joined["session"]), Err(ErrorCode::ParticipantNotFound));
}

#[test]
fn a_thousand_ended_sessions_are_kept_and_no_more() {
    let mut house = House::new();
    let come_and_go = |house: &mut House| {
        let (client, joined) = house.joins("room", "sfu");
        house.says(client, json!({"type":"leave"}));
        joined
    };
    let first = come_and_go(&mut house);
    let second = come_and_go(&mut house);
    (0..1023).for_each(|_| drop(come_and_go(&mut house)));
    let key = first["resume_key"].as_str().unwrap();
    assert_eq!(house.record(key, &first["session"]), Err(ErrorCode::ParticipantNotFound));
    assert_eq!(house.own_record(&second)["ended"], "left");
}

#[test]
fn a_record_is_for_its_session_and_for_moderators_of_its_room() {
    let mut house = House::with(guard);
    let token = |grants: &[&str], room: &str| token(json!({"sub": "s", "room": room, "grants": grants}));
    let mut enters = |room: &str| {
        let client = house.connects();
        let token = token(&["publish"], room);
        house.says(client, json!({"type":"join","id":1,"room":room,"token":token,"create":{}}));
        house.hears_a(client, "joined")
    };
    let (ana, bo) = (enters("a"), enters("b"));
    let session = &ana["session"];
    assert!(house.record(&token(&["moderate"], "a"), session).is_ok());
    assert!(house.record(&token(&["moderate"], "*"), session).is_ok());
    for (shown, code) in [
        (token(&["moderate"], "b"), ErrorCode::Forbidden),
        (token(&["publish", "subscribe", "message"], "a"), ErrorCode::Forbidden),
        (bo["resume_key"].as_str().unwrap().to_owned(), ErrorCode::AuthInvalid),
        ("rk_".to_owned(), ErrorCode::AuthInvalid),
        ("nonsense".to_owned(), ErrorCode::AuthInvalid),
    ] {
        assert_eq!(house.record(&shown, session), Err(code), "{shown}");
    }
}

#[test]
fn where_rooms_are_open_a_stranger_needs_the_sessions_own_key() {
    let mut house = House::new();
    let (_, joined) = house.joins("room", "sfu");
    assert_eq!(house.record("", &joined["session"]), Err(ErrorCode::AuthRequired));
}
