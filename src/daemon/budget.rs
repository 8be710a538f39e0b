//! The month's budget of bytes: read at the start, kept in a file, told to the operator before it is used up.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::clock;
use crate::config::Settings;
use crate::http::metrics;
use crate::ledger::Ledger;
use crate::month::{Account, Month, MonthError};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How many of those pass between two writes of the file: a crash forgets a minute.
const TICKS_PER_WRITE: u32 = 60;
/// The part of the budget, in percent, that is worth a warning.
const SOON: u64 = 80;

/// The ledger, and the file that keeps its month.
#[derive(Clone)]
pub struct Budget {
    ledger: Arc<Ledger>,
    /// Whoever writes it holds this: the last write of a daemon may come while an earlier one still goes on.
    file: Option<Arc<Mutex<PathBuf>>>,
}

/// What the operator was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    #[default]
    Nothing,
    Soon,
    /// The clock was put back into an earlier month.
    Ahead,
    UsedUp,
}

impl Budget {
    /// Takes up what was counted before this start. A file that is no use is set aside, and counting begins at zero: a relay
    /// that refuses everybody because of a bad disk helps nobody.
    pub fn new(settings: &Settings, ledger: Arc<Ledger>) -> Self {
        let file = settings.state_directory.as_ref().map(|folder| folder.join("month"));
        let now = clock::unix_secs();
        ledger.month().turn(now);
        match file.as_deref().map(Account::read) {
            Some(Ok(Some(account))) => {
                ledger.month().take_up(account, now);
            }
            Some(Err(error)) => {
                tracing::warn!("{error}; the bytes of this month are counted from zero");
                set_aside(&error);
            }
            Some(Ok(None)) | None => {}
        }
        Self { ledger, file: file.map(|file| Arc::new(Mutex::new(file))) }
    }

    /// Keeps watch until the handle aborts it.
    pub fn spawn(&self) -> JoinHandle<()> {
        let budget = self.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(EVERY);
            let mut told = Told::default();
            for number in 1u32.. {
                tick.tick().await;
                budget.ledger.sweep(clock::now());
                told = budget.look(told);
                if number.is_multiple_of(TICKS_PER_WRITE) {
                    let budget = budget.clone();
                    let _ = spawn_blocking(move || budget.write()).await;
                }
            }
        })
    }

    /// Keeps what was counted, where there is a limit that it is counted for.
    pub fn write(&self) {
        let month = self.ledger.month();
        let Some(file) = self.file.as_deref().filter(|_| month.limit() > 0) else { return };
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = month.account().write(&file) {
            tracing::warn!("{error}; a restart forgets what was relayed since");
        }
    }

    fn look(&self, told: Told) -> Told {
        let month = self.ledger.month();
        let now = clock::unix_secs();
        let told = if month.turn(now) { Told::Nothing } else { told };
        metrics::month(month.used(), month.limit());
        let due = due(month, now);
        if due > told {
            let (used, limit) = (month.used(), month.limit());
            match due {
                Told::UsedUp => tracing::error!(
                    used,
                    limit,
                    "limits.monthly_bytes is used up: nothing is relayed until the next month, or until it is raised"
                ),
                Told::Ahead => tracing::warn!(
                    "bytes are counted for {}, which has not come yet, until the clock reaches it: is it right now? A restart \
                     without the file begins at zero",
                    month.account().name()
                ),
                _ => tracing::warn!(used, limit, "{SOON} % of limits.monthly_bytes are used"),
            }
        }
        due
    }
}

fn due(month: &Month, now: u64) -> Told {
    match month.limit() {
        0 => Told::Nothing,
        _ if month.is_used_up() => Told::UsedUp,
        _ if month.is_ahead(now) => Told::Ahead,
        limit if u128::from(month.used()) * 100 >= u128::from(limit) * u128::from(SOON) => Told::Soon,
        _ => Told::Nothing,
    }
}

/// Whoever wants to know what the file held finds it beside the new one.
fn set_aside(error: &MonthError) {
    if let MonthError::Damaged { path } = error {
        let aside: &Path = &path.with_extension("damaged");
        if let Err(error) = std::fs::rename(path, aside) {
            tracing::debug!(%error, "the damaged file stays where it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_told_at_four_fifths_and_at_the_end() {
        let month = Month::new(1000);
        let told = [799, 1, 199, 1].map(|bytes| {
            month.add(bytes);
            due(&month, 0)
        });
        assert_eq!(told, [Told::Nothing, Told::Soon, Told::Soon, Told::UsedUp]);
        month.set_limit(0);
        assert_eq!(due(&month, 0), Told::Nothing);
    }

    #[test]
    fn the_operator_is_told_of_a_clock_that_was_put_back() {
        let (november, december) = (1_795_219_200, 1_796_083_200);
        let month = Month::new(1000);
        month.turn(december);
        assert_eq!([due(&month, december), due(&month, november)], [Told::Nothing, Told::Ahead]);
    }
}
