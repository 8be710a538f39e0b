//! What a datagram is, as far as its first bytes tell (RFC 9443 §3, RFC 5761 §4).

use std::ops::RangeInclusive;

/// The least first byte of what is no STUN: DTLS, then RTP and RTCP.
pub(crate) const DTLS: u8 = 20;
const STUN: RangeInclusive<u8> = 0..=3;
const RTP: RangeInclusive<u8> = 128..=191;
/// The second byte of RTCP; RTP has a payload type there.
const RTCP: RangeInclusive<u8> = 192..=223;
/// RFC 3550 §6.4.1.
pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
/// Type and format of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1); the format stands where
/// reports count their blocks.
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const TRANSPORT_WIDE: u8 = 15;
/// Feedback about pictures (RFC 4585 §6.1).
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
/// How many reception blocks follow, in the first byte.
pub(crate) const REPORT_COUNT: u8 = 0x1f;

/// Whether it is a packet of a stream.
pub(crate) fn is_rtp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if RTP.contains(first) && !RTCP.contains(second))
}

/// Whether it is RTCP that begins with a report about streams that were received.
pub(crate) fn reports_reception(bytes: &[u8]) -> bool {
    let is_report = matches!(bytes.get(1), Some(&SENDER_REPORT | &RECEIVER_REPORT));
    is_report && bytes.first().is_some_and(|first| RTP.contains(first) && first & REPORT_COUNT > 0)
}

/// Whether it is RTCP that begins with feedback about streams that were received.
pub(crate) fn is_feedback(bytes: &[u8]) -> bool {
    is_rtcp(bytes) && matches!(bytes.get(1), Some(&TRANSPORT_FEEDBACK | &PAYLOAD_FEEDBACK))
}

/// Whether it is nothing that moves a call on: a check of a path, or RTCP.
pub(crate) fn is_chatter(bytes: &[u8]) -> bool {
    is_rtcp(bytes) || is_stun(bytes)
}

/// Whether it is a check of a path, or something else of STUN.
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| STUN.contains(first))
}

/// Whether it is a report, a request or feedback about streams.
pub(crate) fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if RTP.contains(first) && RTCP.contains(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_told_from_streams() {
        assert!(is_rtp(&[0x80, 96]) && is_rtp(&[0x90, 0x80 | 111]) && !is_rtp(&[0x80, 200]));
        assert!(is_rtcp(&[0x81, 201]) && is_rtcp(&[0x80, 207]) && !is_rtcp(&[0x80, 224]));
        assert!(reports_reception(&[0x81, 200]) && reports_reception(&[0x81, 201]));
        assert!(!reports_reception(&[0x80, 200]) && !reports_reception(&[0x81, 205]));
        assert!(is_feedback(&[0x8f, 205]) && is_feedback(&[0x81, 206]) && !is_feedback(&[0x81, 200]));
        assert!(is_chatter(&[0x81, 201]) && is_chatter(&[0, 1]) && !is_chatter(&[22, 254]) && !is_chatter(&[0x80, 96]));
        assert!(!is_rtp(&[22, 254]) && !is_rtcp(&[22, 200]) && !is_rtp(&[0x80]) && !is_rtp(&[]));
    }
}
