//! What a bucket lets through.

use proptest::prelude::*;

use super::*;
use crate::tests::start;

#[test]
fn after_its_burst_it_gives_its_rate() {
    let (now, mut bucket) = (start(), Bucket::new(100, 10));
    assert_eq!((0..50).filter(|_| bucket.take(now, 1)).count(), 10);
    let later = now + Duration::from_millis(70);
    assert_eq!((0..50).filter(|_| bucket.take(later, 1)).count(), 7);
}

#[test]
fn debt_is_paid_before_anything_else_is_let_through() {
    let (now, mut bucket) = (start(), Bucket::new(1000, 10));
    assert_eq!(bucket.empty_for(now), Duration::ZERO);
    assert!(bucket.take(now, 510));
    assert!(!bucket.take(now, 1));
    let wait = bucket.empty_for(now);
    assert!((500..=501).contains(&wait.as_millis()), "{wait:?}");
    assert!(!bucket.take(now + wait - Duration::from_millis(1), 1));
    assert!(bucket.take(now + wait, 1));
}

proptest! {
    #[test]
    fn never_more_than_burst_rate_and_the_last_message(
        steps in prop::collection::vec((0_u64..400, 1_u32..5000), 1..200),
    ) {
        let (mut now, mut bucket) = (start(), Bucket::new(1000, 2000));
        let begin = now;
        let mut taken = 0_u64;
        for (wait, cost) in steps {
            now += Duration::from_millis(wait);
            if bucket.take(now, cost) {
                let passed = now.duration_since(begin).as_millis() as u64;
                prop_assert!(taken < 2000 + passed, "{taken} after {passed} ms");
                taken += u64::from(cost);
            }
        }
    }
}
