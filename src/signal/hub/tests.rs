//! Conversations with the hub: clients speak JSON, time is a number, the SFU is whoever plays it.

mod configure;
mod ends;
mod happenings;
mod issue;
mod joining;
mod limits;
mod mesh;
mod messages;
mod moderation;
mod noise;
mod records;
mod resuming;
mod sfu;
mod tokens;

use std::collections::HashMap;
use std::time::Duration;

use roundturn_sfu::Command;
use serde_json::{Value, json};

use super::*;
use crate::config::{NamedSecret, RoomMode, Rooms, Secret};
use crate::nat::Addresses;
use crate::signal::protocol::{Create, SlotCounts};
use crate::signal::tests::epoch;

/// 2026-11-20T12:00:00Z
const NOON_MS: u64 = 1_795_176_000_000;

/// Where clients connect from when nobody says.
pub const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 50));

/// A hub, its clock, and everything that it wanted done.
pub struct House {
    pub hub: Hub,
    now: Moment,
    heard: HashMap<ConnectionId, VecDeque<Value>>,
    closed: HashMap<ConnectionId, Bye>,
    pub commands: Vec<(usize, Command)>,
    pub revoked: Vec<String>,
    pub keys_wanted: usize,
    pub happenings: Vec<Happening>,
    last_connection: u64,
}

/// One WebSocket of a client.
pub type Client = ConnectionId;

impl House {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A house with other rules.
    pub fn with(change: impl FnOnce(&mut HubConfig)) -> Self {
        let addresses = Addresses { external_v4: Some([203, 0, 113, 7].into()), ..Addresses::default() };
        let secret = NamedSecret {
            name: "2026".into(),
            value: Secret::new("north"),
            validity: roundturn_turn::Validity::default(),
        };
        let mut config = HubConfig {
            rooms: Rooms {
                open: true,
                mode: RoomMode::Sfu,
                max_participants: 50,
                audio_slots: 4,
                video_slots: 9,
                keyframe_cache: false,
                ttl: Duration::from_secs(4 * 3600),
                empty_timeout: Duration::from_secs(300),
                resume: Duration::from_secs(30),
            },
            rooms_max: 100,
            shards: 1,
            limits: Limits { frame_bytes: 65_536, frames_per_second: 50, slots: SlotCounts { audio: 4, video: 9 } },
            burst: 200,
            frame_bytes_out: 262_144,
            asks: Rate { per_second: 1000, burst: 1_000_000 },
            join_timeout: Duration::from_secs(5),
            tokens: None,
            mint: Mint::new(vec![secret], Duration::from_secs(3600)),
            urls: IceUrls::new(&["[::]:3478".parse().unwrap()], &addresses),
            seed: [7; 32],
        };
        change(&mut config);
        Self {
            hub: Hub::new(config),
            now: Moment { instant: epoch(), unix_ms: NOON_MS },
            heard: HashMap::new(),
            closed: HashMap::new(),
            commands: Vec::new(),
            revoked: Vec::new(),
            keys_wanted: 0,
            happenings: Vec::new(),
            last_connection: 0,
        }
    }

    pub fn connects(&mut self) -> Client {
        self.last_connection += 1;
        let client = ConnectionId(self.last_connection);
        self.happens(Input::Opened(client, HOME, None));
        client
    }

    pub fn says(&mut self, client: Client, frame: Value) {
        self.says_text(client, &frame.to_string());
    }

    pub fn says_text(&mut self, client: Client, frame: &str) {
        self.happens(Input::Frame(client, frame.to_owned()));
    }

    pub fn loses(&mut self, client: Client) {
        self.happens(Input::Lost(client));
    }

    pub fn sfu_says(&mut self, event: roundturn_sfu::Event) {
        self.happens(Input::Sfu(event));
    }

    pub fn happens(&mut self, input: Input) {
        self.hub.handle(self.now, input);
        self.drain();
    }

    /// Time passes, with every deadline on its way met at its time.
    pub fn later(&mut self, time: Duration) {
        let end = self.now.instant + time;
        let end_ms = self.now.unix_ms + time.as_millis() as u64;
        while let Some(at) = self.hub.poll_timeout().filter(|at| *at <= end) {
            let at = at.max(self.now.instant);
            self.now.unix_ms += (at - self.now.instant).as_millis() as u64;
            self.now.instant = at;
            self.hub.handle_timeout(self.now);
            assert!(self.hub.poll_timeout().is_none_or(|next| next > at), "the next deadline lies in the future");
            self.drain();
        }
        self.now = Moment { instant: end, unix_ms: end_ms };
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.hub.poll() {
            match output {
                Output::Frame(client, frame) => {
                    assert!(!self.closed.contains_key(&client), "nothing follows a close");
                    let frame = serde_json::from_str(&frame).expect("every frame is JSON");
                    self.heard.entry(client).or_default().push_back(frame);
                }
                Output::Close(client, bye) => assert!(self.closed.insert(client, bye).is_none()),
                Output::Sfu { shard, command } => self.commands.push((shard, command)),
                Output::Revoke(username) => self.revoked.push(username),
                Output::KeysWanted => self.keys_wanted += 1,
                Output::Happened(happening) => self.happenings.push(*happening),
            }
        }
    }

    /// The next frame that a client got.
    #[track_caller]
    pub fn hears(&mut self, client: Client) -> Value {
        self.heard.get_mut(&client).and_then(VecDeque::pop_front).expect("a frame")
    }

    /// The next frame, which is of this type.
    #[track_caller]
    pub fn hears_a(&mut self, client: Client, kind: &str) -> Value {
        let frame = self.hears(client);
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    #[track_caller]
    pub fn hears_error(&mut self, client: Client, code: &str) {
        let frame = self.hears_a(client, "error");
        assert_eq!(frame["code"], code, "{frame}");
    }

    #[track_caller]
    pub fn hears_nothing(&mut self, client: Client) {
        assert_eq!(self.heard.get_mut(&client).and_then(VecDeque::pop_front), None);
    }

    /// `bye` and the close, with nothing in between.
    #[track_caller]
    pub fn is_sent_away(&mut self, client: Client, reason: &str, code: u16) {
        let frame = self.hears_a(client, "bye");
        assert_eq!(frame["reason"], reason);
        let bye = self.closed.get(&client).expect("a close");
        assert_eq!((bye.as_str(), bye.close_code()), (reason, code));
        self.hears_nothing(client);
    }

    pub fn is_open(&self, client: Client) -> bool {
        !self.closed.contains_key(&client)
    }

    /// Joins a room, which is made where it does not exist; gives what `joined` says.
    pub fn joins(&mut self, room: &str, mode: &str) -> (Client, Value) {
        let client = self.connects();
        self.says(client, json!({"type":"join","id":1,"room":room,"create":{"mode":mode}}));
        let joined = self.hears_a(client, "joined");
        (client, joined)
    }

    /// Two in one room, with everything said that is said at a join.
    pub fn pair(&mut self, mode: &str) -> (Client, Client) {
        let (ana, _) = self.joins("room", mode);
        let (bo, _) = self.joins("room", mode);
        self.hears_a(ana, "participant_joined");
        (ana, bo)
    }

    /// What anyone may know of a room.
    pub fn facts(&mut self, room: &str) -> Option<crate::signal::protocol::RoomFacts> {
        self.hub.room_facts(self.now, &visitor(None), room).ok()
    }

    /// Comes back over a new connection.
    pub fn resumes(&mut self, joined: &Value, seq: u64) -> Client {
        let client = self.connects();
        let (session, key) = (&joined["session"], &joined["resume_key"]);
        self.says(client, json!({"type":"resume","id":1,"session":session,"resume_key":key,"seq":seq}));
        client
    }

    pub fn takes_commands(&mut self) -> Vec<(usize, Command)> {
        std::mem::take(&mut self.commands)
    }
}

/// Whoever asks over HTTP from home.
pub fn visitor(token: Option<&str>) -> Visitor {
    Visitor { from: HOME, token: token.map(str::to_owned) }
}

pub fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
