//! What waits to be written to one stream: whole messages, of which the oldest media gives way, and never an answer.
//!
//! ```text
//!  written ──►|◄── waiting ─────────────────────────────────►|
//!  ...........|rest of one|  data  | answer |  data  |  data  |
//!             ^ never taken back     ^ stays  ^ goes first when there is too much
//! ```

use std::collections::VecDeque;

/// Bytes that wait at most before media gives way: half a second of a good video.
const MOST: usize = 128 << 10;

/// What remains once media has given way, so that it is not looked through again for each packet.
const AFTER_SHEDDING: usize = MOST * 3 / 4;

/// Answers alone may take as much again. A client that does not read even those has gone.
const MOST_WITH_ANSWERS: usize = MOST * 2;

/// Room that is kept when nothing waits.
const KEPT: usize = 16 << 10;

/// The queue of one stream.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// Bytes at the front that are written already.
    written: usize,
    messages: VecDeque<Message>,
    /// Bytes of the first message that are written already.
    begun: usize,
    /// Bytes of those messages that are answers.
    answers: usize,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    len: usize,
    is_data: bool,
}

/// Answers wait that nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

impl Output {
    /// What waits, in the order in which it is to be written.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// What waits of the first message.
    pub(super) fn next(&self) -> &[u8] {
        let len = self.messages.front().map_or(0, |message| message.len - self.begun);
        &self.waiting()[..len]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Takes a message that consists of `pieces`. Returns how many packets of media were lost to make room, itself included.
    ///
    /// # Errors
    /// [`Overflow`]: the stream must be closed.
    pub(super) fn push(&mut self, pieces: [&[u8]; 3], is_data: bool) -> Result<u64, Overflow> {
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        let (waiting, stays) = (self.waiting().len(), self.stays());
        // Room that shedding would not make is not looked for with each packet.
        if is_data && stays + len > AFTER_SHEDDING {
            return Ok(1);
        }
        let mut lost = 0;
        if waiting + len > MOST && waiting > stays {
            lost = self.shed(AFTER_SHEDDING.saturating_sub(len));
        }
        let waiting = self.waiting().len() + len;
        if is_data && waiting > MOST {
            return Ok(lost + 1);
        }
        if waiting > MOST_WITH_ANSWERS {
            return Err(Overflow);
        }
        pieces.into_iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        self.messages.push_back(Message { len, is_data });
        self.answers += if is_data { 0 } else { len };
        Ok(lost)
    }

    /// The first `count` bytes of what waits are written.
    pub(super) fn advance(&mut self, count: usize) {
        self.written += count;
        self.begun += count;
        while let Some(first) = self.messages.front()
            && first.len <= self.begun
        {
            self.begun -= first.len;
            self.answers -= if first.is_data { 0 } else { first.len };
            self.messages.pop_front();
        }
        if self.messages.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            (self.written, self.begun) = (0, 0);
        } else if self.written > MOST {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Bytes that wait and cannot give way: answers, and the rest of what is begun.
    fn stays(&self) -> usize {
        let begun_data = self.messages.front().filter(|first| first.is_data && self.begun > 0);
        self.answers + begun_data.map_or(0, |first| first.len) - self.begun
    }

    /// Throws away the oldest media that is not begun, until no more than `most` bytes wait; returns how many packets.
    fn shed(&mut self, most: usize) -> u64 {
        let mut waiting = self.waiting().len();
        let mut kept = Vec::with_capacity(waiting);
        let (mut lost, mut at, mut begun) = (0, self.written, self.begun);
        let bytes = &self.bytes;
        self.messages.retain(|message| {
            let rest = message.len - begun;
            let goes = message.is_data && begun == 0 && waiting > most;
            if goes {
                waiting -= rest;
                lost += 1;
            } else {
                kept.extend_from_slice(&bytes[at..at + rest]);
            }
            at += rest;
            begun = 0;
            !goes
        });
        (self.bytes, self.written) = (kept, 0);
        lost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(number: u32, len: usize) -> Vec<u8> {
        number.to_be_bytes().into_iter().cycle().take(len.max(4)).collect()
    }

    #[test]
    fn the_oldest_media_gives_way_and_answers_stay_in_their_order() {
        let mut output = Output::default();
        let mut lost = 0;
        for number in 0..1000u32 {
            lost += output.push([&message(number, 1000), &[], &[]], number % 100 != 0).unwrap();
        }
        let read: Vec<u32> =
            output.waiting().chunks(1000).map(|one| u32::from_be_bytes(one[..4].try_into().unwrap())).collect();
        assert!(read.is_sorted());
        assert_eq!(read.iter().filter(|number| **number % 100 == 0).count(), 10, "every answer is there");
        assert_eq!(read.last(), Some(&999));
        assert_eq!(read.len() as u64 + lost, 1000);
        assert!(output.waiting().len() <= MOST);
    }

    #[test]
    fn a_client_that_reads_no_answers_has_gone() {
        let mut output = Output::default();
        let pushed = (0..10_000).take_while(|_| output.push([&[0; 100], &[], &[]], false).is_ok()).count();
        assert_eq!(pushed, MOST_WITH_ANSWERS / 100);
        assert_eq!(output.push([&[0; 100], &[], &[]], true), Ok(1), "media is lost, and that is all");
    }

    #[test]
    fn media_is_refused_at_once_where_answers_fill_the_queue() {
        let mut output = Output::default();
        while output.answers < AFTER_SHEDDING {
            output.push([&[1; 1000], &[], &[]], false).unwrap();
        }
        let (len, place) = (output.waiting().len(), output.bytes.as_ptr());
        assert_eq!(output.push([&[2; 1000], &[], &[]], true), Ok(1));
        assert_eq!((output.waiting().len(), output.bytes.as_ptr()), (len, place), "nothing was moved");
        output.advance(2500);
        assert_eq!(output.stays(), output.waiting().len());
        assert_eq!(output.push([&[2; 1000], &[], &[]], true), Ok(0));
    }

    #[test]
    fn what_is_begun_is_finished() {
        let mut output = Output::default();
        output.push([&[1; 1000], &[], &[]], true).unwrap();
        output.advance(1);
        while output.push([&[2; 1000], &[], &[]], true).unwrap() == 0 {}
        assert_eq!(output.waiting()[..999], [1; 999]);
        assert_eq!(output.next(), [1; 999]);
    }

    #[test]
    fn nothing_is_kept_of_a_burst() {
        let mut output = Output::default();
        output.push([&[1; 100_000], &[], &[]], true).unwrap();
        output.advance(100_000);
        assert!(output.is_empty() && output.bytes.capacity() <= KEPT);
    }

    proptest! {
        /// Whatever is pushed and written, a reader sees whole messages, every answer, and all of it in order.
        #[test]
        fn a_reader_sees_whole_messages(steps in prop::collection::vec((1..9000usize, any::<bool>(), 0..9000usize), 1..200)) {
            let mut output = Output::default();
            let (mut read, mut answers, mut lost) = (Vec::new(), Vec::new(), 0);
            for (number, (len, is_data, write)) in steps.iter().enumerate() {
                // Little enough for answers never to overflow.
                let is_data = *is_data || number % 8 != 0;
                let bytes = [&(*len as u32).to_be_bytes()[..], &(number as u32).to_be_bytes(), &vec![is_data as u8; *len]].concat();
                lost += output.push([&bytes[..3], &bytes[3..], &[]], is_data).unwrap();
                if !is_data {
                    answers.push(number as u32);
                }
                let count = output.waiting().len().min(*write);
                read.extend_from_slice(&output.waiting()[..count]);
                output.advance(count);
            }
            read.extend_from_slice(output.waiting());
            let (mut rest, mut numbers, mut heard) = (&read[..], Vec::new(), Vec::new());
            while !rest.is_empty() {
                let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
                numbers.push(u32::from_be_bytes(rest[4..8].try_into().unwrap()));
                prop_assert!(rest[8..8 + len].iter().all(|byte| *byte == rest[8]));
                if rest[8] == 0 {
                    heard.push(*numbers.last().unwrap());
                }
                rest = &rest[8 + len..];
            }
            prop_assert!(numbers.is_sorted());
            prop_assert_eq!(heard, answers);
            prop_assert_eq!(numbers.len() as u64 + lost, steps.len() as u64);
        }
    }
}
