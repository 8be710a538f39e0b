//! The loop of a shard's thread.

mod connections;
mod frames;
mod handover;
mod streams;

use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::core::Core;
use super::mailbox::{Neighbours, ToShard};
use super::naps::Naps;
use super::outbox::Outbox;
use super::outgoing::Outgoing;
use super::sockets::{Entry, MAILBOX, Sockets};
use super::stats::Exporter;
use super::streams::Streams;
use crate::clock;
use crate::net::mmsg::{ReceiveBatch, Undelivered};
use crate::net::tcp_relays::TcpRelays;

/// Messages that are taken from the mailbox in one turn: a join storm must not hold up packets.
const MESSAGES_PER_TURN: usize = 64;

/// Sockets that the poller names in one turn; the others are named in the next.
const EVENTS_PER_TURN: usize = 256;

/// How often the wall clock is told and counters are exported.
const TICK: Duration = Duration::from_secs(1);

/// A shard at work.
pub(super) struct Running {
    /// Its number.
    pub(super) index: usize,
    pub(super) neighbours: Neighbours,
    pub(super) poll: Poll,
    pub(super) core: Core,
    pub(super) sockets: Sockets,
    pub(super) mailbox: Receiver<ToShard>,
    pub(super) outgoing: Outgoing,
    pub(super) exporter: Exporter,
}

/// What lives from turn to turn.
struct State {
    events: Events,
    batch: ReceiveBatch,
    outbox: Outbox,
    /// What one stream says, while it is judged.
    messages: Vec<u8>,
    next_tick: Instant,
    messages_left: bool,
    naps: Naps,
    /// What ended a nap.
    message: Option<ToShard>,
}

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    End,
}

impl Running {
    /// Works until it is told to stop.
    pub(super) fn run(mut self) {
        let mut state = State {
            events: Events::with_capacity(EVENTS_PER_TURN),
            batch: ReceiveBatch::default(),
            outbox: Outbox::default(),
            messages: Vec::new(),
            next_tick: clock::now(),
            messages_left: false,
            naps: Naps::default(),
            message: None,
        };
        while self.turn(&mut state) == Then::GoOn {}
        self.count();
    }

    /// One turn: wait, read, judge, and send. All of it happens at one time, read once.
    fn turn(&mut self, state: &mut State) -> Then {
        let mut before = clock::now();
        let mut timeout = self.timeout(before, state);
        if let Some(nap) = state.naps.length(timeout) {
            state.message = self.mailbox.recv_timeout(nap).ok();
            before = clock::now();
            timeout = self.timeout(before, state);
        }
        let received = self.received();
        if let Err(error) = self.poll.poll(&mut state.events, Some(timeout))
            && error.kind() != io::ErrorKind::Interrupted
        {
            // A shard that is gone must not be taken for one that is quiet: the process ends, as with a panic.
            tracing::error!(%error, "the poller fails");
            std::process::exit(101);
        }
        let now = clock::now();
        self.exporter.on_wakeup(before, now);
        let mut else_came = false;
        for event in state.events.iter().filter(|event| event.token() != MAILBOX) {
            else_came |= Streams::owns(event.token()) || TcpRelays::owns(event.token());
            if Streams::owns(event.token()) {
                self.sockets.streams.on_event(event);
            } else if TcpRelays::owns(event.token()) {
                self.sockets.relays.tcp.on_event(event);
            } else {
                self.sockets.on_event(event);
            }
        }
        for _ in 0..self.sockets.ready() {
            self.read(now, state);
        }
        for _ in 0..self.sockets.troubled() {
            self.read_errors(now);
        }
        let (all, at_rest) = self.received();
        state.naps.note(all - received.0, at_rest - received.1, else_came);
        self.turn_streams(now, state);
        self.turn_connections(now, state);
        let then = self.read_mailbox(now, state);
        self.core.handle_timeout(now);
        self.settle(now, state);
        self.claim();
        if now >= state.next_tick {
            state.next_tick = now + TICK;
            state.naps.tick();
            self.core.set_unix_time(now, clock::unix_secs());
            self.sockets.relays.tcp.tick();
            self.count();
            self.sockets.streams.tick(now, |client| self.core.is_allocated(now, client));
            self.exporter.export(now, &self.core, &self.sockets, &self.outgoing);
        }
        then
    }

    /// How many datagrams have come, and how many of them of people at rest.
    fn received(&self) -> (u64, u64) {
        (self.sockets.counters.received, self.core.sfu_stats().at_rest)
    }

    /// How long to wait for packets: until the next deadline, not at all where something is left to do.
    fn timeout(&self, now: Instant, state: &State) -> Duration {
        let of_streams = self.sockets.streams.has_work() || self.sockets.relays.tcp.has_work();
        let of_mailbox = state.messages_left || state.message.is_some();
        if self.sockets.ready() + self.sockets.troubled() > 0 || of_streams || of_mailbox {
            return Duration::ZERO;
        }
        let of_rates = self.sockets.relays.tcp.poll_timeout();
        let deadlines = [self.core.poll_timeout(), self.outgoing.poll_timeout(now), of_rates, Some(state.next_tick)];
        let next = deadlines.into_iter().flatten().min().unwrap_or(state.next_tick);
        next.saturating_duration_since(now)
    }

    /// One batch of the socket whose turn it is.
    fn read(&mut self, now: Instant, state: &mut State) {
        let Some((_, want)) = self.sockets.next_ready() else { return };
        if state.batch.free() < want {
            self.flush(state);
        }
        let Some((entry, slots)) = self.sockets.receive(&mut state.batch) else { return };
        self.judge(now, entry, slots, state);
        // Relays' datagrams wait for each other: they all leave from the few listeners. Others have nothing to wait for.
        if !matches!(entry, Entry::Relay(_)) {
            self.settle(now, state);
        }
    }

    /// What the network says of the datagrams of one relay.
    fn read_errors(&mut self, now: Instant) {
        let Some((relay, errors)) = self.sockets.next_errors() else { return };
        for Undelivered { to, icmp } in errors {
            self.core.from_icmp(now, relay, to, icmp, &self.sockets.relays);
        }
    }

    /// Hands what was received to the core.
    fn judge(&mut self, now: Instant, entry: Entry, slots: Range<usize>, state: &mut State) {
        let (core, batch, outbox) = (&mut self.core, &state.batch, &mut state.outbox);
        let listener = match entry {
            Entry::Listener(number) => self.sockets.listeners.get(usize::from(number)).map(|(one, _)| one.address),
            _ => None,
        };
        for slot in slots {
            let Some(received) = batch.received(slot) else { continue };
            if let Some(lost) = received.lost {
                self.sockets.on_lost(entry, lost);
            }
            let relays = &mut self.sockets.relays;
            for at in received.datagrams() {
                self.sockets.counters.received += 1;
                match (entry, listener) {
                    (Entry::Listener(_), Some(mut local)) => {
                        received.local.into_iter().for_each(|ip| local.set_ip(ip));
                        core.from_client(now, (received.source, local), (batch.buffer(), at), relays, outbox);
                    }
                    (Entry::Relay(relay), _) => core.from_peer(now, relay, received.source, at, relays, outbox),
                    (Entry::Sfu(_), _) => {
                        core.from_sfu_socket(now, (received.source, received.local), &batch.buffer()[at], relays);
                    }
                    (Entry::Listener(_), None) => {}
                }
            }
        }
    }

    fn read_mailbox(&mut self, now: Instant, state: &mut State) -> Then {
        state.messages_left = false;
        for _ in 0..MESSAGES_PER_TURN {
            match state.message.take().map_or_else(|| self.mailbox.try_recv(), Ok) {
                Ok(ToShard::Stop) | Err(TryRecvError::Disconnected) => {
                    self.core.handle_message(now, ToShard::Stop);
                    return Then::End;
                }
                Ok(ToShard::Claimed(claimed)) => self.surrender(now, *claimed),
                Ok(ToShard::Parcel(parcel)) => self.take_up(now, *parcel, state),
                Ok(ToShard::Stream(migrant)) => self.sockets.streams.immigrate(now, migrant),
                Ok(ToShard::Configure(settings)) => {
                    self.sockets.streams.configure(settings.streams.clone());
                    self.core.handle_message(now, ToShard::Configure(settings));
                }
                Ok(message) => self.core.handle_message(now, message),
                Err(TryRecvError::Empty) => return Then::GoOn,
            }
        }
        state.messages_left = true;
        Then::GoOn
    }

    /// Tells the month's budget what was relayed.
    fn count(&mut self) {
        let stats = self.core.turn_stats();
        self.sockets.relays.count(stats.to_peers.bytes + stats.to_clients.bytes);
    }

    /// Collects what the cores have to say, and sends.
    fn settle(&mut self, now: Instant, state: &mut State) {
        self.collect(now, state);
        self.flush(state);
    }

    fn collect(&mut self, now: Instant, state: &mut State) {
        self.core.settle(now, &mut self.sockets.relays, &mut state.outbox);
        while let Some(event) = self.core.poll_event() {
            self.outgoing.push(event);
        }
        self.outgoing.flush();
    }

    /// Sends; the receive buffer is free again.
    fn flush(&mut self, state: &mut State) {
        state.outbox.flush(state.batch.buffer(), &mut self.sockets);
        state.batch.clear();
    }
}
