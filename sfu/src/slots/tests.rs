//! Who gets which slot.

use super::*;

const A: (TrackId, Group) = (TrackId(1), (1, false));
const B: (TrackId, Group) = (TrackId(2), (2, false));
const C: (TrackId, Group) = (TrackId(3), (3, false));

#[test]
fn the_best_get_the_slots_and_the_rest_wait() {
    let slots = assign(&[None, None], &[A, B, C], &[]);
    assert_eq!(slots, [Some(A.0), Some(B.0)]);
}

#[test]
fn who_may_stay_does_not_move() {
    let slots = assign(&[Some(A.0), Some(B.0)], &[C, B, A], &[]);
    assert_eq!(slots, [Some(C.0), Some(B.0)]);
    assert_eq!(assign(&[Some(A.0), Some(B.0)], &[B, A, C], &[]), [Some(A.0), Some(B.0)]);
}

#[test]
fn a_track_goes_where_its_companion_is() {
    let slots = assign(&[None, None, None], &[A, B], &[Some((2, false)), None, Some((1, false))]);
    assert_eq!(slots, [Some(B.0), None, Some(A.0)]);
}

#[test]
fn a_track_without_companion_goes_where_it_disturbs_nobody() {
    assert_eq!(assign(&[None, None], &[A], &[Some((2, false)), None]), [None, Some(A.0)]);
    assert_eq!(assign(&[None], &[A], &[Some((2, false))]), [Some(A.0)]);
}

#[test]
fn what_nobody_wants_leaves() {
    assert_eq!(assign(&[Some(A.0), None], &[], &[]), [None, None]);
    assert_eq!(assign(&[], &[A], &[]), []);
}
