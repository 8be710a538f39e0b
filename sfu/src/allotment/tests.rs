//! Losses, ceilings and links that seem full.

use super::*;
use crate::tests::start;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

/// What a link says that is sent 1 Mbit/s, or this share of it, and loses so much.
struct Link {
    allotment: Allotment,
    now: Instant,
}

impl Link {
    fn new() -> Self {
        let mut link = Self { allotment: Allotment::default(), now: start() };
        link.allotment.learn(link.now, Some(5_000_000));
        assert!(!link.sends(1.0, 0.0), "counting begins");
        link
    }

    fn sends(&mut self, megabits: f64, lost: f32) -> bool {
        self.now += MILLIS(500);
        self.allotment.count((megabits * 62_500.0) as usize);
        self.allotment.lose(self.now, lost)
    }

    /// The ceiling after so many more milliseconds, in kbit/s.
    fn ceiling(&self, after: u64) -> Option<u64> {
        self.allotment.ceiling(self.now + MILLIS(after)).map(|ceiling| ceiling / 1000)
    }
}

#[test]
fn heavy_losses_set_a_ceiling_that_rises_after_a_while() {
    let mut link = Link::new();
    assert!(!link.sends(1.0, 0.2), "a bad network");
    assert_eq!(link.ceiling(0), None);
    assert!(link.sends(1.0, 0.5));
    assert_eq!((link.ceiling(0), link.ceiling(2000), link.ceiling(3000)), (Some(500), Some(500), Some(625)));
    assert_eq!(link.ceiling(12_000), None, "it was lifted");
    assert_eq!(link.allotment.to_sustain(link.now, 900_000), 0, "nothing is tried for now");
    assert_eq!(link.allotment.to_sustain(link.now + MILLIS(3000), 900_000), 625_000);
}

#[test]
fn what_was_sent_before_the_ceiling_lowers_it_no_further() {
    let mut link = Link::new();
    assert!(link.sends(1.0, 0.5));
    assert!(!link.sends(0.4, 0.5), "less than the ceiling");
    assert!(link.sends(0.5, 0.5), "as much as the ceiling, and lost");
    assert_eq!((link.ceiling(0), link.ceiling(4000)), (Some(250), Some(250)), "the second time it holds longer");
}

#[test]
fn losses_that_less_does_not_lessen_have_other_reasons() {
    let mut link = Link::new();
    assert!(link.sends(1.0, 0.4));
    for _ in 0..3 {
        assert!(!link.sends(0.3, 0.4), "too soon to tell");
    }
    assert!(link.sends(0.3, 0.4));
    assert_eq!(link.ceiling(0), None);
    assert!(!link.sends(1.0, 0.4), "it is known");
    link.now += OTHER_REASONS;
    link.sends(1.0, 0.0);
    assert!(link.sends(1.0, 0.4), "it may be different now");
}

#[test]
fn a_link_without_pictures_is_measured_anew_ever_more_seldom() {
    let (mut link, dark) = (Link::new(), Plan { choices: vec![None], next: Some(1), ..Plan::default() });
    let begun: Vec<u64> =
        (0..20_000).step_by(100).filter(|passed| link.allotment.is_stuck(link.now + MILLIS(*passed), &dark)).collect();
    assert_eq!(begun.len(), 6, "{begun:?}");
    let light = Plan { choices: vec![Some(0)], next: Some(1), ..Plan::default() };
    assert!(!link.allotment.is_stuck(link.now + MILLIS(20_000), &light));
    assert!(link.allotment.is_stuck(link.now + MILLIS(21_000), &dark), "soon again after there was a picture");
}
