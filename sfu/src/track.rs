//! A published track and who receives it.

use std::time::{Duration, Instant};

use str0m::format::PayloadParams;
use str0m::media::{Mid, Rid};
use str0m::rtp::Ssrc;

use crate::encoding::{Choice, ENCODINGS, Encoding, Rung, ladder};
use crate::slots::Group;
use crate::speaker::Loudness;
use crate::{Kind, RoomId, Source, TrackInfo};

/// How often subscribers are told of another height at most.
const HEIGHT_INTERVAL: Duration = Duration::from_secs(1);

/// One source of one participant.
pub(crate) struct Track {
    pub(crate) info: TrackInfo,
    pub(crate) room: RoomId,
    /// Key of the participant that publishes it.
    pub(crate) publisher: usize,
    /// Its section at the publisher.
    pub(crate) mid: Mid,
    /// The streams that it comes on, in the order in which they appeared; audio has none here.
    pub(crate) encodings: Vec<Encoding>,
    /// The codec that it came in last.
    pub(crate) codec: Option<PayloadParams>,
    /// When that codec began.
    pub(crate) recoded: Option<Instant>,
    /// When subscribers were told of another height last.
    resized: Option<Instant>,
    /// The heights that the publisher was told to be watched.
    pub(crate) watched: Option<Vec<u16>>,
    /// Keys of the participants that have it in a slot.
    pub(crate) subscribers: Vec<usize>,
    pub(crate) loudness: Loudness,
    /// NACKs that were sent for this track, as the publisher's engine counts them.
    pub(crate) nacks: u64,
}

impl Track {
    /// A track that nothing came on yet.
    pub(crate) fn new(info: TrackInfo, room: RoomId, publisher: usize, mid: Mid) -> Self {
        Self {
            info,
            room,
            publisher,
            mid,
            encodings: Vec::new(),
            codec: None,
            recoded: None,
            resized: None,
            watched: None,
            subscribers: Vec::new(),
            loudness: Loudness::default(),
            nacks: 0,
        }
    }

    /// The encoding that a stream is, and whether the stream is a new one. `None`: there are too many.
    pub(crate) fn encoding(&mut self, now: Instant, rid: Option<Rid>, ssrc: Ssrc) -> Option<(usize, bool)> {
        if let Some(index) = self.encodings.iter().position(|encoding| encoding.rid == rid) {
            let known = &mut self.encodings[index];
            let before = std::mem::replace(&mut known.ssrc, ssrc);
            if before != ssrc {
                known.group.clear();
            }
            return Some((index, before != ssrc));
        }
        if self.encodings.len() >= ENCODINGS {
            return None;
        }
        self.encodings.push(Encoding::new(now, rid, ssrc));
        Some((self.encodings.len() - 1, false))
    }

    /// Its qualities, the least first.
    pub(crate) fn ladder(&self) -> Vec<Rung> {
        ladder(&self.encodings, self.is_screen())
    }

    /// The height of a quality in pixels, where known.
    pub(crate) fn height(&self, choice: Choice) -> Option<u16> {
        *self.encodings.get(choice.encoding)?.heights.get(usize::from(choice.spatial))?
    }

    /// Whether an encoding is the smallest of those that there are.
    pub(crate) fn is_lowest(&self, index: usize) -> bool {
        let size = |encoding: &Encoding| encoding.heights[0].unwrap_or(u16::MAX);
        self.encodings.get(index).is_some_and(|one| self.encodings.iter().all(|other| size(one) <= size(other)))
    }

    /// A keyframe showed another height. Whether subscribers are to be told now: a publisher that changes it all the time
    /// must not keep them busy.
    pub(crate) fn may_tell_height(&mut self, now: Instant) -> bool {
        let may = self.resized.is_none_or(|at| now >= at + HEIGHT_INTERVAL);
        if may {
            self.resized = Some(now);
        }
        may
    }

    /// Audio or video.
    pub(crate) fn kind(&self) -> Kind {
        self.info.source.kind()
    }

    /// Whether this is a screen or its sound.
    pub(crate) fn is_screen(&self) -> bool {
        matches!(self.info.source, Source::Screen | Source::ScreenAudio)
    }

    /// With which other track it belongs together.
    pub(crate) fn group(&self) -> Group {
        (self.publisher, self.is_screen())
    }
}
