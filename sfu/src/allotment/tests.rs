//! Losses and ceilings.

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
    assert_eq!((link.ceiling(0), link.ceiling(2000), link.ceiling(3000)), (Some(500), Some(500), Some(750)));
    assert_eq!(link.ceiling(7000), None, "it was lifted");
    assert_eq!(link.allotment.to_sustain(link.now, 900_000), 0, "nothing is tried for now");
    assert_eq!(link.allotment.to_sustain(link.now + MILLIS(3000), 900_000), 750_000);
}

#[test]
fn what_was_sent_before_the_ceiling_lowers_it_no_further() {
    let mut link = Link::new();
    assert!(link.sends(1.0, 0.5));
    assert!(!link.sends(0.4, 0.5), "less than the ceiling");
    assert!(link.sends(0.5, 0.5), "as much as the ceiling, and lost");
    assert_eq!((link.ceiling(2000), link.ceiling(3000)), (Some(250), Some(375)));
    link.now += MILLIS(3000);
    link.sends(0.0, 0.0);
    assert!(link.sends(0.6, 0.5), "more is too much");
    assert_eq!((link.ceiling(0), link.ceiling(4000)), (Some(300), Some(300)), "the second time it holds longer");
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
