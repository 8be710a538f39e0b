//! Who talks to whom through a server, and for how long.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::Result;
use clap::ValueEnum;

use crate::load::{self, End, Measurement};
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::turn_client::TurnClient;

/// What a server is asked to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Clients with a relay, peers without one.
    ClientToPeer,
    /// Both ends of every call have a relay on the same server.
    RelayToRelay,
}

impl Workload {
    /// Sets the flows up, measures, and takes them down again.
    pub fn run(self, server: &Server, options: &Options) -> Result<Measurement> {
        match (self, server.kind) {
            (Self::ClientToPeer, Kind::Forwarder) => forwarder_to_peers(server, options),
            (Self::ClientToPeer, _) => clients_to_peers(server, options),
            (Self::RelayToRelay, Kind::Forwarder) => forwarder_to_forwarder(options),
            (Self::RelayToRelay, _) => relays_to_relays(server, options),
        }
    }

    /// How many calls there are: a call relay to relay uses two flows of the server.
    pub fn calls(self, options: &Options) -> usize {
        match self {
            Self::ClientToPeer => options.flows,
            Self::RelayToRelay => options.flows / 2,
        }
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::ClientToPeer => "client-to-peer",
            Self::RelayToRelay => "relay-to-relay",
        })
    }
}

fn clients_to_peers(server: &Server, options: &Options) -> Result<Measurement> {
    let (mut ends, mut clients) = (Vec::new(), Vec::new());
    for flow in 0..options.flows {
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (mut client, relay) = TurnClient::allocate(server.address, &format!("flow{flow}"))?;
        client.bind_channel(peer.local_addr()?)?;
        ends.push(End::in_channel(client.socket()?, server.address)?);
        ends.push(End::plain(peer, relay)?);
        clients.push(client);
    }
    let measurement = load::run(ends, server, options)?;
    clients.into_iter().try_for_each(TurnClient::release)?;
    Ok(measurement)
}

fn relays_to_relays(server: &Server, options: &Options) -> Result<Measurement> {
    let (mut ends, mut clients) = (Vec::new(), Vec::new());
    for call in 0..Workload::RelayToRelay.calls(options) {
        let (mut left, left_relay) = TurnClient::allocate(server.address, &format!("left{call}"))?;
        let (mut right, right_relay) = TurnClient::allocate(server.address, &format!("right{call}"))?;
        left.bind_channel(right_relay)?;
        right.bind_channel(left_relay)?;
        ends.push(End::in_channel(left.socket()?, server.address)?);
        ends.push(End::in_channel(right.socket()?, server.address)?);
        clients.extend([left, right]);
    }
    let measurement = load::run(ends, server, options)?;
    clients.into_iter().try_for_each(TurnClient::release)?;
    Ok(measurement)
}

fn forwarder_to_peers(server: &Server, options: &Options) -> Result<Measurement> {
    let mut ends = Vec::new();
    for [client_port, peer_port] in &server.pairs {
        ends.push(end_at(*client_port)?);
        ends.push(end_at(*peer_port)?);
    }
    load::run(ends, server, options)
}

/// Two trips through a forwarder, as two relays without a shortcut have them.
fn forwarder_to_forwarder(options: &Options) -> Result<Measurement> {
    let calls = Workload::RelayToRelay.calls(options);
    let server = Server::start_forwarder(calls * 2, true)?;
    let ends = server.pairs.iter().map(|[port, _]| end_at(*port)).collect::<Result<Vec<_>>>()?;
    load::run(ends, &server, options)
}

fn end_at(port: u16) -> Result<End> {
    End::plain(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}
