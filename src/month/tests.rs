//! A month is counted once, whatever the clock and the disk do.

use proptest::prelude::*;

use super::*;

/// 2026-11-21, 2026-11-30 23:59:59, 2026-12-01 00:00:00.
const NOVEMBER: u64 = 1_795_219_200;
const LAST_SECOND: u64 = 1_796_083_199;
const DECEMBER: u64 = 1_796_083_200;

const NUMBER: u64 = 2026 * 12 + 10;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("roundturn-month-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_new_month_begins_at_zero_and_in_utc() {
    let month = Month::new(100);
    assert!(!month.turn(NOVEMBER), "the first reading begins nothing");
    month.add(100);
    assert!(!month.turn(LAST_SECOND) && month.is_used_up());
    assert!(month.turn(DECEMBER) && !month.is_used_up());
    assert_eq!(month.account(), Account { month: NUMBER + 1, used: 0 });
}

#[test]
fn a_clock_that_is_put_back_gives_no_month_twice() {
    let month = Month::new(100);
    month.turn(DECEMBER);
    month.add(60);
    assert!(!month.turn(NOVEMBER) && !month.turn(0) && !month.turn(DECEMBER));
    assert_eq!(month.account(), Account { month: NUMBER + 1, used: 60 });
}

#[test]
fn what_was_counted_before_a_restart_is_taken_up_in_its_month_only() {
    let path = folder("restart").join("month");
    assert_eq!(Account::read(&path).unwrap(), None);
    let month = Month::new(0);
    month.turn(NOVEMBER);
    month.add(12_345);
    month.account().write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2026-11 12345\n");
    let account = Account::read(&path).unwrap().unwrap();

    for (now, used) in [(LAST_SECOND, 12_345), (DECEMBER, 0), (0, 12_345)] {
        let month = Month::new(0);
        month.take_up(account, now);
        assert_eq!(month.used(), used, "at {now}");
        assert!(!month.turn(NOVEMBER), "a clock that was behind catches up");
    }
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn a_file_that_means_nothing_is_named() {
    let path = folder("damaged").join("month");
    for text in ["", "2026-11 1", "2026-13 1\n", "2026-00 1\n", "2026-11 -1\n", "2026-11 \n", "\u{FF}\n", "+026-11 1\n"]
    {
        std::fs::write(&path, text).unwrap();
        let error = Account::read(&path).unwrap_err().to_string();
        assert!(error.contains("is damaged") && error.contains(path.to_str().unwrap()), "{text:?}: {error}");
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(Account::read(&path), Err(MonthError::Read { .. })));
    assert!(matches!(Account { month: NUMBER, used: 1 }.write(&path), Err(MonthError::Write { .. })));
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

proptest! {
    #[test]
    fn what_is_written_is_read(month in 0u64..9999 * 12, used: u64) {
        let account = Account { month, used };
        prop_assert_eq!(Account::parse(&account.render()), Some(account));
    }

    #[test]
    fn no_text_surprises_the_reader(text in ".{0,40}") {
        let _ = Account::parse(&text);
    }
}
