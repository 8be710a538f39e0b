//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::workload::Workload;

/// Gives Debian's Janus and roundturn the same rooms in turn, and prints what a forwarded packet costs each of them.
#[derive(Debug, Parser)]
pub struct Options {
    /// How often each server gets each workload.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// How long each measurement lasts.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Seconds between the first packet and the measurement: estimates of bandwidth settle meanwhile.
    #[arg(long, default_value_t = 5)]
    pub warm_up: u64,
    /// How many times as often as in a real call every track sends.
    #[arg(long, default_value_t = 1)]
    pub rate: u32,
    /// Event loops of Janus, shards of roundturn.
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Which servers, in the order of their turns.
    #[arg(long, value_delimiter = ',', default_values_t = [Kind::Janus, Kind::Roundturn])]
    pub servers: Vec<Kind>,
    /// Which workloads.
    #[arg(long, value_delimiter = ',', default_values_t = [Workload::Rooms, Workload::Broadcast, Workload::Audio])]
    pub workloads: Vec<Workload>,
    /// The daemon to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_roundturn"))]
    pub roundturn: PathBuf,
    /// Janus's daemon.
    #[arg(long, default_value = "/usr/bin/janus")]
    pub janus: PathBuf,
    /// Given by `cargo bench`, means nothing here.
    #[arg(long, hide = true)]
    pub bench: bool,
    /// What else may be asked, of roundturn alone.
    #[command(subcommand)]
    pub mode: Option<Mode>,
}

/// Other questions.
#[derive(Debug, Clone, Subcommand)]
pub enum Mode {
    /// A room of 50, each seeing nine: the share of a core, and the time inside.
    Meeting,
    /// Fifty join one room within two seconds: the time to the first frame.
    Joins,
    /// Joins a room of a daemon that runs already, until this program's input ends: for whoever needs a crowd.
    Crowd(Crowd),
    /// Participants that send nothing: CPU and memory.
    Idle {
        /// How many.
        #[arg(long, default_value_t = 500)]
        count: usize,
    },
}

/// Who joins which room.
#[derive(Debug, Clone, Args)]
pub struct Crowd {
    /// Where the daemon's page is.
    #[arg(long)]
    pub server: SocketAddr,
    /// The room.
    #[arg(long)]
    pub room: String,
    /// How many come.
    #[arg(long)]
    pub count: usize,
    /// How many of them have a camera and a microphone; the others watch and listen.
    #[arg(long, default_value_t = 0)]
    pub cameras: usize,
}

/// A server under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Debian's Janus with its VideoRoom.
    Janus,
    /// The daemon of this project.
    Roundturn,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Janus => "janus",
            Self::Roundturn => "roundturn",
        })
    }
}
