//! Other settings while rooms are open.

use super::{Hub, Moment};
use crate::config::Rooms;
use crate::signal::credentials::Mint;
use crate::signal::timers::Timer;
use crate::tokens::{Key, Tokens};

impl Hub {
    /// Keys that were fetched from where `tokens.jwks` points, unless it points elsewhere by now.
    pub fn set_fetched_keys(&mut self, url: &str, keys: Vec<Key>) {
        if let Some(tokens) = self.config.tokens.as_mut().filter(|tokens| tokens.url.as_deref() == Some(url)) {
            tokens.fetched = keys;
        }
    }

    /// Other rules for rooms, and other credentials. Rooms that are there keep their mode, their size and their end; how
    /// long an empty one waits is counted anew. Where another secret signs, everyone gets a credential of it at once:
    /// those of the old one may open nothing any more.
    /// Sessions outlive the key that let them in.
    pub fn configure(&mut self, now: Moment, rooms: Rooms, tokens: Option<Tokens>, mint: Mint) {
        let before = std::mem::replace(&mut self.config.tokens, tokens);
        if let (Some(before), Some(tokens)) = (before, &mut self.config.tokens)
            && before.url == tokens.url
        {
            tokens.fetched = before.fetched;
        }
        let before = std::mem::replace(&mut self.config.rooms, rooms).empty_timeout;
        let empty = self.rooms.values().filter_map(|room| Some((room.id, room.empty_since?)));
        for (room, since) in empty {
            self.timers.unset(since + before, Timer::EmptyRoom(room));
            self.timers.set(since + self.config.rooms.empty_timeout, Timer::EmptyRoom(room));
        }
        let signs_otherwise = !mint.signs_like(&self.config.mint, now.unix_ms);
        self.config.mint = mint;
        if signs_otherwise {
            let mut everyone: Vec<_> = self.members.keys().copied().collect();
            everyone.sort_unstable();
            for who in everyone {
                self.on_credentials_old(now, who);
            }
        }
    }
}
