//! What the subcommands do: one file for each.

mod check;
mod credentials;
mod explain;
mod health;
pub(crate) mod import;
#[cfg(feature = "probe")]
mod probe;
mod run;
pub(crate) mod show;
mod token;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::config::{ConfigError, Settings, environment};
use crate::daemon;

/// The exit code for a refused configuration, or one that nothing can start with (`EX_CONFIG`): systemd does not start the daemon again for it.
pub const EXIT_CONFIG: u8 = 78;

/// Does what the command line says.
pub fn execute(cli: Cli) -> ExitCode {
    let file = cli.config.as_deref();
    let done = match cli.command.unwrap_or(Command::Run) {
        Command::Run => run::run(file),
        Command::Check(output) => check::run(file, output.json),
        Command::Credentials(arguments) => credentials::run(file, &arguments),
        Command::Explain(arguments) => explain::run(file, &arguments),
        #[cfg(feature = "probe")]
        Command::Probe(arguments) => probe::run(file, &arguments),
        Command::Health => health::run(file),
        Command::Import(arguments) => import::run(&arguments),
        Command::Show(arguments) => show::run(file, &arguments),
        Command::Token(arguments) => token::run(file, &arguments),
    };
    done.unwrap_or_else(|error| {
        let refused = error.downcast_ref::<ConfigError>().is_some();
        let of_settings = error.downcast_ref::<daemon::Error>().is_some_and(daemon::Error::is_of_settings);
        // A refusal is lines of FILE:LINE, which editors and people find their way by: nothing goes before them.
        let prefix = if refused { "" } else { "roundturn: " };
        let _ = writeln!(std::io::stderr(), "{prefix}{}", in_full(&error));
        if refused || of_settings { ExitCode::from(EXIT_CONFIG) } else { ExitCode::FAILURE }
    })
}

/// An error and its causes, each said once: some name their cause already.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// The settings by the command line and the environment.
fn settings(file: Option<&Path>) -> Result<Settings, ConfigError> {
    Settings::load(file, environment())
}

/// Prints to stdout. A reader who has gone away ends the output, not the program.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}

/// Lines of two columns, the first one as wide as it must be.
fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(left, right)| format!("{left:width$}  {right}\n")).collect()
}
