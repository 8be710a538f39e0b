//! The encodings of one track, as they come from its publisher, and the ladder of qualities that they make.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::Rid;
use str0m::rtp::Ssrc;

use crate::codec::{Glance, Place, SPATIAL, TEMPORAL};
use crate::dependency::Structure;
use crate::group::Group;
use crate::keyframe::KeyframeRequests;

/// Encodings of one track: simulcast has three; a publisher that invents more is not followed.
pub(crate) const ENCODINGS: usize = 4;
/// An encoding that sends nothing for so long has been stopped by its publisher: there are others to be shown.
const SILENCE: Duration = Duration::from_millis(400);
/// How long rates are measured before they hold.
const WINDOW: Duration = Duration::from_millis(500);
/// What a rate keeps of its last value when it falls, in percent: pictures that move differ from those that stand still.
const DECAY: u64 = 80;
/// Bits per second of a picture for each pixel of its height, squared, where nothing is measured yet.
const NOMINAL: u64 = 3;

/// One encoding: a stream of its own, possibly with layers inside.
pub(crate) struct Encoding {
    pub(crate) rid: Option<Rid>,
    pub(crate) ssrc: Ssrc,
    pub(crate) keyframes: KeyframeRequests,
    /// What is kept for those who come later, where that is wanted.
    pub(crate) group: Group,
    /// The structure that its dependency descriptors refer to.
    pub(crate) structure: Option<Arc<Structure>>,
    /// The height of each spatial layer, where known.
    pub(crate) heights: [Option<u16>; SPATIAL],
    /// Whether it sends.
    pub(crate) live: bool,
    last: Instant,
    since: Instant,
    bytes: [[u64; TEMPORAL]; SPATIAL],
    /// Bits per second of each layer alone; `None`: it was not there.
    rates: [[Option<u64>; TEMPORAL]; SPATIAL],
}

/// One quality of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) choice: Choice,
    /// The picture's height in pixels, measured or guessed.
    pub(crate) height: u16,
    /// What it costs in bits per second.
    pub(crate) cost: u64,
    /// Whether its encoding sends at present.
    pub(crate) live: bool,
}

/// An encoding and the highest layers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) encoding: usize,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl Encoding {
    /// One that just began.
    pub(crate) fn new(now: Instant, rid: Option<Rid>, ssrc: Ssrc) -> Self {
        Self {
            rid,
            ssrc,
            keyframes: KeyframeRequests::default(),
            group: Group::default(),
            structure: None,
            heights: [None; SPATIAL],
            live: false,
            last: now,
            since: now,
            bytes: [[0; TEMPORAL]; SPATIAL],
            rates: [[None; TEMPORAL]; SPATIAL],
        }
    }

    /// A packet came. Whether the rates were measured anew.
    pub(crate) fn add(&mut self, now: Instant, place: Place, bytes: usize) -> bool {
        self.last = now;
        let (spatial, temporal) = (usize::from(place.spatial), usize::from(place.temporal));
        if let Some(sum) = self.bytes.get_mut(spatial).and_then(|layers| layers.get_mut(temporal)) {
            *sum += bytes as u64;
        }
        let passed = now.saturating_duration_since(self.since);
        if passed < WINDOW {
            return false;
        }
        let millis = passed.as_millis().max(1) as u64;
        // What was sent before a pause says nothing about the rate; the next window will.
        let stale = passed > 2 * WINDOW;
        for (bytes, rate) in self.bytes.iter_mut().flatten().zip(self.rates.iter_mut().flatten()) {
            let measured = std::mem::take(bytes) * 8000 / millis;
            let before = rate.map_or(0, |rate| rate * DECAY / 100);
            if !stale {
                *rate = Some(measured.max(before)).filter(|rate| *rate > 1000);
            }
        }
        self.since = now;
        true
    }

    /// A keyframe showed heights. Whether they differ from before.
    pub(crate) fn learn(&mut self, glance: &Glance) -> bool {
        if let Some(structure) = glance.frame.as_ref().and_then(|frame| frame.attached.as_ref()) {
            self.structure = Some(Arc::clone(structure));
        }
        let news = glance.heights != [None; SPATIAL] && glance.heights != self.heights;
        if news {
            self.heights = glance.heights;
        }
        news
    }

    /// Whether it has sent nothing for a while.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) > SILENCE
    }

    /// What it costs up to these layers.
    fn cost(&self, spatial: u8, temporal: u8) -> u64 {
        let below =
            |layers: &[Option<u64>; TEMPORAL]| layers.iter().take(usize::from(temporal) + 1).flatten().sum::<u64>();
        self.rates.iter().take(usize::from(spatial) + 1).map(below).sum()
    }

    /// The highest layers that there are.
    fn top(&self) -> (u8, u8) {
        let any = |layers: &[Option<u64>; TEMPORAL]| layers.iter().any(Option::is_some);
        let spatial = self.rates.iter().rposition(any).unwrap_or(0);
        let temporal = self.rates.iter().filter_map(|layers| layers.iter().rposition(Option::is_some)).max();
        (spatial as u8, temporal.unwrap_or(0) as u8)
    }
}

/// The qualities of a track, the least first. `sharp` prefers to lose movement before detail, as a shared screen should.
///
/// ```text
///  camera, three encodings of two temporal layers:   180p slow, 180p, 360p, 720p
///  screen, one encoding of three temporal layers:    1080p slow, 1080p smoother, 1080p
/// ```
pub(crate) fn ladder(encodings: &[Encoding], sharp: bool) -> Vec<Rung> {
    let mut order: Vec<usize> = (0..encodings.len()).collect();
    order.sort_by_key(|index| (guess(encodings, *index, 0), *index));
    let mut rungs: Vec<Rung> = Vec::new();
    let last = order.len().saturating_sub(1);
    for (position, index) in order.into_iter().enumerate() {
        let encoding = &encodings[index];
        let (top, smooth) = encoding.top();
        for spatial in 0..=top {
            let (lowest, highest) = (position == 0 && spatial == 0, position == last && spatial == top);
            let steps = match (sharp, lowest, highest) {
                (true, _, true) => 0..=smooth,
                (true, _, false) => 0..=0,
                (false, true, _) if smooth > 0 => 0..=smooth,
                (false, _, _) => smooth..=smooth,
            };
            for temporal in steps.filter(|step| sharp || *step == 0 || *step == smooth) {
                let height = guess(encodings, index, spatial);
                let measured = Some(encoding.cost(spatial, temporal)).filter(|cost| *cost > 0);
                let cost = measured.unwrap_or(u64::from(height) * u64::from(height) * NOMINAL);
                let cost = cost.max(rungs.last().map_or(0, |rung| rung.cost));
                rungs.push(Rung {
                    choice: Choice { encoding: index, spatial, temporal },
                    height,
                    cost,
                    live: encoding.live,
                });
            }
        }
    }
    rungs
}

/// The height of a layer, or what it probably is.
fn guess(encodings: &[Encoding], index: usize, spatial: u8) -> u16 {
    let known = encodings[index].heights.get(usize::from(spatial)).copied().flatten();
    known.unwrap_or_else(|| match encodings.len() {
        1 if spatial == 0 => 720,
        _ => 180 << (index.min(3) + usize::from(spatial.min(2))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::start;

    /// An encoding of this height that has sent at this rate for a while.
    fn sending(height: u16, kbps: usize, temporal: u8) -> Encoding {
        let begin = start();
        let mut encoding = Encoding::new(begin, None, 1.into());
        encoding.heights[0] = Some(height);
        encoding.live = true;
        for step in 0..=100 {
            let place = Place { temporal: (step % (u64::from(temporal) + 1)) as u8, ..Place::default() };
            encoding.add(begin + Duration::from_millis(step * 10), place, kbps * 10 / 8);
        }
        encoding
    }

    #[test]
    fn three_encodings_make_a_ladder_by_height_whatever_their_order() {
        let encodings = [sending(720, 1500, 0), sending(180, 100, 0), sending(360, 400, 0)];
        let rungs = ladder(&encodings, false);
        assert_eq!(rungs.iter().map(|rung| rung.height).collect::<Vec<_>>(), [180, 360, 720]);
        assert_eq!(rungs.iter().map(|rung| rung.choice.encoding).collect::<Vec<_>>(), [1, 2, 0]);
        for (rung, cost) in rungs.iter().zip([100_000, 400_000, 1_500_000]) {
            assert!(rung.cost.abs_diff(cost) < cost / 20, "{} for {cost}", rung.cost);
        }
    }

    #[test]
    fn a_camera_loses_detail_before_movement_and_a_screen_the_other_way_round() {
        let layers = |sharp| -> Vec<_> {
            let encodings = [sending(360, 400, 2), sending(720, 1500, 2)];
            ladder(&encodings, sharp).iter().map(|rung| (rung.height, rung.choice.temporal)).collect()
        };
        assert_eq!(layers(false), [(360, 0), (360, 2), (720, 2)]);
        assert_eq!(layers(true), [(360, 0), (720, 0), (720, 1), (720, 2)]);
    }

    #[test]
    fn what_is_not_measured_yet_has_a_price_all_the_same() {
        let encodings = [Encoding::new(start(), None, 1.into())];
        let rungs = ladder(&encodings, false);
        assert_eq!(rungs.len(), 1);
        assert!(rungs[0].cost > 1_000_000 && !rungs[0].live);
        assert!(ladder(&[], false).is_empty());
    }

    #[test]
    fn a_rate_falls_slowly() {
        let mut encoding = sending(360, 400, 0);
        let now = encoding.last;
        for step in 1..=50 {
            encoding.add(now + Duration::from_millis(step * 10), Place::default(), 12);
        }
        assert!(encoding.cost(0, 0) > 300_000, "{}", encoding.cost(0, 0));
    }
}
