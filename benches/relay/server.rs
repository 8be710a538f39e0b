//! A server as a child process: how it is started, what it costs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::common::process::{Process, free_port, scratch};
use crate::options::{Kind, Options};
use crate::ready::wait_until_ready;
use crate::{clock, setup};

/// A running server; killed when dropped.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Where it listens for TURN; the forwarder has a pair of ports for each flow instead.
    pub address: SocketAddr,
    /// The forwarder's two ports for each flow.
    pub pairs: Vec<[u16; 2]>,
    /// From before the start of the process to its first answer, in milliseconds; zero for the forwarder.
    pub ready_millis: f64,
    process: Process,
    scratch: Option<PathBuf>,
}

impl Server {
    /// Starts a server and waits until it serves.
    pub fn start(kind: Kind, options: &Options) -> Result<Self> {
        match kind {
            Kind::Coturn => Self::start_turn(kind, coturn(options)),
            Kind::Forwarder => Self::start_forwarder(options.flows, false),
            Kind::Roundturn => {
                let (port, scratch) = (free_port()?, scratch("roundturn.toml"));
                let (http, metrics) = (free_port()?, free_port()?);
                fs::write(&scratch, setup::roundturn_config(port, http, metrics, options.threads))?;
                let mut command = Command::new(&options.roundturn);
                command.arg("--config").arg(&scratch).arg("run");
                let mut server = Self::start_turn(kind, (command, port))?;
                server.scratch = Some(scratch);
                Ok(server)
            }
        }
    }

    /// Starts a forwarder; `paired`: the peers' sides of each two neighbours face each other.
    pub fn start_forwarder(flows: usize, paired: bool) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("forwarder").arg(flows.to_string()).stdout(Stdio::piped());
        if paired {
            command.arg("--paired");
        }
        let mut child = command.spawn().context("starting the forwarder")?;
        let out = child.stdout.take().context("the forwarder's output")?;
        let mut pairs = Vec::with_capacity(flows);
        for line in BufReader::new(out).lines() {
            let line = line?;
            let Some((client, peer)) = line.split_once(' ') else { break };
            pairs.push([client.parse()?, peer.parse()?]);
        }
        let (address, process) = ((Ipv4Addr::LOCALHOST, 0).into(), child.into());
        Ok(Self { kind: Kind::Forwarder, address, pairs, ready_millis: 0.0, process, scratch: None })
    }

    fn start_turn(kind: Kind, (command, port): (Command, u16)) -> Result<Self> {
        let log = scratch(&format!("{kind}.log"));
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let start = clock::now_nanos();
        let process = Process::start(command, &log)?;
        let mut server = Self { kind, address, pairs: Vec::new(), ready_millis: 0.0, process, scratch: None };
        wait_until_ready(address, &mut server.process)
            .with_context(|| format!("{kind} does not answer on {address}; its output is in {}", log.display()))?;
        server.ready_millis = (clock::now_nanos() - start) as f64 / 1e6;
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

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(scratch) = &self.scratch {
            let _ = fs::remove_file(scratch);
        }
    }
}

/// coturn as an operator would run it for this load, without what the others do not do either (TLS, its CLI).
fn coturn(options: &Options) -> (Command, u16) {
    let port = free_port().unwrap_or(34780);
    let mut command = Command::new(&options.coturn);
    command
        .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--simple-log", "--no-stdout-log"])
        .args(["--allow-loopback-peers", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--lt-cred-mech"])
        .args(["--use-auth-secret", "--min-port=6000", "--max-port=17999"])
        .arg(format!("--realm={}", setup::REALM))
        .arg(format!("--static-auth-secret={}", setup::SECRET))
        .arg(format!("--listening-port={port}"))
        .arg(format!("--relay-threads={}", options.threads))
        .arg(format!("--log-file={}", scratch("coturn-own.log").display()))
        .arg(format!("--pidfile={}", scratch("coturn.pid").display()))
        .arg(format!("--userdb={}", scratch("coturn.db").display()));
    (command, port)
}
