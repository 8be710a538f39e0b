//! `[relay]`: what is off here unless it is asked for.

use super::draft::Draft;
use super::given::{Entry, Given};
use super::value;

/// Keeps mobility, and says what became of TCP relays.
pub fn decide(given: &Given, draft: &mut Draft) {
    let is_on = |entry: &Entry| value::boolean(&entry.value).unwrap_or(true);
    if given.last("mobility").is_some_and(is_on) {
        draft.set("relay", "mobility", true);
    }
    if !given.last("no-tcp-relay").is_some_and(is_on) {
        draft.comment(
            "relay",
            "coturn relays to TCP peers (RFC 6062) unless no-tcp-relay is set. Browsers have no use for it.",
        );
        draft.set_off("relay", "tcp_allocations", true);
    }
}
