//! The servers under measurement: how they are set up and started.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::common::process::{Process, free_port, scratch};
use crate::listening::wait_for;
use crate::network;
use crate::options::{Kind, Options};

/// A running server; killed when dropped.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Where signaling is.
    pub address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts a server and waits until it serves.
    pub fn start(kind: Kind, options: &Options) -> Result<Self> {
        let media = network::prepare()?;
        let port = free_port()?;
        let command = match kind {
            Kind::Janus => janus(options, media, port)?,
            Kind::Roundturn => roundturn(options, media, port)?,
        };
        let log = scratch(&format!("room-{kind}.log"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut server = Self { kind, address, process: Process::start(command, &log)? };
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

/// The daemon, with nothing but the ports and the limits of its own.
fn roundturn(options: &Options, media: IpAddr, port: u16) -> Result<Command> {
    let (turn, file) = (free_port()?, scratch("room-roundturn.toml"));
    let threads = options.threads;
    let config = format!(
        r#"[listen]
turn = ["{media}:{turn}"]
http = ["127.0.0.1:{port}"]
metrics = ""
control = "{control}"

[address]
external = "{media}"

[ports]
udp = "18000-18099"

[rooms]
max_participants = 500
audio_slots = 10

[shards]
count = {threads}
"#,
        control = scratch("room-control.sock").display()
    );
    fs::write(&file, config)?;
    let mut command = Command::new(&options.roundturn);
    command.arg("--config").arg(file).arg("run");
    Ok(command)
}

/// Janus with the VideoRoom alone, ICE-lite as we are, and as many event loops as we have shards.
fn janus(options: &Options, media: IpAddr, port: u16) -> Result<Command> {
    let folder = scratch("room-janus");
    // What is left of the last run.
    let _ = fs::remove_dir_all(&folder);
    let installed = Path::new("/usr/lib").join(architecture()).join("janus");
    for (kind, library) in [("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_websockets.so")] {
        fs::create_dir_all(folder.join(kind))?;
        symlink(installed.join(kind).join(library), folder.join(kind).join(library))?;
    }
    let (path, threads) = (folder.display(), options.threads);
    let config = format!(
        r#"general: {{
  configs_folder = "{path}"
  plugins_folder = "{path}/plugins"
  transports_folder = "{path}/transports"
  admin_secret = "nobody"
  session_timeout = 0
  event_loops = {threads}
}}
media: {{
  rtp_port_range = "20000-29999"
}}
nat: {{
  ice_lite = true
  ice_enforce_list = "{media}"
}}
"#
    );
    fs::write(folder.join("janus.jcfg"), config)?;
    let socket =
        format!("general: {{\n  json = \"compact\"\n  ws = true\n  ws_port = {port}\n  ws_ip = \"127.0.0.1\"\n}}\n");
    fs::write(folder.join("janus.transport.websockets.jcfg"), socket)?;
    let mut command = Command::new(&options.janus);
    command.arg("-F").arg(&folder).args(["--disable-colors", "--debug-level=3"]);
    Ok(command)
}

/// Debian's name for this machine.
fn architecture() -> String {
    format!("{}-linux-gnu", std::env::consts::ARCH)
}
