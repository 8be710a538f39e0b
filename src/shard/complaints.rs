//! Says what is denied and refused, by reason and how often, without naming anybody and seldom enough.

use std::time::{Duration, Instant};

use roundturn_turn::policy::Rule;
use roundturn_turn::stats::{AllocationFailure, AuthFailure, Tally};
use roundturn_turn::{Label, Stats};

/// How often a reason is spoken of at most.
const EVERY: Duration = Duration::from_secs(60);

/// What was said so far, of each reason.
#[derive(Default)]
pub(super) struct Complaints {
    denied: Seldom,
    unproved: Seldom,
    refused: Seldom,
}

#[derive(Default)]
struct Seldom(Vec<Said>);

#[derive(Default, Clone)]
struct Said {
    count: u64,
    at: Option<Instant>,
}

impl Complaints {
    /// Says what is new, if its time has come. Every client tries the private addresses of whomever it calls, and every nonce
    /// ends after a while: that is no news, and no fault.
    pub(super) fn report(&mut self, now: Instant, stats: &Stats) {
        for (rule, count) in self.denied.news(now, &stats.denied) {
            let name = rule.label();
            match rule {
                Rule::SpecialPurpose => tracing::debug!(rule = name, count, "peers denied to relays"),
                _ => tracing::info!(rule = name, count, "peers denied to relays; `roundturn explain` tells more"),
            }
        }
        for (failure, count) in self.unproved.news(now, &stats.auth_failures) {
            let reason = failure.label();
            match failure {
                AuthFailure::StaleNonce => tracing::debug!(reason, count, "nonces renewed"),
                _ => tracing::info!(
                    reason,
                    count,
                    "credentials refused; log.level = \"debug\" names them, `roundturn credentials --verify` says what is wrong"
                ),
            }
        }
        for (failure, count) in self.refused.news(now, &stats.failed) {
            let reason = failure.label();
            match what_to_change(failure) {
                Some(what) => tracing::warn!(reason, count, "allocations refused: {what}"),
                None => tracing::info!(reason, count, "allocations refused"),
            }
        }
    }
}

/// The setting by which an allocation was refused.
fn what_to_change(failure: AllocationFailure) -> Option<&'static str> {
    match failure {
        AllocationFailure::QuotaUser => Some("users hold as many as limits.allocations_per_user"),
        AllocationFailure::QuotaPrefix => Some("networks hold as many as limits.allocations_per_prefix"),
        AllocationFailure::QuotaTotal => Some("there are as many as limits.allocations"),
        AllocationFailure::RateUser => Some("users keep sending beyond limits.user_rate"),
        AllocationFailure::RateTotal => Some("all together keep sending beyond limits.total_rate"),
        AllocationFailure::MonthlyBytes => Some("limits.monthly_bytes is used up"),
        AllocationFailure::PortsExhausted => Some("no port of ports.udp is free; a larger range holds more"),
        AllocationFailure::Family => None,
    }
}

impl Seldom {
    /// The reasons to speak of, and how often each was counted since it was spoken of last.
    fn news<K: Label>(&mut self, now: Instant, counted: &Tally<K>) -> Vec<(K, u64)> {
        let mut news = Vec::new();
        self.0.resize(K::ALL.len(), Said::default());
        for (key, said) in K::ALL.iter().zip(&mut self.0) {
            let count = counted.of(*key);
            let is_time = said.at.is_none_or(|at| now.saturating_duration_since(at) >= EVERY);
            if count > said.count && is_time {
                news.push((*key, count - said.count));
                *said = Said { count, at: Some(now) };
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_spoken_of_once_a_minute_with_all_that_it_counted() {
        let (mut said, mut denied) = (Seldom::default(), Tally::default());
        let now = crate::clock::now();
        assert_eq!(said.news(now, &denied), []);
        denied.up(Rule::Host);
        assert_eq!(said.news(now, &denied), [(Rule::Host, 1)]);
        denied.up(Rule::Host);
        denied.up(Rule::Host);
        denied.up(Rule::OperatorDeny);
        assert_eq!(said.news(now + EVERY / 2, &denied), [(Rule::OperatorDeny, 1)]);
        assert_eq!(said.news(now + EVERY, &denied), [(Rule::Host, 2)]);
        assert_eq!(said.news(now + 9 * EVERY, &denied), []);
    }
}
