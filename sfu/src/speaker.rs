//! Who speaks: loudness of each microphone, smoothed, and the order in which people spoke last.

use std::time::{Duration, Instant};

use crate::ParticipantId;

/// How often speakers are determined.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);
/// From this level on someone speaks, in dBov.
const SPEAKING: f32 = -50.0;
/// What is taken for silence, in dBov (RFC 6464 §3).
const SILENCE: f32 = -127.0;
/// A microphone that said nothing for so long is silent.
const STALE: Duration = Duration::from_millis(600);
/// Smaller changes of a level are not told, in dB.
const NOTABLE: i8 = 6;

/// The loudness of one audio track.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    level: Option<(f32, Instant)>,
}

impl Loudness {
    /// A packet had this level, in dBov. Rising follows faster than falling: words have gaps.
    pub(crate) fn hear(&mut self, now: Instant, level: i8) {
        let level = f32::from(level).clamp(SILENCE, 0.0);
        let before = self.level(now);
        let weight = if level > before { 0.3 } else { 0.05 };
        self.level = Some((before + (level - before) * weight, now));
    }

    /// The present level in dBov, if this is someone speaking.
    pub(crate) fn speaking(&self, now: Instant) -> Option<i8> {
        let level = self.level(now);
        (level > SPEAKING).then_some(level.round() as i8)
    }

    fn level(&self, now: Instant) -> f32 {
        self.level.filter(|(_, at)| now.saturating_duration_since(*at) < STALE).map_or(SILENCE, |(level, _)| level)
    }
}

/// The speakers of a room as they were told last.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    said: Vec<(ParticipantId, i8)>,
}

impl Speakers {
    /// Takes those who speak now, loudest first. The same list if it is worth telling.
    pub(crate) fn update(&mut self, now: Vec<(ParticipantId, i8)>) -> Option<Vec<(ParticipantId, i8)>> {
        let same = |(said, new): (&(ParticipantId, i8), &(ParticipantId, i8))| {
            said.0 == new.0 && said.1.abs_diff(new.1) < NOTABLE.unsigned_abs()
        };
        if self.said.len() == now.len() && self.said.iter().zip(&now).all(same) {
            return None;
        }
        self.said.clone_from(&now);
        Some(now)
    }

    /// Whether the last list told of anyone.
    pub(crate) fn any(&self) -> bool {
        !self.said.is_empty()
    }
}
