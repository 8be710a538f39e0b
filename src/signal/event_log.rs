//! What a session was told lately, so that it can be told again after a lost connection.
//!
//! ```text
//!              attached: the oldest goes             detached: the oldest that is no signal goes
//!  seq   4 5 6 7 … 259          260 ►            4 s 6 s 8 …            ► s = signal, kept for its receiver
//!        └── at most 256 ──┘
//! ```

use std::collections::{HashMap, VecDeque};

use roundturn_sfu::ParticipantId;

use super::protocol::EventText;

/// Events that can be replayed.
const EVENTS: usize = 256;
/// Bytes of them.
const BYTES: usize = 1024 * 1024;
/// Signals that one sender may leave for a receiver whose connection is lost.
const SIGNALS_PER_SENDER: usize = 64;
/// Bytes of them.
const SIGNAL_BYTES_PER_SENDER: usize = 64 * 1024;

/// Events, signals of all senders among them, that wait for a session without a connection.
const WAITING: usize = 16 * EVENTS;
/// Bytes of them.
const WAITING_BYTES: usize = 4 * BYTES;

/// The last events of one session.
#[derive(Debug, Default)]
pub struct EventLog {
    /// The number of the last event; 0 before the first.
    last_seq: u64,
    /// The largest number that is no longer kept.
    forgotten: u64,
    entries: VecDeque<Entry>,
    bytes: usize,
    /// What each sender left since the connection was lost.
    left: HashMap<ParticipantId, (usize, usize)>,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    event: EventText,
    signal: bool,
}

impl Entry {
    fn frame(&self) -> String {
        self.event.numbered(self.seq)
    }
}

/// What a session that comes back is to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Replay {
    /// Every event that it misses.
    Events(Vec<String>),
    /// Some are gone: tell it how things are, and then these signals.
    Snapshot(Vec<String>),
}

impl EventLog {
    /// Numbers an event and keeps it. `attached` says whether the session has a connection right now.
    pub fn push(&mut self, event: EventText, attached: bool) -> String {
        let frame = self.append(event, false);
        if attached {
            self.trim_oldest()
        } else {
            self.trim_others()
        }
        frame
    }

    /// The same for a signal, which is never given up while its receiver may come back. `None`: the sender has already
    /// left as many as it may, or all senders together have.
    pub fn push_signal(&mut self, from: ParticipantId, event: EventText, attached: bool) -> Option<String> {
        if !attached {
            if self.entries.len() >= WAITING || self.bytes + event.bytes() > WAITING_BYTES {
                return None;
            }
            let (frames, bytes) = self.left.entry(from).or_default();
            if *frames >= SIGNALS_PER_SENDER || *bytes + event.bytes() > SIGNAL_BYTES_PER_SENDER {
                return None;
            }
            *frames += 1;
            *bytes += event.bytes();
        }
        let frame = self.append(event, true);
        if attached {
            self.trim_oldest();
        }
        Some(frame)
    }

    /// The session is back and has everything up to `seq`.
    pub fn replay(&mut self, seq: u64) -> Replay {
        self.left.clear();
        let seq = seq.min(self.last_seq);
        if seq >= self.forgotten {
            let missed = self.entries.iter().filter(|entry| entry.seq > seq).map(Entry::frame).collect();
            self.trim_oldest();
            return Replay::Events(missed);
        }
        // After a gap the numbers go on from the last one that was given.
        let signals: Vec<EventText> =
            self.entries.drain(..).filter(|entry| entry.signal && entry.seq > seq).map(|entry| entry.event).collect();
        self.bytes = 0;
        self.forgotten = self.last_seq;
        let frames = signals.into_iter().map(|event| self.append(event, true)).collect();
        self.trim_oldest();
        Replay::Snapshot(frames)
    }

    fn append(&mut self, event: EventText, signal: bool) -> String {
        self.last_seq += 1;
        self.bytes += event.bytes();
        let entry = Entry { seq: self.last_seq, event, signal };
        let frame = entry.frame();
        self.entries.push_back(entry);
        frame
    }

    fn too_many(&self) -> bool {
        self.entries.len() > EVENTS || self.bytes > BYTES
    }

    fn trim_oldest(&mut self) {
        while self.too_many() {
            let Some(entry) = self.entries.pop_front() else { break };
            self.forget(&entry);
        }
    }

    fn trim_others(&mut self) {
        while self.too_many() {
            let Some(index) = self.entries.iter().position(|entry| !entry.signal) else { break };
            let Some(entry) = self.entries.remove(index) else { break };
            self.forget(&entry);
        }
    }

    fn forget(&mut self, entry: &Entry) {
        self.bytes -= entry.event.bytes();
        self.forgotten = self.forgotten.max(entry.seq);
    }
}

#[cfg(test)]
mod tests;
