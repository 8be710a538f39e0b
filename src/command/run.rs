//! `roundturn run`: the daemon.

use std::path::Path;
use std::process::ExitCode;

use crate::{clock, config, daemon, logging};

/// Serves until it is told to stop.
pub fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    let level = logging::init(&settings.log)?;
    for warning in settings.warnings(clock::unix_secs()).into_iter().chain(config::kernel_ports(&settings)) {
        // Whoever only tries it out, without any configuration, has the start-up summary to read; `check` tells the rest.
        if settings.file.is_none() && settings.auth.secret_is_random {
            tracing::debug!("{warning}");
        } else {
            tracing::warn!("{warning}");
        }
    }
    daemon::run(settings, file, level)?;
    Ok(ExitCode::SUCCESS)
}
