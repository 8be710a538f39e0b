//! What a session's last requests came to, so that one whose answer was lost is not done twice.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::hub::ConnectionId;

/// Requests that are remembered; beyond that the oldest is forgotten, and done again if it comes again. As many as our
/// own client lets wait for their answers.
const REQUESTS: usize = 512;

/// Requests that were done, with what is answered to each.
///
/// A client that lost its connection does not know which of its last requests were done, and sends them again over the
/// next one: the same frames with the same numbers. On one connection nothing is a repetition, whatever its number.
#[derive(Debug)]
pub struct Repeats<T> {
    done: VecDeque<Request<T>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Request<T> {
    id: u64,
    /// Of the whole frame: a client that counts anew after it came back means something else by the same number.
    fingerprint: u64,
    connection: ConnectionId,
    answer: T,
}

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self { done: VecDeque::new(), hasher: RandomState::default() }
    }
}

impl<T: Copy> Repeats<T> {
    /// What is answered to a request that was done over an earlier connection. Bounded by how many are remembered.
    pub fn find(&mut self, connection: ConnectionId, id: u64, frame: &str) -> Option<T> {
        let hasher = &self.hasher;
        let is_it = |request: &&mut Request<T>| {
            request.id == id && request.connection != connection && request.fingerprint == hasher.hash_one(frame)
        };
        let request = self.done.iter_mut().find(is_it)?;
        request.connection = connection;
        Some(request.answer)
    }

    /// Remembers a request that was done.
    pub fn note(&mut self, connection: ConnectionId, id: u64, frame: &str, answer: T) {
        if self.done.len() >= REQUESTS {
            self.done.pop_front();
        }
        let fingerprint = self.hasher.hash_one(frame);
        self.done.push_back(Request { id, fingerprint, connection, answer });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ConnectionId = ConnectionId(1);
    const NEW: ConnectionId = ConnectionId(2);

    #[test]
    fn only_the_same_frame_over_another_connection_is_a_repetition() {
        let mut repeats = Repeats::default();
        repeats.note(OLD, 1, "one", 'a');
        repeats.note(OLD, 2, "two", 'b');
        assert_eq!(repeats.find(OLD, 1, "one"), None);
        assert_eq!(repeats.find(NEW, 1, "another one"), None);
        assert_eq!(repeats.find(NEW, 3, "one"), None);
        assert_eq!(repeats.find(NEW, 1, "one"), Some('a'));
        assert_eq!(repeats.find(NEW, 1, "one"), None, "it has been answered here");
        assert_eq!(repeats.find(NEW, 2, "two"), Some('b'));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut repeats = Repeats::default();
        for id in 0..=REQUESTS as u64 {
            repeats.note(OLD, id, "frame", id);
        }
        assert_eq!((repeats.find(NEW, 0, "frame"), repeats.find(NEW, 1, "frame")), (None, Some(1)));
        assert_eq!(repeats.done.len(), REQUESTS);
    }
}
