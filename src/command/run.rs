//! `roundturn run`: the daemon.

use std::path::Path;
use std::process::ExitCode;

use crate::{clock, config, daemon, logging};

/// Serves until it is told to stop.
pub fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    logging::init(&settings.log)?;
    for warning in settings.warnings(clock::unix_secs()).into_iter().chain(config::kernel_ports(&settings)) {
        // On a first run, without any configuration, a random secret is the plan and no surprise.
        if settings.file.is_none() && settings.auth.secret_is_random {
            tracing::info!("{warning}");
        } else {
            tracing::warn!("{warning}");
        }
    }
    daemon::run(settings)?;
    Ok(ExitCode::SUCCESS)
}
