//! What can go wrong between a TURN client and its server, and what to do about it.

use thiserror::Error;

use crate::moment;

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The name has no address.
    #[error("{0}")]
    Unresolved(String),
    /// No socket could be opened or written on this side.
    #[error("{0}")]
    Local(String),
    /// The host answers that nobody listens on the port (ICMP).
    #[error("nothing listens there")]
    Refused,
    /// Nothing came back in time.
    #[error("no answer")]
    NoAnswer,
    /// A STUN error response.
    #[error("{code} {reason}")]
    Code {
        /// Its code (RFC 8489 §14.8).
        code: u16,
        /// Its phrase.
        reason: String,
    },
    /// Packets went into the relay and did not come out.
    #[error("{0} packets sent, none came through")]
    Lost(usize),
    /// An answer that no TURN server should give.
    #[error("{0}")]
    Odd(String),
}

impl Trouble {
    /// What to do about it. `step` is where it happened, `port` the server's, `unix_secs` the time on this host.
    pub fn advice(&self, step: &str, port: u16, unix_secs: u64) -> String {
        let first = matches!(step, "resolve" | "bind");
        match self {
            Self::Unresolved(_) => "check the name, and this host's DNS".to_owned(),
            Self::Local(_) => "check this host's network and firewall".to_owned(),
            Self::Refused => format!("start the daemon, and check that listen.turn has port {port}"),
            Self::NoAnswer if first => {
                format!(
                    "open UDP port {port} in the server's firewall, and forward it on its router; check that the daemon runs"
                )
            }
            Self::NoAnswer => {
                "the server has answered before: it may limit the rate, or be overloaded; look at its log".to_owned()
            }
            Self::Lost(_) => {
                "the server could not send to its own relay: open the ports of ports.udp in the firewall, \
                              and check that address.external is what the world calls this host"
                    .to_owned()
            }
            Self::Odd(_) => "this is not how a TURN server should answer: check the host and the port".to_owned(),
            Self::Code { code, .. } => code_advice(*code, unix_secs),
        }
    }
}

fn code_advice(code: u16, unix_secs: u64) -> String {
    match code {
        300 => "the server sends clients elsewhere; try that server".to_owned(),
        401 | 441 => format!(
            "the secret or the password is not the server's, or the credentials have expired by its clock; \
             this host's clock says {}",
            moment::rfc3339(unix_secs)
        ),
        403 => "the server's rules deny the peer or the user: see [peers], and allow its own relays".to_owned(),
        437 => "the server has lost the allocation: look at its log for a restart".to_owned(),
        438 => "the nonce was refused twice: check that one server, and not several in turn, answers here".to_owned(),
        440 | 443 => "the server has no relay address of this family: see address.external".to_owned(),
        442 => "the server relays no UDP".to_owned(),
        486 => "a quota is used up: see limits.allocations_per_user and limits.allocations_per_prefix".to_owned(),
        508 => "no relay port is left: widen ports.udp, or see limits.allocations".to_owned(),
        _ => "look at the server's log".to_owned(),
    }
}
