//! What became of each session, for whoever asks why a call failed: how far it came, when, and what stood in the way.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use roundturn_sfu as sfu;
use serde::Serialize;

use super::hub::Moment;
use super::protocol::ErrorCode;
use crate::config::RoomMode;

/// Sessions that are remembered after their end.
const ENDED: usize = 1024;
/// For how long.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// A stage that is not reached after so long is missing; before that it may be on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a session passes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It joined.
    Join,
    /// It offered: to the SFU, or in a mesh it sent its first signal.
    Offer,
    /// Its first STUN check was answered.
    Stun,
    /// It nominated a path.
    Nominated,
    /// Its DTLS handshake was done.
    Dtls,
    /// The first media packet went either way.
    Packet,
    /// The first picture began, either way.
    Keyframe,
    /// It reported what it received.
    Report,
}

/// One session, from its join to an hour after its end.
#[derive(Debug)]
pub struct Record {
    /// What the session itself shows to read this.
    pub resume_key: String,
    /// The room's name.
    pub room: String,
    mode: RoomMode,
    participant: String,
    joined: Moment,
    reached: [Option<Duration>; Stage::ALL.len()],
    rejected: Option<(ErrorCode, String)>,
    path: Option<&'static str>,
    ended: Option<(Moment, &'static str)>,
}

/// What is told of it: times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionFacts {
    session: String,
    room: String,
    mode: &'static str,
    participant: String,
    joined_at: u64,
    ended_at: Option<u64>,
    ended: Option<&'static str>,
    path: Option<&'static str>,
    last_stage: Stage,
    stages: Vec<StageFacts>,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorCode>,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StageFacts {
    stage: Stage,
    after_ms: u64,
}

/// Why it came no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Ok,
    InProgress,
    PeerToPeer,
    NoOffer,
    OfferRejected,
    NoStun,
    NotNominated,
    NoDtls,
    NoMedia,
    NoReport,
}

impl Stage {
    /// All of them, in their order, with their labels.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Join, "join"),
        (Self::Offer, "offer"),
        (Self::Stun, "stun"),
        (Self::Nominated, "nominated"),
        (Self::Dtls, "dtls"),
        (Self::Packet, "packet"),
        (Self::Keyframe, "keyframe"),
        (Self::Report, "report"),
    ];
}

impl From<sfu::Stage> for Stage {
    fn from(stage: sfu::Stage) -> Self {
        match stage {
            sfu::Stage::Checked => Self::Stun,
            sfu::Stage::Nominated => Self::Nominated,
            sfu::Stage::Connected => Self::Dtls,
            sfu::Stage::Packet => Self::Packet,
            sfu::Stage::Keyframe => Self::Keyframe,
            sfu::Stage::Report => Self::Report,
        }
    }
}

impl Record {
    /// Of a session that joins now.
    pub fn new(now: Moment, resume_key: String, room: String, mode: RoomMode, participant: String) -> Self {
        let mut reached = [None; Stage::ALL.len()];
        reached[0] = Some(Duration::ZERO);
        Self { resume_key, room, mode, participant, joined: now, reached, rejected: None, path: None, ended: None }
    }

    /// It came so far; whether that is new.
    pub fn reach(&mut self, now: Instant, stage: Stage) -> bool {
        let after = &mut self.reached[stage as usize];
        let is_new = after.is_none();
        after.get_or_insert_with(|| now.saturating_duration_since(self.joined.instant));
        is_new
    }

    /// Its last offer was not taken, and why; or it was.
    pub fn set_rejected(&mut self, rejected: Option<(ErrorCode, String)>) {
        self.rejected = rejected;
    }

    /// How its packets travel.
    pub fn set_path(&mut self, path: &'static str) {
        self.path = Some(path);
    }

    /// How its room's media flows.
    pub fn mode(&self) -> RoomMode {
        self.mode
    }

    /// The furthest that it came.
    pub fn last_stage(&self) -> Stage {
        let reached = |(stage, _): &&(Stage, _)| self.reached[*stage as usize].is_some();
        Stage::ALL.iter().rev().find(reached).map_or(Stage::Join, |(stage, _)| *stage)
    }

    /// What is told of it.
    pub fn facts(&self, now: Moment, session: &str) -> SessionFacts {
        let after = |((stage, _), after): (&(Stage, _), Option<Duration>)| {
            after.map(|after| StageFacts { stage: *stage, after_ms: after.as_millis() as u64 })
        };
        let reason = self.reason(now);
        SessionFacts {
            session: session.to_owned(),
            room: self.room.clone(),
            mode: self.mode.as_str(),
            participant: self.participant.clone(),
            joined_at: self.joined.unix_ms,
            ended_at: self.ended.map(|(at, _)| at.unix_ms),
            ended: self.ended.map(|(_, reason)| reason),
            path: self.path,
            last_stage: self.last_stage(),
            stages: Stage::ALL.iter().zip(self.reached).filter_map(after).collect(),
            reason,
            error: self.rejected.as_ref().map(|(code, _)| *code),
            message: self.words(reason),
        }
    }

    fn reason(&self, now: Moment) -> Reason {
        let last = self.last_stage();
        if self.rejected.is_some() {
            return Reason::OfferRejected;
        }
        if last == Stage::Report {
            return Reason::Ok;
        }
        if self.mode == RoomMode::Mesh && last >= Stage::Offer {
            return Reason::PeerToPeer;
        }
        let since = self.joined.instant + self.reached[last as usize].unwrap_or_default();
        let until = self.ended.map_or(now.instant, |(at, _)| at.instant);
        if self.ended.is_none() && until.saturating_duration_since(since) < PATIENCE {
            return Reason::InProgress;
        }
        match last {
            Stage::Join => Reason::NoOffer,
            Stage::Offer => Reason::NoStun,
            Stage::Stun => Reason::NotNominated,
            Stage::Nominated => Reason::NoDtls,
            Stage::Dtls => Reason::NoMedia,
            Stage::Packet | Stage::Keyframe => Reason::NoReport,
            Stage::Report => Reason::Ok,
        }
    }

    fn words(&self, reason: Reason) -> String {
        match (reason, &self.rejected) {
            (Reason::OfferRejected, Some((_, message))) => format!("The server did not take the offer: {message}."),
            (reason, _) => reason.words().to_owned(),
        }
    }
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::Ok => "Media flowed, and the client reported that it received some.",
            Self::InProgress => "The call is being set up.",
            Self::PeerToPeer => {
                "Media goes from participant to participant, so the server saw signaling only. What each path does is known \
                 to the browsers: see the connection panel there."
            }
            Self::NoOffer => {
                "The client joined but offered nothing. Either its page waits for a camera or microphone that was not \
                 allowed, or nobody else was there."
            }
            Self::OfferRejected => "The server did not take the offer.",
            Self::NoStun => {
                "The client got its answer, but no packet of it reached the server. Its network or the router before the \
                 server lets neither UDP nor TCP through to the announced addresses and port: run `roundturn doctor`, and \
                 look at the forwarded ports."
            }
            Self::NotNominated => {
                "Packets of the client reach the server, but the client chose no path: the answers are lost on their way \
                 back. A firewall that lets in but not out, or a wrong source address, does that."
            }
            Self::NoDtls => {
                "A path was found, but the encryption was not agreed on. Large packets may be lost on the path (MTU), or \
                 the client's certificate is of a kind that is not taken."
            }
            Self::NoMedia => {
                "Connected, but no media went either way: nothing was sent by the client, and nothing was there for it."
            }
            Self::NoReport => {
                "Media flowed, but the client never reported that it received any. It may only send, or packets to it are \
                 lost."
            }
        }
    }
}

/// The records of the sessions that are, and of those that were lately.
#[derive(Debug, Default)]
pub struct Records {
    by_session: HashMap<String, Record>,
    ended: VecDeque<(Instant, String)>,
}

impl Records {
    /// Begins a record.
    pub fn begin(&mut self, session: String, record: Record) {
        self.by_session.insert(session, record);
    }

    /// The record of a session.
    pub fn get(&self, session: &str) -> Option<&Record> {
        self.by_session.get(session)
    }

    /// The record of a session, for whoever has something to note.
    pub fn get_mut(&mut self, session: &str) -> Option<&mut Record> {
        self.by_session.get_mut(session)
    }

    /// A session has ended. Forgets those that ended long ago, and the oldest where there are too many. Returns its record.
    pub fn end(&mut self, now: Moment, session: &str, reason: &'static str) -> Option<&Record> {
        self.forget_old(now.instant);
        if self.ended.len() >= ENDED {
            self.forget_oldest();
        }
        self.ended.push_back((now.instant, session.to_owned()));
        let record = self.by_session.get_mut(session)?;
        record.ended = Some((now, reason));
        Some(record)
    }

    fn forget_old(&mut self, now: Instant) {
        while self.ended.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= REMEMBERED) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, session)) = self.ended.pop_front() {
            self.by_session.remove(&session);
        }
    }
}
