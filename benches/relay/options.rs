//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::workload::Workload;

/// Relays the same flows through several servers, in turn, and prints what a packet costs each of them.
#[derive(Debug, Parser)]
pub struct Options {
    /// How often each server gets each workload.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// How long each measurement lasts, after a second of warming up.
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// Flows between a client and a peer; relay to relay has half as many calls.
    #[arg(long, default_value_t = 50)]
    pub flows: usize,
    /// Packets a second, for each flow and direction: by default a video of 1.6 Mbit/s.
    #[arg(long, default_value_t = 200)]
    pub rate: u64,
    /// Packets that each end sends at once: the pieces of a video frame leave together.
    #[arg(long, default_value_t = 4)]
    pub burst: u64,
    /// Bytes of payload in a packet.
    #[arg(long, default_value_t = 1000)]
    pub size: usize,
    /// Threads of each server that relay.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Which servers, in the order of their turns.
    #[arg(long, value_delimiter = ',', default_values_t = [Kind::Coturn, Kind::Forwarder, Kind::Roundturn])]
    pub servers: Vec<Kind>,
    /// Which workloads.
    #[arg(long, value_delimiter = ',', default_values_t = [Workload::ClientToPeer, Workload::RelayToRelay])]
    pub workloads: Vec<Workload>,
    /// The daemon to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_roundturn"))]
    pub roundturn: PathBuf,
    /// coturn's daemon.
    #[arg(long, default_value = "/usr/bin/turnserver")]
    pub coturn: PathBuf,
    /// Given by `cargo bench`, means nothing here.
    #[arg(long, hide = true)]
    pub bench: bool,
    /// What else this program can be.
    #[command(subcommand)]
    pub mode: Option<Mode>,
}

/// Other questions; and the bench starts itself again for its own forwarder.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Mode {
    /// What an allocation costs in CPU and memory.
    Allocations {
        /// How many at once.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
    },
    /// What requests of strangers cost, and whether others notice.
    Flood {
        /// Requests a second.
        #[arg(long, default_value_t = 50_000)]
        rate: u64,
        /// How long each kind of flood lasts.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Forward between pairs of sockets; prints `ready` and a line of two ports for each flow.
    #[command(hide = true)]
    Forwarder {
        /// How many pairs.
        flows: usize,
        /// Whether the peers' sides of each two neighbours face each other.
        #[arg(long)]
        paired: bool,
    },
}

/// A server under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Debian's coturn.
    Coturn,
    /// Two sockets for each flow, `recv_from` and `send_to`: what the kernel alone costs.
    Forwarder,
    /// The daemon of this project.
    Roundturn,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Coturn => "coturn",
            Self::Forwarder => "forwarder",
            Self::Roundturn => "roundturn",
        })
    }
}
