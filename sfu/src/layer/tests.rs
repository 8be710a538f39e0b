//! Where a slot changes from one quality to another.

use proptest::prelude::*;

use super::*;
use crate::codec::Place;

fn choice(encoding: usize, spatial: u8, temporal: u8) -> Choice {
    Choice { encoding, spatial, temporal }
}

/// A packet that is a whole frame of these layers.
fn frame(spatial: u8, temporal: u8) -> Glance {
    Glance { place: Place { spatial, temporal, starts: true, ends: true, ..Place::default() }, ..Glance::default() }
}

fn keyframe() -> Glance {
    Glance { keyframe: true, ..frame(0, 0) }
}

fn is_pass(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass { .. })
}

#[test]
fn another_encoding_begins_with_its_keyframe_and_the_present_one_goes_on_until_then() {
    let mut switcher = Switcher::default();
    switcher.aim(Some(choice(0, 0, 0)));
    assert_eq!(switcher.judge(0, &frame(0, 0), None), Verdict::Wait);
    assert_eq!(switcher.judge(0, &keyframe(), None), Verdict::Pass { ends_picture: true, begins: true });
    switcher.aim(Some(choice(2, 0, 0)));
    assert!(switcher.is_waiting());
    assert_eq!(switcher.judge(0, &frame(0, 0), None), Verdict::Pass { ends_picture: true, begins: false });
    assert_eq!(switcher.judge(1, &keyframe(), None), Verdict::Ignore);
    assert_eq!(switcher.judge(2, &frame(0, 0), None), Verdict::Wait);
    assert_eq!(switcher.judge(2, &keyframe(), None), Verdict::Pass { ends_picture: true, begins: true });
    assert_eq!(switcher.judge(0, &frame(0, 0), None), Verdict::Ignore);
}

#[test]
fn a_pause_is_at_once_and_ends_with_a_keyframe() {
    let mut switcher = Switcher::default();
    switcher.aim(Some(choice(0, 0, 0)));
    switcher.judge(0, &keyframe(), None);
    switcher.aim(None);
    assert_eq!(switcher.judge(0, &keyframe(), None), Verdict::Ignore);
    switcher.aim(Some(choice(0, 0, 0)));
    assert_eq!(switcher.judge(0, &frame(0, 0), None), Verdict::Wait);
}

#[test]
fn temporal_layers_go_at_once_and_come_where_the_stream_allows() {
    let mut switcher = Switcher::default();
    switcher.aim(Some(choice(0, 0, 2)));
    switcher.judge(0, &keyframe(), None);
    assert!(is_pass(switcher.judge(0, &frame(0, 2), None)));
    switcher.aim(Some(choice(0, 0, 0)));
    assert_eq!(switcher.judge(0, &frame(0, 2), None), Verdict::Omit);
    assert!(is_pass(switcher.judge(0, &frame(0, 0), None)));
    switcher.aim(Some(choice(0, 0, 2)));
    assert_eq!(switcher.judge(0, &frame(0, 2), None), Verdict::Omit);
    let mut up = frame(0, 1);
    up.place.temporal_up = true;
    assert!(is_pass(switcher.judge(0, &up, None)));
    assert_eq!(switcher.judge(0, &frame(0, 2), None), Verdict::Omit);
    up.place.temporal = 2;
    assert!(is_pass(switcher.judge(0, &up, None)));
}

#[test]
fn a_spatial_layer_is_left_with_the_next_picture_and_the_marker_moves_down() {
    let mut switcher = Switcher::default();
    switcher.aim(Some(choice(0, 1, 0)));
    assert_eq!(switcher.judge(0, &keyframe(), None), Verdict::Pass { ends_picture: false, begins: true });
    assert_eq!(switcher.judge(0, &frame(1, 0), None), Verdict::Pass { ends_picture: true, begins: false });
    assert_eq!(switcher.judge(0, &frame(2, 0), None), Verdict::Omit);
    switcher.aim(Some(choice(0, 0, 0)));
    assert_eq!(
        switcher.judge(0, &frame(1, 0), None),
        Verdict::Pass { ends_picture: true, begins: false },
        "of the old picture"
    );
    assert_eq!(switcher.judge(0, &frame(0, 0), None), Verdict::Pass { ends_picture: true, begins: false });
    assert_eq!(switcher.judge(0, &frame(1, 0), None), Verdict::Omit);
    assert!(!switcher.is_waiting());
    switcher.aim(Some(choice(0, 2, 0)));
    assert!(switcher.is_waiting());
    switcher.judge(0, &frame(0, 0), None);
    assert_eq!(switcher.judge(0, &frame(1, 0), None), Verdict::Omit, "it needs the layer of the picture before");
    let mut up = frame(1, 0);
    up.place.spatial_up = true;
    assert!(is_pass(switcher.judge(0, &up, None)));
}

mod properties {
    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Aim(Option<Choice>),
        Packet(usize, bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => prop::option::of((0_usize..3).prop_map(|encoding| choice(encoding, 0, 0))).prop_map(Step::Aim),
            9 => (0_usize..3, prop::bool::weighted(0.1)).prop_map(|(encoding, key)| Step::Packet(encoding, key)),
        ]
    }

    proptest! {
        #[test]
        fn no_delta_frame_passes_before_a_keyframe_of_its_encoding(steps in prop::collection::vec(step(), 0..200)) {
            let mut switcher = Switcher::default();
            let mut decodable = None;
            for step in steps {
                match step {
                    Step::Aim(target) => {
                        switcher.aim(target);
                        if target.is_none() {
                            decodable = None;
                        }
                    }
                    Step::Packet(encoding, is_key) => {
                        let verdict = switcher.judge(encoding, &if is_key { keyframe() } else { frame(0, 0) }, None);
                        if let Verdict::Pass { begins, .. } = verdict {
                            prop_assert!(is_key || decodable == Some(encoding));
                            prop_assert!(!begins || is_key);
                            decodable = Some(encoding);
                        }
                    }
                }
            }
        }

        #[test]
        fn what_was_forwarded_is_remembered_in_any_order(start: u16, steps in prop::collection::vec(0_u16..100, 1..60)) {
            let mut seen = Seen::default();
            for step in &steps {
                seen.insert(start.wrapping_add(*step));
            }
            for step in 0..100 {
                prop_assert_eq!(seen.contains(start.wrapping_add(step)), steps.contains(&step));
            }
        }
    }
}
