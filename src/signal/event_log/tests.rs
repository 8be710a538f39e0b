//! What can be replayed, and what cannot.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::signal::protocol::{Event, render_event};

fn event() -> EventText {
    render_event(&Event::RestartIce)
}

fn signal(number: usize) -> EventText {
    let data = RawValue::from_string(number.to_string()).unwrap();
    render_event(&Event::Signal { from: "p_1", data: &data })
}

fn seqs(frames: &[String]) -> Vec<u64> {
    frames
        .iter()
        .map(|frame| serde_json::from_str::<serde_json::Value>(frame).unwrap()["seq"].as_u64().unwrap())
        .collect()
}

#[test]
fn events_are_numbered_from_one_and_replayed_in_order() {
    let mut log = EventLog::default();
    for _ in 0..10 {
        log.push(event(), true);
    }
    let Replay::Events(frames) = log.replay(7) else { panic!("all are kept") };
    assert_eq!(seqs(&frames), [8, 9, 10]);
    assert_eq!(log.replay(10), Replay::Events(Vec::new()));
    // A client that claims more than there was has simply seen everything.
    assert_eq!(log.replay(99), Replay::Events(Vec::new()));
}

#[test]
fn more_than_a_ring_full_is_a_snapshot() {
    let mut log = EventLog::default();
    for _ in 0..300 {
        log.push(event(), true);
    }
    assert!(matches!(log.replay(44), Replay::Events(frames) if frames.len() == 256));
    assert_eq!(log.replay(43), Replay::Snapshot(Vec::new()));
}

#[test]
fn signals_outlive_the_ring_and_get_new_numbers_after_a_snapshot() {
    let mut log = EventLog::default();
    log.push(event(), true);
    for number in 0..3 {
        assert!(log.push_signal(ParticipantId(1), signal(number), false).is_some());
    }
    for _ in 0..400 {
        log.push(event(), false);
    }
    let Replay::Snapshot(frames) = log.replay(1) else { panic!("the ring has run over") };
    assert_eq!(seqs(&frames), [405, 406, 407]);
    assert!(frames[2].contains("\"data\":2"));
    // What came before the gap is not told twice.
    assert_eq!(log.replay(407), Replay::Events(Vec::new()));
}

#[test]
fn each_sender_leaves_at_most_64_signals_and_64_kib() {
    let mut log = EventLog::default();
    let taken = (0..100).filter(|n| log.push_signal(ParticipantId(1), signal(*n), false).is_some()).count();
    assert_eq!(taken, 64);
    assert!(log.push_signal(ParticipantId(2), signal(0), false).is_some(), "another sender has its own room");

    let large = || {
        let data = RawValue::from_string(format!("\"{}\"", "x".repeat(30_000))).unwrap();
        render_event(&Event::Signal { from: "p_3", data: &data })
    };
    let taken = (0..5).filter(|_| log.push_signal(ParticipantId(3), large(), false).is_some()).count();
    assert_eq!(taken, 2);
}

#[test]
fn all_senders_together_leave_no_more_than_there_is_room_for() {
    let mut log = EventLog::default();
    let taken = (0..6400).filter(|n| log.push_signal(ParticipantId(n / 64), signal(0), false).is_some()).count();
    assert_eq!(taken, WAITING);

    let mut log = EventLog::default();
    let data = RawValue::from_string(format!("\"{}\"", "x".repeat(60_000))).unwrap();
    let large = || render_event(&Event::Signal { from: "p_3", data: &data });
    let taken = (0..100).filter(|n| log.push_signal(ParticipantId(*n), large(), false).is_some()).count();
    assert_eq!(taken, WAITING_BYTES / large().bytes());
    log.replay(0);
    assert!(log.push_signal(ParticipantId(99), large(), false).is_some(), "whoever comes back can be told again");
}

proptest! {
    /// Whatever happens, a replay has no gap, or says that it has one; memory stays bounded; signals keep their order.
    #[test]
    fn a_replay_is_complete_or_says_so(steps in proptest::collection::vec(0..4u8, 1..900), from in 0..900u64) {
        let mut log = EventLog::default();
        let mut sent = 0;
        for step in steps {
            match step {
                0 => { if log.push_signal(ParticipantId(1), signal(sent), false).is_some() { sent += 1; } }
                1 => { log.push(event(), true); }
                _ => { log.push(event(), false); }
            }
            prop_assert!(log.entries.len() <= EVENTS + SIGNALS_PER_SENDER);
        }
        let last = log.last_seq;
        match log.replay(from) {
            Replay::Events(frames) => prop_assert_eq!(seqs(&frames), (from.min(last) + 1..=last).collect::<Vec<_>>()),
            Replay::Snapshot(frames) => {
                let numbers = seqs(&frames);
                prop_assert_eq!(&numbers, &(last + 1..=last + frames.len() as u64).collect::<Vec<_>>());
            }
        }
    }
}
