//! Who speaks: loudness of each microphone, smoothed, and the order in which people spoke last.

use std::time::{Duration, Instant};

use crate::ParticipantId;

/// How often speakers are determined.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);
/// From this level on someone speaks, in dBov.
const SPEAKING: f32 = -50.0;
/// What is taken for silence, in dBov (RFC 6464 §3).
const SILENCE: f32 = -127.0;
/// Who speaks goes on speaking until the level is below this, in dBov.
const SILENT_AGAIN: f32 = -60.0;
/// How fast the level may fall, in dB a second: words have gaps.
const FALL: f32 = 20.0;
/// The longest time between two packets of a microphone; one that is silent by DTX sends every 400 ms.
const STALE: Duration = Duration::from_millis(1000);
/// Smaller changes of a level are not told, in dB.
const NOTABLE: i8 = 10;

/// The loudness of one audio track: rises with the voice, falls slowly.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    level: Option<(f32, Instant)>,
    speaking: bool,
}

impl Loudness {
    /// A packet had this level, in dBov.
    pub(crate) fn hear(&mut self, now: Instant, level: i8) {
        let level = f32::from(level).clamp(SILENCE, 0.0);
        let before = self.level(now);
        let level = if level > before { before + (level - before) * 0.3 } else { level.max(before) };
        self.level = Some((level, now));
        self.speaking = level > if self.speaking { SILENT_AGAIN } else { SPEAKING };
    }

    /// The present level in dBov, if this is someone speaking.
    pub(crate) fn speaking(&self, now: Instant) -> Option<i8> {
        let level = self.level(now);
        (self.speaking && level > SILENT_AGAIN).then_some(level.round() as i8)
    }

    /// The last level, less what it fell since.
    fn level(&self, now: Instant) -> f32 {
        let Some((level, at)) = self.level else { return SILENCE };
        let passed = now.saturating_duration_since(at);
        if passed > STALE { SILENCE } else { (level - FALL * passed.as_secs_f32()).max(SILENCE) }
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

#[cfg(test)]
mod tests;
