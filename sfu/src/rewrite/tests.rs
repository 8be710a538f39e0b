//! Streams stay unbroken.

use std::time::Duration;

use str0m::format::Codec;

use super::*;
use crate::codec::glance;
use crate::tests::start;

/// What is no picture.
static PLAIN: std::sync::LazyLock<Glance> = std::sync::LazyLock::new(Glance::default);

fn packet(sequence: u64, timestamp: u32) -> Incoming<'static> {
    Incoming { sequence, timestamp, clock_rate: 90_000, captured: None, glance: &PLAIN }
}

fn see(payload: &[u8]) -> Glance {
    glance(Codec::Vp8, payload, None)
}

/// A VP8 payload with these ids.
fn vp8(picture_id: u16, tl0: u8) -> Vec<u8> {
    vec![0x90, 0xe0, 0x80 | (picture_id >> 8) as u8, picture_id as u8, tl0, 0, 0x11, 0, 0]
}

#[test]
fn a_stream_begins_below_the_first_rollover() {
    let mut rewrite = Rewrite::default();
    let first = rewrite.apply(start(), packet(70_000, 5)).unwrap();
    assert_eq!((first.sequence, first.timestamp), (1, 5));
    assert_eq!(rewrite.apply(start(), packet(70_001, 5)).unwrap().sequence, 2);
}

#[test]
fn numbers_go_on_across_a_switch_by_the_clock() {
    let begin = start();
    let mut rewrite = Rewrite::default();
    rewrite.apply(begin, packet(70_000, 900_000));
    rewrite.apply(begin, packet(70_003, 903_000));
    rewrite.switch();
    let first = rewrite.apply(begin + Duration::from_millis(100), packet(512, 4_000)).unwrap();
    assert_eq!((first.sequence, first.timestamp), (5, 912_000));
    let second = rewrite.apply(begin + Duration::from_millis(133), packet(513, 7_000)).unwrap();
    assert_eq!((second.sequence, second.timestamp), (6, 915_000));
}

#[test]
fn what_is_older_than_the_switch_is_dropped_and_a_hole_stays_a_hole() {
    let mut rewrite = Rewrite::default();
    rewrite.apply(start(), packet(100, 0));
    assert_eq!(rewrite.apply(start(), packet(99, 0)), None);
    assert_eq!(rewrite.apply(start(), packet(103, 0)).unwrap().sequence, 4);
    assert_eq!(rewrite.apply(start(), packet(101, 0)).unwrap().sequence, 2);
}

#[test]
fn vp8_ids_go_on_across_a_switch() {
    let begin = start();
    let mut rewrite = Rewrite::default();
    let (old, new) = (vp8(32_767, 255), vp8(12, 34));
    let first = rewrite.apply(begin, Incoming { glance: &see(&old), ..packet(1, 0) }).unwrap();
    assert_eq!(first.patch, None);
    rewrite.switch();
    let second = rewrite.apply(begin, Incoming { glance: &see(&new), ..packet(9, 0) }).unwrap();
    assert_eq!(second.patch, Some(Patch::Vp8 { picture: 0, tl0: 0 }));
}

#[test]
fn what_is_left_out_leaves_no_gap_and_late_packets_find_their_place() {
    let mut rewrite = Rewrite::default();
    let send = |rewrite: &mut Rewrite, sequence| rewrite.apply(start(), packet(sequence, 0)).map(|out| out.sequence);
    assert_eq!(send(&mut rewrite, 10), Some(1));
    rewrite.omit(packet(12, 0));
    assert_eq!(send(&mut rewrite, 13), Some(3));
    assert_eq!(send(&mut rewrite, 11), Some(2));
    rewrite.omit(packet(14, 0));
    rewrite.omit(packet(15, 0));
    assert_eq!(send(&mut rewrite, 14), None, "its place is gone");
    assert_eq!(send(&mut rewrite, 16), Some(4));
}

#[test]
fn pictures_that_are_left_out_are_not_counted() {
    let begin = start();
    let mut rewrite = Rewrite::default();
    let mut sent = Vec::new();
    for step in 0..40_u16 {
        let payload = vp8((32_750 + step) & 0x7fff, step as u8);
        let seen = see(&payload);
        let incoming = Incoming { glance: &seen, ..packet(u64::from(step) + 500, 0) };
        if step % 2 == 1 {
            rewrite.omit(incoming);
        } else {
            let out = rewrite.apply(begin, incoming).unwrap();
            let unchanged = (seen.vp8.unwrap().picture_id().unwrap(), out.patch.is_none());
            sent.push((out.sequence, out.patch, unchanged));
        }
    }
    for (index, (sequence, patch, (id, is_unchanged))) in sent.iter().enumerate() {
        assert_eq!(*sequence, index as u64 + 1);
        let expected = (32_750 + index as u16) & 0x7fff;
        assert_eq!(*is_unchanged, *id == expected);
        let wanted = Patch::Vp8 { picture: expected, tl0: (2 * index) as u8 };
        assert!(patch.is_none_or(|patch| patch == wanted));
    }
}

#[test]
fn timestamps_follow_the_publishers_clock_across_its_encodings() {
    let begin = start();
    let at = |ms: u64| Some(Duration::from_millis(1_000_000 + ms));
    let mut rewrite = Rewrite::default();
    let send = |rewrite: &mut Rewrite, arrival: u64, captured, sequence, timestamp| {
        let incoming = Incoming { captured, ..packet(sequence, timestamp) };
        rewrite.apply(begin + Duration::from_millis(arrival), incoming).unwrap().timestamp
    };
    assert_eq!(send(&mut rewrite, 0, at(0), 1, 9000), 9000);
    rewrite.switch();
    // It arrives 80 ms late, and was made 33 ms later.
    assert_eq!(send(&mut rewrite, 80, at(33), 700, 500_000), 9000 + 33 * 90);
    rewrite.switch();
    // It was made before what was sent last: time goes on all the same.
    assert_eq!(send(&mut rewrite, 90, at(0), 3, 9000), 9000 + 33 * 90 + 1);
    rewrite.switch();
    // And nothing of that is left afterwards.
    assert_eq!(send(&mut rewrite, 150, at(66), 702, 502_970), 9000 + 66 * 90);
    rewrite.switch();
    // A clock that jumps by an hour is not believed.
    assert_eq!(send(&mut rewrite, 180, at(3_600_000), 4, 77), 9000 + 66 * 90 + 30 * 90);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_numbers_of_a_slot_have_no_holes_of_our_making(
            sources in prop::collection::vec((any::<u32>(), any::<u32>(), 1_u64..50), 1..8),
        ) {
            let mut now = start();
            let mut rewrite = Rewrite::default();
            let mut expected = 0;
            for (sequence, timestamp, count) in sources {
                rewrite.switch();
                for step in 0..count {
                    now += Duration::from_millis(20);
                    let incoming = packet(u64::from(sequence) + step, timestamp.wrapping_add(step as u32 * 1800));
                    expected += 1;
                    prop_assert_eq!(rewrite.apply(now, incoming).unwrap().sequence, expected);
                }
            }
        }

        #[test]
        fn no_payload_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), sequence in any::<u64>()) {
            for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264] {
                let seen = glance(codec, &bytes, None);
                let mut rewrite = Rewrite::default();
                for _ in 0..3 {
                    rewrite.apply(start(), Incoming { glance: &seen, ..packet(sequence, 7) });
                    rewrite.omit(Incoming { glance: &seen, ..packet(sequence.wrapping_add(1), 7) });
                    rewrite.apply(start(), Incoming { glance: &seen, ..packet(sequence.wrapping_add(2), 7) });
                    rewrite.switch();
                }
            }
        }
    }
}
