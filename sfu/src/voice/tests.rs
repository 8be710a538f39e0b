//! Reports and headers of one stream.

use super::*;
use crate::tests::start;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

fn voice() -> Voice {
    let ids = Ids { mid: Some(4), level: Some(1), capture_time: None };
    Voice::new("a1".into(), 7.into(), "somebody".to_owned(), ids)
}

fn said(sequence: u64, at: Instant, values: &ExtensionValues) -> Speech<'_> {
    Speech {
        mid: "a1".into(),
        payload_type: 111.into(),
        marker: false,
        sequence,
        timestamp: 1000,
        clock_rate: 48_000,
        came: at,
        extensions: values,
        payload: &[1, 2, 3],
    }
}

#[test]
fn a_stream_is_reported_of_at_once_and_then_ever_more_seldom() {
    let (mut voice, start, values) = (voice(), start(), ExtensionValues::default());
    let clock = WallClock { at: start, unix: Duration::from_secs(100) };
    let reported: Vec<u64> = (0..12_000)
        .step_by(20)
        .filter(|passed| {
            let now = start + MILLIS(*passed);
            voice.report(now, clock, &said(1, now, &values)).is_some()
        })
        .collect();
    assert_eq!(reported, [0, 1000, 6000, 11_000]);
}

#[test]
fn a_report_tells_the_time_by_both_clocks() {
    let (mut voice, start, values) = (voice(), start(), ExtensionValues::default());
    let clock = WallClock { at: start, unix: Duration::from_secs(100) };
    let report = voice.report(start + MILLIS(500), clock, &said(1, start + MILLIS(490), &values)).unwrap();
    assert_eq!(report[8..16], report::ntp(MILLIS(100_500)).to_be_bytes());
    assert_eq!(report[16..20], (1000_u32 + 480).to_be_bytes(), "10 ms later");
}

#[test]
fn the_section_is_named_until_the_client_has_reported_of_it() {
    let (mut voice, values) = (voice(), ExtensionValues { audio_level: Some(-5), ..ExtensionValues::default() });
    let speech = said(1, start(), &values);
    assert_eq!(voice.header(&speech)[12..], [0xbe, 0xde, 0, 2, 0x41, b'a', b'1', 0x10, 5, 0, 0, 0]);
    voice.is_known = true;
    assert_eq!(voice.header(&speech)[12..], [0xbe, 0xde, 0, 1, 0x10, 5, 0, 0]);
}
