//! The whole TURN server: clients with and without a key, peers, a network in between, time, and an operator.
//!
//! ```text
//!  bytes ──► steps ──► World: server, relays, time ──► verdicts, answers, events ──► Model: may this be?
//! ```

mod choices;
mod model;

use std::net::SocketAddr;
use std::time::Duration;

use roundturn_turn::message::{Class, Integrity, Message, Method, PasswordAlgorithm, TransactionId, attribute};
use roundturn_turn::{Family, Icmp, OpenError, Peer, Relay, Relays, Verdict};

use self::choices::{ALLOWED, DENIED, PAUSES_SECS, PEERS, Rules, arbitrary, channel, clients, settings};
use self::model::{Model, is_denied};
use crate::bytes::Bytes;
use crate::dsl::{
    Ask, EXTERNAL_V4, Speaker, World, addr, allocate, channel_bind, create_permission, minutes, refresh, secs, send,
};

/// The most steps of one input.
const STEPS: usize = 400;
/// The relays that there may be in all, and of one user.
const RELAYS: usize = 10;
const RELAYS_OF_USER: usize = 4;
/// The longest answer to somebody who has proved nothing: a challenge that offers password algorithms, with a fingerprint.
const LONGEST_TO_STRANGERS: usize = 100;
/// The number of the client that has a password of its own invention.
const MALLORY: usize = 7;

/// Lives through what `bytes` say, and checks that nothing came of it that must not.
pub fn check(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let mut run = Run::new();
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        run.step(&mut bytes);
        run.check_books();
    }
    run.world.with_server(|server, _| assert!(server.is_consistent()));
    run.end();
}

struct Run {
    world: World,
    clients: Vec<Speaker>,
    model: Model,
    rules: Rules,
    /// What was said last, and by whom.
    last: (usize, Vec<u8>),
    token: Vec<u8>,
}

/// Who has made a message, so what its answer may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The client who sends it.
    Sender,
    /// Nobody who knows a key, or nobody knows who.
    Nobody,
    /// Any client.
    Anybody,
}

impl Run {
    fn new() -> Self {
        // It is asked at the end: it walks every port there is.
        let world = World::checked_every(u64::MAX, settings(Rules::BuiltIn, 0));
        world.with_relays(|relays| (relays.most, relays.most_per_user) = (RELAYS, RELAYS_OF_USER));
        let clients = clients(&world);
        let (last, token) = ((0, Vec::new()), Vec::new());
        Self { world, clients, model: Model::default(), rules: Rules::BuiltIn, last, token }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let what = bytes.byte();
        let who = usize::from(what >> 5);
        match what & 0x1F {
            0..=4 => self.says(who, &self.allocate(bytes)),
            5 | 6 => self.says(who, &refresh(u32::from(bytes.byte()) * 60)),
            7 => {
                let family = bytes.one(&[1, 2]);
                let ask = refresh(0).with(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
                self.says(who, &ask);
            }
            8 | 9 => {
                let peers: Vec<String> = (0..1 + bytes.byte() % 4).map(|_| self.peer(bytes)).collect();
                let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
                self.says(who, &create_permission(&peers));
            }
            10 | 11 => self.says(who, &channel_bind(channel(bytes), &self.peer(bytes))),
            12 | 13 => {
                let ask = send(&self.peer(bytes), bytes.some());
                self.deliver(who, &ask.encode(TransactionId([8; 12]), None), Maker::Nobody);
            }
            14 | 15 => {
                let (number, data) = (channel(bytes), bytes.some());
                let head = [&number.to_be_bytes()[..], &(data.len() as u16).to_be_bytes()].concat();
                self.deliver(who, &[&head, data].concat(), Maker::Nobody);
            }
            16 | 17 => self.peer_says(bytes),
            18 | 19 => self.pass(secs(bytes.one(&PAUSES_SECS))),
            20 => self.world.later_unnoticed(secs(bytes.one(&PAUSES_SECS))),
            21 => {
                let raw = bytes.some().to_vec();
                self.deliver(who, &raw, Maker::Nobody);
            }
            22 => self.says(who, &arbitrary(bytes)),
            23 => {
                let ask = arbitrary(bytes);
                self.deliver(who, &ask.encode(TransactionId([8; 12]), None), Maker::Nobody);
            }
            24 => self.forges(who, bytes),
            25 => {
                let last = self.last.1.clone();
                self.deliver(who, &last, Maker::Anybody);
            }
            26 => self.icmp(bytes),
            27 => {
                let username = self.clients[who].username.clone();
                self.world.with_server(|server, now| server.revoke(now, &username));
            }
            28 => self.reconfigure(bytes),
            29 => {
                let client = self.clients[who].client;
                if client.transport.is_stream() {
                    self.world.with_server(|server, now| server.disconnect(now, client));
                }
            }
            30 => self.restyle(who, bytes.byte()),
            _ => {
                let refusal = bytes.one(&[None, Some(OpenError::NoPort), Some(OpenError::PrefixQuota)]);
                self.world.with_relays(|relays| relays.refusal = refusal);
            }
        }
        self.model.happened(self.world.events());
    }

    /// Allocate with some of what may be asked for beside.
    fn allocate(&self, bytes: &mut Bytes<'_>) -> Ask {
        let wishes = bytes.byte();
        let mut ask = allocate();
        if wishes & 1 != 0 {
            ask = ask.with(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
        }
        if wishes & 2 != 0 {
            ask = ask.with(attribute::EVEN_PORT, &[wishes & 0x80]);
        }
        if wishes & 4 != 0 {
            ask = ask.with(attribute::REQUESTED_ADDRESS_FAMILY, &[1 + (wishes >> 6 & 1), 0, 0, 0]);
        }
        if wishes & 8 != 0 {
            ask = ask.with(attribute::RESERVATION_TOKEN, &self.token);
        }
        if wishes & 16 != 0 {
            ask = ask.with(attribute::LIFETIME, &(u32::from(bytes.byte()) * 60).to_be_bytes());
        }
        if wishes & 32 != 0 { ask.fingerprinted() } else { ask }
    }

    fn peer(&self, bytes: &mut Bytes<'_>) -> String {
        let which = bytes.byte();
        let own = self.model.relay(which).filter(|_| which & 0xC0 == 0xC0);
        match own {
            Some(Relay { family: Family::V4, port }) => format!("{EXTERNAL_V4}:{port}"),
            _ if which & 0x80 != 0 => DENIED[usize::from(which & 0x3F) % DENIED.len()].to_owned(),
            _ => ALLOWED[usize::from(which) % ALLOWED.len()].to_owned(),
        }
    }

    /// A client says `ask` with its proof, and again if its nonce was no good.
    fn says(&mut self, who: usize, ask: &Ask) {
        for _ in 0..2 {
            let bytes = self.clients[who].signed(ask);
            if !self.deliver(who, &bytes, Maker::Sender) {
                break;
            }
        }
    }

    /// A message that was changed under way, to which nobody has the key. What comes after the proof may be changed.
    fn forges(&mut self, who: usize, bytes: &mut Bytes<'_>) {
        let ask = self.allocate(bytes);
        let mut signed = self.clients[who].signed(&ask);
        let has_fingerprint = Message::decode(&signed).is_ok_and(|message| message.has_fingerprint());
        let proven = signed.len() - if has_fingerprint { 8 } else { 0 };
        let at = usize::from(bytes.short()) % proven;
        signed[at] ^= bytes.byte().max(1);
        self.deliver(who, &signed, Maker::Nobody);
    }

    /// Hands `said` to the server; whether its answer brought a new nonce.
    fn deliver(&mut self, who: usize, said: &[u8], maker: Maker) -> bool {
        let client = self.clients[who].clone();
        let heard = client.says_raw(said);
        self.last = (who, said.to_vec());
        self.model.happened(self.world.events());
        let now = self.world.with_server(|_, now| now);
        match &heard.verdict {
            Verdict::Reply => {
                let answer = heard.bytes().expect("a reply has an answer");
                return self.hear(who, said, &answer, maker);
            }
            Verdict::ToPeer { relay, peer, data, .. } => {
                assert!(data.start <= data.end && data.end <= said.len());
                let channel = (said[0] >= 0x40).then(|| u16::from_be_bytes([said[0], said[1]]));
                self.model.passed(now, client.client, channel, *relay, *peer);
                assert!(self.may_be_reached(peer.0, channel.is_some()), "{peer:?} is denied");
                assert_eq!(relay.family, Family::of(peer.0));
            }
            Verdict::Drop(_) => {}
            other => panic!("{other:?}"),
        }
        false
    }

    fn hear(&mut self, who: usize, said: &[u8], answer: &[u8], maker: Maker) -> bool {
        let (said, len) = (Message::decode(said).expect("only messages are answered"), answer.len());
        let answer = Message::decode(answer).expect("answers are well-formed");
        assert_eq!((answer.method(), answer.transaction()), (said.method(), said.transaction()));
        assert_eq!(answer.has_fingerprint(), said.has_fingerprint());
        if answer.has_integrity() {
            assert!(maker != Maker::Nobody && (maker == Maker::Anybody || who != MALLORY), "nobody proved a key");
            if maker == Maker::Sender {
                assert!(answer.verify(&self.clients[who].key()));
            }
        } else {
            assert!(answer.class() == Class::Error || said.method() == Method::BINDING);
            assert!(len <= LONGEST_TO_STRANGERS, "{len} bytes for a stranger");
        }
        let now = self.world.with_server(|_, now| now);
        let client = self.clients[who].client;
        self.model.answered(now, client, &said, &answer);
        if let Some(token) = answer.attribute(attribute::RESERVATION_TOKEN) {
            self.token = token.to_vec();
        }
        let nonce = answer.attribute(attribute::NONCE).map(<[u8]>::to_vec);
        let is_new = nonce.is_some();
        if is_new {
            *self.clients[who].nonce.borrow_mut() = nonce;
        }
        is_new
    }

    /// Own ports may be reached. One that has ended since a channel was bound to it is the embedder's to tell.
    fn may_be_reached(&self, peer: SocketAddr, by_channel: bool) -> bool {
        let is_ours = self.world.with_relays(|relays| relays.is_ours(peer));
        let was_ours = by_channel && peer.ip() == addr("5.9.0.1:1").ip() && peer.port() >= 50_000;
        let first = peer.ip().to_string();
        is_ours
            || was_ours
            || match self.rules {
                Rules::Deny if first.starts_with("9.") => false,
                Rules::Allow if first.starts_with("10.") => true,
                _ => !is_denied(peer),
            }
    }

    fn peer_says(&mut self, bytes: &mut Bytes<'_>) {
        let Some(relay) = self.model.relay(bytes.byte()) else { return };
        let (peer, len) = (Peer(addr(&self.peer(bytes))), usize::from(bytes.short()));
        let (verdict, now) = self.world.with_server(|server, now| (server.handle_peer(now, relay, peer, len), now));
        match verdict {
            Verdict::ToClient { client, header } => {
                self.model.came(now, client, relay, peer);
                let whole = header.bytes().len() + len + header.padding();
                assert!(header.bytes()[0] >= 0x40 || whole.is_multiple_of(4));
                assert!(!client.transport.is_stream() || whole.is_multiple_of(4));
            }
            verdict => assert!(matches!(verdict, Verdict::Drop(_)), "{verdict:?}"),
        }
    }

    /// Somebody on the way tells of an error; the client may be told in turn, and nobody else.
    fn icmp(&mut self, bytes: &mut Bytes<'_>) {
        let Some(relay) = self.model.relay(bytes.byte()) else { return };
        let peer = Peer(addr(&self.peer(bytes)));
        let icmp = Icmp { kind: bytes.byte(), code: bytes.byte(), mtu: bytes.short().into() };
        let (verdict, told, now) = self.world.with_server(|server, now| {
            let verdict = server.handle_icmp(now, relay, peer, icmp);
            (verdict, server.poll_transmit(), now)
        });
        assert_eq!(verdict == Verdict::Reply, told.is_some());
        if let Some(told) = told {
            self.model.came(now, told.to, relay, peer);
            assert!(Message::decode(&told.bytes).is_ok_and(|message| message.class() == Class::Indication));
        }
    }

    fn reconfigure(&mut self, bytes: &mut Bytes<'_>) {
        self.rules = bytes.one(&[Rules::BuiltIn, Rules::Deny, Rules::Allow]);
        let config = settings(self.rules, bytes.byte());
        self.world.with_server(|server, now| server.reconfigure(now, config));
    }

    fn restyle(&mut self, who: usize, style: u8) {
        let speaker = &mut self.clients[who].style;
        speaker.hashed = style & 1 != 0;
        speaker.integrity = if style & 2 != 0 { Integrity::Sha256 } else { Integrity::Sha1 };
        speaker.algorithm = match style >> 2 & 3 {
            1 => Some(PasswordAlgorithm::Md5),
            2 => Some(PasswordAlgorithm::Sha256),
            _ => None,
        };
    }

    fn pass(&mut self, pause: Duration) {
        self.world.later(pause);
        self.model.happened(self.world.events());
        self.world.with_server(|server, now| {
            server.handle_timeout(now);
            assert!(server.poll_timeout().is_none_or(|next| next > now), "a timer that would spin");
        });
    }

    /// Ports, quotas and counters tell the same.
    fn check_books(&self) {
        let (open, reserved) = self.world.with_relays(|relays| (relays.open.len(), relays.reserved.len()));
        assert!(open <= RELAYS);
        assert_eq!(open, self.model.relays() + reserved, "a port that nobody has");
        self.world.with_server(|server, _| {
            let stats = server.stats();
            assert_eq!(stats.allocations, self.model.relays() as u64);
            assert!(stats.permissions.max(stats.channels) <= stats.allocations * PEERS as u64);
        });
    }

    /// Nobody says anything any more.
    fn end(mut self) {
        self.pass(minutes(130));
        self.model.happened(self.world.events());
        self.check_books();
        assert_eq!(self.model.relays(), 0, "an allocation without end");
        self.world.with_relays(|relays| assert!(relays.open.is_empty(), "a port without end"));
        self.world.with_server(|server, _| {
            let stats = server.stats();
            assert_eq!((stats.allocations, stats.permissions, stats.channels), (0, 0, 0));
            assert_eq!(stats.created.total(), stats.closed.total());
            assert_eq!(server.poll_timeout(), None);
        });
    }
}
