//! How many bytes were relayed in this calendar month (UTC), kept in a file across restarts.

use std::fs::{File, rename};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use thiserror::Error;

use crate::moment;

/// Bytes of payload, both directions together, that all shards relayed in the month that it is.
#[derive(Debug)]
pub struct Month {
    /// Years since 0 times twelve, and months; 0 before anybody told the time.
    number: AtomicU64,
    used: AtomicU64,
    /// 0: no limit.
    limit: AtomicU64,
}

/// What a file holds: a line like `2026-11 123456789`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// As `moment::month` counts.
    pub month: u64,
    /// Bytes relayed in it.
    pub used: u64,
}

/// Why the file of the month is no use.
#[derive(Debug, Error)]
pub enum MonthError {
    /// It is there, and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can be read, and means nothing.
    #[error("{} is damaged: it must be one line like \"2026-11 123456789\"", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Month {
    /// Nothing used yet; a `limit` of 0 stands for none.
    pub fn new(limit: u64) -> Self {
        Self { number: AtomicU64::new(0), used: AtomicU64::new(0), limit: AtomicU64::new(limit) }
    }

    /// Counts what was relayed.
    pub fn add(&self, bytes: u64) {
        self.used.fetch_add(bytes, Relaxed);
    }

    /// Bytes relayed so far.
    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Bytes that may be relayed; 0: any number.
    pub fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    /// Another limit, for the month that it is, too.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Relaxed);
    }

    /// Whether no more may be relayed.
    pub fn is_used_up(&self) -> bool {
        let limit = self.limit();
        limit > 0 && self.used() >= limit
    }

    /// Tells the time; whether that begins another month, which begins at zero. A clock that is put back changes nothing: it
    /// must not give a month twice.
    pub fn turn(&self, unix_secs: u64) -> bool {
        let (before, now) = (self.number.load(Relaxed), moment::month(unix_secs));
        if now <= before {
            return false;
        }
        self.number.store(now, Relaxed);
        if before > 0 {
            self.used.store(0, Relaxed);
        }
        before > 0
    }

    /// Whether bytes are counted for a month that has not come at `unix_secs`: the clock was wrong before, or is now.
    pub fn is_ahead(&self, unix_secs: u64) -> bool {
        self.number.load(Relaxed) > moment::month(unix_secs)
    }

    /// Takes up what was counted before a restart, if it is of this month or, where the clock is behind, a later one.
    pub fn take_up(&self, account: Account, unix_secs: u64) {
        self.turn(unix_secs);
        if account.month >= self.number.load(Relaxed) {
            self.number.store(account.month, Relaxed);
            self.used.fetch_add(account.used, Relaxed);
        }
    }

    /// What is to be kept.
    pub fn account(&self) -> Account {
        Account { month: self.number.load(Relaxed), used: self.used() }
    }
}

impl Account {
    /// Reads the file at `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`MonthError::Read`], [`MonthError::Damaged`]
    pub fn read(path: &Path) -> Result<Option<Self>, MonthError> {
        match std::fs::read(path) {
            Ok(bytes) => match std::str::from_utf8(&bytes).ok().and_then(Self::parse) {
                Some(account) => Ok(Some(account)),
                None => Err(MonthError::Damaged { path: path.into() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MonthError::Read { path: path.into(), source }),
        }
    }

    /// Writes the file at `path`: after a crash there is the old one or the new one, whole.
    ///
    /// # Errors
    /// [`MonthError::Write`]
    pub fn write(self, path: &Path) -> Result<(), MonthError> {
        let new = path.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(self.render().as_bytes())?;
            file.sync_all()?;
            rename(&new, path)?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        write().map_err(|source| MonthError::Write { path: path.into(), source })
    }

    /// What somebody reads who is asked about this month.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.month / 12, self.month % 12 + 1)
    }

    fn render(self) -> String {
        format!("{} {}\n", self.name(), self.used)
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, used) = text.strip_suffix('\n')?.split_once(' ')?;
        let (year, month) = name.split_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || ![year, month, used].into_iter().all(is_number) {
            return None;
        }
        let month = month.parse::<u64>().ok().filter(|month| (1..=12).contains(month))?;
        Some(Self { month: year.parse::<u64>().ok()? * 12 + month - 1, used: used.parse().ok()? })
    }
}

#[cfg(test)]
mod tests;
