//! Streams in the loop of a shard's thread: their messages go the way of datagrams.

use std::time::Instant;

use roundturn_turn::framing::{self, Broken, LONGEST};
use roundturn_turn::{Client, ConnectionId};

use super::{Running, State};
use crate::shard::streams::{End, STRANGER_MESSAGE};

/// Streams that are read in one turn; the others are read in the next. Each may bring as much as its read takes, and
/// datagrams wait meanwhile.
const STREAMS_PER_TURN: usize = 16;

/// What was judged of what a stream brought.
pub(super) struct Judged {
    /// How many bytes.
    pub(super) seen: usize,
    /// Whether any of it was whole and wanted.
    pub(super) spoke: bool,
    pub(super) after: After,
}

/// What becomes of what follows.
pub(super) enum After {
    /// It is the beginning of a message.
    More,
    /// It is for the peer of this connection.
    Joined(ConnectionId),
    /// It, and all of the stream, is for this shard.
    Elsewhere(usize),
}

impl Running {
    /// Lets new streams in, reads those that have something to say, and ends those that are to end.
    pub(super) fn turn_streams(&mut self, now: Instant, state: &mut State) {
        if !self.sockets.streams.has_work() {
            return;
        }
        // What waits speaks of the receive buffer of datagrams; from here on it is another.
        self.flush(state);
        self.sockets.streams.accept(now);
        for _ in 0..self.sockets.streams.ready().min(STREAMS_PER_TURN) {
            self.read_stream(now, state);
        }
        while let Some(closed) = self.sockets.streams.close_next() {
            if let Some(client) = closed.client {
                self.core.stream_closed(now, client);
            }
            if let Some(connection) = closed.connection {
                self.core.disconnected(connection);
            }
        }
    }

    fn read_stream(&mut self, now: Instant, state: &mut State) {
        let mut messages = std::mem::take(&mut state.messages);
        messages.clear();
        if let Some((number, client)) = self.sockets.streams.read(&mut messages) {
            let is_ice = self.sockets.streams.is_ice(number);
            let client = if is_ice { self.core.ice_client(client) } else { client };
            self.introduce(now, number, client);
            let Judged { seen, spoke, after } = match is_ice {
                true => self.judge_frames(now, (number, client), &messages),
                false => {
                    let (seen, after) = self.judge_messages(now, number, client, &messages, state);
                    Judged { seen, spoke: seen > 0, after }
                }
            };
            self.collect(now, state);
            state.outbox.flush(&messages, &mut self.sockets);
            let rest = &messages[seen..];
            match after {
                After::More => self.sockets.streams.keep(now, number, rest, spoke),
                After::Joined(connection) => {
                    self.sockets.streams.keep(now, number, &[], true);
                    self.join(number, connection, rest);
                }
                After::Elsewhere(shard) => self.hand_over(now, (number, client), shard, rest),
            }
        }
        state.messages = messages;
    }

    /// Tells the core who speaks on stream number `number`. Whoever spoke as the same client before has gone: a 5-tuple is
    /// alive once.
    fn introduce(&mut self, now: Instant, number: u16, client: Client) {
        if self.sockets.streams.is_introduced(number) {
            return;
        }
        if let Some(former) = self.core.stream_of(client) {
            self.core.stream_closed(now, client);
            self.sockets.streams.forget(former);
            self.sockets.streams.end(former, End::Replaced);
        }
        self.core.stream_opened(client, number);
        self.sockets.streams.introduce(number, client);
    }

    /// Hands every whole message to the core; how many bytes they were, and what becomes of the rest.
    fn judge_messages(
        &mut self,
        now: Instant,
        number: u16,
        client: Client,
        messages: &[u8],
        state: &mut State,
    ) -> (usize, After) {
        let (mut seen, mut longest) = (0, STRANGER_MESSAGE);
        // Each turn goes on by a message, or takes the limit off once.
        loop {
            match framing::cut(&messages[seen..], longest) {
                Ok(Some(len)) => {
                    let at = seen..seen + len;
                    if let Some(shard) = self.destination(now, number, client, &messages[at.clone()]) {
                        return (seen, After::Elsewhere(shard));
                    }
                    seen += len;
                    let (relays, outbox) = (&mut self.sockets.relays, &mut state.outbox);
                    if let Some(connection) = self.core.from_stream(now, client, (messages, at), relays, outbox) {
                        return (seen, After::Joined(connection));
                    }
                }
                Ok(None) => return (seen, After::More),
                Err(Broken::TooLong) if longest < LONGEST && self.core.is_allocated(now, client) => longest = LONGEST,
                Err(_) => {
                    self.sockets.streams.end(number, End::Garbage);
                    return (messages.len(), After::More);
                }
            }
        }
    }
}
