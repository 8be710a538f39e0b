//! Checks that are answered without the engine, and those that are not.

use std::net::SocketAddr;

use str0m::ice::TransId;

use super::*;
use crate::Transport;
use crate::tests::start;

const PASSWORD: &str = "a password of the server's";
const USERNAME: &str = "ours:theirs";

/// What a check says that may be something new.
#[derive(Clone, Copy)]
struct Said {
    username: &'static str,
    password: &'static str,
    tie_breaker: u64,
    controlling: bool,
    nominates: bool,
}

const SAID: Said = Said { username: USERNAME, password: PASSWORD, tie_breaker: 7, controlling: true, nominates: true };

fn route(port: u16) -> Route {
    let at = |host, port| SocketAddr::from(([192, 0, 2, host], port));
    Route { transport: Transport::Udp, local: at(1, 49160), remote: at(2, port) }
}

fn check(said: Said) -> Vec<u8> {
    let Said { username, password, tie_breaker, controlling, nominates } = said;
    let check = StunMessage::binding_request(username, TransId::new(), controlling, tie_breaker, 99, nominates);
    let mut bytes = vec![0; 256];
    let length = check.to_bytes(Some(password.as_bytes()), &mut bytes, hmac).unwrap();
    bytes.truncate(length);
    bytes
}

/// Of an engine that has just answered the usual check on the usual route.
fn checks() -> (Checks, Instant) {
    let (mut checks, now) = (Checks::new(IceCreds { ufrag: "ours".to_owned(), pass: PASSWORD.to_owned() }), start());
    assert!(checks.on_answered(now, route(1), &check(SAID)));
    (checks, now)
}

#[test]
fn a_check_that_repeats_the_last_one_is_answered_as_an_engine_answers() {
    let ((mut checks, now), bytes) = (checks(), check(SAID));
    let answer = checks.answer(now, route(1), &bytes).expect("an answer");
    let (asked, answer) = (StunMessage::parse(&bytes).unwrap(), StunMessage::parse(&answer).unwrap());
    assert!(answer.is_successful_binding_response() && answer.verify(PASSWORD.as_bytes(), hmac));
    assert_eq!(answer.trans_id(), asked.trans_id());
    assert_eq!(answer.mapped_address(), Some(route(1).remote));
}

#[test]
fn what_says_something_new_is_for_the_engine() {
    let others = [
        Said { username: "ours:another", ..SAID },
        Said { tie_breaker: 8, ..SAID },
        Said { controlling: false, ..SAID },
        Said { nominates: false, ..SAID },
        Said { password: "guessed", ..SAID },
    ];
    let (mut checks, now) = checks();
    for said in others {
        assert_eq!(checks.answer(now, route(1), &check(said)), None);
    }
    assert_eq!(checks.answer(now, route(2), &check(SAID)), None, "from another address");
    let stream = Route { transport: Transport::Tcp, ..route(1) };
    assert_eq!(checks.answer(now, stream, &check(SAID)), None, "in a stream");
}

/// Of ten checks, so far apart, those that the engine is told of.
fn told(apart: Duration) -> Vec<u32> {
    let (mut checks, began) = checks();
    let is_told = |number: &u32| {
        let now = began + apart * *number;
        let is_told = checks.answer(now, route(1), &check(SAID)).is_none();
        if is_told {
            checks.on_answered(now, route(1), &check(SAID));
        }
        is_told
    };
    (1..=10).filter(is_told).collect()
}

#[test]
fn the_engine_is_told_twice_before_it_would_give_up() {
    assert_eq!(told(Duration::from_millis(2500)), [4, 8], "as Chromium checks");
    assert_eq!(told(Duration::from_secs(3)), [3, 6, 9]);
    assert_eq!(told(Duration::from_secs(5)), (1..=10).collect::<Vec<u32>>(), "as Firefox checks");
}

#[test]
fn what_the_engine_was_not_told_does_not_prolong_its_belief() {
    let (mut checks, now) = checks();
    assert!(checks.answer(now + Duration::from_secs(3), route(1), &check(SAID)).is_some());
    assert_eq!(checks.expires(), Some(now + Duration::from_secs(15)));
    assert_eq!(Checks::default().expires(), None);
}

#[test]
fn only_what_nominated_a_path_is_remembered() {
    let (mut checks, now) = checks();
    assert!(!checks.on_answered(now, route(2), &check(Said { nominates: false, ..SAID })));
    assert!(checks.answer(now, route(1), &check(SAID)).is_some());
    checks.forget();
    assert_eq!(checks.answer(now, route(1), &check(SAID)), None, "its addresses are others now");
}

#[test]
fn checks_are_for_one_ufrag() {
    let (checks, _) = checks();
    assert!(checks.are_for("ours") && !checks.are_for("another"));
    assert!(!Checks::default().are_for(""), "there is no engine yet");
}
