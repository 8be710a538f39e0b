//! Settings: TOML as written, and everything decided.
//!
//! ```text
//!  FILE ──► file ────────┐
//!                        ├─► Written ──► Reader ──► decide ──► Settings
//!  ROUNDTURN_A__B ───────┘   (keys.rs)   (rules.rs)    │
//!        environment                                   └────► every Problem, with its place
//! ```

mod decide;
mod discovery;
mod environment;
mod file;
mod gathered;
mod keys;
pub(crate) mod nearest;
mod problem;
mod reader;
mod reload;
mod rules;
mod secret;
mod secrets;
mod settings;
mod tokens;
mod users;
mod value;
mod warnings;

#[cfg(test)]
mod tests;

pub use environment::environment;
pub use gathered::DEFAULT_FILE;
pub use problem::{ConfigError, Problem};
pub use reload::Change;
pub use rules::duration;
pub use secret::Secret;
pub use settings::{
    Address, Auth, BehaviorDiscovery, ExternalAddress, Frames, Limits, Listen, Log, LogFormat, NamedSecret, Peers,
    Relay, RoomMode, Rooms, Settings, Shards, Tls,
};
pub use value::Place;
pub use warnings::kernel_ports;
