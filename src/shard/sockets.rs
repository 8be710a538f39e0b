//! Every socket of one shard, and the batch calls on them.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use mio::event::Event;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use roundturn_turn::{Family, Relay};

use super::outbox::{Datagram, Exit, Wire};
use super::streams::Streams;
use crate::net::mmsg::{self, ReceiveBatch, SendBatch, Sent, Undelivered};
use crate::net::relays::{self, RelaySockets};
use crate::net::udp::{Listener, Reading};

/// The poller's token of the mailbox.
pub const MAILBOX: Token = Token(0);

const FIRST_LISTENER: usize = 1;
const FIRST_SFU: usize = 0x200;

/// Datagrams that are read from a shared socket in one turn.
const SHARED_BATCH: usize = 64;

/// Datagrams that are read from a relay in one turn: a video frame's worth, so that one relay does not hold up others.
const RELAY_BATCH: usize = 16;

/// ICMP errors that are taken from a relay in one turn. Beyond them they wait, and take of the room for what peers send:
/// a relay that the network complains of loses its own datagrams.
const ERRORS_BATCH: usize = 16;

/// A socket that may have something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The listener of this number.
    Listener(u8),
    /// The SFU's port, by place in the list of its sockets.
    Sfu(u8),
    /// A relay.
    Relay(Relay),
}

/// The sockets, which of them may have something to read, and what was counted at them.
pub struct Sockets {
    pub(super) listeners: Vec<(Listener, Reading)>,
    sfu: Vec<(Family, UdpSocket, Reading)>,
    /// The relays.
    pub relays: RelaySockets,
    /// Streams, and where they are listened for.
    pub streams: Streams,
    ready: VecDeque<Entry>,
    troubled: VecDeque<Relay>,
    sending: SendBatch,
    /// What was counted.
    pub counters: Counters,
}

/// Monotonic counters of system calls and what they moved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Datagrams received.
    pub received: u64,
    /// Calls that received some.
    pub receive_calls: u64,
    /// Datagrams that listeners lost to a full receive buffer.
    pub lost_by_listeners: u64,
    /// Datagrams that the SFU's sockets lost to a full receive buffer.
    pub lost_by_sfu: u64,
    /// Datagrams that relays lost to a full receive buffer.
    pub lost_by_relays: u64,
    /// What was sent.
    pub sent: Sent,
}

impl Sockets {
    /// Takes the sockets and has them polled.
    ///
    /// # Errors
    /// What the poller says.
    pub fn new(
        registry: &Registry,
        listeners: Vec<Listener>,
        sfu: Vec<(Family, UdpSocket)>,
        relays: RelaySockets,
        streams: Streams,
    ) -> io::Result<Self> {
        let mut listeners: Vec<_> = listeners.into_iter().map(|listener| (listener, Reading::default())).collect();
        let mut sfu: Vec<_> = sfu.into_iter().map(|(family, socket)| (family, socket, Reading::default())).collect();
        for (number, (listener, _)) in listeners.iter_mut().enumerate() {
            registry.register(&mut listener.socket, Token(FIRST_LISTENER + number), Interest::READABLE)?;
        }
        for (number, (_, socket, _)) in sfu.iter_mut().enumerate() {
            registry.register(socket, Token(FIRST_SFU + number), Interest::READABLE)?;
        }
        let (ready, troubled) = (VecDeque::new(), VecDeque::new());
        let (sending, counters) = (SendBatch::default(), Counters::default());
        Ok(Self { listeners, sfu, relays, streams, ready, troubled, sending, counters })
    }

    /// The poller says that a socket has something to read, errors perhaps. It is said once, until all of it was read.
    pub fn on_event(&mut self, event: &Event) {
        let token = event.token();
        if event.is_error()
            && let Some(relay) = relays::of_token(token)
            && let Some(open) = self.relays.find(relay)
            && !std::mem::replace(&mut open.troubled, true)
        {
            self.troubled.push_back(relay);
        }
        let entry = match token.0 {
            _ if relays::of_token(token).is_some_and(|relay| self.relays.find(relay).is_some()) => {
                relays::of_token(token).map(Entry::Relay)
            }
            number if number >= FIRST_SFU => u8::try_from(number - FIRST_SFU).ok().map(Entry::Sfu),
            number if number >= FIRST_LISTENER => u8::try_from(number - FIRST_LISTENER).ok().map(Entry::Listener),
            _ => None,
        };
        let Some(entry) = entry else { return };
        if let Some((_, reading)) = self.find(entry)
            && !std::mem::replace(&mut reading.queued, true)
        {
            self.ready.push_back(entry);
        }
    }

    /// How many relays have errors to be read.
    pub fn troubled(&self) -> usize {
        self.troubled.len()
    }

    /// Takes a few errors of the relay whose turn it is; where more are left, its turn comes again behind all others.
    /// What is said several times in a row is told once.
    pub fn next_errors(&mut self) -> Option<(Relay, Vec<Undelivered>)> {
        let relay = self.troubled.pop_front()?;
        let open = self.relays.find(relay)?;
        let mut errors = Vec::new();
        open.troubled = false;
        for _ in 0..ERRORS_BATCH {
            let Ok(error) = mmsg::next_error(open.socket.as_fd()) else {
                errors.dedup();
                return Some((relay, errors));
            };
            errors.extend(error.and_then(|error| open.complete(error)));
        }
        open.troubled = true;
        self.troubled.push_back(relay);
        errors.dedup();
        Some((relay, errors))
    }

    /// How many sockets wait to be read.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// The socket whose turn it is, and how many datagrams to read from it.
    pub fn next_ready(&self) -> Option<(Entry, usize)> {
        let entry = *self.ready.front()?;
        Some((entry, if matches!(entry, Entry::Relay(_)) { RELAY_BATCH } else { SHARED_BATCH }))
    }

    /// Reads one batch from the socket whose turn it is; where more is left, its turn comes again behind all others.
    pub fn receive(&mut self, batch: &mut ReceiveBatch) -> Option<(Entry, Range<usize>)> {
        let (entry, want) = self.next_ready()?;
        self.ready.pop_front();
        let want = want.min(batch.free());
        let (socket, reading) = self.find(entry)?;
        let slots = match batch.receive(socket.as_fd(), want) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                // An ICMP error, told in place of what there is to read. After another one the poller reports anew.
                batch.receive(socket.as_fd(), want).unwrap_or_default()
            }
            received => received.unwrap_or_default(),
        };
        reading.queued = slots.len() == want;
        if reading.queued {
            self.ready.push_back(entry);
        }
        if !slots.is_empty() {
            self.counters.receive_calls += 1;
        }
        Some((entry, slots))
    }

    /// The kernel says how many datagrams a socket has lost so far.
    pub fn on_lost(&mut self, entry: Entry, lost: u32) {
        let Some((_, reading)) = self.find(entry) else { return };
        let more = u64::from(lost.wrapping_sub(std::mem::replace(&mut reading.lost, lost)));
        match entry {
            Entry::Listener(_) => self.counters.lost_by_listeners += more,
            Entry::Sfu(_) => self.counters.lost_by_sfu += more,
            Entry::Relay(_) => self.counters.lost_by_relays += more,
        }
    }

    fn find(&mut self, entry: Entry) -> Option<(&UdpSocket, &mut Reading)> {
        match entry {
            Entry::Listener(number) => {
                let (listener, reading) = self.listeners.get_mut(usize::from(number))?;
                Some((&listener.socket, reading))
            }
            Entry::Sfu(number) => {
                let (_, socket, reading) = self.sfu.get_mut(usize::from(number))?;
                Some((socket, reading))
            }
            Entry::Relay(relay) => {
                let open = self.relays.find(relay)?;
                Some((&open.socket, &mut open.reading))
            }
        }
    }
}

impl Wire for Sockets {
    fn send(&mut self, exit: Exit, datagrams: &[Datagram<'_>]) {
        let sent = match exit {
            Exit::Listener(number) => {
                let Some((listener, _)) = self.listeners.get(usize::from(number)) else { return };
                self.sending.send(listener.socket.as_fd(), datagrams)
            }
            Exit::Relay(relay) => {
                let Some(open) = self.relays.find(relay) else { return };
                self.sending.send(open.socket.as_fd(), datagrams)
            }
            Exit::RelayWhole(relay) => {
                let Some(open) = self.relays.find(relay) else { return };
                open.send_whole(relay.family, &mut self.sending, datagrams)
            }
            Exit::Stream(number) => return self.streams.send(number, datagrams),
            Exit::Sfu(family) => {
                let Some((_, socket, _)) = self.sfu.iter().find(|(of, ..)| *of == family) else { return };
                self.sending.send(socket.as_fd(), datagrams)
            }
        };
        self.counters.sent.add(sent);
    }
}
