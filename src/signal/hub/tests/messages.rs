//! `message`, kept topics, `ping`, `ice_servers`.

use super::*;

#[test]
fn everyone_else_hears_a_message_in_the_same_order() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    house.says(ana, json!({"type":"message","id":12,"to":"*","topic":"music","data":{"op":"play"}}));
    assert_eq!(
        house.hears(bo),
        json!({"type":"message","seq":1,"from":"p_1","topic":"music","data":{"op":"play"},"at":NOON_MS,"room_seq":1})
    );
    assert_eq!(house.hears(ana), json!({"type":"ok","reply_to":12,"at":NOON_MS,"room_seq":1}));
    house.hears_nothing(ana);
    house.says(bo, json!({"type":"message","id":13,"to":"*","echo":true}));
    let echo = house.hears_a(bo, "message");
    assert_eq!((&echo["room_seq"], &echo["data"], &echo["topic"]), (&json!(2), &json!(null), &json!("")));
    assert_eq!(house.hears_a(ana, "message")["room_seq"], 2);
}

#[test]
fn a_list_reaches_exactly_those_on_it_or_nobody() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    let (cy, _) = house.joins("room", "sfu");
    for client in [ana, bo] {
        house.hears_a(client, "participant_joined");
    }
    house.says(ana, json!({"type":"message","id":1,"to":["p_2","p_2"],"data":1}));
    house.hears_a(bo, "message");
    house.hears_nothing(bo);
    house.hears_nothing(cy);
    house.hears_a(ana, "ok");
    house.says(ana, json!({"type":"message","id":2,"to":["p_2","p_77"],"data":1}));
    house.hears_error(ana, "participant_not_found");
    house.hears_nothing(bo);
    for to in [json!("p_2"), json!(7), json!(null)] {
        house.says(ana, json!({"type":"message","id":3,"to":to,"data":1}));
        house.hears_error(ana, "bad_message");
    }
}

#[test]
fn whoever_comes_later_receives_what_was_kept() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"message","id":1,"to":"*","topic":"verse","data":1,"keep":true}));
    house.says(ana, json!({"type":"message","id":2,"to":"*","topic":"verse","data":{"n":2},"keep":true}));
    house.says(ana, json!({"type":"message","id":3,"to":"*","topic":"chat","data":"not kept"}));
    let (_, joined) = house.joins("room", "mesh");
    assert_eq!(joined["state"], json!({"verse":{"from":"p_1","data":{"n":2},"at":NOON_MS,"room_seq":2}}));
    house.takes_commands();
    house.says(ana, json!({"type":"message","id":4,"to":["p_2"],"topic":"verse","data":1,"keep":true}));
    for _ in 0..3 {
        house.hears_a(ana, "ok");
    }
    house.hears_a(ana, "participant_joined");
    house.hears_error(ana, "bad_message");
}

#[test]
fn those_who_are_there_are_told_what_is_kept() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    let (bo, _) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"message","id":1,"to":"*","topic":"verse","data":1,"keep":true}));
    house.says(ana, json!({"type":"message","id":2,"to":"*","topic":"chat","data":2}));
    assert_eq!(house.hears_a(bo, "message")["keep"], true);
    assert_eq!(house.hears_a(bo, "message").get("keep"), None);
}

#[test]
fn a_room_keeps_64_topics_and_48_kib() {
    let mut house = House::with(|config| config.burst = 1000);
    let (ana, _) = house.joins("room", "mesh");
    let mut keep = |topic: String, data: Value| {
        house.says(ana, json!({"type":"message","id":1,"to":"*","topic":topic,"data":data,"keep":true}));
        house.hears(ana)["type"] == "ok"
    };
    assert!((0..64).all(|topic| keep(topic.to_string(), json!(1))));
    assert!(!keep("64".into(), json!(1)));
    assert!(keep("63".into(), json!(2)), "an old one may change");
    assert!(!keep("63".into(), json!("x".repeat(49_152))));
    assert!(keep("63".into(), json!("x".repeat(30_000))));
    assert!(!keep("62".into(), json!("x".repeat(30_000))));
}

#[test]
fn a_ping_tells_the_servers_time() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    house.later(Duration::from_millis(1399));
    house.says(ana, json!({"type":"ping","sent":171234.25}));
    assert_eq!(house.hears(ana), json!({"type":"pong","sent":171234.25,"now":NOON_MS + 1399}));
    house.says(ana, json!({"type":"ping","id":5}));
    assert_eq!(house.hears(ana), json!({"type":"pong","reply_to":5,"now":NOON_MS + 1399}));
}

#[test]
fn ice_servers_are_refreshed_before_they_expire_and_given_on_request() {
    let mut house = House::new();
    let (ana, joined) = house.joins("room", "mesh");
    house.says(ana, json!({"type":"ice_servers","id":9}));
    let answer = house.hears_a(ana, "ice_servers");
    assert_eq!((&answer["reply_to"], answer.get("seq")), (&json!(9), None));
    assert_eq!(answer["ice_servers"], joined["ice_servers"], "a fresh one is not replaced");

    house.later(seconds(1900));
    house.says(ana, json!({"type":"ice_servers","id":10}));
    let second = house.hears_a(ana, "ice_servers");
    assert_ne!(second["ice_servers"], joined["ice_servers"], "an old one is");

    house.later(seconds(2879));
    house.hears_nothing(ana);
    house.later(seconds(1));
    let event = house.hears_a(ana, "ice_servers");
    assert_eq!(event["seq"], 1);
    assert_eq!(event["ice_servers_expire_at"], NOON_MS + (1900 + 2880 + 3600) * 1000);
    assert_ne!(event["ice_servers"], second["ice_servers"]);

    house.says(ana, json!({"type":"leave"}));
    house.is_sent_away(ana, "left", 1000);
    assert_eq!(house.revoked.len(), 3, "whatever it was given ends with it");
    for servers in [&joined, &second, &event] {
        let username = servers["ice_servers"][1]["username"].as_str().unwrap();
        assert!(house.revoked.iter().any(|revoked| revoked == username));
    }
}

#[test]
fn everyone_is_told_where_turn_is_now() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    let addresses = Addresses { external_v4: Some([198, 51, 100, 1].into()), ..Addresses::default() };
    house.hub.set_urls(IceUrls::new(&["[::]:3478".parse().unwrap()], &addresses));
    house.drain();
    for client in [ana, bo] {
        let event = house.hears_a(client, "ice_servers");
        assert_eq!(event["ice_servers"][0]["urls"], json!(["stun:198.51.100.1:3478"]));
    }
}
