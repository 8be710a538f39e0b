//! When a certificate ends (RFC 5280 §4.1.2.5): the one thing in it that operators have to know.
//!
//! ```text
//! Certificate ─ TBSCertificate ─ [0] version, serial, algorithm, issuer, Validity ─ notBefore, notAfter
//! ```

use crate::moment;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

/// Seconds since 1970 at which the certificate in `der` ends; `None` where it cannot be read.
pub(super) fn not_after(der: &[u8]) -> Option<u64> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (content, _) = element(certificate, SEQUENCE)?;
    let content = element(content, VERSION).map_or(content, |(_, rest)| rest);
    let (_, content) = element(content, INTEGER)?;
    let (_, content) = element(content, SEQUENCE)?;
    let (_, content) = element(content, SEQUENCE)?;
    let (validity, _) = element(content, SEQUENCE)?;
    let (_, end) = time(validity)?;
    time(end).map(|(secs, _)| secs)
}

/// The content of the first element, if it has that tag, and what follows it (X.690 §8.1).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        0x82 => rest.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` after.
fn time(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (text, rest, year) = match element(bytes, UTC_TIME) {
        Some((text, rest)) => (text, rest, 2),
        None => element(bytes, GENERALIZED_TIME).map(|(text, rest)| (text, rest, 4))?,
    };
    let text = std::str::from_utf8(text).ok()?;
    let part = |from: usize, to: usize| text.get(from..to);
    let century = if year == 4 {
        ""
    } else if part(0, 2)? < "50" {
        "20"
    } else {
        "19"
    };
    let (date, clock) = (year, year + 4);
    let written = format!(
        "{century}{}-{}-{}T{}:{}:{}",
        part(0, date)?,
        part(date, date + 2)?,
        part(date + 2, clock)?,
        part(clock, clock + 2)?,
        part(clock + 2, clock + 4)?,
        text.get(clock + 4..)?,
    );
    Some((moment::unix_seconds(&written)?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> Option<u64> {
        time(&[&[UTC_TIME, text.len() as u8], text.as_bytes()].concat()).map(|(secs, _)| secs)
    }

    #[test]
    fn both_forms_of_time_are_seconds_since_1970() {
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("240229235959Z"), Some(1_709_251_199));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        let no_zone = [&[GENERALIZED_TIME, 14][..], b"21260101000000"].concat();
        assert_eq!(time(&no_zone), None);
        let long = [&[GENERALIZED_TIME, 15][..], b"20500101000000Z"].concat();
        assert_eq!(time(&long).map(|(secs, _)| secs), Some(2_524_608_000));
        assert_eq!(utc("2402302359ZZZ"), None);
        assert_eq!(utc("241301000000Z"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..80), nested: bool) {
            let inner = [&[SEQUENCE, bytes.len() as u8][..], &bytes].concat();
            let whole = [&[SEQUENCE, inner.len() as u8][..], &inner].concat();
            not_after(if nested { &whole } else { &bytes });
        }
    }
}
