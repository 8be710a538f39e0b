//! A stream that goes to another shard: the connection that its client wants to be joined to is there (RFC 6062 §5.4), or
//! the participant whose ICE it checks, and the kernel could not know.

use std::time::Instant;

use mio::{Interest, Token};

use super::connection::{Connection, HELLO};
use super::end::End;
use super::{FIRST_STREAM, Streams};

/// A stream on its way, with everything that is known about it.
pub struct Migrant(Box<Connection>);

impl std::fmt::Debug for Migrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Migrant")
    }
}

impl Streams {
    /// Whether stream number `number` may go to another shard: each does so once.
    pub(in crate::shard) fn may_emigrate(&self, number: u16) -> bool {
        self.streams.get(usize::from(number)).is_some_and(|stream| stream.end.is_none() && !stream.has_moved)
    }

    /// Takes out stream number `number`, of which `rest` is to be judged elsewhere.
    pub(in crate::shard) fn emigrate(&mut self, number: u16, rest: &[u8]) -> Option<Migrant> {
        let mut stream = self.streams.try_remove(usize::from(number))?;
        // Only a socket that the poller does not know would fail, and then no other can know it.
        let _ = self.registry.deregister(&mut stream.socket);
        self.admission.leave(stream.prefix.take());
        self.counters.open[stream.kind] -= 1;
        stream.input = rest.to_vec();
        stream.client = None;
        stream.queued = false;
        stream.has_moved = true;
        stream.input_is_unseen = true;
        Some(Migrant(Box::new(stream)))
    }

    /// Takes in a stream of another shard, and has its turn come. It gets a new deadline, as one that was just opened.
    pub(in crate::shard) fn immigrate(&mut self, now: Instant, Migrant(mut stream): Migrant) {
        if !self.admission.enter() {
            return self.counters.end(End::Refused);
        }
        stream.prefix = self.admission.name(stream.remote.ip());
        if stream.prefix.is_none() {
            self.admission.leave(None);
            return self.counters.end(End::Refused);
        }
        let entry = self.streams.vacant_entry();
        let number = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut stream.socket, Token(FIRST_STREAM + number), interest).is_err() {
            self.admission.leave(stream.prefix);
            return self.counters.end(End::Reset);
        }
        stream.deadline = now + HELLO;
        self.counters.open[stream.kind] += 1;
        entry.insert(*stream);
        self.queue(number as u16);
    }
}
