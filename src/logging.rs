//! Log lines: where they go and how they look.

use std::io::IsTerminal as _;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{Log, LogFormat};

/// Libraries that tell of packets and of what strangers send: only their errors count unless a directive says otherwise.
const NOISY: [&str; 9] = ["turn", "stun", "webrtc_util", "str0m", "dimpl", "rtc_dtls", "is", "hyper", "tungstenite"];

/// Why nothing is logged.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// The level is none.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The journal does not take lines.
    #[error("the journal at /run/systemd/journal/socket: {0}")]
    Journal(std::io::Error),
    /// Logging has been set up before.
    #[error(transparent)]
    Twice(#[from] TryInitError),
    /// Nothing is logged any more, so that no level can be set.
    #[error(transparent)]
    Gone(#[from] reload::Error),
}

/// The level, for whoever changes it while lines are written.
#[derive(Debug, Clone)]
pub struct Level(reload::Handle<Targets, Registry>);

impl Level {
    /// Other directives from now on.
    ///
    /// # Errors
    /// [`LoggingError`] where it is none.
    pub fn set(&self, level: &str) -> Result<(), LoggingError> {
        Ok(self.0.reload(targets(level)?)?)
    }
}

/// Sets up logging for the whole process, to stderr or the journal.
///
/// # Errors
/// [`LoggingError`] where the journal is missing, the level is none, or it is done twice.
pub fn init(log: &Log) -> Result<Level, LoggingError> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Journal => {
            let journal = tracing_journald::layer().map_err(LoggingError::Journal)?;
            journal.with_syslog_identifier("roundturn".to_owned()).boxed()
        }
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (filter, handle) = reload::Layer::new(targets(&log.level)?);
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init()?;
    Ok(Level(handle))
}

/// Whether stderr is the journal's: `$JOURNAL_STREAM` holds its `device:inode`.
pub fn stderr_is_journal(journal_stream: Option<&str>) -> bool {
    let Some((device, inode)) = journal_stream.and_then(|stream| stream.split_once(':')) else { return false };
    let stderr = std::io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let Ok(metadata) = stderr.and_then(|file| file.metadata()) else { return false };
    device.parse() == Ok(metadata.dev()) && inode.parse() == Ok(metadata.ino())
}

/// The filter: the operator's directives over quiet libraries.
fn targets(level: &str) -> Result<Targets, tracing_subscriber::filter::ParseError> {
    let written: Targets = level.split(',').map(str::trim).collect::<Vec<_>>().join(",").parse()?;
    let default = written.default_level().unwrap_or(LevelFilter::INFO);
    let quiet = NOISY.map(|target| (target, default.min(LevelFilter::ERROR)));
    Ok(Targets::new().with_default(default).with_targets(quiet).with_targets(written))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::{stderr_is_journal, targets};

    #[test]
    fn libraries_are_quiet_until_they_are_named() {
        let targets = targets("debug, str0m=trace").unwrap();
        assert!(targets.would_enable("roundturn::shard", &Level::DEBUG));
        assert!(!targets.would_enable("roundturn::shard", &Level::TRACE));
        assert!(targets.would_enable("str0m::session", &Level::TRACE));
        assert!(!targets.would_enable("turn::client", &Level::DEBUG));
        assert!(!targets.would_enable("turn::client", &Level::WARN));
        assert!(targets.would_enable("turn::client", &Level::ERROR));
    }

    #[test]
    fn a_lower_level_quiets_libraries_too() {
        let targets = targets("error").unwrap();
        assert!(!targets.would_enable("webrtc_util::conn", &Level::WARN));
        let off = super::targets("off").unwrap();
        assert!(!off.would_enable("roundturn", &Level::ERROR));
    }

    #[test]
    fn directives_without_a_level_leave_info_for_the_rest() {
        let targets = targets("roundturn=debug").unwrap();
        assert!(targets.would_enable("roundturn::http", &Level::DEBUG));
        assert!(targets.would_enable("other", &Level::INFO));
        assert!(!targets.would_enable("other", &Level::DEBUG));
    }

    #[test]
    fn stderr_is_not_the_journal_without_its_stream() {
        assert!(!stderr_is_journal(None));
        assert!(!stderr_is_journal(Some("0:0")));
        assert!(!stderr_is_journal(Some("nonsense")));
    }
}
