//! Settings: TOML as written, and everything decided.

mod secret;
mod settings;

pub use secret::Secret;
pub use settings::{
    Address, Auth, ExternalAddress, Limits, Listen, Log, LogFormat, NamedSecret, Peers, RoomMode, Rooms, Settings,
    Shards,
};
