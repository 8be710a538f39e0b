//! How far each session came, noted and told.

use roundturn_sfu::ParticipantId;

use super::issue::Asker;
use super::tokens::{NEEDS_MODERATE, Visitor, other_room};
use super::{Hub, Moment, NotMade};
use crate::signal::member::Member;
use crate::signal::protocol::ErrorCode;
use crate::signal::random::same_secret;
use crate::signal::record::{Record, SessionFacts, Stage};

/// What a session's own key begins with; no token does.
const KEY: &str = "rk_";

impl Hub {
    /// How far a session came and why no further, for the session itself, which shows its `resume_key`, and for moderators
    /// of its room. Known until an hour after its end, unless more than a thousand ended meanwhile.
    ///
    /// # Errors
    /// When they ask too often, show nothing that allows it, or there is no such session.
    pub fn session_facts(&mut self, now: Moment, visitor: &Visitor, session: &str) -> Result<SessionFacts, NotMade> {
        self.admit(now, Asker::at(visitor.from))?;
        let key = visitor.token.as_deref().filter(|token| token.starts_with(KEY));
        let claims = if key.is_none() { self.moderator(now, visitor)? } else { None };
        let Some(record) = self.records.get(session) else {
            let message = "no such session, or it ended more than an hour ago";
            return Err(NotMade::new(ErrorCode::ParticipantNotFound, message));
        };
        match (key, claims) {
            (Some(key), _) if same_secret(key, &record.resume_key) => Ok(record.facts(now, session)),
            (Some(_), _) => Err(NotMade::new(ErrorCode::AuthInvalid, "that is another session's resume_key")),
            (None, Some(claims)) if claims.opens(&record.room) => Ok(record.facts(now, session)),
            (None, Some(_)) => Err(other_room().into()),
            (None, None) => {
                let message = format!("{NEEDS_MODERATE}, or the session's resume_key as Bearer");
                Err(NotMade::new(ErrorCode::AuthRequired, message))
            }
        }
    }

    /// The record of somebody who is here.
    pub(super) fn record_of(&mut self, who: ParticipantId) -> Option<&mut Record> {
        self.records.get_mut(&self.members.get(&who)?.session)
    }

    /// A session came so far; whether that is new.
    pub(super) fn reach(&mut self, now: Moment, who: ParticipantId, stage: Stage) -> bool {
        self.record_of(who).is_some_and(|record| record.reach(now.instant, stage))
    }

    /// A session has ended.
    pub(super) fn close_record(&mut self, now: Moment, member: &Member, reason: &'static str) {
        if let Some(record) = self.records.end(now, &member.session, reason) {
            self.stats.count_session(record.mode(), record.last_stage());
        }
    }
}
