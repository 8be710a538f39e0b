//! What a token opens, and what is open without one.

use std::net::IpAddr;

use roundturn_sfu::RoomId;
use sha1::{Digest as _, Sha1};

use super::issue::Asker;
use super::{Hub, Moment, NotMade, Output, Refusal, refuse};
use crate::signal::protocol::{Bye, Create, ErrorCode, RoomFacts};
use crate::signal::room::Room;
use crate::tokens::{Claims, TokenError};

/// Whoever asks over HTTP.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Its address.
    pub from: IpAddr,
    /// The token that it showed.
    pub token: Option<String>,
}

impl Visitor {
    fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl Hub {
    /// What somebody may do by its token; `None`: it has none and rooms are open.
    pub(super) fn claims(&mut self, now: Moment, token: Option<&str>) -> Result<Option<Claims>, Refusal> {
        match (&self.config.tokens, token) {
            (Some(tokens), Some(token)) => match tokens.verify(now.unix_ms / 1000, token) {
                Ok(claims) => Ok(Some(claims)),
                Err(error @ TokenError::Expired) => refuse(ErrorCode::AuthExpired, error.to_string()),
                Err(error @ TokenError::Stranger) => {
                    if tokens.url.is_some() {
                        self.outputs.push_back(Output::KeysWanted);
                    }
                    refuse(ErrorCode::AuthInvalid, error.to_string())
                }
                Err(error @ TokenError::Invalid(_)) => refuse(ErrorCode::AuthInvalid, error.to_string()),
            },
            (_, _) if self.config.rooms.open => Ok(None),
            (Some(_), None) => refuse(ErrorCode::AuthRequired, "this server lets nobody in without a token"),
            (None, _) => refuse(ErrorCode::AuthRequired, "rooms are closed here, and no key for tokens is configured"),
        }
    }

    /// What may be known of a room by whoever may join it.
    ///
    /// # Errors
    /// When rooms are not open and the token does not open this one, or there is none.
    pub fn room_facts(&mut self, now: Moment, visitor: &Visitor, name: &str) -> Result<RoomFacts, NotMade> {
        if !self.config.rooms.open {
            self.admit(now, Asker::at(visitor.from))?;
        }
        if self.claims(now, visitor.token())?.is_some_and(|claims| !claims.opens(name)) {
            return Err(other_room().into());
        }
        let room = self.room_named(name)?;
        self.rooms.get(&room).map(Room::facts).ok_or_else(|| NotMade::new(ErrorCode::RoomNotFound, "no such room"))
    }

    /// Ends a room, for a moderator who need not be in it.
    ///
    /// # Errors
    /// When the token does not allow it, or there is no such room.
    pub fn end_room_for(&mut self, now: Moment, visitor: &Visitor, name: &str) -> Result<(), NotMade> {
        let room = self.moderated(now, visitor, name)?;
        self.end_room(now, room, Bye::RoomEnded);
        Ok(())
    }

    /// Removes a participant from a room, for a moderator who need not be in it.
    ///
    /// # Errors
    /// When the token does not allow it, or there is no such room or participant.
    pub fn remove_for(
        &mut self,
        now: Moment,
        visitor: &Visitor,
        (name, participant): (&str, &str),
    ) -> Result<(), NotMade> {
        let room = self.moderated(now, visitor, name)?;
        let target = self.participant_in(room, participant)?;
        self.dismiss(now, target, Bye::Removed, None);
        Ok(())
    }

    fn moderated(&mut self, now: Moment, visitor: &Visitor, name: &str) -> Result<RoomId, NotMade> {
        self.admit(now, Asker::at(visitor.from))?;
        match self.moderator(now, visitor)? {
            Some(claims) if claims.opens(name) => Ok(self.room_named(name)?),
            Some(_) => Err(other_room().into()),
            None if self.config.tokens.is_some() => Err(NotMade::new(ErrorCode::AuthRequired, NEEDS_MODERATE)),
            None => Err(NotMade::new(
                ErrorCode::Forbidden,
                "needs a token with the grant moderate, and no key for tokens is configured",
            )),
        }
    }

    /// The claims of a token that grants `moderate`, and nothing where rooms are open and there is none.
    pub(super) fn moderator(&mut self, now: Moment, visitor: &Visitor) -> Result<Option<Claims>, Refusal> {
        let claims = self.claims(now, visitor.token())?;
        match claims {
            Some(claims) if !claims.grants("moderate") => refuse(ErrorCode::Forbidden, NEEDS_MODERATE),
            claims => Ok(claims),
        }
    }

    fn room_named(&self, name: &str) -> Result<RoomId, Refusal> {
        let room = self.names.get(name).filter(|room| self.rooms.contains_key(room));
        room.copied().map_or_else(|| refuse(ErrorCode::RoomNotFound, "no such room"), Ok)
    }
}

/// What whoever has a token of another kind is told.
pub(super) const NEEDS_MODERATE: &str = "needs a token with the grant moderate";

pub(super) fn other_room() -> Refusal {
    Refusal { code: ErrorCode::Forbidden, message: "the token is for another room".into() }
}

/// What a room is to be when somebody with this token makes it.
pub(super) fn bounded(create: &Create, claims: Option<&Claims>) -> Create {
    let Some(claims) = claims else { return create.clone() };
    let smaller = |asked: Option<u64>, granted: Option<u64>| asked.into_iter().chain(granted).min();
    let participants = smaller(create.max_participants.map(u64::from), claims.max_participants.map(u64::from));
    Create {
        mode: create.mode,
        max_participants: participants.and_then(|most| u32::try_from(most).ok()),
        ttl_seconds: smaller(create.ttl_seconds, claims.ttl_seconds),
    }
}

/// Whoever this identity is, as far as counting goes.
pub(super) fn asker(identity: &str) -> Asker {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 20] = Sha1::digest(identity.as_bytes()).into();
    Asker::Identity(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}
