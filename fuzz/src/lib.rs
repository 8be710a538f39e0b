//! What must hold whatever arrives: one function for each target, which panics where it does not.
//!
//! ```text
//!  fuzz_targets/NAME.rs ── libFuzzer's bytes ──► NAME::check
//!  corpus/NAME/          what was found worth keeping
//! ```

pub mod bytes;
pub mod framing;
pub mod server;
pub mod stun;

#[cfg(feature = "daemon")]
pub mod import;
#[cfg(feature = "daemon")]
pub mod proxy_protocol;
#[cfg(feature = "daemon")]
pub mod signaling;
#[cfg(feature = "daemon")]
pub mod toml_file;

#[path = "../../turn/tests/dsl/mod.rs"]
pub mod dsl;
