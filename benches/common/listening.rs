//! Waiting for a server that starts.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::common::process::Process;

/// How often a connection is tried, ten milliseconds apart.
const TRIES: usize = 1000;

/// Waits until the program listens at `address`; its output goes to `log`.
pub fn wait_for(process: &mut Process, address: SocketAddr, log: &Path) -> Result<()> {
    for _ in 0..TRIES {
        process.check().with_context(|| format!("its output is in {}", log.display()))?;
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("no answer from {address}; its output is in {}", log.display())
}
