//! Quotas and budgets, and who is refused by which.

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;
use roundturn_turn::{Direction, Why};

use super::*;

/// How long an excess lasts before it counts, in milliseconds, and some more.
const EXCESS: u64 = 6000;

fn holder(user: &str, last: u8) -> Holder<'_> {
    Holder { user, prefix: Prefix::of(IpAddr::from([192, 0, 2, last])) }
}

fn limits(allocations: usize, allocations_per_user: usize, allocations_per_prefix: usize) -> Limits {
    Limits { allocations, allocations_per_user, allocations_per_prefix, user_rate: 0, total_rate: 0, monthly_bytes: 0 }
}

#[test]
fn each_quota_refuses_in_its_own_words() {
    let ledger = Ledger::new(limits(3, 2, 2));
    let _a = ledger.take(clock::now(), holder("alice", 1)).unwrap();
    let _b = ledger.take(clock::now(), holder("alice", 2)).unwrap();
    assert_eq!(ledger.take(clock::now(), holder("alice", 3)).unwrap_err(), OpenError::UserQuota);
    let bob = ledger.take(clock::now(), holder("bob", 1)).unwrap();
    assert_eq!(ledger.take(clock::now(), holder("carol", 1)).unwrap_err(), OpenError::PrefixQuota);
    assert_eq!(ledger.take(clock::now(), holder("carol", 3)).unwrap_err(), OpenError::TotalQuota);
    drop(bob);
    assert!(ledger.take(clock::now(), holder("carol", 3)).is_ok());
}

#[test]
fn other_limits_hold_for_whoever_comes_next() {
    let ledger = Ledger::new(limits(10, 1, 10));
    let _a = ledger.take(clock::now(), holder("alice", 1)).unwrap();
    ledger.set_limits(limits(10, 2, 10));
    assert!(ledger.take(clock::now(), holder("alice", 1)).is_ok());
}

/// Sends far too much for `millis` milliseconds from `start` on, through a ticket's meter on a shard of its own.
fn exceed(ledger: &Ledger, ticket: &Ticket, start: Instant, millis: u64) -> Option<Why> {
    let mut meter = ledger.purse().meter(ticket.budget());
    let send = |step| meter.pass(start + Duration::from_millis(step), Direction::ToPeers, 1000).err();
    (0..millis).filter_map(send).last()
}

#[test]
fn who_keeps_sending_beyond_its_rate_gets_no_more_allocations_until_it_pauses() {
    let ledger = Ledger::new(Limits { user_rate: 1_000_000, ..limits(10, 10, 10) });
    let start = clock::now();
    let ticket = ledger.take(start, holder("alice", 1)).unwrap();
    assert_eq!(exceed(&ledger, &ticket, start, EXCESS), Some(Why::UserRate));
    let then = start + Duration::from_millis(EXCESS);
    assert_eq!(ledger.take(then, holder("alice", 1)).unwrap_err(), OpenError::UserRate);
    assert!(ledger.take(then, holder("bob", 1)).is_ok());
    assert!(ledger.take(then + Duration::from_secs(2), holder("alice", 1)).is_ok());
}

#[test]
fn where_all_keep_sending_beyond_the_rate_nobody_gets_an_allocation() {
    let ledger = Ledger::new(Limits { total_rate: 1_000_000, ..limits(10, 10, 10) });
    let start = clock::now();
    let ticket = ledger.take(start, holder("alice", 1)).unwrap();
    assert_eq!(exceed(&ledger, &ticket, start, EXCESS), Some(Why::TotalRate));
    let then = start + Duration::from_millis(EXCESS);
    assert_eq!(ledger.take(then, holder("bob", 2)).unwrap_err(), OpenError::TotalRate);
    ledger.set_limits(limits(10, 10, 10));
    assert!(ledger.take(then + Duration::from_secs(2), holder("bob", 2)).is_ok());
}

#[test]
fn where_the_month_is_used_up_nobody_gets_an_allocation() {
    let ledger = Ledger::new(Limits { monthly_bytes: 1000, ..limits(10, 10, 10) });
    let ticket = ledger.take(clock::now(), holder("alice", 1)).unwrap();
    ledger.month().add(1000);
    assert_eq!(ledger.take(clock::now(), holder("bob", 1)).unwrap_err(), OpenError::MonthlyBytes);
    assert_eq!(exceed(&ledger, &ticket, clock::now(), 1), Some(Why::MonthlyBytes));
    ledger.set_limits(Limits { monthly_bytes: 2000, ..limits(10, 10, 10) });
    assert!(ledger.take(clock::now(), holder("bob", 1)).is_ok());
}

#[test]
fn a_new_allocation_begins_no_rate_anew() {
    let ledger = Ledger::new(Limits { user_rate: 1_000_000, ..limits(10, 10, 10) });
    let start = clock::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut passed = 0;
    for millis in 0..1000 {
        let ticket = ledger.take(at(millis), holder("alice", 1)).unwrap();
        let mut meter = ledger.purse().meter(ticket.budget());
        passed += (0..10).filter(|_| meter.pass(at(millis), Direction::ToPeers, 1000).is_ok()).count() * 8000;
        drop(ticket);
        ledger.sweep(at(millis));
    }
    assert!(passed <= 1_200_000 + 8000, "{passed}");
    assert_eq!(ledger.lock().users.len(), 1);
    ledger.sweep(at(5000));
    assert!(ledger.lock().users.is_empty(), "nothing is remembered about who owes nothing");
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
            } else if let Ok(ticket) = ledger.take(clock::now(), holder(["a", "b", "c", "d"][usize::from(user)], prefix)) {
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
