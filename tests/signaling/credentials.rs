//! Credentials for programs with an API key, asked for as those programs do.

use roundturn::config::Secret;
use roundturn::nat::Addresses;
use roundturn::signal::{IceUrls, Rate};
use serde_json::{Value, json};

use crate::house::{House, KEY};

/// What is answered to a GET.
async fn gets(house: &House, path: &str, headers: &str) -> (u16, Value) {
    let (status, _, body) = house.asks("GET", path, headers).await;
    (status, serde_json::from_str(&body).unwrap())
}

/// Checks what Janus checks in `turnrest.c` before it believes an answer; gives the user name.
fn believed_by_janus(answer: &Value) -> &str {
    assert!(answer["password"].is_string() && answer["ttl"].as_i64().is_some_and(|ttl| ttl >= 0), "{answer}");
    let uris = answer["uris"].as_array().unwrap();
    assert!(!uris.is_empty() && uris.iter().all(|uri| uri.as_str().unwrap().starts_with("turn")), "{answer}");
    let username = answer["username"].as_str().unwrap();
    assert_eq!(answer["password"], roundturn_turn::mint(b"north", username));
    username
}

#[tokio::test]
async fn janus_asks_with_get_and_with_post() {
    let house = House::new().await;
    let fields = format!("service=turn&api={KEY}&key={KEY}&username=janus-1234567");
    let janus = "User-Agent: Janus/1.0\r\nAccept: */*\r\n";
    let (status, answer) = gets(&house, &format!("/turn/credentials?{fields}"), janus).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(believed_by_janus(&answer).split_once(':').unwrap().1, "janus-1234567");
    assert_eq!(answer["ttl"], 3600);
    assert_eq!(answer["uris"], json!(["turn:192.0.2.7:3478?transport=udp", "turn:192.0.2.7:3478?transport=tcp"]));

    // With POST it sends everything twice.
    let head =
        format!("{janus}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", fields.len());
    let path = format!("/turn/credentials?{fields}");
    let (status, _, answer) = house.asks("POST", &path, &format!("{head}\r\n{fields}")).await;
    let answer = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, believed_by_janus(&answer).contains("janus")), (200, true));
    let (status, _, answer) = house.asks("POST", "/turn/credentials", &format!("{head}\r\n{fields}")).await;
    assert_eq!((status, answer.contains("janus-1234567")), (200, true), "a form is enough");

    let object = json!({ "service": "turn", "key": KEY, "username": "json-7", "ttl": 60 }).to_string();
    let head = |len: usize| format!("Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n");
    let (status, _, answer) = house.asks("POST", "/turn/credentials", &(head(object.len()) + &object)).await;
    assert_eq!((status, answer.contains(":json-7")), (200, true), "so is JSON");
    let (status, _, answer) = house.asks("POST", &path, &(head(1) + "[")).await;
    assert_eq!((status, answer.contains("JSON object")), (400, true), "{answer}");
}

#[tokio::test]
async fn janus_is_given_no_ipv6_address_which_ends_it() {
    let listeners = ["[::]:3478".parse().unwrap()];
    let both = Addresses {
        external_v4: Some([192, 0, 2, 7].into()),
        external_v6: "2001:db8::7".parse().ok(),
        ..Addresses::default()
    };
    let house = House::with(|config| config.urls = IceUrls::new(&listeners, &both)).await;
    let uris = async |agent: &str| {
        let headers = format!("X-API-Key: {KEY}\r\nUser-Agent: {agent}\r\n");
        gets(&house, "/turn/credentials", &headers).await.1["uris"].as_array().unwrap().len()
    };
    assert_eq!((uris("curl/8").await, uris("Janus/1.0").await), (3, 2));
    let six = Addresses { external_v4: None, ..both };
    let house = House::with(|config| config.urls = IceUrls::new(&listeners, &six)).await;
    let (status, answer) =
        gets(&house, "/turn/credentials", &format!("X-API-Key: {KEY}\r\nUser-Agent: Janus/1.0\r\n")).await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("internal")));
}

#[tokio::test]
async fn selkies_names_its_user_and_transport_by_headers() {
    let house = House::new().await;
    let headers = format!("X-API-Key: {KEY}\r\nx-auth-user: desktop\r\nx-turn-protocol: tcp\r\nx-turn-tls: false\r\n");
    let (status, answer) = gets(&house, "/turn/credentials", &headers).await;
    assert_eq!((status, &answer["uris"]), (200, &json!(["turn:192.0.2.7:3478?transport=tcp"])));
    assert!(believed_by_janus(&answer).ends_with(":desktop"));
    let wish = format!("/turn/credentials?service=turn&username=me&key={KEY}&api={KEY}");
    let (_, answer) = gets(&house, &wish, "x-auth-user: me\r\nx-turn-protocol: udp\r\nx-turn-tls: true\r\n").await;
    assert_eq!(answer["uris"].as_array().unwrap().len(), 2, "there is no TLS here: all there is");
}

#[tokio::test]
async fn ice_servers_are_those_of_join() {
    let house = House::new().await;
    let (_ana, joined) = house.joins("room", "mesh").await;
    for header in [format!("Authorization: Bearer {KEY}\r\n"), format!("x-api-key: {KEY}\r\n")] {
        let (status, answer) = gets(&house, "/api/ice-servers", &header).await;
        assert_eq!((status, &answer["ttl"]), (200, &json!(3600)));
        let servers = &answer["iceServers"];
        assert_eq!(servers[0], joined["ice_servers"][0]);
        assert_eq!(servers[1]["urls"], joined["ice_servers"][1]["urls"]);
        let username = servers[1]["username"].as_str().unwrap();
        assert_eq!(servers[1]["credential"], roundturn_turn::mint(b"north", username));
        assert!(answer["expiresAt"].as_str().unwrap().ends_with('Z'));
    }
}

#[tokio::test]
async fn only_a_key_opens_it_and_it_may_be_replaced() {
    let house = House::new().await;
    for path in ["/turn/credentials", "/api/ice-servers"] {
        let (status, answer) = gets(&house, path, "").await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("auth_required")));
        let (status, answer) = gets(&house, &format!("{path}?key=0123456789abcdee"), "").await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("auth_invalid")));
        assert!(!answer.to_string().contains("0123456789"), "{answer}");
    }
    house.keys.replace(&[Secret::new("fedcba9876543210")]);
    assert_eq!(gets(&house, &format!("/turn/credentials?key={KEY}"), "").await.0, 401);
    assert_eq!(gets(&house, "/turn/credentials?key=fedcba9876543210", "").await.0, 200);
    house.keys.replace(&[]);
    let (status, answer) = gets(&house, "/turn/credentials?key=fedcba9876543210", "").await;
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("forbidden")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("auth.api_keys"), "{answer}");
}

#[tokio::test]
async fn what_is_odd_is_refused_as_json() {
    let house = House::new().await;
    for query in ["service=stun", "username=a%0Ab", "username=%FF", "username=a%00"] {
        let (status, answer) = gets(&house, &format!("/turn/credentials?key={KEY}&{query}"), "").await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("bad_message")), "{query}");
    }
    assert_eq!(house.asks("DELETE", "/turn/credentials", "").await.0, 405);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let house = House::with(|config| config.asks = Rate { per_second: 1, burst: 2 }).await;
    let ask = |from: &'static str| {
        let house = &house;
        async move { house.asks("GET", "/turn/credentials", &format!("X-API-Key: {KEY}\r\n{from}")).await }
    };
    let rooms = async |from: &str| house.asks("POST", "/api/rooms", from).await;
    const ONE: &str = "X-Forwarded-For: 203.0.113.8\r\n";
    assert_eq!(rooms(ONE).await.0, 201);
    assert_eq!(rooms(ONE).await.0, 201);
    let (status, head, body) = rooms(ONE).await;
    assert_eq!((status, body.contains(r#""code":"rate_limited""#)), (429, true), "{body}");
    let retry = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=2).contains(&retry.parse::<u32>().unwrap()), "{head}");
    assert_eq!(ask(ONE).await.0, 429);
    // A proxy on this host speaks for others, and this host itself is not limited.
    assert_eq!(rooms("X-Forwarded-For: 203.0.113.9\r\n").await.0, 201);
    assert_eq!(ask("X-Forwarded-For: 203.0.113.10\r\n").await.0, 200);
    for _ in 0..9 {
        assert_eq!(rooms("").await.0, 201);
    }
}
