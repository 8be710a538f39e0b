//! What payloads tell.

use str0m::format::{CodecConfig, FormatParams};
use str0m::media::{Frequency, Pt};

use super::*;

fn chosen(sent: &PayloadParams, accepted: &[PayloadParams]) -> Option<Pt> {
    matching(sent, accepted).map(PayloadParams::pt)
}

fn codecs(h264: &[(u8, bool, u32)], vp8: Option<u8>) -> Vec<PayloadParams> {
    let mut config = CodecConfig::empty();
    for (payload_type, mode, profile) in h264 {
        config.add_h264((*payload_type).into(), None, *mode, *profile);
    }
    if let Some(payload_type) = vp8 {
        let format = FormatParams::default();
        config.add_config(payload_type.into(), None, Codec::Vp8, Frequency::NINETY_KHZ, None, format);
    }
    config.params().to_vec()
}

#[test]
fn a_codec_is_found_under_the_number_that_the_receiver_gave_it() {
    let sent = codecs(&[], Some(96))[0];
    assert_eq!(chosen(&sent, &codecs(&[(102, true, 0x42_e01f)], Some(120))), Some(120.into()));
}

#[test]
fn who_cannot_decode_gets_nothing() {
    let sent = codecs(&[(102, true, 0x42_e01f)], None)[0];
    assert_eq!(chosen(&sent, &codecs(&[], Some(120))), None);
    assert_eq!(chosen(&sent, &codecs(&[(97, false, 0x42_e01f), (98, true, 0x64_001f)], None)), None);
}

#[test]
fn the_same_profile_is_preferred_and_the_other_baseline_will_do() {
    let sent = codecs(&[(102, true, 0x42_e01f)], None)[0];
    assert_eq!(chosen(&sent, &codecs(&[(97, true, 0x42_001f), (98, true, 0x42_e01f)], None)), Some(98.into()));
    assert_eq!(chosen(&sent, &codecs(&[(97, true, 0x42_001f)], None)), Some(97.into()));
}

#[test]
fn a_vp8_keyframe_is_seen_with_its_height() {
    let keyframe = [0x90, 0xe0, 0x81, 2, 3, 0, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41];
    let glance = glance(Codec::Vp8, &keyframe, None);
    assert!(glance.keyframe);
    assert_eq!(glance.heights[0], Some(360));
    assert!(!super::glance(Codec::Vp8, &[0x90, 0xe0, 0x81, 2, 3, 0, 0x11, 0, 0], None).keyframe);
    assert!(!super::glance(Codec::Vp8, &[0x80, 0xe0, 0x81, 2, 3, 0, 0x10, 0, 0], None).keyframe);
}

#[test]
fn an_h264_picture_can_be_started_where_its_parameters_come() {
    let starts = |payload: &[u8]| glance(Codec::H264, payload, None).keyframe;
    assert!(starts(&[0x67, 0x42, 0xe0]));
    assert!(starts(&[0x78, 0, 9, 0x67, 0x42]));
    assert!(starts(&[0x7c, 0x87, 0x42]));
    assert!(!starts(&[0x7c, 0x07, 0x42]));
    assert!(!starts(&[0x61, 0x9a]));
    assert!(!starts(&[0x78]));
    assert!(!starts(&[]));
}
