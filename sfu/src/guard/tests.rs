//! Who floods loses the flood.

use std::time::Duration;

use super::*;
use crate::tests::start;

fn rtp(ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 96, 0, 1, 0, 0, 0, 0];
    bytes.extend(ssrc.to_be_bytes());
    bytes
}

#[test]
fn a_call_of_many_streams_is_not_hindered() {
    let (now, mut guard) = (start(), Guard::default());
    for millis in 0..5000 {
        let now = now + Duration::from_millis(millis);
        for ssrc in 0..2 {
            assert_eq!(guard.admit(now, &rtp(ssrc + 2 * (millis % 10) as u32), true), Ok(()));
        }
    }
}

#[test]
fn a_flood_is_cut_to_the_rate() {
    let (now, mut guard) = (start(), Guard::default());
    let read = (0..100_000_u64).filter(|at| {
        let now = now + Duration::from_micros(at * 20);
        guard.admit(now, &rtp(1), true).is_ok()
    });
    let read = read.count();
    assert!((14_000..=15_100).contains(&read), "{read} read in 2 s");
}

#[test]
fn new_streams_are_few_and_known_ones_go_on() {
    let (now, mut guard) = (start(), Guard::default());
    assert_eq!(guard.admit(now, &rtp(7), true), Ok(()));
    let read = (100..1100).filter(|ssrc| guard.admit(now, &rtp(*ssrc), true).is_ok()).count();
    assert_eq!(read, 63);
    assert_eq!(guard.admit(now, &rtp(9), true), Err(Excess::Streams));
    assert_eq!(guard.admit(now, &rtp(7), true), Ok(()));
    assert_eq!(guard.admit(now, &[0x80, 200, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0], true), Ok(()), "RTCP begins no stream");
}

#[test]
fn checks_of_strangers_do_not_use_up_what_a_participant_may_send() {
    let (now, mut guard) = (start(), Guard::default());
    let check = [0, 1, 0, 0];
    assert_eq!((0..1000).filter(|_| guard.admit(now, &check, false).is_ok()).count(), 100);
    assert_eq!(guard.admit(now, &check, false), Err(Excess::Checks));
    assert_eq!(guard.admit(now, &check, true), Ok(()));
}

#[test]
fn dtls_records_have_their_own_limit() {
    let (now, mut guard) = (start(), Guard::default());
    assert_eq!((0..3000).filter(|_| guard.admit(now, &[23, 254, 253], true).is_ok()).count(), 1000);
    assert_eq!(guard.admit(now, &[23, 254, 253], true), Err(Excess::Records));
    assert_eq!(guard.admit(now, &rtp(1), true), Ok(()));
}
