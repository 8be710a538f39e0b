//! Streams stay unbroken.

use std::time::Duration;

use super::*;

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

fn packet(sequence: u64, timestamp: u32) -> Incoming<'static> {
    Incoming { sequence, timestamp, clock_rate: 90_000, vp8: None }
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
    let (old_parsed, new_parsed) = (Vp8Descriptor::parse(&old).unwrap(), Vp8Descriptor::parse(&new).unwrap());
    let first = rewrite.apply(begin, Incoming { vp8: Some(&old_parsed), ..packet(1, 0) }).unwrap();
    assert_eq!(first.vp8, None);
    rewrite.switch();
    let second = rewrite.apply(begin, Incoming { vp8: Some(&new_parsed), ..packet(9, 0) }).unwrap();
    let expected = new_parsed.patch().picture_id(0).tl0_pic_idx(0).build().unwrap();
    assert_eq!(second.vp8, Some(expected));
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
            let parsed = Vp8Descriptor::parse(&bytes).ok();
            let mut rewrite = Rewrite::default();
            for _ in 0..3 {
                rewrite.apply(start(), Incoming { vp8: parsed.as_ref(), ..packet(sequence, 7) });
                rewrite.switch();
            }
        }
    }
}
