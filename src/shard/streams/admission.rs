//! How many streams there may be, in all and from one source prefix.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use roundturn_turn::Prefix;

/// Counts the streams of one shard.
#[derive(Debug)]
pub(super) struct Admission {
    most: usize,
    most_of_prefix: usize,
    count: usize,
    prefixes: HashMap<Prefix, usize, RandomState>,
}

impl Admission {
    pub(super) fn new(most: usize, most_of_prefix: usize) -> Self {
        Self { most, most_of_prefix, count: 0, prefixes: HashMap::default() }
    }

    /// Other limits from now on. Streams that are there stay.
    pub(super) fn set_limits(&mut self, most: usize, most_of_prefix: usize) {
        (self.most, self.most_of_prefix) = (most, most_of_prefix);
    }

    /// Takes in one more stream, and counts it in all. Whose it is may show later.
    pub(super) fn enter(&mut self) -> bool {
        let fits = self.count < self.most;
        self.count += usize::from(fits);
        fits
    }

    /// Counts a stream on the account of `source`.
    pub(super) fn name(&mut self, source: IpAddr) -> Option<Prefix> {
        let prefix = Prefix::of(source);
        let count = self.prefixes.entry(prefix).or_default();
        if *count >= self.most_of_prefix {
            return None;
        }
        *count += 1;
        Some(prefix)
    }

    /// A stream has ended.
    pub(super) fn leave(&mut self, prefix: Option<Prefix>) {
        self.count -= 1;
        let Some(prefix) = prefix else { return };
        if let Some(count) = self.prefixes.get_mut(&prefix) {
            *count -= 1;
            if *count == 0 {
                self.prefixes.remove(&prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_does_not_take_the_place_of_others_and_leaving_gives_it_back() {
        let mut admission = Admission::new(3, 2);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let prefix = admission.name(one);
        assert!(prefix.is_some() && admission.name(one).is_some() && admission.name(other).is_some());
        assert_eq!(admission.name(one), None);
        assert!((0..3).all(|_| admission.enter()) && !admission.enter());
        admission.leave(prefix);
        assert!(admission.enter() && admission.name(one).is_some());
        assert_eq!(admission.name(one), None);
    }

    #[test]
    fn other_limits_hold_for_whoever_comes_next() {
        let mut admission = Admission::new(1, 1);
        assert!(admission.enter() && !admission.enter());
        admission.set_limits(2, 1);
        assert!(admission.enter() && !admission.enter());
        admission.set_limits(1, 1);
        admission.leave(None);
        assert!(!admission.enter());
    }

    #[test]
    fn nothing_is_remembered_about_those_who_left() {
        let mut admission = Admission::new(100, 2);
        for number in 0..100 {
            admission.enter();
            let prefix = admission.name([10, 0, 0, number].into());
            admission.leave(prefix);
        }
        assert!(admission.prefixes.is_empty());
    }
}
