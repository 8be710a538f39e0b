//! What clients lost, from what they report of each stream (RFC 3550 §6.4.4).

use super::report::{Arrivals, Reception};

/// Streams of which the last report is remembered; beyond them the oldest is forgotten.
const STREAMS: usize = 64;

/// The losses of some streams together.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// What was told last of each stream, and how many of its packets had been sent then.
    told: Vec<(Reception, u32)>,
    /// The number of the next such report, and the packet behind the last one that it was told of.
    next: Option<(u8, u16)>,
    expected: u32,
    lost: u32,
}

impl Losses {
    /// Takes in what a client says of one stream, of which so many packets have been sent so far. The client also misses those
    /// that never reached us: what counts is how many of ours came.
    pub(super) fn learn(&mut self, reception: &Reception, sent: u32) {
        let Some((last, last_sent)) = self.told.iter_mut().find(|(last, _)| last.ssrc == reception.ssrc) else {
            if self.told.len() >= STREAMS {
                self.told.remove(0);
            }
            self.told.push((*reception, sent));
            return;
        };
        let numbered = i64::from(reception.highest.wrapping_sub(last.highest) as i32);
        let came = numbered - (i64::from(reception.lost) - i64::from(last.lost));
        let newly_sent = sent.wrapping_sub(*last_sent);
        (*last, *last_sent) = (*reception, sent);
        if numbered > 0 {
            let came = came.clamp(0, i64::from(newly_sent)) as u32;
            self.add(newly_sent, newly_sent - came);
        }
    }

    /// Takes in what a client says packet by packet. Between two such reports there may be packets that it never knew of.
    pub(super) fn learn_arrivals(&mut self, arrivals: &Arrivals) {
        let Arrivals { number, base, came, lost } = *arrivals;
        let end = base.wrapping_add(came.saturating_add(lost));
        let (next_number, next) = self.next.unwrap_or((number, base));
        if (end.wrapping_sub(next) as i16) < 0 {
            return;
        }
        let between = if number == next_number { (base.wrapping_sub(next) as i16).max(0) as u32 } else { 0 };
        self.next = Some((number.wrapping_add(1), end));
        self.add(u32::from(came) + u32::from(lost) + between, u32::from(lost) + between);
    }

    /// So many more were expected, and so many of them lost.
    fn add(&mut self, expected: u32, lost: u32) {
        self.expected = self.expected.saturating_add(expected);
        self.lost = self.lost.saturating_add(lost);
    }

    /// The share that was lost since the last answer, once it is of so many packets.
    pub(super) fn take(&mut self, at_least: u32) -> Option<f32> {
        let expected = self.expected.max(1);
        if self.expected < at_least {
            return None;
        }
        let share = self.lost as f32 / expected as f32;
        (self.expected, self.lost) = (0, 0);
        Some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ssrc: u32, highest: u32, lost: i32) -> Reception {
        Reception { ssrc, lost, highest, last_report: 0, delay: 0 }
    }

    fn share(losses: &mut Losses, reception: Reception, sent: u32) -> Option<f32> {
        losses.learn(&reception, sent);
        losses.take(10)
    }

    #[test]
    fn losses_are_those_between_two_reports() {
        let mut losses = Losses::default();
        assert_eq!(share(&mut losses, told(7, 1000, 30), 970), None, "who knows since when");
        assert_eq!(share(&mut losses, told(7, 1100, 35), 1070), Some(0.05));
        assert_eq!(share(&mut losses, told(7, 1110, 33), 1080), Some(0.0), "some came after all");
        assert_eq!(share(&mut losses, told(7, 1100, 90), 1180), None, "an old report");
        assert_eq!(share(&mut losses, told(7, 0x1_0000 + 1100, 90), 1180 + 0x1_0000), Some(0.0), "over a rollover");
    }

    #[test]
    fn what_never_reached_us_is_no_loss_of_ours() {
        let mut losses = Losses::default();
        share(&mut losses, told(7, 1000, 0), 1000);
        assert_eq!(share(&mut losses, told(7, 1100, 40), 1060), Some(0.0), "40 were lost before us");
        assert_eq!(share(&mut losses, told(7, 1200, 110), 1120), Some(0.5), "40 before us and 30 of 60 behind");
    }

    #[test]
    fn what_was_lost_between_two_reports_counts() {
        let mut losses = Losses::default();
        let mut told = |number, base, came, lost| {
            losses.learn_arrivals(&Arrivals { number, base, came, lost });
            losses.take(1)
        };
        assert_eq!(told(255, 65_530, 10, 0), Some(0.0));
        assert_eq!(told(0, 4, 5, 5), Some(0.5), "over a rollover");
        assert_eq!(told(1, 34, 10, 0), Some(20.0 / 30.0));
        assert_eq!(told(0, 20, 5, 0), None, "an old report");
        assert_eq!(told(3, 100, 10, 0), Some(0.0), "a report was lost, who knows what it said");
    }

    #[test]
    fn streams_count_together_and_few_packets_say_nothing() {
        let mut losses = Losses::default();
        assert_eq!(share(&mut losses, told(1, 0, 0), 0), None);
        assert_eq!(share(&mut losses, told(2, 100, 0), 100), None);
        assert_eq!(share(&mut losses, told(1, 8, 2), 8), None, "eight packets");
        assert_eq!(share(&mut losses, told(2, 108, 2), 108), Some(0.25));
        assert_eq!(losses.take(1), None, "it was told");
    }

    #[test]
    fn the_stream_of_which_nothing_was_said_for_long_is_forgotten() {
        let mut losses = Losses::default();
        (0..=STREAMS as u32).for_each(|ssrc| losses.learn(&told(ssrc, 100, 0), 100));
        assert_eq!(share(&mut losses, told(0, 200, 50), 200), None);
        assert_eq!(share(&mut losses, told(STREAMS as u32, 200, 50), 200), Some(0.5));
    }
}
