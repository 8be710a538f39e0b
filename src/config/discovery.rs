//! `relay.behavior_discovery`: the second address and port, and whether they fit the rest.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::reader::Reader;
use super::rules;
use super::settings::{BehaviorDiscovery, Listen};

const KEY: &str = "relay.behavior_discovery";

/// The addresses of NAT behaviour discovery, `Some(None)` where it is off.
pub fn behavior_discovery(
    reader: &mut Reader,
    listen: Option<&Listen>,
    ports: Option<&RangeInclusive<u16>>,
) -> Option<Option<BehaviorDiscovery>> {
    let Some(alternate) = reader.text(KEY, rules::optional_socket)? else { return Some(None) };
    // What is wrong with those is told there.
    let (listen, ports) = (listen?, ports?);
    match decide(&listen.turn, ports, alternate) {
        Ok(discovery) => Some(Some(discovery)),
        Err(rule) => {
            let node = reader.node(KEY);
            reader.refuse(KEY, &node, rule);
            None
        }
    }
}

fn decide(
    turn: &[SocketAddr],
    ports: &RangeInclusive<u16>,
    alternate: SocketAddr,
) -> Result<BehaviorDiscovery, String> {
    if alternate.ip().is_unspecified() || alternate.port() == 0 {
        return Err("must be one address of this host and a port, like \"203.0.113.8:3479\"".to_owned());
    }
    let is_primary = |one: &&SocketAddr| one.is_ipv4() == alternate.is_ipv4() && !one.ip().is_unspecified();
    let Some(&primary) = turn.iter().find(is_primary) else {
        let example = if alternate.is_ipv4() { "203.0.113.7:3478" } else { "[2001:db8::7]:3478" };
        return Err(format!(
            "needs a first address of the same family in listen.turn, like \"{example}\": [::] and 0.0.0.0 name none"
        ));
    };
    if primary.ip() == alternate.ip() || primary.port() == alternate.port() {
        return Err(format!("must differ from {primary} of listen.turn in address and port"));
    }
    if ports.contains(&alternate.port()) {
        return Err(format!(
            "port {} lies in the range of ports.udp ({}-{}); take a port outside",
            alternate.port(),
            ports.start(),
            ports.end()
        ));
    }
    Ok(BehaviorDiscovery { primary, alternate })
}
