//! The probe against a server of another make, and against servers that fail in every way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stun::attributes::{ATTR_NONCE, ATTR_REALM};
use stun::error_code::{ErrorCode, ErrorCodeAttribute};
use stun::message::{CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, METHOD_BINDING, Message, MessageType, Setter};
use stun::textattrs::TextAttribute;
use stun::xoraddr::XorMappedAddress;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use turn::allocation::AllocationInfo;
use turn::auth::{AuthHandler, generate_auth_key};
use turn::relay::relay_static::RelayAddressGeneratorStatic;
use turn::server::{Server, config::ConnConfig, config::ServerConfig};
use webrtc_util::vnet::net::Net;

use super::*;

fn target(server: SocketAddr) -> Target {
    Target {
        host: server.ip().to_string(),
        port: server.port(),
        username: "alice".to_owned(),
        password: "wonder".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

struct Alice;

impl AuthHandler for Alice {
    fn auth_handle(&self, username: &str, realm: &str, _: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        Ok(generate_auth_key(username, realm, "wonder"))
    }
}

/// The `turn` package's own server, and word of every allocation that ends.
async fn real_server() -> (Server, SocketAddr, mpsc::Receiver<AllocationInfo>) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    let relays = RelayAddressGeneratorStatic {
        relay_address: address.ip(),
        address: "127.0.0.1".to_owned(),
        net: Arc::new(Net::new(None)),
    };
    let (closed, ends) = mpsc::channel(8);
    let server = Server::new(ServerConfig {
        conn_configs: vec![ConnConfig { conn: socket, relay_addr_generator: Box::new(relays) }],
        realm: "example.org".to_owned(),
        auth_handler: Arc::new(Alice),
        channel_bind_timeout: Duration::ZERO,
        alloc_close_notify: Some(closed),
    });
    (server.await.unwrap(), address, ends)
}

/// Answers Binding, and everything else with a challenge first and with `codes` then, one after the other.
async fn stubborn_server(codes: &'static [(u16, &'static str)]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut codes = codes.iter();
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let mut request = Message::new();
            request.raw = buffer[..length].to_vec();
            request.decode().unwrap();
            let Some(answer) = answer(&request, from, &mut codes) else { continue };
            socket.send_to(&answer.raw, from).await.unwrap();
        }
    });
    address
}

fn answer(request: &Message, from: SocketAddr, codes: &mut std::slice::Iter<'_, (u16, &str)>) -> Option<Message> {
    let mut setters: Vec<Box<dyn Setter>> = vec![Box::new(request.transaction_id)];
    if request.typ.method == METHOD_BINDING {
        setters.push(Box::new(MessageType::new(METHOD_BINDING, CLASS_SUCCESS_RESPONSE)));
        setters.push(Box::new(XorMappedAddress { ip: from.ip(), port: from.port() }));
    } else {
        let (code, reason) = codes.next()?;
        setters.push(Box::new(MessageType::new(request.typ.method, CLASS_ERROR_RESPONSE)));
        setters.push(Box::new(ErrorCodeAttribute { code: ErrorCode(*code), reason: reason.as_bytes().to_vec() }));
        setters.push(Box::new(TextAttribute::new(ATTR_REALM, "example.org".to_owned())));
        setters.push(Box::new(TextAttribute::new(ATTR_NONCE, "n".to_owned())));
    }
    let mut answer = Message::new();
    answer.build(&setters).unwrap();
    Some(answer)
}

fn code(code: u16, reason: &str) -> Trouble {
    Trouble::Code { code, reason: reason.to_owned() }
}

#[tokio::test]
async fn it_walks_through_a_server_of_another_make_and_gives_its_relays_back() {
    let (server, address, mut ends) = real_server().await;
    let mut names = Vec::new();
    let report = run(target(address), |step| names.push(step.name)).await;
    assert!(report.is_ok(), "{:?}", report.steps);
    let expected = [
        "resolve",
        "bind",
        "allocate",
        "allocate a second",
        "create permissions",
        "send indication",
        "bind channels",
        "echo",
    ];
    assert_eq!(names, expected);
    assert!(report.round_trip().is_some_and(|trip| trip > Duration::ZERO));
    assert!(report.summary().starts_with("relayed 10 of 10 packets, round trip "), "{}", report.summary());
    for _ in 0..2 {
        let ended = tokio::time::timeout(Duration::from_secs(5), ends.recv()).await;
        assert_eq!(ended.unwrap().unwrap().username, "alice");
    }
    server.close().await.unwrap();
}

#[tokio::test]
async fn an_error_response_ends_the_walk_with_its_code() {
    let server = stubborn_server(&[(401, "Unauthorized"), (486, "Allocation Quota Reached")]).await;
    let report = run(target(server), |_| ()).await;
    assert_eq!(report.failure(), Some(("allocate", &code(486, "Allocation Quota Reached"))));
    assert_eq!(report.summary(), "failed at allocate: 486 Allocation Quota Reached");
    assert!(!report.is_ok() && report.round_trip().is_none());
}

#[tokio::test]
async fn wrong_credentials_are_told_from_the_challenge() {
    let server = stubborn_server(&[(401, "Unauthorized"), (401, "Unauthorized")]).await;
    let report = run(target(server), |_| ()).await;
    let (step, trouble) = report.failure().unwrap();
    assert_eq!((step, trouble), ("allocate", &code(401, "Unauthorized")));
    let advice = trouble.advice(step, server.port(), 1_795_176_000);
    assert!(advice.contains("this host's clock says 2026-11-20T12:00:00Z"), "{advice}");
}

#[tokio::test]
async fn a_server_that_falls_silent_after_the_challenge() {
    let server = stubborn_server(&[(401, "Unauthorized")]).await;
    let report = run(Target { timeout: Duration::from_millis(300), ..target(server) }, |_| ()).await;
    assert_eq!(report.failure(), Some(("allocate", &Trouble::NoAnswer)));
}

#[tokio::test]
async fn a_port_that_swallows_everything() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let report = run(Target { timeout: Duration::from_millis(200), ..target(address) }, |_| ()).await;
    assert_eq!(report.failure(), Some(("bind", &Trouble::NoAnswer)));
    assert!(Trouble::NoAnswer.advice("bind", 3478, 0).contains("open UDP port 3478"));
    // The client's reading task, and its socket with it, end although the step was cut short.
    let ended = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_at_once() {
    let free = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = run(Target { timeout: Duration::from_secs(60), ..target(free) }, |_| ()).await;
    assert_eq!(report.failure(), Some(("bind", &Trouble::Refused)));
    assert_eq!(report.summary(), "failed at bind: nothing listens there");
}

#[tokio::test]
async fn answers_that_are_no_stun_are_no_answers() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            for junk in [&b""[..], b"\x00", b"\x01\x01\x00\x04\x21\x12\xa4\x42", b"\x40\x00\xff\xff", &[0xff; 1200]] {
                let _ = socket.send_to(junk, from).await;
            }
        }
    });
    let report = run(Target { timeout: Duration::from_millis(300), ..target(address) }, |_| ()).await;
    assert_eq!(report.failure(), Some(("bind", &Trouble::NoAnswer)));
}

#[test]
fn a_daemon_tries_itself_where_it_listens() {
    let settings = |text| Settings::parse(std::path::Path::new("r.toml"), text, &[]).unwrap();
    let addresses = Addresses {
        external_v4: "203.0.113.7".parse().ok(),
        local_v4: "192.168.1.50".parse().ok(),
        ..Addresses::default()
    };
    let own = Target::own(&settings(""), &addresses, 1_795_176_000).unwrap();
    assert_eq!((own.host.as_str(), own.port), ("192.168.1.50", 3478));
    assert_eq!(own.username, "1795176120:self-test");
    let own = Target::own(&settings("[listen]\nturn = [\"127.0.0.1:4000\"]"), &addresses, 0).unwrap();
    assert_eq!((own.host.as_str(), own.port), ("127.0.0.1", 4000));
}
