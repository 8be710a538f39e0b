//! How participants and tracks are named to clients: opaque to them, a number to us.

use roundturn_sfu::{ParticipantId, TrackId};

/// `p_7`
pub fn participant_name(id: ParticipantId) -> String {
    format!("p_{}", id.0)
}

/// The participant that a client names; `None` when no participant can have that name.
pub fn participant_id(name: &str) -> Option<ParticipantId> {
    number(name, "p_").map(ParticipantId)
}

/// `t_12`
pub fn track_name(id: TrackId) -> String {
    format!("t_{}", id.0)
}

/// The track that a client names; `None` when no track can have that name.
pub fn track_id(name: &str) -> Option<TrackId> {
    number(name, "t_").map(TrackId)
}

/// Only the one spelling that we give out: no sign, no leading zero.
fn number(name: &str, prefix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?;
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_number_and_nothing_else_does() {
        assert_eq!(participant_id(&participant_name(ParticipantId(7))), Some(ParticipantId(7)));
        assert_eq!(track_id(&track_name(TrackId(u64::MAX))), Some(TrackId(u64::MAX)));
        for wrong in ["", "p_", "7", "t_7", "p_07", "p_+7", "p_-7", "p_7 ", "p_18446744073709551616"] {
            assert_eq!(participant_id(wrong), None, "{wrong:?}");
        }
    }
}
