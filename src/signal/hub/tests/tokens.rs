//! Who may come in by which token, and what each grant allows: a test for each grant and each message.

use super::*;
use crate::tokens::{Key, Signer, Tokens};

const SECRET: &str = "a secret of more than 16 bytes";

/// A house that lets nobody in without a token.
fn guarded() -> House {
    House::with(guard)
}

/// Lets nobody in without a token.
pub fn guard(config: &mut HubConfig) {
    config.rooms.open = false;
    config.tokens = Some(Tokens { keys: vec![Key::of_secret(SECRET).unwrap()], ..Tokens::default() });
}

/// A token that is good for an hour.
pub fn token(claims: Value) -> String {
    let mut claims = claims;
    if claims.get("exp").is_none() {
        claims["exp"] = (NOON_MS / 1000 + 3600).into();
    }
    Signer::of_secret(&Secret::new(SECRET)).sign(&claims).unwrap()
}

fn comes(house: &mut House, claims: Value) -> Client {
    let client = house.connects();
    let token = token(claims);
    house.says(client, json!({"type":"join","id":1,"room":"r","token":token,"name":"of its own","create":{}}));
    client
}

fn enters(house: &mut House, claims: Value) -> (Client, Value) {
    let client = comes(house, claims);
    let joined = house.hears_a(client, "joined");
    (client, joined)
}

#[test]
fn a_token_says_who_somebody_is_and_what_it_may() {
    let mut house = guarded();
    let claims = json!({"sub":"ana","name":"Ana","room":"r","grants":["subscribe","moderate"],"max_participants":2,"ttl_seconds":60});
    let (_, joined) = enters(&mut house, claims);
    assert_eq!(joined["you"]["name"], "Ana");
    assert_eq!(joined["you"]["grants"], json!(["subscribe", "moderate"]));
    assert_eq!(joined["room"]["max_participants"], 2);
    assert_eq!(joined["room"]["expires_at"], NOON_MS + 60_000);
    let (_, joined) = enters(&mut house, json!({"sub":"bo"}));
    assert_eq!(joined["you"]["name"], "of its own");
    assert_eq!(joined["you"]["grants"], json!(["publish", "subscribe", "message"]));
}

#[test]
fn who_has_no_token_or_another_is_told_why_not() {
    let noon = NOON_MS / 1000;
    let other = Signer::of_secret(&Secret::new("quite another secret")).sign(&json!({"exp": noon + 60})).unwrap();
    for (shown, code, close) in [
        (None, "auth_required", 4401),
        (Some("nonsense".to_owned()), "auth_invalid", 4401),
        (Some(other), "auth_invalid", 4401),
        (Some(token(json!({"nbf": noon + 60}))), "auth_invalid", 4401),
        (Some(token(json!({"exp": noon - 60}))), "auth_expired", 4401),
        (Some(token(json!({"room": "elsewhere"}))), "forbidden", 4403),
    ] {
        let mut house = guarded();
        let client = house.connects();
        house.says(client, json!({"type":"join","id":1,"room":"r","token":shown,"create":{}}));
        house.hears_error(client, code);
        house.is_sent_away(client, code, close);
        assert_eq!(house.hub.occupancy(), (0, 0));
        assert!(house.facts("r").is_none(), "no room was made");
    }
}

#[test]
fn the_token_of_the_request_counts_where_the_join_has_none() {
    let mut house = guarded();
    for (of_request, of_join, is_in) in [
        (Some(json!({"room":"r"})), None, true),
        (Some(json!({"room":"elsewhere"})), Some(json!({"room":"r"})), true),
        (Some(json!({"room":"r"})), Some(json!({"room":"elsewhere"})), false),
    ] {
        let client = ConnectionId(house.last_connection + 1);
        house.last_connection += 1;
        house.happens(Input::Opened(client, HOME, of_request.map(token)));
        let of_join = of_join.map(token);
        house.says(client, json!({"type":"join","id":1,"room":"r","token":of_join,"create":{}}));
        let kind = house.hears(client)["type"].clone();
        assert_eq!(kind == "joined", is_in, "{kind}");
    }
}

#[test]
fn one_identity_has_one_seat_in_a_room() {
    let mut house = guarded();
    let (ana, _) = enters(&mut house, json!({"sub":"ana","max_participants":2,"grants":["moderate"]}));
    let (bo, _) = enters(&mut house, json!({"sub":"bo"}));
    house.hears_a(ana, "participant_joined");
    house.says(ana, json!({"type":"moderate","id":2,"action":"lock"}));
    for (client, kind) in [(ana, "room_changed"), (ana, "ok"), (bo, "room_changed")] {
        house.hears_a(client, kind);
    }
    // The room is locked and full, and the seat is Bo's all the same.
    let (again, joined) = enters(&mut house, json!({"sub":"bo"}));
    house.is_sent_away(bo, "replaced", 4409);
    let left = house.hears_a(ana, "participant_left");
    assert_eq!((&left["participant"], &left["reason"]), (&json!("p_2"), &json!("replaced")));
    assert_eq!(house.hears_a(ana, "participant_joined")["participant"]["participant"], "p_3");
    assert_eq!(joined["participants"].as_array().unwrap().len(), 1);
    assert_eq!(house.revoked.len(), 1, "the relays of the old seat end");
    house.hears_nothing(again);
    let nobody = comes(&mut house, json!({}));
    house.hears_error(nobody, "room_locked");
}

#[test]
fn sessions_outlive_their_tokens_and_are_taken_up_without() {
    let mut house = guarded();
    let (ana, joined) = enters(&mut house, json!({"exp": NOON_MS / 1000 + 10}));
    house.later(seconds(60));
    house.says(ana, json!({"type":"message","id":2,"to":"*","echo":true}));
    house.hears_a(ana, "message");
    house.loses(ana);
    let back = house.resumes(&joined, 1);
    assert_eq!(house.hears_a(back, "joined")["resumed"], true);
}

#[test]
fn what_a_grant_does_not_allow_is_forbidden() {
    let requests = [
        ("message", json!({"type":"message","id":9,"to":"*","topic":"t","data":1,"keep":true})),
        ("publish", json!({"type":"offer","id":9,"generation":1,"sdp":"v=0","tracks":[{"mid":"0","source":"camera"}]})),
        ("subscribe", json!({"type":"offer","id":9,"generation":1,"sdp":"v=0","slots":{"audio":["0"]}})),
        ("moderate", json!({"type":"moderate","id":9,"action":"remove","participant":"p_1"})),
        ("moderate", json!({"type":"moderate","id":9,"action":"mute","participant":"p_1"})),
        ("moderate", json!({"type":"moderate","id":9,"action":"lock"})),
        ("moderate", json!({"type":"moderate","id":9,"action":"unlock"})),
        ("moderate", json!({"type":"moderate","id":9,"action":"end"})),
    ];
    for (grant, request) in requests {
        let others: Vec<_> =
            ["publish", "subscribe", "message", "moderate"].into_iter().filter(|other| *other != grant).collect();
        let mut house = guarded();
        let (ana, _) = enters(&mut house, json!({"sub":"ana"}));
        let (bo, _) = enters(&mut house, json!({"sub":"bo","grants":others}));
        house.hears_a(ana, "participant_joined");
        house.takes_commands();
        house.says(bo, request.clone());
        house.hears_error(bo, "forbidden");
        house.hears_nothing(ana);
        assert!(house.takes_commands().is_empty(), "{request}");
    }
}

#[test]
fn from_peer_to_peer_nobody_sends_or_receives_without_both_grants() {
    for (grants, allowed) in [
        (json!(["publish", "subscribe"]), true),
        (json!(["publish"]), false),
        (json!(["subscribe", "message", "moderate"]), false),
        (json!([]), false),
    ] {
        let mut house = guarded();
        let mut comes = |identity: &str, grants: &Value| {
            let client = house.connects();
            let token = token(json!({"sub": identity, "grants": grants}));
            house.says(client, json!({"type":"join","id":1,"room":"r","token":token,"create":{"mode":"mesh"}}));
            house.hears_a(client, "joined");
            client
        };
        let (ana, bo) = (comes("ana", &json!(["publish", "subscribe"])), comes("bo", &grants));
        let told = house.hears_a(ana, "participant_joined");
        assert_eq!(told["you_offer"].as_bool().unwrap_or(false), allowed, "{grants}");
        for (from, to, name) in [(ana, bo, "p_2"), (bo, ana, "p_1")] {
            house.says(from, json!({"type":"signal","id":5,"to":name,"data":{"description":{}}}));
            if allowed {
                house.hears_a(from, "ok");
                house.hears_a(to, "signal");
            } else {
                house.hears_error(from, "forbidden");
                house.hears_nothing(to);
            }
        }
    }
}

#[test]
fn rooms_over_http_take_a_moderators_token() {
    let mut house = guarded();
    let (now, create) = (house.now, Create { max_participants: Some(40), ..Create::default() });
    let refused = |house: &mut House, shown: Option<Value>| {
        let shown = shown.map(token);
        house.hub.create_room(now, &visitor(shown.as_deref()), &create).unwrap_err().code
    };
    assert_eq!(refused(&mut house, None), ErrorCode::AuthRequired);
    assert_eq!(refused(&mut house, Some(json!({"room":"*"}))), ErrorCode::Forbidden);
    assert_eq!(refused(&mut house, Some(json!({"exp":1,"grants":["moderate"]}))), ErrorCode::AuthExpired);
    let moderator = token(json!({"room":"r","grants":["moderate"],"max_participants":9}));
    let made = house.hub.create_room(now, &visitor(Some(&moderator)), &create).unwrap();
    assert_eq!((made.room.as_str(), made.max_participants), ("r", 9));
    let any = token(json!({"grants":["moderate"]}));
    assert_ne!(house.hub.create_room(now, &visitor(Some(&any)), &create).unwrap().room, "r");

    let facts = |house: &mut House, shown: Option<&str>, room: &str| house.hub.room_facts(now, &visitor(shown), room);
    assert_eq!(facts(&mut house, None, "r").unwrap_err().code, ErrorCode::AuthRequired);
    let guest = token(json!({"room":"r"}));
    assert!(facts(&mut house, Some(&guest), "r").is_ok());
    assert_eq!(facts(&mut house, Some(&guest), "other").unwrap_err().code, ErrorCode::Forbidden);

    let (bo, _) = enters(&mut house, json!({"sub":"bo"}));
    let remove =
        |house: &mut House, shown: &str, who: (&str, &str)| house.hub.remove_for(now, &visitor(Some(shown)), who);
    assert_eq!(remove(&mut house, &guest, ("r", "p_1")).unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(remove(&mut house, &moderator, ("r", "p_7")).unwrap_err().code, ErrorCode::ParticipantNotFound);
    assert_eq!(remove(&mut house, &moderator, ("other", "p_1")).unwrap_err().code, ErrorCode::Forbidden);
    remove(&mut house, &moderator, ("r", "p_1")).unwrap();
    house.drain();
    house.is_sent_away(bo, "removed", 4480);

    let (cem, _) = enters(&mut house, json!({"sub":"cem"}));
    assert_eq!(house.hub.end_room_for(now, &visitor(Some(&guest)), "r").unwrap_err().code, ErrorCode::Forbidden);
    house.hub.end_room_for(now, &visitor(Some(&moderator)), "r").unwrap();
    house.drain();
    house.is_sent_away(cem, "room_ended", 4410);
    assert_eq!(house.hub.end_room_for(now, &visitor(Some(&moderator)), "r").unwrap_err().code, ErrorCode::RoomNotFound);
}

#[test]
fn open_rooms_know_no_moderator_over_http() {
    let mut house = House::new();
    house.joins("room", "mesh");
    let refused = house.hub.end_room_for(house.now, &visitor(None), "room").unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let refused = house.hub.end_room_for(house.now, &visitor(Some("a.b.c")), "room").unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden, "whatever is shown proves nothing");
}

#[test]
fn a_credential_is_of_the_tokens_identity_and_rationed_by_it() {
    let mut house = House::with(|config| {
        config.rooms.open = false;
        config.tokens = Some(Tokens { keys: vec![Key::of_secret(SECRET).unwrap()], ..Tokens::default() });
        config.asks = Rate { per_second: 1, burst: 2 };
    });
    let order = |proof: Proof, host: u8| Order {
        from: IpAddr::from([203, 0, 113, host]),
        proof,
        name: Some("somebody else".into()),
        api: crate::signal::Api::IceServers,
    };
    let ana = token(json!({"sub":"ana"}));
    for host in 1..=2 {
        let issued = house.hub.issue(house.now, &order(Proof::Token(ana.clone()), host)).unwrap();
        let name = issued.ice_servers.iter().find_map(|server| server.username.clone()).unwrap();
        assert!(name.ends_with(":ana"), "{name}");
    }
    let spent = house.hub.issue(house.now, &order(Proof::Token(ana), 3)).unwrap_err();
    assert_eq!(spent.code, ErrorCode::RateLimited);
    let wrong = house.hub.issue(house.now, &order(Proof::Token("a.b.c".into()), 4)).unwrap_err();
    assert_eq!(wrong.code, ErrorCode::AuthInvalid);
    let mut open = House::new();
    let closed = open.hub.issue(open.now, &order(Proof::Token("a.b.c".into()), 1)).unwrap_err();
    assert_eq!(closed.code, ErrorCode::AuthInvalid, "no key, no token");
}

#[test]
fn a_token_of_an_unknown_key_has_the_published_ones_asked_for() {
    let url = "https://id.example.org/keys";
    let published = |config: &mut HubConfig| {
        config.rooms.open = false;
        config.tokens = Some(Tokens { url: Some(url.into()), ..Tokens::default() });
    };
    let mut house = House::with(published);
    let early = comes(&mut house, json!({}));
    house.hears_error(early, "auth_invalid");
    assert_eq!(house.keys_wanted, 1);
    let key = || vec![Key::of_secret(SECRET).unwrap()];
    house.hub.set_fetched_keys("https://elsewhere.example.org/keys", key());
    let still = comes(&mut house, json!({}));
    house.hears_error(still, "auth_invalid");
    house.hub.set_fetched_keys(url, key());
    enters(&mut house, json!({}));
    // Other settings that point to the same place keep what was fetched.
    let (rooms, tokens, mint) =
        (house.hub.config.rooms.clone(), house.hub.config.tokens.clone(), house.hub.config.mint.clone());
    let tokens = tokens.map(|tokens| Tokens { fetched: Vec::new(), ..tokens });
    house.hub.configure(house.now, rooms, tokens, mint);
    enters(&mut house, json!({}));
    assert_eq!(house.keys_wanted, 2);
}
