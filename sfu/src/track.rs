//! A published track and who receives it.

use std::time::{Duration, Instant};

use str0m::format::PayloadParams;
use str0m::media::Mid;
use str0m::rtp::Ssrc;

use crate::keyframe::KeyframeRequests;
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
    /// The stream that it comes on.
    pub(crate) ssrc: Option<Ssrc>,
    /// The codec that it came in last.
    pub(crate) codec: Option<PayloadParams>,
    /// When that codec began.
    pub(crate) recoded: Option<Instant>,
    /// The picture's height in pixels, as subscribers were told, and when they were.
    height: Option<(u16, Instant)>,
    /// Keys of the participants that have it in a slot.
    pub(crate) subscribers: Vec<usize>,
    pub(crate) keyframes: KeyframeRequests,
    pub(crate) loudness: Loudness,
    pub(crate) rate: Rate,
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
            ssrc: None,
            codec: None,
            recoded: None,
            height: None,
            subscribers: Vec::new(),
            keyframes: KeyframeRequests::default(),
            loudness: Loudness::default(),
            rate: Rate::default(),
            nacks: 0,
        }
    }

    /// The picture's height in pixels, where known.
    pub(crate) fn height(&self) -> Option<u16> {
        self.height.map(|(height, _)| height)
    }

    /// A keyframe showed its height. Whether subscribers are to be told now: a publisher that changes it all the time
    /// must not keep them busy.
    pub(crate) fn learn_height(&mut self, now: Instant, height: u16) -> bool {
        let is_news = self.height.is_none_or(|(old, at)| old != height && now >= at + HEIGHT_INTERVAL);
        if is_news {
            self.height = Some((height, now));
        }
        is_news
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

/// Bits per second, measured over about a second.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    since: Option<Instant>,
    bytes: u64,
    bits_per_second: u64,
}

impl Rate {
    /// So many bytes came.
    pub(crate) fn add(&mut self, now: Instant, bytes: usize) {
        let since = *self.since.get_or_insert(now);
        self.bytes += bytes as u64;
        let passed = now.saturating_duration_since(since);
        if passed >= Duration::from_secs(1) {
            self.bits_per_second = self.bytes * 8000 / passed.as_millis().max(1) as u64;
            self.since = Some(now);
            self.bytes = 0;
        }
    }

    /// The rate of the last full second.
    pub(crate) fn bits_per_second(&self) -> u64 {
        self.bits_per_second
    }
}
