//! Reports and headers of one stream.

use super::*;
use crate::tests::start;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

fn stream() -> Stream {
    let ids = Ids { mid: Some(4), level: Some(1), ..Ids::default() };
    Stream::new("a1".into(), 7.into(), "somebody".to_owned(), ids, None)
}

/// A packet of three bytes that is to leave as it came.
pub(in crate::sender) fn leaving(sequence: u64, at: Instant, values: &ExtensionValues) -> Leaving<'_> {
    Leaving {
        mid: "a1".into(),
        payload_type: 111.into(),
        resend_type: None,
        marker: false,
        sequence,
        timestamp: 1000,
        clock_rate: 48_000,
        came: at,
        extensions: values,
        payload: &[1, 2, 3],
        frame: None,
        patch: None,
        picture: None,
    }
}

#[test]
fn a_stream_is_reported_of_at_once_and_then_ever_more_seldom() {
    let (mut stream, start, values) = (stream(), start(), ExtensionValues::default());
    let clock = WallClock { at: start, unix: Duration::from_secs(100) };
    let reported: Vec<u64> = (0..12_000)
        .step_by(20)
        .filter(|passed| {
            let now = start + MILLIS(*passed);
            stream.report(now, clock, &leaving(1, now, &values)).is_some()
        })
        .collect();
    assert_eq!(reported, [0, 1000, 6000, 11_000]);
}

#[test]
fn a_report_tells_the_time_by_both_clocks() {
    let (mut stream, start, values) = (stream(), start(), ExtensionValues::default());
    let clock = WallClock { at: start, unix: Duration::from_secs(100) };
    let report = stream.report(start + MILLIS(500), clock, &leaving(1, start + MILLIS(490), &values)).unwrap();
    assert_eq!(report[8..16], report::ntp(MILLIS(100_500)).to_be_bytes());
    assert_eq!(report[16..20], (1000_u32 + 480).to_be_bytes(), "10 ms later");
}

#[test]
fn the_section_is_named_until_the_client_has_reported_of_it() {
    let (mut stream, values) = (stream(), ExtensionValues { audio_level: Some(-5), ..ExtensionValues::default() });
    let leaving = leaving(1, start(), &values);
    assert_eq!(stream.header(&leaving, Way::default())[12..], [0xbe, 0xde, 0, 2, 0x41, b'a', b'1', 0x10, 5, 0, 0, 0]);
    stream.is_known = true;
    assert_eq!(stream.header(&leaving, Way::default())[12..], [0xbe, 0xde, 0, 1, 0x10, 5, 0, 0]);
}

#[test]
fn times_of_sending_begin_anew_after_64_seconds() {
    let times = [2000, 2500, 63_999, 64_000].map(|millis| send_time(MILLIS(millis)));
    let bits = times.map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]));
    assert_eq!(bits, [2 << 18, 5 << 17, (63 << 18) + 261_881, 0]);
}
