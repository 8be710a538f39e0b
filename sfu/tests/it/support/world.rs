//! The world: carries datagrams with delay and loss, lets time pass, and keeps what signaling was told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use roundturn_sfu::{Command, Config, Event, Output, ParticipantId, RoomId, Sfu, SlotAssignment, TrackId, Wish};

use str0m::change::SdpApi;

use super::client::Sections;
use super::{Client, Setup};

pub const ROOM: RoomId = RoomId(1);
const DELAY: Duration = Duration::from_millis(10);
/// How much later some packets come.
const LATE: Duration = Duration::from_millis(15);

pub struct World {
    pub began: Instant,
    pub now: Instant,
    pub sfu: Sfu,
    pub address: SocketAddr,
    /// Where streams are listened for.
    pub tcp_address: SocketAddr,
    /// What the SFU sees in place of a client's own address.
    pub nat: BTreeMap<SocketAddr, SocketAddr>,
    pub clients: Vec<Client>,
    /// Where and with which grants (publish, subscribe, message) the next one joins.
    pub room: RoomId,
    pub grants: (bool, bool, bool),
    pub events: Vec<Event>,
    /// Datagrams lost of a thousand, both ways.
    pub loss: u64,
    /// Everything that the SFU sent: to whom.
    pub sent_to: BTreeMap<SocketAddr, usize>,
    /// Datagrams of a thousand that come 15 ms later than others.
    pub late: u64,
    /// How much later datagrams may come than others, in order at each end: a wireless network is never even.
    pub jitter: Duration,
    /// When the last one came to each end.
    newest: BTreeMap<SocketAddr, Instant>,
    /// How many bits per second each client's link takes from us, where it is limited, and when it is free again.
    pub links: BTreeMap<SocketAddr, (u64, Instant)>,
    /// What a limited link holds back before it drops.
    pub queue: Duration,
    random: u64,
    order: u64,
    wire: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {}, 1)
    }

    pub fn with(change: impl FnOnce(&mut Config), seed: u64) -> Self {
        let now = start();
        let address = SocketAddr::from(([192, 0, 2, 1], 49160));
        let tcp_address = SocketAddr::from(([192, 0, 2, 1], 3478));
        let mut config = Config {
            candidates: vec![address],
            tcp_candidates: vec![tcp_address],
            relays: (Vec::new(), 49160..=49359),
            shard: 3,
            audio_slots: 4,
            video_slots: 9,
            keyframe_cache: false,
            tracks: 6,
            participants: 100,
            unix: Duration::ZERO,
            clock: still,
        };
        change(&mut config);
        Self {
            began: now,
            now,
            sfu: Sfu::new(now, config, [7; 32]),
            address,
            tcp_address,
            nat: BTreeMap::new(),
            clients: Vec::new(),
            room: ROOM,
            grants: (true, true, true),
            events: Vec::new(),
            loss: 0,
            sent_to: BTreeMap::new(),
            late: 0,
            jitter: Duration::ZERO,
            newest: BTreeMap::new(),
            links: BTreeMap::new(),
            queue: Duration::from_millis(250),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            order: 0,
            wire: BTreeMap::new(),
        }
    }

    /// A client joins the room and offers; its answer is taken. Returns its index.
    pub fn enter(&mut self, setup: Setup) -> usize {
        let index = self.try_enter(setup);
        let answer = self.answer_of(self.clients[index].id);
        self.clients[index].take_answer(&answer);
        index
    }

    /// A client joins the room and offers. Returns its index.
    pub fn try_enter(&mut self, setup: Setup) -> usize {
        let number = self.clients.len() as u8 + 1;
        let client = Client::new(self.now, number, setup);
        self.join(client.id);
        let offer = client.offer(client.sdp.clone());
        self.clients.push(client);
        self.command(Command::Offer(offer));
        usize::from(number) - 1
    }

    /// Someone joins who is no client of this world.
    pub fn stranger(&mut self) -> ParticipantId {
        let id = ParticipantId(1000 + self.order);
        self.join(id);
        id
    }

    /// A client changes its sections and offers again; the answer is taken.
    pub fn renegotiate(&mut self, index: usize, change: impl FnOnce(&mut SdpApi<'_>, &mut Sections)) {
        let offer = self.clients[index].replan(change);
        self.command(Command::Offer(offer));
        let answer = self.answer_of(self.clients[index].id);
        self.clients[index].take_answer(&answer);
    }

    /// A client restarts ICE; the answer is taken.
    pub fn restart_ice(&mut self, index: usize) {
        self.renegotiate(index, |api, _| {
            api.ice_restart(true);
        });
    }

    /// A client throws its peer connection away and makes another.
    pub fn reopen(&mut self, index: usize, setup: Setup) {
        let generation = self.clients[index].generation;
        let mut client = Client::new(self.now, index as u8 + 1, setup);
        client.generation += generation;
        let offer = client.offer(client.sdp.clone());
        self.clients[index] = client;
        self.command(Command::Offer(offer));
        let answer = self.answer_of(self.clients[index].id);
        self.clients[index].take_answer(&answer);
    }

    fn join(&mut self, participant: ParticipantId) {
        let (may_publish, may_subscribe, may_message) = self.grants;
        let order = participant.0;
        self.command(Command::Join { room: self.room, participant, order, may_publish, may_subscribe, may_message });
    }

    pub fn command(&mut self, command: Command) {
        self.sfu.handle_command(self.now, command);
        self.collect();
    }

    /// The SDP of the last answer to this participant.
    pub fn answer_of(&self, id: ParticipantId) -> String {
        let answers = self.events.iter().rev().find_map(|event| match event {
            Event::Answer { participant, sdp, .. } if *participant == id => Some(sdp.clone()),
            _ => None,
        });
        answers.unwrap_or_else(|| panic!("no answer in {:?}", self.events))
    }

    /// The tracks of the last answer to this client.
    pub fn tracks_of(&self, index: usize) -> Vec<TrackId> {
        let id = self.clients[index].id;
        let tracks = self.events.iter().rev().find_map(|event| match event {
            Event::Answer { participant, tracks, .. } if *participant == id => Some(tracks),
            _ => None,
        });
        tracks.unwrap().iter().map(|(_, track)| *track).collect()
    }

    /// What is in the slots of a client, audio then video, as it was told last.
    pub fn slots_of(&self, index: usize) -> (Vec<SlotAssignment>, Vec<SlotAssignment>) {
        let (mut now_audio, mut now_video) = (Vec::new(), Vec::new());
        for event in &self.events {
            if let Event::Slots { participant, audio, video } = event
                && *participant == self.clients[index].id
            {
                now_audio = audio.clone().unwrap_or(now_audio);
                now_video = video.clone().unwrap_or(now_video);
            }
        }
        (now_audio, now_video)
    }

    /// The tracks in the video slots of a client.
    pub fn video_of(&self, index: usize) -> Vec<Option<TrackId>> {
        self.slots_of(index).1.iter().map(|slot| slot.track).collect()
    }

    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        loop {
            self.collect();
            let timeout = self.sfu_timeout();
            for index in 0..self.clients.len() {
                self.tick(index);
            }
            let clients = self.clients.iter().filter(|client| !client.gone).map(Client::next).min();
            let wire = self.wire.keys().next().map(|(at, _)| *at);
            let next = [timeout, clients, wire].into_iter().flatten().min().unwrap_or(end + DELAY);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next.max(self.now + Duration::from_micros(100));
            self.deliver();
            if timeout.is_some_and(|timeout| timeout <= self.now) {
                self.sfu.handle_timeout(self.now);
            }
        }
    }

    /// From now on a client's link takes so much from us.
    pub fn limit(&mut self, index: usize, bits_per_second: u64) {
        self.links.insert(self.clients[index].address, (bits_per_second, self.now));
    }

    /// A client says how high it shows the camera of others.
    pub fn view(&mut self, index: usize, wishes: &[(TrackId, u16, u8)]) {
        let wish = |(track, height, priority): &(TrackId, u16, u8)| Wish {
            track: *track,
            height: *height,
            priority: *priority,
        };
        let wishes = wishes.iter().map(wish).collect();
        self.command(Command::View { participant: self.clients[index].id, wishes });
    }

    /// A number below `bound`, from the seed.
    pub fn random_below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn tick(&mut self, index: usize) {
        if self.clients[index].gone {
            return;
        }
        let from = self.seen(&self.clients[index]);
        for (to, bytes) in self.clients[index].tick(self.now) {
            self.send(from, to, bytes);
        }
    }

    fn sfu_timeout(&mut self) -> Option<Instant> {
        match self.sfu.poll() {
            Output::Timeout(timeout) => {
                assert!(timeout.is_none_or(|timeout| timeout > self.now), "a timeout must lie in the future");
                timeout
            }
            other => panic!("polled empty, yet {other:?}"),
        }
    }

    fn collect(&mut self) {
        loop {
            match self.sfu.poll() {
                Output::Timeout(_) => return,
                Output::Event(event) => self.events.push(event),
                Output::Transmit(transmit) => {
                    *self.sent_to.entry(transmit.remote).or_default() += 1;
                    self.send(transmit.local, transmit.remote, transmit.bytes);
                }
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (from, to, bytes) = entry.remove();
            if to == self.address {
                self.sfu.handle_datagram(self.now, to, from, &bytes);
                self.collect();
            } else if to == self.tcp_address {
                self.sfu.handle_frame(self.now, to, from, &bytes);
                self.collect();
            } else if let Some(index) = self.clients.iter().position(|client| self.seen(client) == to) {
                self.clients[index].receive(self.now, from, &bytes);
                self.tick(index);
            }
        }
    }

    /// The address that the SFU sees of a client.
    fn seen(&self, client: &Client) -> SocketAddr {
        *self.nat.get(&client.address).unwrap_or(&client.address)
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.random_below(1000) < self.loss {
            return;
        }
        let mut at = self.now;
        if let Some((rate, free)) = self.links.get_mut(&to) {
            let takes = Duration::from_nanos(bytes.len() as u64 * 8_000_000_000 / *rate);
            let done = (*free).max(self.now) + takes;
            if done > self.now + self.queue {
                return;
            }
            (*free, at) = (done, done);
        }
        if !self.jitter.is_zero() {
            at += Duration::from_micros(self.random_below(self.jitter.as_micros() as u64));
            at = at.max(self.newest.get(&to).copied().unwrap_or(at));
            self.newest.insert(to, at);
        }
        if self.random_below(1000) < self.late {
            at += LATE;
        }
        self.order += 1;
        self.wire.insert((at + DELAY, self.order), (from, to, bytes));
    }
}

/// Where virtual time begins.
#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

/// A clock that stands still: engines seem to cost nothing, however slow this machine is.
fn still() -> Duration {
    Duration::ZERO
}
