//! Moments as people write them: RFC 3339 from and to seconds since 1970, in the proleptic Gregorian calendar.

use toml::value::{Datetime, Offset};

const DAY_SECS: i64 = 86_400;

/// Reads `2027-01-01T00:00:00Z`, with any offset, or a date alone, which is its midnight UTC.
pub fn unix_seconds(text: &str) -> Option<u64> {
    let moment: Datetime = text.trim().parse().ok()?;
    let date = moment.date?;
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let of_day = match (moment.time, moment.offset) {
        (None, None) => 0,
        (Some(time), Some(offset)) => {
            let minutes = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i64::from(minutes),
            };
            let second = time.second.unwrap_or(0);
            i64::from(time.hour) * 3600 + (i64::from(time.minute) - minutes) * 60 + i64::from(second)
        }
        _ => return None,
    };
    u64::try_from(days * DAY_SECS + of_day).ok()
}

/// Writes seconds since 1970 as `2027-01-01T00:00:00Z`.
pub fn rfc3339(unix_secs: u64) -> String {
    // The last second of the year 9999: more does not fit the format.
    let secs = i64::try_from(unix_secs).unwrap_or(i64::MAX).min(253_402_300_799);
    let (days, of_day) = (secs / DAY_SECS, secs % DAY_SECS);
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The month of a moment: years since 0 times twelve, and months since January.
pub fn month(unix_secs: u64) -> u64 {
    let days = i64::try_from(unix_secs).unwrap_or(i64::MAX) / DAY_SECS;
    let (year, month, _) = date_of(days);
    u64::try_from(year * 12 + month - 1).unwrap_or(0)
}

// Both count in eras of 400 years (146 097 days) whose years begin in March, so that the leap day comes last.

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970 + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2026-11-20T12:00:00Z"), Some(1_795_176_000));
        assert_eq!(unix_seconds("2026-11-20T13:00:00+01:00"), Some(1_795_176_000));
        assert_eq!(unix_seconds("2024-02-29"), Some(1_709_164_800));
        assert_eq!(unix_seconds("2026-11-20T12:00:00"), None, "local time is ambiguous");
        assert_eq!(unix_seconds("1969-12-31T23:59:59Z"), None);
        assert_eq!(rfc3339(1_795_176_000), "2026-11-20T12:00:00Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn writing_and_reading_agree_for_every_day_of_four_centuries() {
        for day in 0..146_097_u64 {
            let secs = day * 86_400 + day % 86_400;
            assert_eq!(unix_seconds(&rfc3339(secs)), Some(secs));
        }
    }
}
