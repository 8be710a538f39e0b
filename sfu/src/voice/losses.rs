//! What clients lost, from what they report of each stream (RFC 3550 §6.4.4).

use super::report::{Arrivals, Reception};

/// Streams of which the last report is remembered; beyond them the oldest is forgotten.
const STREAMS: usize = 64;

/// The losses of some streams together.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// The highest sequence number and the losses that were told last, by SSRC.
    told: Vec<(u32, u32, i32)>,
    /// The number of the next such report, and the packet behind the last one that it was told of.
    next: Option<(u8, u16)>,
    expected: u32,
    lost: u32,
}

impl Losses {
    /// Takes in what a client says of one stream.
    pub(super) fn learn(&mut self, reception: &Reception) {
        let Reception { ssrc, highest, lost, .. } = *reception;
        let Some((_, last_highest, last_lost)) = self.told.iter_mut().find(|(known, ..)| *known == ssrc) else {
            if self.told.len() >= STREAMS {
                self.told.remove(0);
            }
            self.told.push((ssrc, highest, lost));
            return;
        };
        let expected = (highest.wrapping_sub(*last_highest) as i32).max(0) as u32;
        let newly = (lost.saturating_sub(*last_lost).max(0) as u32).min(expected);
        (*last_highest, *last_lost) = (highest, lost);
        self.add(expected, newly);
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

    fn share(losses: &mut Losses, reception: Reception) -> Option<f32> {
        losses.learn(&reception);
        losses.take(10)
    }

    #[test]
    fn losses_are_those_between_two_reports() {
        let mut losses = Losses::default();
        assert_eq!(share(&mut losses, told(7, 1000, 30)), None, "who knows since when");
        assert_eq!(share(&mut losses, told(7, 1100, 35)), Some(0.05));
        assert_eq!(share(&mut losses, told(7, 1110, 33)), Some(0.0), "some came after all");
        assert_eq!(share(&mut losses, told(7, 1100, 90)), None, "an old report");
        assert_eq!(share(&mut losses, told(7, 0x1_0000 + 1100, 95)), Some(5.0 / 65_536.0), "over a rollover");
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
        assert_eq!(share(&mut losses, told(1, 0, 0)), None);
        assert_eq!(share(&mut losses, told(2, 100, 0)), None);
        assert_eq!(share(&mut losses, told(1, 8, 2)), None, "eight packets");
        assert_eq!(share(&mut losses, told(2, 108, 2)), Some(0.25));
        assert_eq!(losses.take(1), None, "it was told");
    }

    #[test]
    fn the_stream_of_which_nothing_was_said_for_long_is_forgotten() {
        let mut losses = Losses::default();
        (0..=STREAMS as u32).for_each(|ssrc| losses.learn(&told(ssrc, 100, 0)));
        assert_eq!(share(&mut losses, told(0, 200, 50)), None);
        assert_eq!(share(&mut losses, told(STREAMS as u32, 200, 50)), Some(0.5));
    }
}
