//! Quotas of allocations and budgets of users, shared by all shards: a ticket counts one allocation until it is dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use foldhash::fast::RandomState;
use roundturn_turn::{Holder, OpenError, Prefix};

use crate::clock;
use crate::config::Limits;
use crate::month::Month;
use crate::rates::{Budget, Purse, Rates};

/// Counts allocations in all, by user and by source prefix. Locked when an allocation comes or goes, never for a packet.
#[derive(Debug)]
pub struct Ledger {
    counts: Mutex<Counts>,
    rates: Arc<Rates>,
}

#[derive(Debug)]
struct Counts {
    limits: Limits,
    total: usize,
    users: HashMap<Arc<str>, User, RandomState>,
    prefixes: HashMap<Prefix, usize, RandomState>,
}

/// A user who has allocations, or had some a moment ago and has not paid yet for what went through them.
#[derive(Debug, Default)]
struct User {
    allocations: usize,
    budget: Arc<Budget>,
}

impl Ledger {
    /// An empty ledger that keeps to `limits`.
    pub fn new(limits: Limits) -> Arc<Self> {
        let rates = Rates::new(clock::now(), limits.user_rate, limits.total_rate, limits.monthly_bytes);
        let counts = Counts { limits, total: 0, users: HashMap::default(), prefixes: HashMap::default() };
        Arc::new(Self { counts: Mutex::new(counts), rates })
    }

    /// Other limits from now on. Allocations that are already there stay, and keep to the new rates.
    pub fn set_limits(&self, limits: Limits) {
        let mut counts = self.lock();
        self.rates.set(limits.user_rate, limits.total_rate, limits.monthly_bytes);
        if limits.user_rate != counts.limits.user_rate {
            counts.users.values().for_each(|user| user.budget.forgive());
        }
        counts.limits = limits;
    }

    /// Counts one more allocation on `holder`'s account at `now`.
    ///
    /// # Errors
    /// The quota or the budget that is used up: the holder's own before the server's.
    pub fn take(self: &Arc<Self>, now: Instant, holder: Holder<'_>) -> Result<Ticket, OpenError> {
        let mut counts = self.lock();
        let counts = &mut *counts;
        let known = counts.users.get(holder.user);
        if known.is_some_and(|user| user.allocations >= counts.limits.allocations_per_user) {
            return Err(OpenError::UserQuota);
        }
        if counts.prefixes.get(&holder.prefix).copied().unwrap_or(0) >= counts.limits.allocations_per_prefix {
            return Err(OpenError::PrefixQuota);
        }
        if known.is_some_and(|user| self.rates.is_exceeded_by(&user.budget, now)) {
            return Err(OpenError::UserRate);
        }
        if counts.total >= counts.limits.allocations {
            return Err(OpenError::TotalQuota);
        }
        if self.rates.month().is_used_up() {
            return Err(OpenError::MonthlyBytes);
        }
        if self.rates.is_exceeded(now) {
            return Err(OpenError::TotalRate);
        }
        let name = match counts.users.get_key_value(holder.user) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(holder.user),
        };
        counts.total += 1;
        let user = counts.users.entry(Arc::clone(&name)).or_default();
        user.allocations += 1;
        *counts.prefixes.entry(holder.prefix).or_default() += 1;
        let budget = Arc::clone(&user.budget);
        Ok(Ticket { ledger: Arc::clone(self), user: name, prefix: holder.prefix, budget })
    }

    /// A shard's purse.
    pub fn purse(&self) -> Arc<Purse> {
        Purse::new(Arc::clone(&self.rates))
    }

    /// The bytes of this month.
    pub fn month(&self) -> &Month {
        self.rates.month()
    }

    /// Forgets users without allocations who owe nothing any more at `now`. To be called every second or so: whoever gives
    /// its allocations back and makes new ones must not begin anew with its rate.
    pub fn sweep(&self, now: Instant) {
        self.lock().users.retain(|_, user| user.allocations > 0 || !self.rates.is_settled(&user.budget, now));
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
    budget: Arc<Budget>,
}

impl Ticket {
    /// What its user may send.
    pub fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.ledger.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(user) = counts.users.get_mut(&self.user) {
            user.allocations -= 1;
            if user.allocations == 0 && user.budget.is_untouched() {
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
mod tests;
