//! `join`, `joined`, presence.

use super::*;

#[test]
fn joined_is_as_the_protocol_says() {
    let mut house = House::new();
    let ana = house.connects();
    house.says(
        ana,
        json!({"type":"join","id":7,"room":"k3v9-q2xd","token":"ignored","name":"Ana","meta":{"avatar":"…"},
               "create":{"mode":"sfu","ttl_seconds":3600},"unheard_of":[1,2]}),
    );
    let joined = house.hears_a(ana, "joined");
    assert_eq!(joined["reply_to"], 7);
    assert_eq!(joined["protocol"], 1);
    assert_eq!(joined["resume_seconds"], 30);
    assert_eq!(joined["resumed"], false);
    let all = json!(["publish", "subscribe", "message", "moderate"]);
    assert_eq!(joined["you"], json!({"participant":"p_1","order":1,"name":"Ana","grants":all}));
    assert_eq!(
        joined["room"],
        json!({"room":"k3v9-q2xd","mode":"sfu","max_participants":50,"locked":false,"expires_at":NOON_MS + 3_600_000})
    );
    assert_eq!((&joined["participants"], &joined["tracks"]), (&json!([]), &json!([])));
    assert_eq!(joined["ice_servers"][0], json!({"urls":["stun:203.0.113.7:3478"]}));
    let relay = &joined["ice_servers"][1];
    assert_eq!(relay["urls"], json!(["turn:203.0.113.7:3478?transport=udp", "turn:203.0.113.7:3478?transport=tcp"]));
    assert!(relay["username"].as_str().unwrap().starts_with("1795179600:p_1."), "{relay}");
    assert_eq!(joined["ice_servers_expire_at"], 1_795_179_600_000_u64);
    assert_eq!(joined["limits"], json!({"frame_bytes":65536,"frames_per_second":50,"slots":{"audio":4,"video":9}}));
    assert_eq!((&joined["ping_seconds"], &joined["now"]), (&json!(15), &json!(NOON_MS)));
    assert!(joined["session"].as_str().unwrap().starts_with("s_"));
    assert!(joined["resume_key"].as_str().unwrap().starts_with("rk_"));
    assert_eq!((joined.get("snapshot"), joined.get("state")), (None, None));
}

#[test]
fn the_second_sees_the_first_and_the_first_is_told() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    let bo = house.connects();
    house.says(bo, json!({"type":"join","id":1,"room":"room","name":"Bo","meta":{"a":1.50}}));
    let joined = house.hears_a(bo, "joined");
    assert_eq!(joined["participants"], json!([{"participant":"p_1","order":1,"name":"","meta":{}}]));
    assert_eq!(joined["you"]["grants"], json!(["publish", "subscribe", "message"]), "only the first moderates");
    assert_eq!(
        house.hears(ana),
        json!({"type":"participant_joined","seq":1,
               "participant":{"participant":"p_2","order":2,"name":"Bo","meta":{"a":1.5}}})
    );
}

#[test]
fn in_a_mesh_whoever_was_there_first_offers() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    let (bo, _) = house.joins("room", "mesh");
    let (_cy, _) = house.joins("room", "mesh");
    assert_eq!(house.hears_a(ana, "participant_joined")["you_offer"], true);
    assert_eq!(house.hears_a(ana, "participant_joined")["you_offer"], true);
    assert_eq!(house.hears_a(bo, "participant_joined")["you_offer"], true);
    assert!(house.commands.is_empty(), "a mesh is none of the SFU's business");
}

#[test]
fn a_room_exists_once_somebody_asked_to_make_it() {
    let mut house = House::new();
    let ana = house.connects();
    house.says(ana, json!({"type":"join","id":1,"room":"nowhere"}));
    house.hears_error(ana, "room_not_found");
    house.is_sent_away(ana, "room_not_found", 4404);

    // What the settings say, when nobody says.
    let bo = house.connects();
    house.says(bo, json!({"type":"join","id":1,"room":"nowhere","create":{}}));
    let joined = house.hears_a(bo, "joined");
    assert_eq!((&joined["room"]["mode"], &joined["room"]["max_participants"]), (&json!("sfu"), &json!(50)));
    assert_eq!(joined["room"]["expires_at"], NOON_MS + 4 * 3_600_000);

    // Who comes second joins what there is.
    let (_, joined) = house.joins("nowhere", "mesh");
    assert_eq!(joined["room"]["mode"], "sfu");
}

#[test]
fn a_wish_never_exceeds_the_settings() {
    let mut house = House::new();
    let ana = house.connects();
    house
        .says(ana, json!({"type":"join","id":1,"room":"r","create":{"max_participants":5000,"ttl_seconds":9_999_999}}));
    let joined = house.hears_a(ana, "joined");
    assert_eq!(joined["room"]["max_participants"], 50);
    assert_eq!(joined["room"]["expires_at"], NOON_MS + 4 * 3_600_000);
}

#[test]
fn what_is_no_join_is_refused_with_its_reason() {
    let long = "n".repeat(129);
    for (frame, code) in [
        (json!({"type":"join","id":1,"room":"","create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"a b","create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"ä","create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":long,"create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":7}), "bad_message"),
        (json!({"type":"join","id":1}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","create":{"mode":"auto"}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","create":{"max_participants":0}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","create":{"ttl_seconds":0}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","name":long,"create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","meta":[1],"create":{}}), "bad_message"),
        (json!({"type":"join","id":1,"room":"r","meta":{"x":"y".repeat(3000)},"create":{}}), "too_large"),
        (json!({"type":"message","id":1,"to":"*"}), "bad_message"),
        (json!({"type":"unheard_of","id":1}), "bad_message"),
    ] {
        let mut house = House::new();
        let ana = house.connects();
        house.says(ana, frame.clone());
        house.hears_error(ana, code);
        house.is_sent_away(ana, "bad_message", 4400);
        assert_eq!(house.hub.occupancy(), (0, 0), "{frame}");
    }
}

#[test]
fn a_full_room_is_full() {
    let mut house = House::new();
    for _ in 0..2 {
        let client = house.connects();
        house.says(client, json!({"type":"join","id":1,"room":"r","create":{"mode":"mesh","max_participants":2}}));
        house.hears_a(client, "joined");
    }
    let late = house.connects();
    house.says(late, json!({"type":"join","id":9,"room":"r"}));
    house.hears_error(late, "room_full");
    house.is_sent_away(late, "room_full", 4486);
}

#[test]
fn without_open_rooms_a_token_is_needed() {
    let mut house = House::with(|config| config.rooms.open = false);
    let ana = house.connects();
    house.says(ana, json!({"type":"join","id":1,"room":"r","create":{}}));
    house.hears_error(ana, "auth_required");
    house.is_sent_away(ana, "auth_required", 4401);
}

#[test]
fn an_update_is_told_to_everyone() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.says(ana, json!({"type":"update","id":2,"name":"Ana B."}));
    let facts = json!({"participant":"p_1","order":1,"name":"Ana B.","meta":{}});
    assert_eq!(house.hears(bo), json!({"type":"participant_updated","seq":1,"participant":facts}));
    assert_eq!(house.hears_a(ana, "participant_updated")["participant"], facts);
    assert_eq!(house.hears(ana), json!({"type":"ok","reply_to":2}));
    house.says(ana, json!({"type":"update","id":3,"meta":{"hand":true}}));
    assert_eq!(house.hears_a(bo, "participant_updated")["participant"]["name"], "Ana B.");
}

#[test]
fn rooms_are_made_over_http_and_known_by_name() {
    let mut house = House::new();
    let create = Create { max_participants: Some(2), ..Create::default() };
    let facts = house.hub.create_room(house.now, &visitor(None), &create).unwrap();
    assert_eq!((facts.mode, facts.max_participants), ("sfu", 2));
    assert_eq!(house.facts(&facts.room), Some(facts.clone()));
    assert_eq!(house.facts("elsewhere"), None);
    let ana = house.connects();
    house.says(ana, json!({"type":"join","id":1,"room":facts.room}));
    assert_eq!(house.hears_a(ana, "joined")["you"]["order"], 1);
}

#[test]
fn where_there_are_too_many_rooms_the_oldest_empty_one_goes() {
    let mut house = House::with(|config| config.rooms_max = 3);
    let (_ana, _) = house.joins("occupied", "sfu");
    let first = house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap();
    house.later(seconds(1));
    let second = house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap();
    let third = house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap();
    assert_eq!(house.facts(&first.room), None);
    assert!(house.facts(&second.room).is_some() && house.facts(&third.room).is_some());
    for room in [second.room, third.room] {
        let client = house.connects();
        house.says(client, json!({"type":"join","id":1,"room":room}));
        house.hears_a(client, "joined");
    }
    let none_is_empty = house.hub.create_room(house.now, &visitor(None), &Create::default());
    assert_eq!(none_is_empty.unwrap_err().code, ErrorCode::RoomFull);
}

#[test]
fn what_does_not_fit_into_the_first_answer_follows_in_events() {
    let mut house = House::with(|config| config.frame_bytes_out = 4096);
    let meta = |number: usize| json!({"number": number, "picture": "x".repeat(1500)});
    for number in 0..3 {
        let client = house.connects();
        let name = format!("guest {number}");
        house.says(client, json!({"type":"join","id":1,"room":"r","name":name,"meta":meta(number),"create":{}}));
    }
    let (late, joined) = house.joins("r", "sfu");
    assert!(joined.to_string().len() <= 4096);
    let participants = joined["participants"].as_array().unwrap();
    assert!(participants.len() == 3 && participants.iter().all(|one| one["meta"] == json!({})), "{joined}");
    for number in 0..3 {
        let updated = house.hears_a(late, "participant_updated");
        assert_eq!(updated["participant"]["name"], format!("guest {number}"));
        assert_eq!(updated["participant"]["meta"], meta(number));
    }
    house.hears_nothing(late);
}
