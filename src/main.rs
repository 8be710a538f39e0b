//! The daemon's entry point.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    roundturn::command::execute(roundturn::cli::Cli::parse())
}
