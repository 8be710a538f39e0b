//! Health, rooms, pages.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::House;

#[tokio::test]
async fn health_counts_and_says_when_it_cannot_serve() {
    let house = House::new().await;
    let (_ana, _) = house.joins("room", "mesh").await;
    let (status, _, body) = house.asks("GET", "/health", "").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        (&body["status"], &body["activeSessions"], &body["activeParticipants"]),
        (&json!("ok"), &json!(1), &json!(1))
    );
    let timestamp = body["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 20 && timestamp.ends_with('Z') && &timestamp[10..11] == "T", "{timestamp}");
    assert_eq!(body.as_object().unwrap().len(), 4);

    house.health.set_serving(false);
    let (status, _, body) = house.asks("GET", "/health", "").await;
    assert_eq!((status, body.contains("starting")), (503, true));
    assert_eq!(house.asks("GET", "/livez", "").await.0, 200);
    house.health.set_serving(true);
    house.health.set_draining(true);
    assert_eq!(house.asks("GET", "/readyz", "").await.0, 503);
}

#[tokio::test]
async fn readiness_tells_of_the_self_test_and_is_not_gated_by_it() {
    let house = House::new().await;
    assert_eq!(house.asks("GET", "/readyz", "").await.2, "ready\n");
    house.health.set_self_test("relay failed:\nno answer".into());
    let (status, _, body) = house.asks("GET", "/readyz", "").await;
    assert_eq!((status, body.as_str()), (200, "ready; self-test: relay failed: no answer\n"));
}

#[tokio::test]
async fn rooms_are_made_and_looked_at() {
    let house = House::new().await;
    let (status, body) = house.posts("/api/rooms", r#"{"mode":"mesh","max_participants":2,"ttl_seconds":60}"#).await;
    let room: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &room["mode"], &room["max_participants"]), (201, &json!("mesh"), &json!(2)));
    let name = room["room"].as_str().unwrap();
    let (status, _, body) = house.asks("GET", &format!("/api/rooms/{name}"), "").await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (200, room.clone()));
    assert_eq!(house.posts("/api/rooms", "").await.0, 201);

    let mut ana = house.connects().await;
    ana.says(json!({"type":"join","id":1,"room":name})).await;
    assert_eq!(ana.hears().await["room"], room);
}

#[tokio::test]
async fn errors_are_json() {
    let house = House::new().await;
    for (method, path, status, code) in [
        ("GET", "/api/rooms/nowhere", 404, "not_found"),
        ("DELETE", "/api/rooms/nowhere", 403, "forbidden"),
        ("DELETE", "/api/rooms/nowhere/participants/p_1", 403, "forbidden"),
        ("GET", "/api/ice-servers", 401, "auth_required"),
        ("GET", "/api/rooms/%FF", 400, "bad_message"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/../Cargo.toml", 404, "not_found"),
        ("PUT", "/api/rooms", 405, "unsupported"),
        ("POST", "/", 405, "unsupported"),
    ] {
        let (got, _, body) = house.asks(method, path, "").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((got, &body["error"]["code"]), (status, &json!(code)), "{method} {path}");
        assert!(body["error"]["message"].is_string());
    }
    for body in ["{", "[]", r#"{"mode":"auto"}"#, r#"{"max_participants":0}"#, r#"{"ttl_seconds":-1}"#] {
        let (status, answer) = house.posts("/api/rooms", body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("bad_message")), "{body}");
    }
}

#[tokio::test]
async fn pages_come_with_careful_headers_and_are_not_sent_twice() {
    let house = House::new().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/room/k3v9", "text/html; charset=utf-8"),
        ("/roundturn.js", "text/javascript; charset=utf-8"),
    ] {
        let (status, head, body) = house.asks("GET", path, "").await;
        assert_eq!(status, 200, "{path}");
        assert!(!body.is_empty());
        for expected in [
            &format!("content-type: {content_type}"),
            "content-security-policy: default-src 'none'; script-src 'self'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-cache",
        ] {
            assert!(head.contains(expected), "{path}: {expected} in {head}");
        }
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let (status, _, body) = house.asks("GET", path, &format!("If-None-Match: {etag}\r\n")).await;
        assert_eq!((status, body.as_str()), (304, ""));
    }
}

#[tokio::test]
async fn large_heads_and_bodies_are_refused() {
    let house = House::new().await;
    let large = format!("X-Large: {}\r\n", "x".repeat(60_000));
    assert_eq!(house.asks("GET", "/health", &large).await.0, 431);
    let many: String = (0..100).map(|number| format!("X-{number}: 1\r\n")).collect();
    assert_eq!(house.asks("GET", "/health", &many).await.0, 431);
    let (status, body) = house.posts("/api/rooms", &"x".repeat(17_000)).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["error"]["code"]), (413, &json!("too_large")));
    let (status, body) = house.posts("/turn/credentials", &"x".repeat(17_000)).await;
    assert_eq!((status, body.contains("too_large")), (413, true));
}

#[tokio::test]
async fn the_server_stops_when_it_is_told_to() {
    let house = House::new().await;
    let mut idle = TcpStream::connect(house.address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    house.shutdown.send(true).unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(house.address).await.is_err());
}
