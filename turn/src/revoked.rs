//! Names that were revoked before their time.

use std::collections::BTreeSet;

/// Time-limited names that may open nothing any more, each remembered until it expires by itself.
#[derive(Default)]
pub(crate) struct Revoked {
    names: BTreeSet<(u64, Box<str>)>,
}

/// How many are remembered. Beyond that, the name closest to its own end is forgotten: it could do the least harm.
const MOST: usize = 65_536;

impl Revoked {
    /// Remembers `username`, which expires at `expires`.
    pub(crate) fn add(&mut self, expires: u64, username: &str) {
        self.names.insert((expires, username.into()));
        if self.names.len() > MOST {
            self.names.pop_first();
        }
    }

    pub(crate) fn contains(&self, expires: u64, username: &str) -> bool {
        !self.names.is_empty() && self.names.contains(&(expires, username.into()))
    }

    /// Forgets what has expired by itself.
    pub(crate) fn forget(&mut self, unix_secs: u64) {
        while self.names.first().is_some_and(|(expires, _)| *expires <= unix_secs) {
            self.names.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_remembered_until_it_expires() {
        let mut revoked = Revoked::default();
        revoked.add(100, "100:alice");
        revoked.forget(99);
        assert!(revoked.contains(100, "100:alice"));
        assert!(!revoked.contains(100, "100:bob"));
        revoked.forget(100);
        assert!(!revoked.contains(100, "100:alice"));
    }

    #[test]
    fn memory_is_bounded_and_the_name_closest_to_its_end_goes_first() {
        let mut revoked = Revoked::default();
        for expires in 0..=MOST as u64 {
            revoked.add(1000 + expires, "x");
        }
        assert_eq!(revoked.names.len(), MOST);
        assert!(!revoked.contains(1000, "x"));
        assert!(revoked.contains(1000 + MOST as u64, "x"));
    }
}
