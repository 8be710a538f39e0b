//! What clients lost, from what they report (RFC 3550 §6.4.4, transport-wide feedback).

use super::feedback::Arrivals;
use super::report::Reception;

/// Packets that were expected and lost since that was said last.
#[derive(Debug, Default)]
pub(super) struct Losses {
    expected: u32,
    lost: u32,
}

/// What a client has told of one stream so far.
#[derive(Debug, Default)]
pub(super) struct StreamReports {
    /// The last report, and how many packets had been sent when it came.
    last: Option<(Reception, u32)>,
}

/// What a client has told packet by packet so far.
#[derive(Debug, Default)]
pub(super) struct PacketReports {
    /// The number of the next report, and the packet behind the last one that it was told of.
    next: Option<(u8, u16)>,
}

impl Losses {
    /// So many more were expected, and so many of them lost.
    fn add(&mut self, expected: u32, lost: u32) {
        self.expected = self.expected.saturating_add(expected);
        self.lost = self.lost.saturating_add(lost);
    }

    /// The share that was lost since the last answer, once it is of so many packets.
    pub(super) fn take(&mut self, at_least: u32) -> Option<f32> {
        let Self { expected, lost } = *self;
        if expected < at_least.max(1) {
            return None;
        }
        *self = Self::default();
        Some(lost as f32 / expected as f32)
    }
}

impl StreamReports {
    /// Takes in a report of the stream, of which so many packets have been sent so far. The client also misses those that never
    /// reached us: what counts is how many of ours came.
    pub(super) fn learn(&mut self, reception: &Reception, sent: u32, losses: &mut Losses) {
        let (last, last_sent) = self.last.unwrap_or((*reception, sent));
        let numbered = i64::from(reception.highest.wrapping_sub(last.highest) as i32);
        if numbered < 0 {
            return;
        }
        self.last = Some((*reception, sent));
        let newly_sent = sent.wrapping_sub(last_sent);
        let came = numbered - (i64::from(reception.lost) - i64::from(last.lost));
        let came = came.clamp(0, i64::from(newly_sent)) as u32;
        losses.add(newly_sent, newly_sent - came);
    }
}

impl PacketReports {
    /// Takes in a report. Between two of them there may be packets that the client never knew of.
    pub(super) fn learn(&mut self, arrivals: &Arrivals, losses: &mut Losses) {
        let Arrivals { number, base, ref times } = *arrivals;
        let lost = times.iter().filter(|time| time.is_none()).count() as u32;
        let end = base.wrapping_add(times.len() as u16);
        let (next_number, next) = self.next.unwrap_or((number, base));
        if (end.wrapping_sub(next) as i16) < 0 {
            return;
        }
        let between = if number == next_number { (base.wrapping_sub(next) as i16).max(0) as u32 } else { 0 };
        self.next = Some((number.wrapping_add(1), end));
        losses.add(times.len() as u32 + between, lost + between);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream's reports say of losses, each with what had been sent by then.
    fn shares<const COUNT: usize>(reports: [(u32, i32, u32); COUNT]) -> [Option<f32>; COUNT] {
        let (mut stream, mut losses) = (StreamReports::default(), Losses::default());
        reports.map(|(highest, lost, sent)| {
            let reception = Reception { ssrc: 7, lost, highest, last_report: 0, delay: 0 };
            stream.learn(&reception, sent, &mut losses);
            losses.take(10)
        })
    }

    #[test]
    fn losses_are_those_between_two_reports() {
        let said = shares([(1000, 30, 970), (1100, 35, 1070), (1110, 33, 1080)]);
        assert_eq!(said, [None, Some(0.05), Some(0.0)], "some came after all");
        let said = shares([(1000, 0, 1000), (900, 90, 1050), (1100, 0, 1100)]);
        assert_eq!(said, [None, None, Some(0.0)], "an old report");
        let said = shares([(65_500, 0, 500), (65_600, 0, 600), (65_600, 0, 650)]);
        assert_eq!(said, [None, Some(0.0), Some(1.0)], "over a rollover, and then nothing");
    }

    #[test]
    fn what_never_reached_us_is_no_loss_of_ours() {
        let said = shares([(1000, 0, 1000), (1100, 40, 1060), (1200, 110, 1120)]);
        assert_eq!(said, [None, Some(0.0), Some(0.5)], "40 were lost before us each time");
    }

    #[test]
    fn streams_count_together_and_few_packets_say_nothing() {
        let mut losses = Losses::default();
        losses.add(8, 2);
        assert_eq!(losses.take(10), None);
        losses.add(8, 2);
        assert_eq!((losses.take(10), losses.take(0)), (Some(0.25), None), "it was told");
    }

    #[test]
    fn what_was_lost_between_two_reports_counts() {
        let (mut packets, mut losses) = (PacketReports::default(), Losses::default());
        let mut told = |number, base, came, lost| {
            let times = std::iter::repeat_n(Some(0), came).chain(std::iter::repeat_n(None, lost)).collect();
            packets.learn(&Arrivals { number, base, times }, &mut losses);
            losses.take(1)
        };
        assert_eq!(told(255, 65_530, 10, 0), Some(0.0));
        assert_eq!(told(0, 4, 5, 5), Some(0.5), "over a rollover");
        assert_eq!(told(1, 34, 10, 0), Some(20.0 / 30.0));
        assert_eq!(told(0, 20, 5, 0), None, "an old report");
        assert_eq!(told(3, 100, 10, 0), Some(0.0), "a report was lost, who knows what it said");
    }
}
