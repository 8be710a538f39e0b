//! The UDP port range that relays and the SFU share: a port is a lease, and dropping the lease gives it back.
//!
//! ```text
//!   range      49160 49161 49162 49163 49164 ...
//!   taken        x     x           x                under the lock: somebody holds a lease, or tries to bind
//!   live v4      x     x                            atomic: a socket of ours is bound there
//!   live v6      x                 x
//!   TCP v4, v6               x                     the same for TCP relays: no datagram may take them for ours
//!              SFU 0 SFU 1       relay
//! ```

use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roundturn_turn::{Family, Relay};
use thiserror::Error;

use crate::ledger::Ticket;

/// The range, shared by all shards. The lock is taken when a port is leased or given back, never for a packet.
#[derive(Debug)]
pub struct Ports {
    range: RangeInclusive<u16>,
    taken: Mutex<Vec<bool>>,
    live: [Vec<AtomicU64>; 2],
    live_tcp: [Vec<AtomicU64>; 2],
    in_use: [AtomicU64; 2],
    /// Kept for a second allocation, at whichever shard it is asked for (RFC 8656 §7.2).
    reserved: Mutex<HashMap<Relay, Reserved>>,
}

/// A port that is kept, and by whom.
#[derive(Debug)]
struct Reserved {
    shard: usize,
    lease: Lease,
    ticket: Ticket,
}

/// Who holds a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A relay of the TURN server.
    Turn,
    /// The SFU of a shard.
    Sfu,
}

/// No port of the range could be had.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Every port of the range is leased.
    #[error("every UDP port from {} to {} is in use", .0.start(), .0.end())]
    Exhausted(RangeInclusive<u16>),
    /// Ports were free, but none of those that were tried could be bound.
    #[error("no UDP port from {} to {} could be bound; the last one tried was {port}", .range.start(), .range.end())]
    Bind {
        /// The range.
        range: RangeInclusive<u16>,
        /// The last port that was tried.
        port: u16,
        /// Why it could not be bound.
        source: io::Error,
    },
}

/// How many ports are tried for a relay: other programs hold few of the range, or else an Allocate should fail soon.
const RELAY_ATTEMPTS: usize = 16;

impl Ports {
    /// All ports of `range`, none of them leased.
    pub fn new(range: RangeInclusive<u16>) -> Arc<Self> {
        let count = range.len();
        let bitmap = || (0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            taken: Mutex::new(vec![false; count]),
            live: [bitmap(), bitmap()],
            live_tcp: [bitmap(), bitmap()],
            in_use: [AtomicU64::new(0), AtomicU64::new(0)],
            reserved: Mutex::default(),
            range,
        })
    }

    /// The range.
    pub fn range(&self) -> RangeInclusive<u16> {
        self.range.clone()
    }

    /// Whether `port` is bound by this process for `family` right now. Cheap, without a lock.
    pub fn is_live(&self, family: Family, port: u16) -> bool {
        self.is_set(&self.live, family, port)
    }

    /// Whether a TCP relay of this process listens at `port` for `family` right now. Cheap, without a lock.
    pub fn is_live_tcp(&self, family: Family, port: u16) -> bool {
        self.is_set(&self.live_tcp, family, port)
    }

    /// How many ports `owner` holds now.
    pub fn in_use(&self, owner: Owner) -> u64 {
        self.in_use[owner as usize].load(Ordering::Relaxed)
    }

    /// Leases a port for a relay of `family`: a free one at a random place of the range that `bind` can bind. Ports
    /// that other programs hold are passed over.
    ///
    /// # Errors
    /// [`LeaseError`] when no port is free, or none of the first few free ones could be bound.
    pub fn lease_relay<T>(
        self: &Arc<Self>,
        family: Family,
        bind: impl FnMut(u16) -> io::Result<T>,
    ) -> Result<(Lease, T), LeaseError> {
        self.lease(Owner::Turn, &[family], Shape::Any, self.random(), RELAY_ATTEMPTS, bind).map(|leased| leased.first)
    }

    /// The same for a relay that carries TCP: one lease is one number, whatever is bound there.
    ///
    /// # Errors
    /// [`LeaseError`] when no port is free, or none of the first few free ones could be bound.
    pub fn lease_tcp_relay<T>(
        self: &Arc<Self>,
        family: Family,
        bind: impl FnMut(u16) -> io::Result<T>,
    ) -> Result<(Lease, T), LeaseError> {
        let leased = self.lease(Owner::Turn, &[], Shape::Any, self.random(), RELAY_ATTEMPTS, bind)?;
        leased.first.0.set(&leased.first.0.ports.live_tcp, family);
        Ok(leased.first)
    }

    /// The same with an even port, and the port after it where `with_next`.
    ///
    /// # Errors
    /// [`LeaseError`] when no such port or pair is free, or none of the first few free ones could be bound.
    pub fn lease_even<T>(
        self: &Arc<Self>,
        family: Family,
        with_next: bool,
        bind: impl FnMut(u16) -> io::Result<T>,
    ) -> Result<Leased<T>, LeaseError> {
        let shape = if with_next { Shape::EvenPair } else { Shape::Even };
        self.lease(Owner::Turn, &[family], shape, self.random(), RELAY_ATTEMPTS, bind)
    }

    /// Leases a port for an SFU on all of `families`: the first of the range that `bind` can bind, so that whoever
    /// forwards ports by hand has few to forward.
    ///
    /// # Errors
    /// [`LeaseError`] when no port is free or none could be bound.
    pub fn lease_sfu<T>(
        self: &Arc<Self>,
        families: &[Family],
        bind: impl FnMut(u16) -> io::Result<T>,
    ) -> Result<(Lease, T), LeaseError> {
        self.lease(Owner::Sfu, families, Shape::Any, 0, self.range.len(), bind).map(|leased| leased.first)
    }

    /// Keeps a leased port, with its place in the quotas, for the shard that will be asked for it. `shard` is who keeps it,
    /// and who may [give it up](Self::release).
    pub fn reserve(&self, shard: usize, family: Family, lease: Lease, ticket: Ticket) {
        let relay = Relay { family, port: lease.port };
        self.reserved().insert(relay, Reserved { shard, lease, ticket });
    }

    /// Takes a port that is kept, and binds it.
    ///
    /// # Errors
    /// Why it could not be bound; `NotFound` where it is not kept, or no longer.
    pub fn claim<T>(&self, relay: Relay, bind: impl FnOnce(u16) -> io::Result<T>) -> io::Result<(Lease, T, Ticket)> {
        let kept = self.reserved().remove(&relay);
        let Reserved { mut lease, ticket, .. } = kept.ok_or(io::ErrorKind::NotFound)?;
        let bound = bind(relay.port)?;
        lease.publish(&[relay.family]);
        Ok((lease, bound, ticket))
    }

    /// Gives up a port that `shard` keeps. Its time may end after it was claimed at another shard, given back, and reserved
    /// anew there: that reservation stands.
    pub fn release(&self, shard: usize, relay: Relay) {
        let mut reserved = self.reserved();
        let is_its = reserved.get(&relay).is_some_and(|kept| kept.shard == shard);
        let released = if is_its { reserved.remove(&relay) } else { None };
        drop(reserved);
        // Giving back takes another lock, and not under that one.
        drop(released);
    }

    fn reserved(&self) -> MutexGuard<'_, HashMap<Relay, Reserved>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease<T>(
        self: &Arc<Self>,
        owner: Owner,
        families: &[Family],
        shape: Shape,
        start: usize,
        attempts: usize,
        mut bind: impl FnMut(u16) -> io::Result<T>,
    ) -> Result<Leased<T>, LeaseError> {
        let mut next = start;
        let mut last = None;
        for _ in 0..attempts.min(self.range.len()) {
            let Some((mut lease, second)) = self.take(owner, shape, next) else { break };
            let both = bind(lease.port).and_then(|first| {
                let second = second.as_ref().map(|lease| bind(lease.port)).transpose()?;
                Ok((first, second))
            });
            match both {
                Ok((first, bound)) => {
                    lease.publish(families);
                    // That it could be bound is all that is asked of the second as yet.
                    drop(bound);
                    return Ok(Leased { first: (lease, first), next: second });
                }
                Err(error) => {
                    next = lease.index + 1;
                    last = Some((lease.port, error));
                }
            }
        }
        Err(match last {
            Some((port, source)) => LeaseError::Bind { range: self.range(), port, source },
            None => LeaseError::Exhausted(self.range()),
        })
    }

    /// The first free port, or pair, of that shape at or after the place `start`, around the end of the range.
    fn take(self: &Arc<Self>, owner: Owner, shape: Shape, start: usize) -> Option<(Lease, Option<Lease>)> {
        let mut taken = self.lock();
        let count = taken.len();
        let is_even = |index: usize| (usize::from(*self.range.start()) + index).is_multiple_of(2);
        let fits = |&index: &usize| match shape {
            Shape::Any => !taken[index],
            Shape::Even => !taken[index] && is_even(index),
            Shape::EvenPair => !taken[index] && is_even(index) && taken.get(index + 1) == Some(&false),
        };
        let index = (0..count).map(|step| (start + step) % count).find(fits)?;
        let mut lease = |index: usize| {
            taken[index] = true;
            self.in_use[owner as usize].fetch_add(1, Ordering::Relaxed);
            Lease { ports: Arc::clone(self), owner, index, port: self.range.start() + index as u16 }
        };
        Some((lease(index), (shape == Shape::EvenPair).then(|| lease(index + 1))))
    }

    /// A random place of the range.
    fn random(&self) -> usize {
        getrandom::u32().unwrap_or(0) as usize % self.range.len().max(1)
    }

    fn is_set(&self, live: &[Vec<AtomicU64>; 2], family: Family, port: u16) -> bool {
        self.index(port).is_some_and(|index| {
            live[family_index(family)][index / 64].load(Ordering::Relaxed) & (1 << (index % 64)) != 0
        })
    }

    fn index(&self, port: u16) -> Option<usize> {
        self.range.contains(&port).then(|| usize::from(port - self.range.start()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<bool>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was leased and bound.
pub struct Leased<T> {
    /// The port that was asked for.
    pub first: (Lease, T),
    /// The port after it, where that was asked for; it is not bound any more.
    pub next: Option<Lease>,
}

/// What kind of port is wanted (RFC 8656 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    Even,
    EvenPair,
}

/// The right to one port. Its holder holds the socket too, and drops the socket first.
#[derive(Debug)]
pub struct Lease {
    ports: Arc<Ports>,
    owner: Owner,
    index: usize,
    port: u16,
}

impl Lease {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port is bound: from now on it is known to be ours.
    fn publish(&mut self, families: &[Family]) {
        for &family in families {
            self.set(&self.ports.live, family);
        }
    }

    fn set(&self, live: &[Vec<AtomicU64>; 2], family: Family) {
        live[family_index(family)][self.index / 64].fetch_or(1 << (self.index % 64), Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for live in self.ports.live.iter().chain(&self.ports.live_tcp) {
            live[self.index / 64].fetch_and(!(1 << (self.index % 64)), Ordering::Relaxed);
        }
        self.ports.in_use[self.owner as usize].fetch_sub(1, Ordering::Relaxed);
        self.ports.lock()[self.index] = false;
    }
}

fn family_index(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

#[cfg(test)]
mod tests;
