//! The server: who may call what, and in which order.

use std::time::Instant;

use crate::{Client, Config, Event, Peer, Relay, Relays, Stats, Transmit, Verdict, Why};

/// One TURN server: it owns the allocations of one shard.
pub struct Server {
    config: Config,
    stats: Stats,
}

impl Server {
    /// A server without allocations. `key` seeds the MAC of its nonces: 32 unpredictable bytes, the same for every
    /// shard of a process, so that a nonce of one is good at another.
    pub fn new(now: Instant, unix_secs: u64, config: Config, key: [u8; 32]) -> Self {
        let _ = (now, unix_secs, key);
        Self { config, stats: Stats::default() }
    }

    /// Judges a datagram (or a message cut from a stream) that `from` sent to a listener.
    pub fn handle_client(&mut self, now: Instant, from: Client, bytes: &[u8], relays: &mut dyn Relays) -> Verdict {
        let _ = (now, from, bytes, relays);
        Verdict::Drop(Why::Malformed)
    }

    /// Judges a datagram of `len` bytes that `peer` sent to `relay`. Only the address and the length matter.
    pub fn handle_peer(&mut self, now: Instant, relay: Relay, peer: Peer, len: usize) -> Verdict {
        let _ = (now, relay, peer, len);
        Verdict::Drop(Why::NoAllocation)
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// When [`Server::handle_timeout`] wants to be called: cheap, and strictly later than the last `now` it was given.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The next answer to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// The next thing that happened to an allocation.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// Tells the wall clock's reading at `now`, in seconds since 1970: credentials expire by it. Call it once a second or so.
    pub fn set_unix_time(&mut self, now: Instant, unix_secs: u64) {
        let _ = (now, unix_secs);
    }

    /// Ends every allocation made with `username`, and refuses new ones with it until it expires.
    pub fn revoke(&mut self, now: Instant, username: &str) {
        let _ = (now, username);
    }

    /// Replaces the configuration whole. Live allocations are re-checked against the new peer rules.
    pub fn reconfigure(&mut self, now: Instant, config: Config) {
        let _ = now;
        self.config = config;
    }

    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}
