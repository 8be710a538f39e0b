//! The TCP and TLS streams of one shard: accepted, cut into messages, and ended when they are no use.
//!
//! ```text
//!  listeners ──► accept ──► connection ──► first bytes ──► plain or TLS ──► messages ──► core      of TURN, or ICE-TCP's
//!                limits     deadline       PROXY v2                         ◄── output ◄── outbox
//! ```
//!
//! A stream costs its socket and a little memory until its client has proved a key: at most a message of
//! [`STRANGER_MESSAGE`] bytes of it waits to become whole, and it ends soon when none does.

mod admission;
mod connection;
mod end;
mod first_bytes;
mod hand_over;
mod layer;
mod output;
mod splice;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;
use mio::event::Event;
use mio::{Interest, Registry, Token};
use roundturn_turn::{Client, ConnectionId};
use rustls::ServerConfig;
use slab::Slab;

use self::admission::Admission;
use self::connection::{Connection, Surroundings};
pub(super) use self::end::{Counters, End};
use self::first_bytes::Door;
pub use self::hand_over::Migrant;
use super::outbox::Datagram;
use crate::net::tcp::{self, Listener};

/// What a shard is to do about streams. No field means "default".
#[derive(Debug, Clone)]
pub struct StreamConfig {
    /// Where TLS, and nothing else, is listened for; `[::]` stands for both families.
    pub turns: Vec<SocketAddr>,
    /// Certificate and key; `None`: no TLS anywhere, and nobody listens at `turns`.
    pub tls: Option<Arc<ServerConfig>>,
    /// Networks whose PROXY protocol headers are believed.
    pub proxies: Vec<IpNet>,
    /// Streams of this shard at most, 65,535 in any case.
    pub connections: usize,
    /// Streams of this shard from one source prefix at most.
    pub connections_per_prefix: usize,
}

/// The longest message of a client without an allocation: far more than any request has.
pub(super) const STRANGER_MESSAGE: usize = 2048;

/// Bytes that are read from a stream in one turn, so that none holds up the others.
const READ: usize = 32 << 10;

/// Connections that are accepted in one turn.
const ACCEPTS_PER_TURN: usize = 16;

/// Numbers of streams fit the outbox.
const MOST: usize = 0xFFFF;

const FIRST_LISTENER: usize = 0x400;
const FIRST_STREAM: usize = 1 << 20;

/// The listeners and streams of one shard.
pub struct Streams {
    registry: Registry,
    listeners: Vec<Entrance>,
    streams: Slab<Connection>,
    admission: Admission,
    tls: Option<Arc<ServerConfig>>,
    proxies: Vec<IpNet>,
    ready: VecDeque<u16>,
    ended: Vec<u16>,
    /// Connections whose streams something has happened to.
    woken: Vec<ConnectionId>,
    received: Vec<u8>,
    counters: Counters,
}

/// Who a stream was that has been closed, as far as others know it.
pub(super) struct Closed {
    /// The core's client.
    pub(super) client: Option<Client>,
    /// The connection that it was joined to.
    pub(super) connection: Option<ConnectionId>,
}

/// A listener, and whether somebody may wait at it.
struct Entrance {
    listener: Listener,
    wants_tls: bool,
    waiting: bool,
}

impl Streams {
    /// Listens at `plain`, where all kinds of streams are told apart, and for TLS only where the configuration says so.
    ///
    /// # Errors
    /// What the poller says.
    pub fn new(
        registry: Registry,
        plain: Vec<Listener>,
        turns: Vec<Listener>,
        config: StreamConfig,
    ) -> io::Result<Self> {
        let plain = plain.into_iter().map(|listener| (listener, false));
        let mut listeners = Vec::new();
        for (mut listener, wants_tls) in plain.chain(turns.into_iter().map(|listener| (listener, true))) {
            let token = Token(FIRST_LISTENER + listeners.len());
            registry.register(&mut listener.socket, token, Interest::READABLE)?;
            listeners.push(Entrance { listener, wants_tls, waiting: false });
        }
        Ok(Self {
            registry,
            listeners,
            streams: Slab::new(),
            admission: Admission::new(config.connections.min(MOST), config.connections_per_prefix),
            tls: config.tls,
            proxies: config.proxies,
            ready: VecDeque::new(),
            ended: Vec::new(),
            woken: Vec::new(),
            received: vec![0; READ],
            counters: Counters::default(),
        })
    }

    /// Whether the poller's `token` is one of ours.
    pub fn owns(token: Token) -> bool {
        token.0 >= FIRST_STREAM || (FIRST_LISTENER..FIRST_LISTENER + 0x400).contains(&token.0)
    }

    /// Another certificate, other proxies and limits for those who come from now on.
    pub fn configure(&mut self, config: StreamConfig) {
        self.admission.set_limits(config.connections.min(MOST), config.connections_per_prefix);
        self.tls = config.tls;
        self.proxies = config.proxies;
    }

    /// The poller says that something may be read, written or accepted.
    pub fn on_event(&mut self, event: &Event) {
        let token = event.token().0;
        let Some(number) = token.checked_sub(FIRST_STREAM) else {
            if let Some(door) = self.listeners.get_mut(token - FIRST_LISTENER) {
                door.waiting = true;
            }
            return;
        };
        let Some(stream) = self.streams.get_mut(number) else { return };
        stream.hung_up |= event.is_read_closed() || event.is_error();
        if let Some(connection) = stream.connection {
            return self.woken.push(connection);
        }
        if event.is_writable() {
            stream.write();
        }
        if let Some(end) = stream.end {
            return self.end(number as u16, end);
        }
        self.queue(number as u16);
    }

    /// How many streams wait to be read.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether there is something to do without waiting for the poller.
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
            || !self.ended.is_empty()
            || !self.woken.is_empty()
            || self.listeners.iter().any(|door| door.waiting)
    }

    /// Lets in who waits at the doors.
    pub fn accept(&mut self, now: Instant) {
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                let door = &mut self.listeners[index];
                if !door.waiting {
                    break;
                }
                match door.listener.socket.accept() {
                    Ok((socket, remote)) => {
                        let wants_tls = door.wants_tls;
                        self.enter(now, socket, remote, wants_tls);
                    }
                    Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                    // Nobody is left; or no descriptor is, and then the next second may bring one.
                    Err(_) => door.waiting = false,
                }
            }
        }
    }

    fn enter(&mut self, now: Instant, mut socket: mio::net::TcpStream, remote: SocketAddr, wants_tls: bool) {
        let Ok(local) = socket.local_addr() else { return };
        let proxied = self.proxies.iter().any(|network| network.contains(&remote.ip()));
        if !self.admission.enter() {
            return self.counters.end(End::Refused);
        }
        // A proxy's streams count for those behind it, once it has said who they are.
        let prefix = if proxied { None } else { self.admission.name(remote.ip()) };
        if prefix.is_none() && !proxied {
            self.admission.leave(None);
            return self.counters.end(End::Refused);
        }
        let entry = self.streams.vacant_entry();
        let number = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut socket, Token(FIRST_STREAM + number), interest).is_err() {
            self.admission.leave(prefix);
            return self.counters.end(End::Reset);
        }
        tcp::prepare(&socket);
        let door = Door { proxied, offers_tls: false, wants_tls };
        let mut connection = Connection::new(now, socket, (remote, local), door);
        connection.prefix = prefix;
        self.counters.open[connection.kind] += 1;
        entry.insert(connection);
    }

    /// What was counted.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Reads the stream whose turn it is: its number, and what it says so far in `messages`, once it is known who speaks.
    pub(super) fn read(&mut self, messages: &mut Vec<u8>) -> Option<(u16, Client)> {
        let number = self.ready.pop_front()?;
        let stream = self.streams.get_mut(usize::from(number))?;
        stream.queued = false;
        if stream.end.is_some() || stream.connection.is_some() {
            return None;
        }
        let around =
            Surroundings { tls: self.tls.as_ref(), admission: &mut self.admission, counters: &mut self.counters };
        match stream.read(&mut self.received, messages, around) {
            Ok(true) => self.queue(number),
            Ok(false) => {}
            Err(end) => self.end(number, end),
        }
        let stream = self.streams.get(usize::from(number))?;
        if messages.is_empty() { None } else { Some((number, stream.five_tuple()?)) }
    }

    /// The core knows stream number `number` as `client` now.
    pub(super) fn introduce(&mut self, number: u16, client: Client) {
        if let Some(stream) = self.streams.get_mut(usize::from(number)) {
            stream.client = Some(client);
        }
    }

    /// The core no longer knows stream number `number`.
    pub(super) fn forget(&mut self, number: u16) {
        if let Some(stream) = self.streams.get_mut(usize::from(number)) {
            stream.client = None;
        }
    }

    /// Whether stream number `number` brings frames of ICE-TCP.
    pub(super) fn is_ice(&self, number: u16) -> bool {
        self.streams.get(usize::from(number)).is_some_and(|stream| stream.is_ice)
    }

    /// Whether something whole and wanted has come on stream number `number`, here or on another shard.
    pub(super) fn has_spoken(&self, number: u16) -> bool {
        self.streams.get(usize::from(number)).is_some_and(|stream| stream.has_spoken)
    }

    /// Whether the core knows stream number `number`.
    pub(super) fn is_introduced(&self, number: u16) -> bool {
        self.streams.get(usize::from(number)).is_some_and(|stream| stream.client.is_some())
    }

    /// `rest` is the beginning of a message that is not whole yet; `spoke`: before it came whole ones.
    pub(super) fn keep(&mut self, now: Instant, number: u16, rest: &[u8], spoke: bool) {
        let Some(stream) = self.streams.get_mut(usize::from(number)) else { return };
        if spoke {
            stream.on_message(now);
        }
        stream.input.clear();
        stream.input.shrink_to(rest.len());
        stream.input.extend_from_slice(rest);
    }

    /// Ends those whose time is up; `is_allocated` tells who may stay. To be called once a second or so: a walk over all
    /// streams then costs less than keeping them in order with each message.
    pub fn tick(&mut self, now: Instant, is_allocated: impl Fn(Client) -> bool) {
        for door in &mut self.listeners {
            door.waiting = true;
        }
        for (number, stream) in &mut self.streams {
            if now >= stream.deadline && stream.end.is_none() {
                stream.on_deadline(now, stream.connection.is_some() || stream.client.is_some_and(&is_allocated));
            }
            // Whoever waits there already is passed over the second time.
            if stream.end.is_some() {
                self.ended.push(number as u16);
            }
        }
    }

    /// Writes `messages` to stream number `number`.
    pub fn send(&mut self, number: u16, messages: &[Datagram<'_>]) {
        let Some(stream) = self.streams.get_mut(usize::from(number)) else { return };
        self.counters.lost += stream.send(messages);
        if let Some(end) = stream.end {
            self.end(number, end);
        }
    }

    /// Stream number `number` is to end.
    pub(super) fn end(&mut self, number: u16, end: End) {
        let Some(stream) = self.streams.get_mut(usize::from(number)) else { return };
        stream.end = stream.end.or(Some(end));
        self.ended.push(number);
    }

    /// Closes the next stream that is to end; who it was.
    pub(super) fn close_next(&mut self) -> Option<Closed> {
        let number = self.ended.pop()?;
        let Some(mut stream) = self.streams.try_remove(usize::from(number)) else {
            return Some(Closed { client: None, connection: None });
        };
        stream.layer.close(&mut stream.socket);
        // Only a socket that the poller does not know would fail, and closing it is all that is left to do anyway.
        let _ = self.registry.deregister(&mut stream.socket);
        self.admission.leave(stream.prefix);
        self.counters.open[stream.kind] -= 1;
        self.counters.end(stream.end.unwrap_or(End::Closed));
        Some(Closed { client: stream.client, connection: stream.connection })
    }

    fn queue(&mut self, number: u16) {
        if let Some(stream) = self.streams.get_mut(usize::from(number))
            && !std::mem::replace(&mut stream.queued, true)
        {
            self.ready.push_back(number);
        }
    }
}

#[cfg(test)]
mod tests;
