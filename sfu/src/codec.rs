//! What must be known about a payload: whether a picture can be started with it, and who can decode it.

use str0m::format::{Codec, PayloadParams};
use str0m::media::Pt;
use str0m::rtp::Vp8Descriptor;

/// H264's sequence parameter set: what a decoder needs first (RFC 6184 §5.4, ITU-T H.264 table 7-1).
const NAL_SPS: u8 = 7;
/// Single-time aggregation packet.
const NAL_STAP_A: u8 = 24;
/// Fragmentation unit.
const NAL_FU_A: u8 = 28;

/// What one look at a video payload gives.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    /// The descriptor, if it is VP8.
    pub(crate) vp8: Option<Vp8Descriptor>,
    /// Whether a decoder that knows nothing can begin here.
    pub(crate) keyframe: bool,
    /// The picture's height, where a VP8 keyframe says it.
    pub(crate) height: Option<u16>,
}

/// Looks at a payload of this codec.
pub(crate) fn glance(codec: Codec, payload: &[u8]) -> Glance {
    match codec {
        Codec::Vp8 => {
            let vp8 = Vp8Descriptor::parse(payload).ok();
            let keyframe = vp8.is_some_and(|descriptor| descriptor.starts_keyframe(payload));
            Glance { vp8, keyframe, height: if keyframe { vp8_height(payload) } else { None } }
        }
        Codec::H264 => Glance { keyframe: h264_starts_keyframe(payload), ..Glance::default() },
        _ => Glance::default(),
    }
}

/// The payload type under which a receiver that accepts `accepted` takes what a publisher sends with `sent`.
pub(crate) fn payload_type(sent: &PayloadParams, accepted: &[PayloadParams]) -> Option<Pt> {
    let best = |p: &&PayloadParams| h264_profile(p) == h264_profile(sent);
    let mut able = accepted.iter().filter(|p| {
        let spec = p.spec();
        spec.codec == sent.spec().codec
            && spec.clock_rate == sent.spec().clock_rate
            && (spec.codec != Codec::H264
                || packetization_mode(p) == packetization_mode(sent) && is_baseline(p) == is_baseline(sent))
    });
    let first = able.next()?;
    Some(if best(&first) { first } else { able.find(best).unwrap_or(first) }.pt())
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
