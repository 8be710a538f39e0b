//! The daemon: builds its parts, spawns them, and ends them in order.

use thiserror::Error;

use crate::config::Settings;

/// Why the daemon could not start, or ended.
#[derive(Debug, Error)]
pub enum Error {}

/// Serves until it is told to stop.
///
/// # Errors
/// [`Error`] where a part cannot start.
pub fn run(settings: Settings) -> Result<(), Error> {
    drop(settings);
    Ok(())
}
