//! A participant of a room and its session: one each, from `join` to the end.

use std::time::{Duration, Instant};

use roundturn_sfu::{ParticipantId, RoomId};
use serde_json::value::RawValue;

use super::credentials::{Credential, Mint};
use super::event_log::EventLog;
use super::hub::{ConnectionId, Done, Moment};
use super::protocol::{self, ErrorCode, ParticipantFacts, SlotCounts, SlotFacts, TrackMid, You};
use super::repeats::Repeats;
use crate::tokens::Claims;

/// Who is in a room.
#[derive(Debug)]
pub struct Member {
    /// Unique in the process.
    pub id: ParticipantId,
    /// The room.
    pub room: RoomId,
    /// The number of its join in the room.
    pub order: u64,
    /// Who it is, by its token.
    pub identity: Option<String>,
    /// Its name to people.
    pub name: String,
    /// What the application wants others to see; always an object.
    pub meta: Box<RawValue>,
    /// What it may do.
    pub grants: Grants,
    /// The session's name.
    pub session: String,
    /// What opens the session again.
    pub resume_key: String,
    /// Where it is connected right now.
    pub connection: Option<ConnectionId>,
    /// Until when it may come back, while it is not connected.
    pub resume_by: Option<Instant>,
    /// What it was told lately.
    pub log: EventLog,
    /// What it asked lately.
    pub repeats: Repeats<Done>,
    /// Its dealings with the SFU.
    pub media: Media,
    /// Its TURN credentials.
    pub credentials: Credentials,
    /// When it came in.
    pub joined: Instant,
}

/// What a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants {
    /// Send media.
    pub publish: bool,
    /// Receive media.
    pub subscribe: bool,
    /// Send application messages.
    pub message: bool,
    /// Remove, mute, lock, end.
    pub moderate: bool,
}

/// A participant's negotiation with the SFU.
#[derive(Debug, Default)]
pub struct Media {
    /// The number of the last offer.
    pub last_generation: u64,
    /// The slots of its offers, or what it was asked for since, whichever is more.
    pub slots: SlotCounts,
    /// The offer that has no answer yet.
    pub pending: Option<PendingOffer>,
    /// What became of the last offer.
    pub answered: Option<Answered>,
    /// What is in the audio slots.
    pub audio: Option<Vec<SlotFacts>>,
    /// What is in the video slots.
    pub video: Option<Vec<SlotFacts>>,
}

/// An offer on its way through the SFU.
#[derive(Debug)]
pub struct PendingOffer {
    /// The client's number for it.
    pub generation: u64,
    /// The request to answer.
    pub id: Option<u64>,
    /// Where it came from.
    pub connection: Option<ConnectionId>,
    /// Since when.
    pub since: Instant,
}

/// What became of an offer, kept so that a lost connection does not lose the answer.
#[derive(Debug)]
pub struct Answered {
    /// The client's number for it.
    pub generation: u64,
    /// The request that it answers.
    pub id: Option<u64>,
    /// Where it was sent; `None` while nobody was there to take it.
    pub connection: Option<ConnectionId>,
    /// The SDP and the tracks, or the refusal.
    pub outcome: Result<(String, Vec<TrackMid>), (ErrorCode, String)>,
}

/// The TURN credentials of one participant.
#[derive(Debug)]
pub struct Credentials {
    /// The name behind the expiry: the participant's, and something that no other start of the server repeats.
    name: String,
    current: Credential,
    /// Every user name it was given: relays made with an old one may still be alive.
    issued: Vec<String>,
    /// When the current one is to be replaced.
    pub refresh_at: Instant,
}

/// User names that are remembered for one participant: more than a room's life brings, unless its credentials live for
/// seconds. Beyond that the oldest is forgotten, and its relays end by their own lifetime.
const ISSUED: usize = 256;

impl Member {
    /// What others see.
    pub fn facts(&self) -> ParticipantFacts<'_> {
        ParticipantFacts {
            participant: protocol::participant_name(self.id),
            order: self.order,
            name: &self.name,
            meta: &self.meta,
        }
    }

    /// What it sees of itself.
    pub fn you(&self) -> You<'_> {
        You {
            participant: protocol::participant_name(self.id),
            order: self.order,
            name: &self.name,
            grants: self.grants.names(),
        }
    }
}

impl Grants {
    /// What anyone may do in an open room.
    pub const OPEN: Self = Self { publish: true, subscribe: true, message: true, moderate: false };

    /// What a token grants.
    pub fn of(claims: &Claims) -> Self {
        Self {
            publish: claims.grants("publish"),
            subscribe: claims.grants("subscribe"),
            message: claims.grants("message"),
            moderate: claims.grants("moderate"),
        }
    }

    /// Whether it may take part in media that goes from peer to peer: there nobody but the two could hold one to receiving
    /// only, or to sending only.
    pub fn allow_peers(self) -> bool {
        self.publish && self.subscribe
    }

    fn names(self) -> Vec<&'static str> {
        [
            (self.publish, "publish"),
            (self.subscribe, "subscribe"),
            (self.message, "message"),
            (self.moderate, "moderate"),
        ]
        .into_iter()
        .filter_map(|(granted, name)| granted.then_some(name))
        .collect()
    }
}

impl Credentials {
    /// The first credential of a participant.
    pub fn new(mint: &Mint, now: Moment, name: String) -> Self {
        let current = mint.issue(now.unix_ms, &name);
        let issued = vec![current.username.clone()];
        let refresh_at = refresh_at(&current, now);
        Self { name, current, issued, refresh_at }
    }

    /// The current one.
    pub fn current(&self) -> &Credential {
        &self.current
    }

    /// When the current one ends, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> u64 {
        self.current.expires_at_secs.saturating_mul(1000)
    }

    /// Replaces the current one.
    pub fn renew(&mut self, mint: &Mint, now: Moment) {
        self.current = mint.issue(now.unix_ms, &self.name);
        self.refresh_at = refresh_at(&self.current, now);
        if self.issued.last() == Some(&self.current.username) {
            return;
        }
        if self.issued.len() >= ISSUED {
            self.issued.remove(0);
        }
        self.issued.push(self.current.username.clone());
    }

    /// Whether less than half of the current one's life is left.
    pub fn is_old(&self, mint: &Mint, now: Moment) -> bool {
        self.expires_at_ms().saturating_sub(now.unix_ms) < mint.ttl().as_millis() as u64 / 2
    }

    /// Every user name it was given.
    pub fn into_issued(self) -> Vec<String> {
        self.issued
    }
}

/// At four fifths of a credential's life.
fn refresh_at(credential: &Credential, now: Moment) -> Instant {
    let life = Duration::from_secs(credential.expires_at_secs.saturating_sub(now.unix_ms / 1000));
    now.instant + (life * 4 / 5).max(Duration::from_secs(1))
}
