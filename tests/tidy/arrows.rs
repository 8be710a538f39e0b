//! Who may know whom.

use crate::assert_none;
use crate::tree::{File, find, rust_below};

/// Names that mean I/O, time, threads or locks.
const WORLD: [&str; 16] = [
    "tokio",
    "mio",
    "nix",
    "libc",
    "socket2",
    "std::thread",
    "std::fs",
    "std::process",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Mutex",
    "RwLock",
    "Instant::now",
    "SystemTime::now",
    "getrandom",
];

/// What the code that ships below `prefixes` may not name.
fn forbid(rule: &str, prefixes: &[&str], words: &[&str]) {
    let violations = |file: &File| find(file, file.shipped(), words);
    assert_none(rule, &rust_below(prefixes).iter().flat_map(violations).collect::<Vec<_>>());
}

#[test]
fn turn_knows_no_world() {
    forbid("turn/ names no socket, thread, lock, clock or runtime", &["turn/src/"], &WORLD);
}

#[test]
fn turn_knows_neither_sfu_nor_daemon() {
    let others = ["roundturn_sfu", "str0m", "roundturn"];
    forbid("turn/ knows neither the SFU nor the daemon", &["turn/src/"], &others);
}

#[test]
fn sfu_knows_no_world() {
    forbid("sfu/ names no socket, thread, lock, clock or runtime", &["sfu/src/"], &WORLD);
}

#[test]
fn sfu_knows_neither_turn_nor_daemon() {
    forbid("sfu/ knows neither TURN nor the daemon", &["sfu/src/"], &["roundturn_turn", "roundturn"]);
}

#[test]
fn the_inside_of_a_shard_is_pure() {
    let pure = ["src/shard/core", "src/shard/hairpin", "src/shard/outbox"];
    let rule = "shard/core, hairpin and outbox do no I/O";
    forbid(rule, &pure, &WORLD);
    forbid(rule, &pure, &["crate::net", "crate::clock", "crate::signal", "crate::http", "crate::daemon"]);
}

#[test]
fn net_knows_no_words() {
    let words = ["crate::signal", "crate::http", "crate::daemon", "crate::command", "tokio", "axum"];
    forbid("net/ moves packets and knows neither signaling nor HTTP", &["src/net"], &words);
}

#[test]
fn signaling_and_http_reach_shards_only_through_mailboxes() {
    let insides = [
        "crate::net",
        "crate::shard::core",
        "crate::shard::hairpin",
        "crate::shard::outbox",
        "roundturn_turn::Server",
        "turn::Server",
        "roundturn_sfu::Sfu",
        "sfu::Sfu",
        "str0m",
    ];
    forbid("signaling and HTTP know the shards' mailboxes, nothing inside", &["src/signal", "src/http"], &insides);
}

#[test]
fn settings_know_nobody_who_uses_them() {
    let users = ["crate::shard", "crate::net", "crate::signal", "crate::http", "crate::daemon", "tokio"];
    forbid("config/ decides settings and knows nobody who uses them", &["src/config"], &users);
}

#[test]
fn leaves_are_leaves() {
    let leaves = ["src/clock.rs", "src/ports.rs", "src/ledger.rs"];
    let others = [
        "crate::shard",
        "crate::net",
        "crate::signal",
        "crate::http",
        "crate::daemon",
        "crate::command",
        "crate::nat",
        "tokio",
    ];
    forbid("clock, ports and ledger know no other part", &leaves, &others);
}
