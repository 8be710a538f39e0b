//! Which packets of which encoding one slot gets, and where it may change from one to another.

use crate::codec::Glance;
use crate::dependency::{Frame, Indication, Structure};
use crate::encoding::Choice;

/// What a slot shows and what it is to show.
///
/// ```text
///  current 180p ──── 180p ──── 180p ─┐
///  target  720p  (waits)    (waits)  └─ keyframe of 720p: current 720p
/// ```
///
/// Another encoding begins with a keyframe of its own. Within an encoding, fewer layers are shown from the next picture
/// on; more from where the stream says that one may go up.
#[derive(Debug, Default)]
pub(crate) struct Switcher {
    current: Option<Choice>,
    target: Option<Choice>,
    seen: Seen,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is forwarded.
    Pass {
        /// Whether it ends the picture, as far as this slot shows it.
        ends_picture: bool,
        /// Whether another encoding begins with it.
        begins: bool,
    },
    /// It belongs to the stream that is shown, and is left out of it.
    Omit,
    /// It belongs to another encoding.
    Ignore,
    /// It belongs to the encoding that is to be shown, which waits for a keyframe.
    Wait,
}

/// The frames that were forwarded lately, by their numbers: one bit each, the last one the lowest.
#[derive(Debug, Default)]
struct Seen {
    last: u16,
    frames: u128,
}

impl Switcher {
    /// What is shown.
    pub(crate) fn current(&self) -> Option<Choice> {
        self.current
    }

    /// What is to be shown.
    pub(crate) fn target(&self) -> Option<Choice> {
        self.target
    }

    /// Shows this as soon as it can be begun; `None`: nothing, at once.
    pub(crate) fn aim(&mut self, target: Option<Choice>) {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
    }

    /// The stream that is shown was interrupted: only a keyframe helps.
    pub(crate) fn restart(&mut self) {
        self.current = None;
    }

    /// Whether a keyframe of the target's encoding is awaited. Within one encoding more detail seldom comes otherwise.
    pub(crate) fn is_waiting(&self) -> bool {
        let is_there = |now: Choice, then: Choice| now.encoding == then.encoding && now.spatial >= then.spatial;
        self.target.is_some_and(|target| !self.current.is_some_and(|current| is_there(current, target)))
    }

    /// What becomes of a packet of this encoding.
    pub(crate) fn judge(&mut self, encoding: usize, glance: &Glance, structure: Option<&Structure>) -> Verdict {
        let Some(target) = self.target else { return Verdict::Ignore };
        if self.current.is_some_and(|current| current.encoding == encoding) {
            return self.judge_layer(target, glance, structure);
        }
        if target.encoding != encoding {
            return Verdict::Ignore;
        }
        if !glance.keyframe {
            return Verdict::Wait;
        }
        self.current = Some(target);
        self.seen = Seen::default();
        match self.judge_layer(target, glance, structure) {
            Verdict::Pass { ends_picture, .. } => Verdict::Pass { ends_picture, begins: true },
            other => other,
        }
    }

    fn judge_layer(&mut self, target: Choice, glance: &Glance, structure: Option<&Structure>) -> Verdict {
        let Some(mut current) = self.current else { return Verdict::Ignore };
        let shown = if let (Some(frame), Some(structure)) = (&glance.frame, structure) {
            if frame.starts && current.encoding == target.encoding {
                current = self.move_by_dependencies(current, target, glance, frame, structure);
            }
            let shown = frame.indication(structure.target(current.spatial, current.temporal)) != Indication::NotPresent;
            if shown {
                self.seen.insert(frame.number);
            }
            shown
        } else {
            if glance.place.starts && current.encoding == target.encoding {
                current = move_by_place(current, target, glance);
            }
            glance.place.spatial <= current.spatial && glance.place.temporal <= current.temporal
        };
        self.current = Some(current);
        let ends_picture = glance.place.ends && glance.place.spatial == current.spatial;
        if shown { Verdict::Pass { ends_picture, begins: false } } else { Verdict::Omit }
    }

    /// AV1: the frame says for each target whether one may begin with it, if one has what it refers to.
    fn move_by_dependencies(
        &self,
        current: Choice,
        target: Choice,
        glance: &Glance,
        frame: &Frame,
        structure: &Structure,
    ) -> Choice {
        if current == target || glance.keyframe {
            return target;
        }
        let is_less = target.spatial <= current.spatial && target.temporal <= current.temporal;
        if is_less && frame.spatial == 0 {
            return target;
        }
        let switches = frame.indication(structure.target(target.spatial, target.temporal)) == Indication::Switch;
        let has_all = || frame.references.iter().all(|back| self.seen.contains(frame.number.wrapping_sub(*back)));
        if switches && has_all() { target } else { current }
    }
}

/// VP8 and VP9: the descriptor says where one may go up.
fn move_by_place(mut current: Choice, target: Choice, glance: &Glance) -> Choice {
    let place = glance.place;
    if glance.keyframe {
        return target;
    }
    // The lowest layer's frame begins a picture; what comes before it belongs to the one before.
    if place.spatial == 0 {
        current.spatial = current.spatial.min(target.spatial);
        current.temporal = current.temporal.min(target.temporal);
    }
    let up = |now: u8, place: u8, most: u8| now < place && place <= most;
    if place.temporal_up && up(current.temporal, place.temporal, target.temporal) {
        current.temporal = place.temporal;
    }
    if place.spatial_up && up(current.spatial, place.spatial, target.spatial) && place.spatial == current.spatial + 1 {
        current.spatial = place.spatial;
    }
    current
}

impl Seen {
    fn insert(&mut self, number: u16) {
        let ahead = number.wrapping_sub(self.last);
        if self.frames == 0 || ahead < 0x8000 {
            self.frames = self.frames.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.last = number;
        } else {
            self.frames |= 1_u128.checked_shl(u32::from(self.last.wrapping_sub(number))).unwrap_or(0);
        }
    }

    fn contains(&self, number: u16) -> bool {
        self.frames.checked_shr(u32::from(self.last.wrapping_sub(number))).unwrap_or(0) & 1 == 1
    }
}

#[cfg(test)]
mod tests;
