//! Frames of ICE-TCP in the loop of a shard's thread: they go to the SFU as datagrams do (RFC 6544).

use std::time::Instant;

use roundturn_sfu::{self as sfu, framing};
use roundturn_turn::Client;

use super::Running;
use super::streams::{After, Judged};
use crate::shard::streams::End;

impl Running {
    /// Hands every whole frame to the SFU. A stream whose first frame is no check for one of its participants ends, unless
    /// the participant is another shard's: then it goes there.
    pub(super) fn judge_frames(&mut self, now: Instant, (number, client): (u16, Client), bytes: &[u8]) -> Judged {
        let (mut seen, mut spoke) = (0, false);
        // Each turn goes on by a frame.
        loop {
            let frame = match framing::cut(&bytes[seen..]) {
                Ok(Some(at)) => seen + at.start..seen + at.end,
                Ok(None) => return Judged { seen, spoke, after: After::More },
                Err(framing::TooLong) => break,
            };
            let is_first = !spoke && !self.sockets.streams.has_spoken(number);
            if is_first && let Some(shard) = self.home_of(number, &bytes[frame.clone()]) {
                return Judged { seen, spoke, after: After::Elsewhere(shard) };
            }
            seen = frame.end;
            let is_taken = self.core.from_ice_stream(now, client, &bytes[frame]);
            spoke |= is_taken;
            if is_first && !is_taken {
                break;
            }
        }
        self.sockets.streams.end(number, End::Garbage);
        Judged { seen: bytes.len(), spoke, after: After::More }
    }

    /// The other shard whose participant `check` is for.
    fn home_of(&self, number: u16, check: &[u8]) -> Option<usize> {
        let shard = sfu::shard_of(check)?;
        let may_go = self.sockets.streams.may_emigrate(number);
        (may_go && shard != self.index && shard < self.neighbours.count()).then_some(shard)
    }
}
