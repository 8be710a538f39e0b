//! The yardstick: for each flow one socket that faces the client and one that faces the peer, and nothing else.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

/// One side of a flow. Token `2 * flow` faces the client, `2 * flow + 1` the peer.
struct Side {
    socket: UdpSocket,
    /// Who sent the last datagram, and gets what the other side receives.
    remote: Option<SocketAddr>,
}

/// Forwards until it is killed.
pub fn run(flows: usize, paired: bool) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut sides = Vec::with_capacity(flows * 2);
    for token in 0..flows * 2 {
        let mut socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        poll.registry().register(&mut socket, Token(token), Interest::READABLE)?;
        sides.push(Side { socket, remote: None });
    }
    if paired {
        // Flow 0's peer side talks to flow 1's, as two relays do that are each other's peers.
        for flow in 0..flows {
            sides[2 * flow + 1].remote = Some(sides[2 * (flow ^ 1) + 1].socket.local_addr()?);
        }
    }
    announce(&sides)?;

    let mut events = Events::with_capacity(256);
    let mut buffer = [0; 2048];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            forward(&mut sides, event.token().0, &mut buffer);
        }
    }
}

fn announce(sides: &[Side]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for pair in sides.chunks(2) {
        writeln!(out, "{} {}", pair[0].socket.local_addr()?.port(), pair[1].socket.local_addr()?.port())?;
    }
    writeln!(out, "ready")?;
    out.flush()?;
    Ok(())
}

fn forward(sides: &mut [Side], token: usize, buffer: &mut [u8]) {
    while let Ok((len, from)) = sides[token].socket.recv_from(buffer) {
        sides[token].remote = Some(from);
        let other = &sides[token ^ 1];
        if let Some(remote) = other.remote {
            // A full send buffer loses the datagram: the bench counts it as lost.
            let _ = other.socket.send_to(&buffer[..len], remote);
        }
    }
}
