//! Descriptors made by hand, bit by bit, as the AV1 RTP payload format writes them.

use proptest::prelude::*;

use super::*;

/// Writes numbers in so many bits each; zeros at the end.
fn bits(numbers: &[(u32, u32)]) -> Raw {
    let mut text = String::new();
    for (value, width) in numbers {
        text.extend((0..*width).rev().map(|bit| if value >> bit & 1 == 1 { '1' } else { '0' }));
    }
    let bytes = text
        .as_bytes()
        .chunks(8)
        .map(|byte| (0..8).fold(0, |sum, at| sum << 1 | u8::from(byte.get(at) == Some(&b'1'))));
    Raw(bytes.collect())
}

/// A keyframe with the structure of L2T2: two spatial layers of two temporal layers, four decode targets.
fn l2t2(number: u32) -> Raw {
    let mut numbers = vec![(1, 1), (1, 1), (60, 6), (number, 16)];
    // Only the structure is there.
    numbers.extend([(1, 1), (0, 1), (0, 1), (0, 1), (0, 1)]);
    // Templates from number 60 on; four targets.
    numbers.extend([(60, 6), (3, 5)]);
    // Templates: S0T0 keyframe, S0T0, S0T1, S1T0, S1T1.
    numbers.extend([(0, 2), (1, 2), (2, 2), (1, 2), (3, 2)]);
    // Indications for the targets (0,0), (0,1), (1,0), (1,1): S S S S, S S R R, - D - R, - - S S, - - - D.
    for row in [[2, 2, 2, 2], [2, 2, 3, 3], [0, 1, 0, 3], [0, 0, 2, 2], [0, 0, 0, 1]] {
        numbers.extend(row.map(|indication| (indication, 2)));
    }
    // References: none, 4, 2, 1 (the layer below), 1 and 2.
    numbers.extend([(0, 1)]);
    numbers.extend([(1, 1), (3, 4), (0, 1)]);
    numbers.extend([(1, 1), (1, 4), (0, 1)]);
    numbers.extend([(1, 1), (0, 4), (0, 1)]);
    numbers.extend([(1, 1), (0, 4), (1, 1), (1, 4), (0, 1)]);
    // Two chains, of five that could be: ns(5) writes 2 in two bits. Each target is protected by one: ns(2), one bit each.
    numbers.extend([(2, 2), (0, 1), (0, 1), (1, 1), (1, 1)]);
    numbers.extend([(0, 4); 10]);
    // Sizes.
    numbers.extend([(1, 1), (319, 16), (179, 16), (639, 16), (359, 16)]);
    bits(&numbers)
}

/// A later frame of template 60 + `template` with three bytes.
fn delta(template: u32, number: u32) -> Raw {
    bits(&[(1, 1), (0, 1), ((60 + template) % 64, 6), (number, 16)])
}

#[test]
fn a_keyframe_brings_its_structure() {
    let frame = l2t2(500).parse(None).unwrap();
    assert!(frame.starts && frame.ends && frame.is_keyframe());
    assert_eq!((frame.number, frame.spatial, frame.temporal), (500, 0, 0));
    let structure = frame.attached.as_deref().unwrap();
    assert_eq!(structure.targets, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(structure.heights, [180, 360]);
    assert_eq!((structure.target(0, 1), structure.target(1, 0), structure.target(3, 7)), (1, 2, 3));
}

#[test]
fn later_frames_name_a_template() {
    let structure = l2t2(500).parse(None).unwrap().attached;
    let frame = delta(2, 501).parse(structure.as_ref()).unwrap();
    assert_eq!((frame.number, frame.spatial, frame.temporal, &*frame.references), (501, 0, 1, &[2_u16][..]));
    let said: Vec<_> = (0..4).map(|target| frame.indication(target)).collect();
    use Indication::{Discardable, NotPresent, Required};
    assert_eq!(said, [NotPresent, Discardable, NotPresent, Required]);
    let upper = delta(4, 503).parse(structure.as_ref()).unwrap();
    assert_eq!((upper.spatial, upper.temporal, &*upper.references), (1, 1, &[1_u16, 2][..]));
    assert!(!upper.is_keyframe());
}

#[test]
fn what_a_frame_says_of_itself_goes_before_its_template() {
    let structure = l2t2(500).parse(None).unwrap().attached;
    let mut numbers = vec![(1, 1), (1, 1), (61, 6), (9, 16), (0, 1), (1, 1), (1, 1), (1, 1), (1, 1)];
    numbers.push((0b0011, 4));
    numbers.extend([(0, 2), (1, 2), (2, 2), (3, 2)]);
    numbers.extend([(1, 2), (4, 4), (2, 2), (0x20, 8), (0, 2)]);
    numbers.extend([(1, 8), (2, 8)]);
    let frame = bits(&numbers).parse(structure.as_ref()).unwrap();
    assert_eq!(frame.active, Some(3));
    assert_eq!(frame.references, [5, 33]);
    assert_eq!(frame.indication(2), Indication::Switch);
}

#[test]
fn without_its_structure_a_frame_says_nothing() {
    assert_eq!(delta(1, 7).parse(None), None);
    let structure = l2t2(500).parse(None).unwrap().attached;
    assert_eq!(delta(9, 7).parse(structure.as_ref()), None, "there is no such template");
    let whole = l2t2(500);
    for len in 3..whole.0.len() - 1 {
        assert_eq!(Raw(whole.0[..len].into()).parse(None), None, "cut after {len} bytes");
    }
}

#[test]
fn the_frame_number_is_replaced_in_place() {
    let structure = l2t2(500).parse(None).unwrap().attached;
    let changed = l2t2(500).with_number(65_535).parse(None).unwrap();
    assert_eq!((changed.number, changed.attached), (65_535, structure));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), number: u16) {
        let structure = l2t2(500).parse(None).unwrap().attached;
        let raw = Raw(bytes.into());
        for known in [None, structure.as_ref()] {
            if let Some(frame) = raw.parse(known) {
                let used = frame.attached.as_ref().or(known).unwrap();
                (0..40).for_each(|target| { frame.indication(target); });
                used.target(0, 0);
                prop_assert_eq!(raw.with_number(number).parse(known).map(|frame| frame.number), Some(number));
            }
        }
    }

    #[test]
    fn a_damaged_structure_is_taken_or_not_but_never_believed_beyond_its_size(at in 0_usize..40, value: u8) {
        let Raw(mut bytes) = l2t2(500);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        if let Some(frame) = Raw(bytes).parse(None) {
            prop_assert!(frame.spatial < 4 && frame.temporal < 8 && frame.references.len() <= REFERENCES);
        }
    }
}
