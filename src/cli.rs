//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// STUN/TURN server, SFU and signaling in one daemon.
#[derive(Debug, Parser)]
#[command(
    name = "roundturn",
    version,
    about,
    after_help = "Exit codes: 0, 1 failure, 2 usage, 78 configuration. Every key of the configuration can be set by a \
                  variable ROUNDTURN_SECTION__KEY, like ROUNDTURN_LOG__LEVEL=debug."
)]
pub struct Cli {
    /// The configuration [else: $ROUNDTURN_CONFIG, /etc/roundturn/roundturn.toml, or the defaults]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do; `run` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: what happens without a subcommand
    Run,
    /// Read the configuration, say what it decides, and warn of what is doubtful
    Check(Json),
    /// Make TURN credentials with the configured secret, or verify some
    Credentials(Credentials),
    /// Say whether relays may send to an address, by which rule, and how to change it
    Explain(Explain),
    /// Try a TURN server out as a client: bind, allocate, and echo through the relay
    #[cfg(feature = "probe")]
    Probe(Probe),
    /// Ask the running daemon whether it serves; exit code 0 or 1
    Health,
    /// Make a configuration from coturn's, and say what became of each option
    Import(crate::command::import::Arguments),
    /// Make a token that lets somebody into a room, for tests and small sites
    Token(Token),
    /// Print what to write into an application so that it uses this daemon
    Show(crate::command::show::Arguments),
}

/// How answers look.
#[derive(Debug, Args)]
pub struct Json {
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// `credentials`
#[derive(Debug, Args)]
pub struct Credentials {
    /// Whom they are for: quotas count by this name
    pub name: Option<String>,
    /// Say instead whether these open an allocation, and if not, why; exit code 0 or 1
    #[arg(long, num_args = 2, value_names = ["USERNAME", "PASSWORD"], conflicts_with_all = ["name", "ttl"])]
    pub verify: Option<Vec<String>>,
    /// How long they are good for, at most an hour [default: auth.credential_ttl]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub ttl: Option<Duration>,
    /// How the answer looks.
    #[command(flatten)]
    pub output: Json,
}

/// `token`
#[derive(Debug, Args)]
pub struct Token {
    /// The room that it opens; * is every room
    pub room: String,
    /// Who it is for: whoever joins a room again under one identity takes the place of whoever was there
    #[arg(long)]
    pub identity: Option<String>,
    /// What others see
    #[arg(long)]
    pub name: Option<String>,
    /// What it allows [default: publish,subscribe,message]
    #[arg(long, value_delimiter = ',', value_name = "GRANT,…", value_parser = ["publish", "subscribe", "message", "moderate"])]
    pub grants: Option<Vec<String>>,
    /// How long it lets somebody in; who is in stays
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1h")]
    pub ttl: Duration,
    /// The private key (PEM) whose public key is in tokens.keys [default: tokens.secret]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The peer: an address, with a port or without
    #[arg(value_name = "ADDRESS[:PORT]", value_parser = peer)]
    pub peer: (std::net::IpAddr, Option<u16>),
    /// How the answer looks.
    #[command(flatten)]
    pub output: Json,
}

/// `probe`
#[cfg(feature = "probe")]
#[derive(Debug, Args)]
pub struct Probe {
    /// The server [default: this host's own daemon, by its configuration]
    #[arg(value_name = "HOST[:PORT]")]
    pub host: Option<String>,
    /// A user name, for use with --password
    #[arg(long, requires = "password", conflicts_with = "secret")]
    pub username: Option<String>,
    /// Its password
    #[arg(long, requires = "username")]
    pub password: Option<String>,
    /// The server's shared secret, to make credentials with
    #[arg(long)]
    pub secret: Option<String>,
    /// How long each step may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub timeout: Duration,
    /// How the answer looks.
    #[command(flatten)]
    pub output: Json,
}

/// An address, `192.0.2.1:5000` or `[2001:db8::1]:5000`.
fn peer(text: &str) -> Result<(std::net::IpAddr, Option<u16>), String> {
    if let Ok(address) = text.trim_matches(['[', ']']).parse() {
        return Ok((address, None));
    }
    let socket: Result<std::net::SocketAddr, _> = text.parse();
    socket
        .map(|peer| (peer.ip(), Some(peer.port())))
        .map_err(|_| "must be an IP address, with a port or without".to_owned())
}

/// `5s`, `10m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration(text, "1s", "1d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn running_is_what_happens_without_a_subcommand() {
        let cli = Cli::try_parse_from(["roundturn", "--config", "/x.toml"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.config, Some(PathBuf::from("/x.toml")));
    }

    #[test]
    fn the_configuration_may_be_named_after_the_subcommand() {
        let cli = Cli::try_parse_from(["roundturn", "check", "-c", "/x.toml", "--json"]).unwrap();
        assert_eq!(cli.config, Some(PathBuf::from("/x.toml")));
        assert!(matches!(cli.command, Some(Command::Check(Json { json: true }))));
    }
}
