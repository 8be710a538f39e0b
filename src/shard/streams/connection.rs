//! One stream: its socket, what lies between bytes and messages, and what waits in both directions.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use roundturn_sfu::framing::may_be_lost;
use roundturn_turn::{Client, ConnectionId, Prefix, Transport, framing};
use rustls::ServerConfig;

use super::admission::Admission;
use super::end::{Counters, End};
use super::first_bytes::Door;
use super::layer::Layer;
use super::output::Output;
use crate::shard::outbox::Datagram;

/// How soon the first whole message must have come.
pub(super) const HELLO: Duration = Duration::from_secs(10);

/// How long a stream without an allocation may be without a message.
const IDLE: Duration = Duration::from_secs(30);

/// See the top of this file.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    /// On whose account it is counted, once that is known.
    pub(super) prefix: Option<Prefix>,
    /// Which of [`Counters::open`] it is counted in.
    pub(super) kind: usize,
    pub(super) door: Door,
    pub(super) layer: Layer,
    /// It brings frames of ICE-TCP in place of TURN's messages.
    pub(super) is_ice: bool,
    /// What has come of a message that is not whole yet.
    pub(super) input: Vec<u8>,
    pub(super) output: Output,
    /// When it ends if it has no allocation by then.
    pub(super) deadline: Instant,
    pub(super) has_spoken: bool,
    /// Whether it waits in the list of streams to read.
    pub(super) queued: bool,
    /// The client sends no more: what is left is read to the end.
    pub(super) hung_up: bool,
    /// Who it is, once the core was told.
    pub(super) client: Option<Client>,
    /// The connection with a peer that it is the client's half of (RFC 6062 §5.4).
    pub(super) connection: Option<ConnectionId>,
    /// As such: the client says no more.
    pub(super) has_ended: bool,
    /// As such: the client was told that the peer says no more.
    pub(super) was_told: bool,
    /// It has come from another shard.
    pub(super) has_moved: bool,
    /// What waits of its input was judged by nobody here.
    pub(super) input_is_unseen: bool,
    pub(super) end: Option<End>,
}

/// What a stream needs of its shard to be read.
pub(super) struct Surroundings<'a> {
    pub(super) tls: Option<&'a Arc<ServerConfig>>,
    pub(super) admission: &'a mut Admission,
    pub(super) counters: &'a mut Counters,
}

impl Connection {
    pub(super) fn new(now: Instant, socket: TcpStream, addresses: (SocketAddr, SocketAddr), door: Door) -> Self {
        Self {
            socket,
            remote: addresses.0,
            local: addresses.1,
            prefix: None,
            kind: usize::from(door.wants_tls),
            door,
            layer: Layer::Undecided,
            is_ice: false,
            input: Vec::new(),
            output: Output::default(),
            deadline: now + HELLO,
            has_spoken: false,
            queued: false,
            hung_up: false,
            client: None,
            connection: None,
            has_ended: false,
            was_told: false,
            has_moved: false,
            input_is_unseen: false,
            end: None,
        }
    }

    /// The 5-tuple, once the transport is known.
    pub(super) fn five_tuple(&self) -> Option<Client> {
        let transport = match self.layer {
            Layer::Undecided => return None,
            Layer::Plain => Transport::Tcp,
            Layer::Tls(_) => Transport::Tls,
        };
        Some(Client { remote: self.remote, local: self.local, transport })
    }

    /// Reads once, into `received`. `messages` becomes what is known of messages that nobody has seen yet. Whether more may
    /// be there to read.
    ///
    /// # Errors
    /// Why the stream ends.
    pub(super) fn read(
        &mut self,
        received: &mut [u8],
        messages: &mut Vec<u8>,
        around: Surroundings<'_>,
    ) -> Result<bool, End> {
        if std::mem::take(&mut self.input_is_unseen) {
            messages.append(&mut self.input);
            return Ok(true);
        }
        let count = match self.socket.read(received) {
            Ok(0) => return Err(End::Closed),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(_) => return Err(End::Reset),
        };
        // A short read means that nothing is left, unless the end is: the poller speaks of that once only.
        let more = count == received.len() || self.hung_up;
        let received = &received[..count];
        if matches!(self.layer, Layer::Undecided) {
            self.input.extend_from_slice(received);
            let first = std::mem::take(&mut self.input);
            match self.decide(&first, around.tls, around.admission)? {
                Some(skip) => self.take(&first[skip..], messages, around.counters)?,
                None => self.input = first,
            }
        } else {
            messages.append(&mut self.input);
            self.take(received, messages, around.counters)?;
        }
        Ok(more)
    }

    /// How many of the first bytes are none of the client's; `None` while more have to come.
    fn decide(
        &mut self,
        first: &[u8],
        tls: Option<&Arc<ServerConfig>>,
        admission: &mut Admission,
    ) -> Result<Option<usize>, End> {
        let door = Door { offers_tls: tls.is_some(), ..self.door };
        let Some(decided) = door.decide(first)? else { return Ok(None) };
        if let Some(addresses) = decided.addresses {
            (self.remote, self.local) = addresses;
            self.prefix = Some(admission.name(self.remote.ip()).ok_or(End::Refused)?);
        }
        self.layer = match tls {
            Some(config) if decided.is_tls => Layer::tls(Arc::clone(config))?,
            _ => Layer::Plain,
        };
        self.is_ice = decided.is_ice;
        Ok(Some(decided.skip))
    }

    fn take(&mut self, received: &[u8], messages: &mut Vec<u8>, counters: &mut Counters) -> Result<(), End> {
        let was_shaking = self.layer.is_shaking_hands();
        let taken = self.layer.take(received, messages);
        let is_shaking = self.layer.is_shaking_hands();
        if was_shaking && (taken.is_err() || !is_shaking) {
            counters.handshakes[usize::from(is_shaking)] += 1;
        }
        // Handshakes want answers, and failed ones an alert.
        let written = self.layer.write(&mut self.socket, &mut self.output);
        taken.and(written)
    }

    /// A whole message has come.
    pub(super) fn on_message(&mut self, now: Instant) {
        self.has_spoken = true;
        self.deadline = now + IDLE;
    }

    /// Its time is up, unless it `is_allocated`.
    pub(super) fn on_deadline(&mut self, now: Instant, is_allocated: bool) {
        if is_allocated {
            self.deadline = now + IDLE;
        } else {
            self.end = self.end.or(Some(if self.has_spoken { End::Idle } else { End::Silent }));
        }
    }

    /// Writes `messages` as far as the client takes them; the rest waits. Returns how many of media were lost.
    pub(super) fn send(&mut self, messages: &[Datagram<'_>]) -> u64 {
        let mut lost = 0;
        for message in messages {
            let is_data = match self.is_ice {
                true => may_be_lost(message.pieces[1]),
                false => framing::is_data(message.pieces[0]),
            };
            match self.output.push(message.pieces, is_data) {
                Ok(more) => lost += more,
                Err(_) => self.end = self.end.or(Some(End::Unread)),
            }
        }
        self.write();
        lost
    }

    /// Writes what waits as far as the client takes it.
    pub(super) fn write(&mut self) {
        if let Err(end) = self.layer.write(&mut self.socket, &mut self.output) {
            self.end = self.end.or(Some(end));
        }
    }
}
