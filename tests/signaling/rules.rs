//! What the server does not put up with.

use std::time::Duration;

use roundturn::shard::mailbox::ToShard;
use roundturn_sfu::Command;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::house::House;

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "roundturn.v1");

#[tokio::test]
async fn an_upgrade_needs_the_subprotocol_and_no_query() {
    let house = House::new().await;
    assert_eq!(house.refuses("/ws", &[]).await, 400);
    assert_eq!(house.refuses("/ws", &[("sec-websocket-protocol", "roundturn.v2, chat")]).await, 400);
    assert_eq!(house.refuses("/ws?token=secret", &[PROTOCOL]).await, 400);
    assert_eq!(house.refuses("/ws?", &[PROTOCOL]).await, 400);
    assert_eq!(house.asks("GET", "/ws", "").await.0, 400);
}

#[tokio::test]
async fn pages_of_another_host_may_not_connect() {
    let house = House::new().await;
    for origin in ["http://elsewhere.example", "null", "http://127.0.0.1.elsewhere.example", "http://localhost"] {
        assert_eq!(house.refuses("/ws", &[PROTOCOL, ("origin", origin)]).await, 403, "{origin}");
    }
    for origin in ["http://127.0.0.1", "https://127.0.0.1:8443"] {
        let refused = house.refuses("/ws", &[("origin", origin)]).await;
        assert_eq!(refused, 400, "only the subprotocol is missing");
    }
}

#[tokio::test]
async fn pages_of_listed_origins_may_use_api_and_websocket() {
    let house = House::new().await;
    let from = |origin: &str| format!("Origin: {origin}\r\n");
    for (method, path) in
        [("GET", "/api/rooms/r"), ("POST", "/api/rooms"), ("OPTIONS", "/api/rooms"), ("GET", "/turn/credentials")]
    {
        let (status, head, body) = house.asks(method, path, &from("https://app.example")).await;
        assert_eq!((status, body.contains("listen.origins")), (403, true), "{method} {path} {body}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
    }
    assert_eq!(house.asks("GET", "/health", &from("https://app.example")).await.0, 200, "for anyone");
    house.origins.replace(&["https://app.example".into()]);
    for origin in ["https://app.example", "https://APP.example", "http://localhost:5173"] {
        let (status, head, _) = house.asks("POST", "/api/rooms", &from(origin)).await;
        assert_eq!(status, 201);
        let head = head.to_lowercase();
        assert!(head.contains(&format!("access-control-allow-origin: {}\r\n", origin.to_lowercase())), "{head}");
        assert!(head.contains("vary: origin"), "{head}");
    }
    for origin in ["http://app.example", "https://app.example:8443", "https://app.example.org", "null"] {
        assert_eq!(house.asks("GET", "/api/rooms/r", &from(origin)).await.0, 403, "{origin}");
    }
    let ask = from("https://app.example") + "Access-Control-Request-Method: DELETE\r\n";
    let (status, head, _) = house.asks("OPTIONS", "/api/rooms/r", &ask).await;
    let head = head.to_lowercase();
    assert!(status == 204 && head.contains("delete") && head.contains("authorization, content-type"), "{head}");
    let mut ana = house.connects_with(&[("origin", "https://app.example")]).await;
    ana.says(json!({"type":"join","id":1,"room":"r","create":{}})).await;
    ana.hears_a("joined").await;
    house.origins.replace(&["*".into()]);
    assert_eq!(house.asks("GET", "/api/rooms/r", &from("null")).await.0, 200);
}

#[tokio::test]
async fn a_frame_that_is_no_message_ends_the_session() {
    let house = House::new().await;
    let mut client = house.connects().await;
    client.sends(Message::text("no JSON")).await;
    client.is_sent_away("bad_message", 4400).await;
    let (mut client, _) = house.joins("room", "mesh").await;
    client.sends(Message::binary(vec![1, 2, 3])).await;
    client.is_sent_away("bad_message", 4400).await;
}

#[tokio::test]
async fn a_text_frame_that_is_no_text_ends_the_session() {
    let house = House::new().await;
    let (mut client, _) = house.joins("room", "mesh").await;
    let frame = Frame::message(b"{\"type\":\"ping\xff\"}".as_slice(), OpCode::Data(Data::Text), true);
    client.sends(Message::Frame(frame)).await;
    client.is_sent_away("bad_message", 4400).await;
}

#[tokio::test]
async fn an_empty_query_is_a_query() {
    let house = House::new().await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: roundturn.v1\r\n";
    let upgrade = upgrade.replace("Connection: Upgrade\r\n", "Connection: Upgrade, close\r\n");
    let (status, _, body) = house.asks("GET", "/ws?", &upgrade).await;
    assert_eq!((status, body.contains("query")), (400, true), "{body}");
}

// The test waits like a shard, with its thread: the server has others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ok_means_that_the_shard_will_hear_of_it() {
    let house = House::with(|config| {
        config.limits.frames_per_second = 1_000_000;
        config.burst = 1_000_000;
    })
    .await;
    let (mut ana, _) = house.joins("room", "sfu").await;
    let (mut done, mut refused) = (0, 0);
    // More than a mailbox and what waits before it hold.
    while refused < 10 && done < 20_000 {
        ana.says(json!({"type":"candidate","id":1,"candidate":{"candidate":"candidate:1"}})).await;
        match ana.hears().await {
            answer if answer["type"] == "ok" => done += 1,
            answer => {
                assert_eq!(answer["code"], "internal");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 10);
    let mut heard = 0;
    while heard < done {
        let message = house.shard.recv_timeout(Duration::from_secs(20)).expect("every candidate that was taken");
        heard += usize::from(matches!(message, ToShard::Sfu(Command::Candidate { .. })));
    }
}

#[tokio::test]
async fn a_large_frame_is_refused_by_its_size() {
    let house = House::new().await;
    for bytes in [65_537, 200_000, 300_000, 2_000_000] {
        let (mut client, _) = house.joins("room", "mesh").await;
        client.sends(Message::text("x".repeat(bytes))).await;
        client.is_sent_away("too_large", 4413).await;
    }
}

#[tokio::test]
async fn whoever_does_not_join_in_time_is_sent_away() {
    let house = House::with(|config| config.join_timeout = Duration::from_millis(200)).await;
    let mut silent = house.connects().await;
    let (mut ana, _) = house.joins("room", "mesh").await;
    silent.is_sent_away("join_timeout", 4408).await;
    ana.says(json!({"type":"ping","id":1})).await;
    ana.hears_a("pong").await;
}

#[tokio::test]
async fn a_flood_is_cut_off_while_others_talk() {
    let house = House::new().await;
    let (mut ana, _) = house.joins("room", "mesh").await;
    let (mut bo, _) = house.joins("room", "mesh").await;
    let (mut flooder, _) = house.joins("room", "mesh").await;
    let flood = tokio::spawn(async move {
        for _ in 0..400 {
            flooder.says(json!({"type":"ping"})).await;
        }
        flooder.is_sent_away("rate_limited", 4429).await
    });
    for number in 0..20 {
        ana.says(json!({"type":"signal","id":1,"to":"p_2","data":number})).await;
        assert_eq!(bo.hears_a("signal").await["data"], number);
    }
    assert_eq!(flood.await.unwrap()["retry_ms"], 4000);
}

#[tokio::test]
async fn whoever_does_not_read_loses_the_connection_but_not_the_session() {
    let house = House::with(|config| {
        config.limits.frames_per_second = 100_000;
        config.burst = 100_000;
    })
    .await;
    let (sleeper, joined) = house.joins("room", "mesh").await;
    let (mut bo, _) = house.joins("room", "mesh").await;
    // More than every buffer on the way holds.
    let data = "x".repeat(60_000);
    for _ in 0..400 {
        bo.says(json!({"type":"message","id":1,"to":"*","data":data})).await;
        bo.hears_a("ok").await;
    }
    let mut back = house.connects().await;
    let (session, key) = (&joined["session"], &joined["resume_key"]);
    back.says(json!({"type":"resume","id":1,"session":session,"resume_key":key,"seq":0})).await;
    let joined = back.hears().await;
    assert_eq!((&joined["resumed"], &joined["snapshot"]), (&json!(true), &json!(true)));
    drop(sleeper);
}

#[tokio::test]
async fn shouting_does_not_reach_another_room() {
    let house = House::new().await;
    let (mut ana, _) = house.joins("one", "mesh").await;
    let (mut bo, _) = house.joins("two", "mesh").await;
    ana.says(json!({"type":"message","id":1,"to":"*","data":1})).await;
    ana.hears_a("ok").await;
    bo.says(json!({"type":"ping","id":1})).await;
    assert_eq!(bo.hears().await["type"], "pong");
}
