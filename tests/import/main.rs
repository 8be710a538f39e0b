//! Coming from coturn: what its configurations, command lines and databases become.

mod command;
mod database;
mod fixtures;
mod options;
mod peers;
mod properties;
mod support;
