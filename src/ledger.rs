//! Quotas of allocations, shared by all shards: a ticket counts one allocation until it is dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use roundturn_turn::{Holder, OpenError, Prefix};

use crate::config::Limits;

/// Counts allocations in all, by user and by source prefix. Locked when an allocation comes or goes, never for a packet.
#[derive(Debug)]
pub struct Ledger {
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    limits: Limits,
    total: usize,
    users: HashMap<Arc<str>, usize, RandomState>,
    prefixes: HashMap<Prefix, usize, RandomState>,
}

impl Ledger {
    /// An empty ledger that keeps to `limits`.
    pub fn new(limits: Limits) -> Arc<Self> {
        let counts = Counts { limits, total: 0, users: HashMap::default(), prefixes: HashMap::default() };
        Arc::new(Self { counts: Mutex::new(counts) })
    }

    /// Other limits from now on. Allocations that are already there stay.
    pub fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// Counts one more allocation on `holder`'s account.
    ///
    /// # Errors
    /// The quota that is used up: the holder's own before the server's.
    pub fn take(self: &Arc<Self>, holder: Holder<'_>) -> Result<Ticket, OpenError> {
        let mut counts = self.lock();
        let counts = &mut *counts;
        if counts.users.get(holder.user).copied().unwrap_or(0) >= counts.limits.allocations_per_user {
            return Err(OpenError::UserQuota);
        }
        if counts.prefixes.get(&holder.prefix).copied().unwrap_or(0) >= counts.limits.allocations_per_prefix {
            return Err(OpenError::PrefixQuota);
        }
        if counts.total >= counts.limits.allocations {
            return Err(OpenError::TotalQuota);
        }
        let user = match counts.users.get_key_value(holder.user) {
            Some((user, _)) => Arc::clone(user),
            None => Arc::from(holder.user),
        };
        counts.total += 1;
        *counts.users.entry(Arc::clone(&user)).or_default() += 1;
        *counts.prefixes.entry(holder.prefix).or_default() += 1;
        Ok(Ticket { ledger: Arc::clone(self), user, prefix: holder.prefix })
    }

    /// Allocations that are counted now.
    pub fn total(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One allocation on somebody's account, until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    ledger: Arc<Ledger>,
    user: Arc<str>,
    prefix: Prefix,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.ledger.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(count) = counts.users.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.users.remove(&self.user);
            }
        }
        if let Some(count) = counts.prefixes.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                counts.prefixes.remove(&self.prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn holder(user: &str, last: u8) -> Holder<'_> {
        Holder { user, prefix: Prefix::of(IpAddr::from([192, 0, 2, last])) }
    }

    fn limits(allocations: usize, allocations_per_user: usize, allocations_per_prefix: usize) -> Limits {
        Limits { allocations, allocations_per_user, allocations_per_prefix }
    }

    #[test]
    fn each_quota_refuses_in_its_own_words() {
        let ledger = Ledger::new(limits(3, 2, 2));
        let _a = ledger.take(holder("alice", 1)).unwrap();
        let _b = ledger.take(holder("alice", 2)).unwrap();
        assert_eq!(ledger.take(holder("alice", 3)).unwrap_err(), OpenError::UserQuota);
        let bob = ledger.take(holder("bob", 1)).unwrap();
        assert_eq!(ledger.take(holder("carol", 1)).unwrap_err(), OpenError::PrefixQuota);
        assert_eq!(ledger.take(holder("carol", 3)).unwrap_err(), OpenError::TotalQuota);
        drop(bob);
        assert!(ledger.take(holder("carol", 3)).is_ok());
    }

    #[test]
    fn other_limits_hold_for_whoever_comes_next() {
        let ledger = Ledger::new(limits(10, 1, 10));
        let _a = ledger.take(holder("alice", 1)).unwrap();
        ledger.set_limits(limits(10, 2, 10));
        assert!(ledger.take(holder("alice", 1)).is_ok());
    }

    proptest! {
        /// Whatever comes and goes: counts are those of the tickets held, and nothing is remembered about nobody.
        #[test]
        fn tickets_add_up(steps in proptest::collection::vec((any::<bool>(), 0u8..4, 0u8..4, 0usize..64), 0..200)) {
            let ledger = Ledger::new(limits(12, 5, 6));
            let mut held: Vec<(u8, u8, Ticket)> = Vec::new();
            for (give_back, user, prefix, pick) in steps {
                if give_back && !held.is_empty() {
                    held.swap_remove(pick % held.len());
                } else if let Ok(ticket) = ledger.take(holder(["a", "b", "c", "d"][usize::from(user)], prefix)) {
                    held.push((user, prefix, ticket));
                }
                prop_assert_eq!(ledger.total(), held.len());
                prop_assert!(held.len() <= 12);
                for who in 0..4 {
                    prop_assert!(held.iter().filter(|(user, ..)| *user == who).count() <= 5);
                    prop_assert!(held.iter().filter(|(_, prefix, _)| *prefix == who).count() <= 6);
                }
            }
            held.clear();
            let counts = ledger.lock();
            prop_assert!(counts.users.is_empty() && counts.prefixes.is_empty() && counts.total == 0);
        }
    }
}
