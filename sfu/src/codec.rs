//! What must be known about a payload: whether a picture can be started with it, and who can decode it.

use str0m::format::{Codec, PayloadParams};
use str0m::rtp::Vp8Descriptor;

use crate::{dependency, vp9};

/// Spatial layers of one stream: no codec here has more that anyone sends.
pub(crate) const SPATIAL: usize = 4;
/// Temporal layers of one stream.
pub(crate) const TEMPORAL: usize = 4;

/// H264's sequence parameter set: what a decoder needs first (RFC 6184 §5.4, ITU-T H.264 table 7-1).
const NAL_SPS: u8 = 7;
/// Single-time aggregation packet.
const NAL_STAP_A: u8 = 24;
/// Fragmentation unit.
const NAL_FU_A: u8 = 28;

/// The type that AV1 temporal units begin a coded sequence with: the N bit of the aggregation header (AV1 RTP §4.4).
const AV1_NEW_SEQUENCE: u8 = 0x08;

/// What one look at a video payload gives.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    /// The descriptor, if it is VP8.
    pub(crate) vp8: Option<Vp8Descriptor>,
    /// The descriptor, if it is VP9.
    pub(crate) vp9: Option<vp9::Descriptor>,
    /// The dependency descriptor, if it is AV1.
    pub(crate) frame: Option<dependency::Frame>,
    /// Whether a decoder that knows nothing can begin here.
    pub(crate) keyframe: bool,
    /// The height of each spatial layer in pixels, where a keyframe says it.
    pub(crate) heights: [Option<u16>; SPATIAL],
    /// Where it is in a layered stream.
    pub(crate) place: Place,
}

/// Where a packet is in a stream of layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// Whether it is the first packet of its layer's frame, and whether it is the last.
    pub(crate) starts: bool,
    pub(crate) ends: bool,
    /// Whether the frame is predicted from the layer below only: one may go up to this spatial layer here.
    pub(crate) spatial_up: bool,
    /// Whether one may go up to this temporal layer here.
    pub(crate) temporal_up: bool,
}

/// Looks at a payload of this codec. AV1 without a dependency descriptor is one layer.
pub(crate) fn glance(codec: Codec, payload: &[u8], frame: Option<dependency::Frame>) -> Glance {
    match codec {
        Codec::Vp8 => glance_vp8(payload),
        Codec::Vp9 => vp9::Descriptor::parse(payload).map(glance_vp9).unwrap_or_default(),
        Codec::Av1 => match frame {
            Some(frame) => glance_av1(frame),
            None => Glance { keyframe: starts_av1_sequence(payload), ..Glance::default() },
        },
        Codec::H264 => Glance { keyframe: h264_starts_keyframe(payload), ..Glance::default() },
        _ => Glance::default(),
    }
}

fn glance_vp8(payload: &[u8]) -> Glance {
    let vp8 = Vp8Descriptor::parse(payload).ok();
    let keyframe = vp8.is_some_and(|descriptor| descriptor.starts_keyframe(payload));
    let mut heights = [None; SPATIAL];
    if keyframe {
        heights[0] = vp8_height(payload);
    }
    let (temporal, temporal_up) = vp8_temporal(payload).unwrap_or_default();
    let starts = payload.first().is_some_and(|first| first & 0x17 == 0x10);
    Glance {
        vp8,
        keyframe,
        heights,
        place: Place { temporal, starts, temporal_up, ..Place::default() },
        ..Glance::default()
    }
}

fn glance_vp9(read: vp9::Descriptor) -> Glance {
    let mut heights = [None; SPATIAL];
    heights.copy_from_slice(&read.heights[..SPATIAL]);
    let place = Place {
        spatial: read.spatial,
        temporal: read.temporal,
        starts: read.starts,
        ends: read.ends,
        spatial_up: !read.inter_picture && read.inter_layer,
        temporal_up: read.switching_up,
    };
    Glance { keyframe: read.starts_keyframe(), heights, place, vp9: Some(read), ..Glance::default() }
}

fn glance_av1(frame: dependency::Frame) -> Glance {
    let mut heights = [None; SPATIAL];
    let said = frame.attached.as_ref().map(|structure| structure.heights.as_slice()).unwrap_or_default();
    heights.iter_mut().zip(said).for_each(|(height, said)| *height = Some(*said));
    let (spatial, temporal, starts, ends) = (frame.spatial, frame.temporal, frame.starts, frame.ends);
    let place = Place { spatial, temporal, starts, ends, ..Place::default() };
    Glance { keyframe: frame.is_keyframe(), heights, place, frame: Some(frame), ..Glance::default() }
}

/// The temporal layer and whether one may go up to it here (RFC 7741 §4.2): `X … │ I L T K … │ [picture id] [TL0PICIDX] TID Y`.
fn vp8_temporal(payload: &[u8]) -> Option<(u8, bool)> {
    let (first, extension) = (payload.first()?, payload.get(1)?);
    if first & 0x80 == 0 || extension & 0x20 == 0 {
        return None;
    }
    let mut at = 2;
    if extension & 0x80 != 0 {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    at += usize::from(extension & 0x40 != 0);
    let byte = payload.get(at)?;
    Some((byte >> 6, byte & 0x20 != 0))
}

fn starts_av1_sequence(payload: &[u8]) -> bool {
    payload.first().is_some_and(|header| header & AV1_NEW_SEQUENCE != 0)
}

/// That of `accepted` as which a receiver takes what a publisher sends as `sent`.
pub(crate) fn matching<'a>(sent: &PayloadParams, accepted: &'a [PayloadParams]) -> Option<&'a PayloadParams> {
    let best = |p: &&'a PayloadParams| h264_profile(p) == h264_profile(sent);
    let mut able = accepted.iter().filter(|p| {
        let spec = p.spec();
        spec.codec == sent.spec().codec
            && spec.clock_rate == sent.spec().clock_rate
            && (spec.codec != Codec::H264
                || packetization_mode(p) == packetization_mode(sent) && is_baseline(p) == is_baseline(sent))
    });
    let first = able.next()?;
    Some(if best(&first) { first } else { able.find(best).unwrap_or(first) })
}

fn h264_starts_keyframe(payload: &[u8]) -> bool {
    let kind = |byte: Option<&u8>| byte.map(|byte| byte & 0x1f);
    match kind(payload.first()) {
        Some(NAL_SPS) => true,
        Some(NAL_STAP_A) => kind(payload.get(3)) == Some(NAL_SPS),
        Some(NAL_FU_A) => payload.get(1).is_some_and(|header| header & 0x80 != 0 && header & 0x1f == NAL_SPS),
        _ => false,
    }
}

/// A VP8 keyframe begins with three bytes of frame tag, the start code 9d 01 2a, and width and height in 14 bits each
/// (RFC 6386 §9.1). The start code is looked for behind the payload descriptor, which has at most six bytes.
fn vp8_height(payload: &[u8]) -> Option<u16> {
    let head = payload.get(..payload.len().min(16))?;
    let at = head.windows(3).position(|window| window == [0x9d, 0x01, 0x2a])?;
    let height = payload.get(at + 5..at + 7)?;
    Some(u16::from_le_bytes([height[0], height[1]]) & 0x3fff)
}

fn packetization_mode(params: &PayloadParams) -> u8 {
    params.spec().format.packetization_mode.unwrap_or(0)
}

fn h264_profile(params: &PayloadParams) -> u32 {
    params.spec().format.profile_level_id.unwrap_or(0x42_000a) >> 8
}

/// Baseline and constrained baseline: what browsers send as the one is always the other too.
fn is_baseline(params: &PayloadParams) -> bool {
    h264_profile(params) >> 8 == 0x42
}

#[cfg(test)]
mod tests;
