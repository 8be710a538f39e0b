//! The SFU of one shard: who may call what, and in which order.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use slab::Slab;

use crate::demux::{Demux, Sight};
use crate::engine::Engines;
use crate::participant::{Outbox, Participant};
use crate::room::Room;
use crate::route::{Route, Source};
use crate::rtp;
use crate::secrets::Secrets;
use crate::timers::{Owner, Timers};
use crate::track::Track;
use crate::{Command, Config, Event, ParticipantId, RoomId, Stats, TrackId, Transport};

/// Timers in one call; the rest is for the next, which is due at once.
const TIMERS: usize = 4096;

/// All rooms of one shard.
pub struct Sfu {
    pub(crate) config: Config,
    pub(crate) stats: Stats,
    pub(crate) began: Instant,
    pub(crate) now: Instant,
    pub(crate) engines: Engines,
    pub(crate) secrets: Secrets,
    pub(crate) demux: Demux,
    pub(crate) timers: Timers,
    pub(crate) participants: Slab<Participant>,
    pub(crate) keys: HashMap<ParticipantId, usize, RandomState>,
    pub(crate) rooms: HashMap<RoomId, Room, RandomState>,
    pub(crate) tracks: HashMap<TrackId, Track, RandomState>,
    pub(crate) last_track: u64,
    pub(crate) outbox: Outbox,
    pub(crate) events: VecDeque<Event>,
}

/// What [`Sfu::poll`] gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send a datagram.
    Transmit(Transmit),
    /// Tell signaling.
    Event(Event),
    /// Nothing more for now: call [`Sfu::handle_timeout`] at this time, or `None`: only when something comes in.
    Timeout(Option<Instant>),
}

/// A datagram to send, or a frame of a TCP stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// What is to carry it. A frame goes into the stream that `remote` opened to `local`, or nowhere if that has ended.
    pub transport: Transport,
    /// One of [`Config::candidates`], or of those for TCP: the name under which it must leave.
    pub local: SocketAddr,
    /// Where to.
    pub remote: SocketAddr,
    /// The datagram, or the frame without its length.
    pub bytes: Vec<u8>,
}

impl Sfu {
    /// An SFU without rooms. `seed` makes its ICE credentials and slot keys unpredictable.
    pub fn new(now: Instant, config: Config, seed: [u8; 32]) -> Self {
        Self {
            demux: Demux::new(config.shard),
            config,
            stats: Stats::default(),
            began: now,
            now,
            engines: Engines::new(now),
            secrets: Secrets::new(seed),
            timers: Timers::default(),
            participants: Slab::new(),
            keys: HashMap::default(),
            rooms: HashMap::default(),
            tracks: HashMap::default(),
            last_track: 0,
            outbox: Outbox::default(),
            events: VecDeque::new(),
        }
    }

    /// A datagram from `remote` arrived at `local`, one of [`Config::candidates`]. `false`: it is nobody's, and was counted.
    pub fn handle_datagram(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) -> bool {
        self.receive(now, Route { transport: Transport::Udp, local, remote }, bytes)
    }

    /// The same for a frame of the stream that `remote` has opened to `local`, one of [`Config::tcp_candidates`]. A stream
    /// whose first frame is nobody's should be closed.
    pub fn handle_frame(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) -> bool {
        self.receive(now, Route { transport: Transport::Tcp, local, remote }, bytes)
    }

    /// The stream that `remote` had opened to `local` has ended.
    pub fn handle_end_of_stream(&mut self, local: SocketAddr, remote: SocketAddr) {
        let route = Route { transport: Transport::Tcp, local, remote };
        if let Some(participant) = self.demux.close(route.source()).and_then(|key| self.participants.get_mut(key)) {
            participant.routes.close(route);
            // Its address proves nothing any more, until the engine has answered from there again.
            participant.checks.forget();
        }
    }

    /// Signaling asks for something.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.now = now;
        match command {
            Command::Join { room, participant, order, may_publish, may_subscribe, may_message } => {
                self.join(room, participant, order, (may_publish, may_subscribe, may_message));
            }
            Command::Leave { participant } => self.leave(participant),
            Command::Offer(offer) => self.offer(offer),
            // An ICE-lite agent learns where its peer is from the checks that reach it.
            Command::Candidate { .. } => {}
            Command::Mute { track, muted } => self.mute(track, muted),
            Command::Unpublish { track } => self.unpublish(track),
            Command::View { participant, wishes } => self.view(participant, wishes),
        }
        self.work_off();
        #[cfg(debug_assertions)]
        self.check();
    }

    /// Time has come to the deadline that [`Output::Timeout`] named.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        for _ in 0..TIMERS {
            match self.timers.pop(now) {
                Some(Owner::Engine(key)) => {
                    if let Some(participant) = self.participants.get_mut(key) {
                        participant.pump(now, &mut self.outbox);
                    }
                }
                Some(Owner::Keyframe(track)) => self.request_keyframes(track),
                Some(Owner::Speakers(room)) => self.determine_speakers(room),
                Some(Owner::Raise(key)) => self.allocate(key),
                Some(Owner::Layers(track)) => self.tell_layers(track),
                Some(Owner::Messages(key)) => self.hand_on(key),
                Some(Owner::Padding(key)) => self.pad(key),
                Some(Owner::Pulse(key)) => self.feel_pulse(key),
                None => break,
            }
            self.work_off();
        }
    }

    /// What there is to do, until [`Output::Timeout`].
    pub fn poll(&mut self) -> Output {
        loop {
            if let Some(transmit) = self.outbox.transmits.pop_front() {
                return Output::Transmit(transmit);
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            if self.outbox.pending.is_empty() {
                break;
            }
            self.flush();
        }
        let soonest = self.now + Duration::from_millis(1);
        Output::Timeout(self.timers.next().map(|deadline| deadline.max(soonest)))
    }

    /// Takes back the memory of a [`Transmit`] that was sent, for another one.
    pub fn reuse(&mut self, bytes: Vec<u8>) {
        self.outbox.buffers.give(bytes);
    }

    /// Other addresses from now on, for UDP and for TCP; participants that used one that is gone are asked for an ICE restart.
    pub fn set_candidates(&mut self, now: Instant, udp: Vec<SocketAddr>, tcp: Vec<SocketAddr>) {
        self.now = now;
        let before = self.addresses();
        (self.config.candidates, self.config.tcp_candidates) = (udp, tcp);
        let after = self.addresses();
        let gone: Vec<Source> = before.iter().filter(|old| !after.contains(old)).copied().collect();
        let new: Vec<Source> = after.iter().filter(|new| !before.contains(new)).copied().collect();
        for (_, participant) in &mut self.participants {
            participant.set_addresses(&gone, &new, &mut self.outbox);
            let used = participant.routes.in_use().map(|route| (route.transport, route.local));
            if participant.has_engine() && used.is_some_and(|used| gone.contains(&used)) {
                self.events.push_back(Event::RestartIce { participant: participant.id });
            }
        }
        self.work_off();
    }

    /// What it was made from, with the addresses that hold now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Where it can be reached, the best first.
    pub(crate) fn addresses(&self) -> Vec<Source> {
        let udp = self.config.candidates.iter().map(|address| (Transport::Udp, *address));
        let tcp = self.config.tcp_candidates.iter().map(|address| (Transport::Tcp, *address));
        udp.chain(tcp).collect()
    }

    fn receive(&mut self, now: Instant, route: Route, bytes: &[u8]) -> bool {
        self.now = now;
        let key = match self.demux.look(route.source(), bytes) {
            Sight::Check(key, ufrag) => {
                self.participants.get(key).filter(|found| found.checks.are_for(ufrag)).map(|_| key)
            }
            Sight::Known(key) => Some(key),
            Sight::Nobody => None,
        };
        let proven = key.is_some() && self.demux.owner(route.source()) == key;
        let participant = key.and_then(|key| self.participants.get_mut(key));
        let taken = participant.is_some_and(|found| match found.guard.admit(now, bytes, proven) {
            Ok(()) => {
                self.stats.at_rest += u64::from(rtp::is_chatter(bytes) && found.rests(now));
                found.receive(now, route, bytes, &mut self.outbox)
            }
            Err(excess) => {
                self.stats.limited.count(excess);
                true
            }
        });
        if taken {
            self.work_off();
        } else {
            self.stats.unknown_datagrams += 1;
        }
        taken
    }

    /// Lets those that were handed packets since the last call send them.
    fn flush(&mut self) {
        for key in std::mem::take(&mut self.outbox.pending) {
            if let Some(participant) = self.participants.get_mut(key).filter(|participant| participant.pending) {
                participant.pump(self.now, &mut self.outbox);
            }
        }
        self.work_off();
    }
}

#[cfg(test)]
mod tests;
