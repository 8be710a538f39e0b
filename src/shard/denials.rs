//! Says that peers are denied, by which rule and how many, without naming anybody and seldom enough.

use std::time::{Duration, Instant};

use roundturn_turn::Label;
use roundturn_turn::policy::Rule;
use roundturn_turn::stats::Tally;

/// How often a rule is spoken of at most.
const EVERY: Duration = Duration::from_secs(60);

/// What was said so far, by rule.
#[derive(Default)]
pub(super) struct Denials([Said; Rule::ALL.len()]);

#[derive(Default)]
struct Said {
    count: u64,
    at: Option<Instant>,
}

impl Denials {
    /// Says what is new about `denied`, if its time has come. Every client tries the private addresses of whomever it
    /// calls: that they are denied is no news, and no fault.
    pub(super) fn report(&mut self, now: Instant, denied: &Tally<Rule>) {
        for (rule, count) in self.news(now, denied) {
            let name = rule.label();
            match rule {
                Rule::SpecialPurpose => tracing::debug!(rule = name, count, "peers denied to relays"),
                _ => tracing::info!(rule = name, count, "peers denied to relays; `roundturn explain` tells more"),
            }
        }
    }

    /// The rules to speak of, and how often each has denied since it was spoken of last.
    fn news(&mut self, now: Instant, denied: &Tally<Rule>) -> Vec<(Rule, u64)> {
        let mut news = Vec::new();
        for (rule, said) in Rule::ALL.iter().zip(&mut self.0) {
            let count = denied.of(*rule);
            let is_time = said.at.is_none_or(|at| now.saturating_duration_since(at) >= EVERY);
            if count > said.count && is_time {
                news.push((*rule, count - said.count));
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
    fn each_rule_is_spoken_of_once_a_minute_with_all_that_it_denied() {
        let (mut denials, mut denied) = (Denials::default(), Tally::default());
        let now = crate::clock::now();
        assert_eq!(denials.news(now, &denied), []);
        denied.up(Rule::Host);
        assert_eq!(denials.news(now, &denied), [(Rule::Host, 1)]);
        denied.up(Rule::Host);
        denied.up(Rule::Host);
        denied.up(Rule::OperatorDeny);
        assert_eq!(denials.news(now + EVERY / 2, &denied), [(Rule::OperatorDeny, 1)]);
        assert_eq!(denials.news(now + EVERY, &denied), [(Rule::Host, 2)]);
        assert_eq!(denials.news(now + 9 * EVERY, &denied), []);
    }
}
