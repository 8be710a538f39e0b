//! What the servers are set up with: one secret, one realm, peers on the loopback allowed.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::clock;

/// The realm of all servers.
pub const REALM: &str = "bench";
/// The secret that signs credentials for all servers.
pub const SECRET: &str = "benchmarks-have-no-secrets";

/// A user name that is good for an hour and its password.
pub fn credential(name: &str) -> Result<(String, String)> {
    let username = format!("{}:{name}", clock::unix_secs() + 3600);
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes())?;
    mac.update(username.as_bytes());
    let password = STANDARD.encode(mac.finalize().into_bytes());
    Ok((username, password))
}

/// The daemon's configuration.
pub fn roundturn_config(turn: u16, http: u16, metrics: u16, shards: usize) -> String {
    format!(
        r#"[listen]
turn = ["127.0.0.1:{turn}"]
http = ["127.0.0.1:{http}"]
metrics = "127.0.0.1:{metrics}"

[address]
external = "127.0.0.1"

[ports]
udp = "18000-29999"

[auth]
realm = "{REALM}"
secret = "{SECRET}"

[peers]
allow = ["127.0.0.0/8"]

[limits]
allocations = 12000
allocations_per_prefix = 12000

[shards]
count = {shards}
"#
    )
}
