//! Signaling: four clients that say anything, lose their connections, and a shard that takes no commands.
//!
//! ```text
//!  0{"type":…}   client 0 says a frame; $SESSION and $KEY in it are those that were heard last
//!  l0 n0 b0      client 0 loses its connection and opens another, says what is no text, says too much
//!  t1500         1500 milliseconds pass
//!  r             the shard refuses the last command
//! ```

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use roundturn::config::Settings;
use roundturn::nat::Addresses;
use roundturn::signal::protocol::{Create, Envelope, Request, SlotCounts};
use roundturn::signal::{ConnectionId, Hub, Input, Moment, Output, SignalConfig};
use serde_json::Value;

/// 2026-11-20T12:00:00Z
const NOON_MS: u64 = 1_795_176_000_000;
const CLIENTS: usize = 4;
/// The most lines of one input.
const LINES: usize = 300;
const SETTINGS: &str = "[auth]\nsecret = \"north of the river\"\n[shards]\ncount = 2\n";

/// Lives through the lines of `bytes`. What goes out is numbered without gaps, nothing follows a close, and every room ends.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut house = House::new();
    for line in text.split('\n').take(LINES) {
        house.line(line);
    }
    house.later(Duration::from_secs(5 * 3600));
    assert_eq!(house.hub.occupancy(), (0, 0), "a room without end");
}

struct House {
    hub: Hub,
    now: Moment,
    connections: Vec<ConnectionId>,
    opened: u64,
    closed: HashSet<ConnectionId>,
    /// The number of the last event, for each connection.
    numbers: HashMap<ConnectionId, u64>,
    session: String,
    key: String,
    refusable: Option<Input>,
}

impl House {
    #[allow(clippy::disallowed_methods)]
    fn new() -> Self {
        let addresses = Addresses { external_v4: Some([203, 0, 113, 7].into()), ..Addresses::default() };
        let settings = Settings::parse(Path::new("r.toml"), SETTINGS, &[]).expect("settings");
        let config = SignalConfig::new(&settings, &addresses, SlotCounts { audio: 4, video: 9 }, [7; 32]);
        let mut house = Self {
            hub: Hub::new(config.hub),
            now: Moment { instant: Instant::now(), unix_ms: NOON_MS },
            connections: Vec::new(),
            opened: 0,
            closed: HashSet::new(),
            numbers: HashMap::new(),
            session: String::new(),
            key: String::new(),
            refusable: None,
        };
        for _ in 0..CLIENTS {
            let connection = house.open();
            house.connections.push(connection);
        }
        house
    }

    fn open(&mut self) -> ConnectionId {
        self.opened += 1;
        self.happens(Input::Opened(ConnectionId(self.opened), IpAddr::from([192, 0, 2, 1]), None));
        ConnectionId(self.opened)
    }

    fn line(&mut self, line: &str) {
        let Some(first) = line.chars().next() else { return };
        let rest = &line[first.len_utf8()..];
        let who = || rest.parse::<usize>().unwrap_or_default() % CLIENTS;
        match first {
            '0'..='3' => self.says(first as usize - '0' as usize, rest),
            'l' => {
                self.happens(Input::Lost(self.connections[who()]));
                self.connections[who()] = self.open();
            }
            'n' => self.happens(Input::NotText(self.connections[who()])),
            'b' => self.happens(Input::TooLarge(self.connections[who()])),
            't' => self.later(Duration::from_millis(rest.parse::<u32>().unwrap_or_default().into())),
            'r' => {
                if let Some(refused) = self.refusable.take() {
                    self.happens(refused);
                }
            }
            _ => {
                // What the HTTP API reads, by the way.
                let _ = Create::parse(line.as_bytes());
            }
        }
    }

    fn says(&mut self, who: usize, frame: &str) {
        let frame = frame.replace("$SESSION", &self.session).replace("$KEY", &self.key);
        if let Some(envelope) = Envelope::parse(&frame) {
            let request = Request::parse(&envelope.kind, &frame);
            assert!(!request.is_err_and(|reason| reason.is_empty()), "a refusal without a reason");
        }
        self.happens(Input::Frame(self.connections[who], frame));
    }

    fn happens(&mut self, input: Input) {
        self.hub.handle(self.now, input);
        self.drain();
    }

    /// Time passes, with every deadline on its way met at its time.
    fn later(&mut self, time: Duration) {
        let (begin, begin_ms) = (self.now.instant, self.now.unix_ms);
        let at = |instant: Instant| Moment { instant, unix_ms: begin_ms + (instant - begin).as_millis() as u64 };
        while let Some(due) = self.hub.poll_timeout().filter(|due| *due <= begin + time) {
            self.now = at(due.max(self.now.instant));
            self.hub.handle_timeout(self.now);
            assert!(self.hub.poll_timeout().is_none_or(|next| next > self.now.instant), "a timer that would spin");
            self.drain();
        }
        self.now = at(begin + time);
    }

    fn drain(&mut self) {
        while let Some(output) = self.hub.poll() {
            match output {
                Output::Frame(to, frame) => self.hear(to, &frame),
                Output::Close(connection, _) => assert!(self.closed.insert(connection), "closed twice"),
                Output::Sfu { command, .. } => self.refusable = Some(Input::Refused(command)),
                Output::KeysWanted | Output::Happened(_) => {}
                Output::Revoke(username) => assert!(!username.is_empty()),
            }
        }
    }

    fn hear(&mut self, to: ConnectionId, frame: &str) {
        assert!(!self.closed.contains(&to), "nothing follows a close");
        let frame: Value = serde_json::from_str(frame).expect("every frame is JSON");
        assert!(frame["type"].is_string(), "{frame}");
        if let Some(number) = frame["seq"].as_u64() {
            let before = self.numbers.insert(to, number);
            assert!(before.is_none_or(|before| number == before + 1), "{frame} after {before:?}");
        }
        for (field, known) in [("session", &mut self.session), ("resume_key", &mut self.key)] {
            if let Some(text) = frame[field].as_str() {
                text.clone_into(known);
            }
        }
    }
}
