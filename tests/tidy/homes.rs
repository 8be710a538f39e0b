//! Things that live in one place only.

use crate::assert_none;
use crate::tree::{File, find, rust_below};

const SHIPPED: [&str; 3] = ["src/", "turn/src/", "sfu/src/"];

/// `words` stand only in files that begin with one of `homes`.
fn at_home(rule: &str, prefixes: &[&str], homes: &[&str], words: &[&str]) {
    let is_elsewhere = |file: &&File| !homes.iter().any(|home| file.path.starts_with(home));
    let files = rust_below(prefixes);
    let violations = files.iter().filter(is_elsewhere).flat_map(|file| find(file, file.shipped(), words));
    assert_none(rule, &violations.collect::<Vec<_>>());
}

#[test]
fn unsafe_is_in_net_mmsg() {
    let forms =
        [concat!("uns", "afe {"), concat!("uns", "afe fn"), concat!("uns", "afe impl"), concat!("uns", "afe extern")];
    let files = rust_below(&["src/", "turn/", "sfu/", "tests/", "benches/"]);
    let elsewhere = files.iter().filter(|file| !file.path.starts_with("src/net/mmsg"));
    let has_it = |line: &str| forms.iter().any(|form| line.contains(form));
    let violations = elsewhere.flat_map(|file| {
        let lines = file.code().filter(|(_, line)| has_it(line));
        lines.map(|(number, _)| format!("{}:{number}", file.path)).collect::<Vec<_>>()
    });
    assert_none("the only unsafe code is in src/net/mmsg.rs", &violations.collect::<Vec<_>>());
}

#[test]
fn clocks_are_read_in_clock_rs() {
    let clocks = ["Instant::now", "SystemTime::now", "clock_gettime", "UNIX_EPOCH.elapsed"];
    at_home("clocks are read in src/clock.rs", &SHIPPED, &["src/clock.rs"], &clocks);
}

#[test]
fn stun_bytes_are_in_turn_message() {
    let cookie = ["0x2112_a442", "0x2112_A442", "0x2112A442", "0x2112a442", "0x5354_554e", "0x5354554e", "0x5354_554E"];
    at_home("STUN is read and written in turn/src/message/", &SHIPPED, &["turn/src/message"], &cookie);
    let rust = ["Hmac", "crc32fast", "Crc"];
    at_home(
        "integrity and fingerprint belong to the message",
        &["turn/src/"],
        &["turn/src/message", "turn/src/auth", "turn/src/nonce", "turn/src/credential"],
        &rust,
    );
}

#[test]
fn an_rtc_is_held_by_its_participant() {
    let homes = ["sfu/src/engine.rs", "sfu/src/participant", "sfu/src/negotiate"];
    at_home("engine.rs makes an Rtc, participant.rs holds it, negotiate.rs is shown it", &SHIPPED, &homes, &["Rtc"]);
}

#[test]
fn anyhow_is_for_commands() {
    let homes = ["src/command", "src/main.rs"];
    at_home("errors have a type everywhere but in src/command", &SHIPPED, &homes, &["anyhow"]);
}
