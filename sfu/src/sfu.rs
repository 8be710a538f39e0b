//! The SFU of one shard: who may call what, and in which order.

use std::net::SocketAddr;
use std::time::Instant;

use crate::{Command, Config, Event, Stats};

/// All rooms of one shard.
pub struct Sfu {
    config: Config,
    stats: Stats,
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

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// One of [`Config::candidates`]: the name under which it must leave.
    pub local: SocketAddr,
    /// Where to.
    pub remote: SocketAddr,
    /// The datagram.
    pub bytes: Vec<u8>,
}

impl Sfu {
    /// An SFU without rooms. `seed` makes its ICE credentials and slot keys unpredictable.
    pub fn new(now: Instant, config: Config, seed: [u8; 32]) -> Self {
        let _ = (now, seed);
        Self { config, stats: Stats::default() }
    }

    /// A datagram from `remote` arrived at `local`, one of [`Config::candidates`]. `false`: it is nobody's, and was counted.
    pub fn handle_datagram(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) -> bool {
        let _ = (now, local, remote, bytes);
        false
    }

    /// Signaling asks for something.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        let _ = (now, command);
    }

    /// Time has come to the deadline that [`Output::Timeout`] named.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// What there is to do, until [`Output::Timeout`].
    pub fn poll(&mut self) -> Output {
        Output::Timeout(None)
    }

    /// Other addresses from now on; participants that used one that is gone are asked for an ICE restart.
    pub fn set_candidates(&mut self, now: Instant, candidates: Vec<SocketAddr>) {
        let _ = now;
        self.config.candidates = candidates;
    }

    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}
