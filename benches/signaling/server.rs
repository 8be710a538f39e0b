//! The daemon under measurement.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::common::process::{Process, free_port, scratch};
use crate::listening::wait_for;

/// A running daemon; killed when dropped.
pub struct Server {
    /// Where signaling is.
    pub address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts it and waits until it serves.
    pub fn start(program: &Path) -> Result<Self> {
        let (port, turn) = (free_port()?, free_port()?);
        let (file, log) = (scratch("signaling.toml"), scratch("signaling.log"));
        let control = scratch("signaling-control.sock");
        let config = format!(
            "[listen]\nturn = [\"127.0.0.1:{turn}\"]\nhttp = [\"127.0.0.1:{port}\"]\nmetrics = \"\"\ncontrol = \"{}\"\n\n[ports]\nudp = \"18000-18099\"\n",
            control.display()
        );
        fs::write(&file, config)?;
        let mut command = Command::new(program);
        command.arg("--config").arg(file).arg("run");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut server = Self { address, process: Process::start(command, &log)? };
        wait_for(&mut server.process, address, &log)?;
        Ok(server)
    }

    /// Nanoseconds on a CPU so far, over all threads.
    pub fn cpu_nanos(&self) -> Result<u64> {
        self.process.cpu_nanos()
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.process.resident_bytes()
    }
}
