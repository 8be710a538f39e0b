//! Tokens on their way: in `join`, with the WebSocket's request, with requests of the API.

use roundturn::config::Secret;
use roundturn::tokens::{Key, Signer, Tokens};
use serde_json::{Value, json};

use crate::house::House;

const SECRET: &str = "a secret of more than 16 bytes";

async fn guarded() -> House {
    House::with(|config| {
        config.rooms.open = false;
        config.tokens = Some(Tokens { keys: vec![Key::of_secret(SECRET).unwrap()], ..Tokens::default() });
    })
    .await
}

fn token(mut claims: Value) -> String {
    // The year 2100: these tests do not read clocks.
    claims["exp"] = 4_102_444_800_u64.into();
    Signer::of_secret(&Secret::new(SECRET)).sign(&claims).unwrap()
}

fn bearer(claims: Value) -> String {
    format!("Authorization: Bearer {}\r\n", token(claims))
}

#[tokio::test]
async fn a_token_comes_with_the_join_or_with_the_request() {
    let house = guarded().await;
    let mut ana = house.connects().await;
    ana.says(json!({"type":"join","id":1,"room":"r","token":token(json!({"name":"Ana"})),"create":{}})).await;
    assert_eq!(ana.hears_a("joined").await["you"]["name"], "Ana");
    let header = format!("bearer {}", token(json!({"name":"Bo"})));
    let mut bo = house.connects_with(&[("authorization", &header)]).await;
    bo.says(json!({"type":"join","id":1,"room":"r"})).await;
    assert_eq!(bo.hears_a("joined").await["you"]["name"], "Bo");
    let mut nobody = house.connects().await;
    nobody.says(json!({"type":"join","id":1,"room":"r"})).await;
    assert_eq!(nobody.hears_a("error").await["code"], "auth_required");
    nobody.is_sent_away("auth_required", 4401).await;
}

#[tokio::test]
async fn a_long_token_ends_the_join_and_a_very_long_one_the_connection() {
    let house = guarded().await;
    let mut long = house.connects().await;
    long.says(json!({"type":"join","id":1,"room":"r","token":"x".repeat(10_000)})).await;
    assert_eq!(long.hears_a("error").await["code"], "auth_invalid");
    long.is_sent_away("auth_invalid", 4401).await;
    let mut very_long = house.connects().await;
    very_long.says(json!({"type":"join","id":1,"room":"r","token":"x".repeat(100_000)})).await;
    very_long.is_sent_away("too_large", 4413).await;
    let head = format!("Authorization: Bearer {}\r\n", "x".repeat(100_000));
    assert_eq!(house.asks("GET", "/api/rooms/r", &head).await.0, 431);
}

#[tokio::test]
async fn rooms_are_made_and_ended_by_whoever_moderates() {
    let house = guarded().await;
    let moderator = bearer(json!({"room":"r","grants":["moderate"]}));
    let visitor = bearer(json!({"room":"r"}));
    let stranger = bearer(json!({"room":"elsewhere","grants":["moderate"]}));
    for (method, path, headers, status) in [
        ("POST", "/api/rooms", "", 401),
        ("POST", "/api/rooms", "Authorization: Bearer nonsense\r\n", 401),
        ("POST", "/api/rooms", &visitor, 403),
        ("POST", "/api/rooms", &moderator, 201),
        ("GET", "/api/rooms/r", "", 401),
        ("GET", "/api/rooms/r", &stranger, 403),
        ("GET", "/api/rooms/r", &visitor, 200),
        ("DELETE", "/api/rooms/r/participants/p_1", &visitor, 403),
        ("DELETE", "/api/rooms/r/participants/p_1", &moderator, 404),
        ("DELETE", "/api/rooms/r", "", 401),
        ("DELETE", "/api/rooms/r", &visitor, 403),
        ("DELETE", "/api/rooms/r", &stranger, 403),
        ("DELETE", "/api/rooms/r", &moderator, 204),
        ("DELETE", "/api/rooms/r", &moderator, 404),
        ("GET", "/api/rooms/r", &visitor, 404),
    ] {
        let (got, head, body) = house.asks(method, path, headers).await;
        assert_eq!(got, status, "{method} {path} {body}");
        assert_eq!(got == 401, head.to_lowercase().contains("www-authenticate: bearer"), "{head}");
    }
}

#[tokio::test]
async fn a_token_opens_the_relay_and_an_api_key_still_does() {
    let house = guarded().await;
    let (status, _, body) = house.asks("GET", "/api/ice-servers", &bearer(json!({"sub":"ana"}))).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200, "{body}");
    assert!(answer["iceServers"][1]["username"].as_str().unwrap().ends_with(":ana"), "{body}");
    let unsigned = "Authorization: Bearer a.b.c\r\n";
    assert_eq!(house.asks("GET", "/api/ice-servers", unsigned).await.0, 401);
    assert_eq!(house.asks("GET", "/turn/credentials", &bearer(json!({"sub":"ana"}))).await.0, 401, "for keys only");
    let open = House::new().await;
    assert_eq!(open.asks("GET", "/api/ice-servers", unsigned).await.0, 401, "no key for tokens opens nothing");
}
