//! `[limits]`.

use super::auth::Users;
use super::draft::Draft;
use super::given::{Entry, Given};
use super::note::{Kind, Notes};
use super::value;

/// The most allocations that a limit can name.
const MOST: i64 = 1_000_000;
/// The default of `limits.allocations_per_prefix`.
const ALLOCATIONS_PER_PREFIX: i64 = 200;
/// The default of `limits.allocations`.
const ALLOCATIONS: i64 = 10_000;

/// Writes quotas and rates.
pub fn decide(given: &Given, users: Users, draft: &mut Draft, notes: &mut Notes) {
    let total = quota(given, "total-quota", notes);
    if let Some(total) = total {
        draft.set("limits", "allocations", total);
    }
    match (quota(given, "user-quota", notes), users, given.last("user")) {
        (Some(quota), ..) => draft.set("limits", "allocations_per_user", quota),
        (None, Users::Static, Some(user)) => {
            let all = total.unwrap_or(ALLOCATIONS);
            draft.set("limits", "allocations_per_user", all);
            notes.add(Kind::Changed, user, format!("coturn counts no allocations of a user, and clients may share this one: allocations_per_user = {all}"));
        }
        (None, ..) => {}
    }
    draft.comment(
        "limits",
        "coturn counts nothing by source network. Many clients, or a gateway, behind one address may need more than:",
    );
    draft.set_off("limits", "allocations_per_prefix", ALLOCATIONS_PER_PREFIX);
    rates(given, users, draft, notes);
}

/// A quota; 0 stands for none in coturn.
fn quota(given: &Given, name: &str, notes: &mut Notes) -> Option<i64> {
    let entry = given.last(name)?;
    match value::number(&entry.value) {
        Some(0) => {
            notes.add(
                Kind::Changed,
                entry,
                "0 is no limit in coturn; here there always is one: the default, see [limits]",
            );
            None
        }
        Some(number) if number > 0 => Some(number.min(MOST)),
        _ => {
            notes.add(Kind::Dropped, entry, "this is no number above 0; the default is taken");
            None
        }
    }
}

/// Bytes a second become bits a second.
fn rates(given: &Given, users: Users, draft: &mut Draft, notes: &mut Notes) {
    if let Some((entry, bits)) = rate(given, "bps-capacity", notes) {
        draft.set("limits", "total_rate", bits);
        notes.add(Kind::Changed, entry, format!("bytes a second there, bits a second here: total_rate = {bits}"));
    }
    let Some((entry, bits)) = rate(given, "max-bps", notes) else { return };
    if users == Users::Static {
        let text = format!(
            "coturn limits each allocation, this each user, and your clients may share one; set limits.user_rate to what all of them together may use (one had {bits} bits a second)"
        );
        notes.add(Kind::Dropped, entry, text);
    } else {
        draft.set("limits", "user_rate", bits);
        notes.add(
            Kind::Changed,
            entry,
            format!("bytes a second for each allocation there, bits a second for each user here: user_rate = {bits}"),
        );
    }
}

/// A rate in bits a second; 0 is none, here and there.
fn rate<'a>(given: &'a Given, name: &str, notes: &mut Notes) -> Option<(&'a Entry, i64)> {
    let entry = given.last(name)?;
    match value::number(&entry.value) {
        Some(0) => notes.same(entry),
        Some(bytes) if bytes > 0 => return Some((entry, bytes.saturating_mul(8))),
        _ => notes.add(Kind::Dropped, entry, "this is no number of bytes a second; there is no limit"),
    }
    None
}
