//! `roundturn explain`: whether relays may send to an address, by which rule, and how to change it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use ipnet::IpNet;
use roundturn_turn::Label as _;
use roundturn_turn::policy::{Grant, Policy, Rule, special_purpose};
use serde_json::json;

use crate::cli;
use crate::config::Settings;
use crate::daemon::parts;
use crate::nat::Addresses;

/// Prints the verdict; exit code 0 whatever it is.
pub fn run(file: Option<&Path>, arguments: &cli::Explain) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    let policy = Policy::new(&parts::turn(&settings, &Addresses::find(&settings.address)?));
    let (address, port) = arguments.peer;
    let verdict = match port {
        // Which ports are open at this moment the daemon alone knows.
        Some(port) => {
            let may_be_ours = policy.is_host(address) && settings.ports.contains(&port);
            policy.judge(SocketAddr::new(address, port), may_be_ours)
        }
        None => policy.judge_address(address, false),
    };
    let (rule, reason) = match verdict {
        Ok(grant) => (None, reason_of_grant(grant, address, &settings)),
        Err(rule) => (Some(rule.label()), reason_of_rule(rule, address, port, &settings)),
    };
    let peer = port.map_or_else(|| address.to_string(), |port| SocketAddr::new(address, port).to_string());
    if arguments.output.json {
        super::print(&format!(
            "{:#}",
            json!({ "peer": peer, "allowed": verdict.is_ok(), "rule": rule, "reason": reason })
        ));
    } else {
        let verb = if verdict.is_ok() { "may" } else { "may not" };
        super::print(&format!("Relays {verb} send to {peer}: {reason}."));
    }
    Ok(ExitCode::SUCCESS)
}

fn reason_of_grant(grant: Grant, address: IpAddr, settings: &Settings) -> String {
    match grant {
        Grant::OwnPort => {
            "it is of this daemon's own range (ports.udp), and is reached while a relay or a room has it".to_owned()
        }
        Grant::OperatorAllow => format!("peers.allow holds {}", longest(&settings.peers.allow, address)),
        Grant::Default => "it is a public address and no rule denies it".to_owned(),
    }
}

fn reason_of_rule(rule: Rule, address: IpAddr, port: Option<u16>, settings: &Settings) -> String {
    let allow = format!("to allow it, put \"{}\" into peers.allow", IpNet::from(address));
    match rule {
        Rule::EmbeddedIpv4 => "it is an IPv6 address that stands for an IPv4 one; use the IPv4 address".to_owned(),
        Rule::OperatorDeny => format!("peers.deny holds {}", longest(&settings.peers.deny, address)),
        Rule::Host => {
            let ports = format!("{}-{}", settings.ports.start(), settings.ports.end());
            format!(
                "it is an address of this host, where only our own relays and rooms ({ports}) are reached, without any setting; \
                 to allow what else there is, put \"{}\" into peers.allow",
                IpNet::from(address)
            )
        }
        Rule::SpecialPurpose => {
            let purpose = special_purpose(address).unwrap_or("special");
            format!("it is no address of the public internet but of the kind \"{purpose}\"; {allow}")
        }
        Rule::Port => format!("no media is sent to port {}", port.unwrap_or_default()),
    }
}

/// The network of the list that decided.
fn longest(list: &[IpNet], address: IpAddr) -> String {
    let holding = list.iter().filter(|network| network.contains(&address));
    holding.max_by_key(|network| network.prefix_len()).map(ToString::to_string).unwrap_or_default()
}
