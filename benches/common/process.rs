//! A server as a child process, and what it costs.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running program; killed when dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program whose output goes to a file.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let out = fs::File::create(log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
        let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Fails once the program has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("it ended with {status}"),
            None => Ok(()),
        }
    }

    /// Nanoseconds on a CPU so far, over all threads.
    pub fn cpu_nanos(&self) -> Result<u64> {
        cpu_nanos(&self.child.id().to_string())
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl From<Child> for Process {
    fn from(child: Child) -> Self {
        Self { child }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do for a child that cannot be killed or awaited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nanoseconds that all threads of a process, by number or as `self`, were on a CPU so far.
pub fn cpu_nanos(process: &str) -> Result<u64> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(nanos)
}

/// A port that nobody holds at the moment.
pub fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A file or folder of this name for what servers read and write.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
