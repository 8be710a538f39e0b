//! The pace of keyframe requests.

use super::*;
use crate::tests::start;

#[test]
fn requests_are_throttled_and_repeated_until_one_comes() {
    let begin = start();
    let at = |ms| begin + Duration::from_millis(ms);
    let mut requests = KeyframeRequests::default();
    assert_eq!(requests.due(begin, true), None);
    requests.want();
    let asked: Vec<u64> = (0..4000).filter(|ms| requests.ask(at(*ms), true)).collect();
    assert_eq!(asked, [0, 500, 1500, 2500, 3500]);
    requests.settle();
    assert!(!requests.ask(at(9000), true));
    requests.want();
    assert!(requests.ask(at(9001), true));
}

#[test]
fn a_second_wish_right_after_a_keyframe_waits() {
    let begin = start();
    let mut requests = KeyframeRequests::default();
    requests.want();
    assert!(requests.ask(begin, true));
    requests.settle();
    requests.want();
    assert!(!requests.ask(begin + Duration::from_millis(499), true));
    assert!(requests.ask(begin + Duration::from_millis(500), true));
}
