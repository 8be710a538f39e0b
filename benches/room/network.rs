//! One socket for all participants, each with an address of its own: what they cost is not what is measured.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mio::{Events, Interest, Poll, Token};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{setsockopt, sockopt};
use roundturn::net::mmsg::{ReceiveBatch, SLOTS, SendBatch};
use roundturn::net::udp::{Listener, listen};
use roundturn::shard::outbox::Datagram;

use crate::peer::Outgoing;

/// What arrives while the load is busy must not be lost here, where it would look like the server's loss.
const BUFFER_BYTES: usize = 256 << 20;
/// The network card of the lab, which `tests/lab/enter` makes: Janus passes over the loopback, and answers through the
/// interface that it announced.
const CARD: &str = "card0";
/// The participants' addresses, all of them this machine's.
const PARTICIPANTS: &str = "10.98.0.0/16";
/// The first of them.
const FIRST: u32 = u32::from_be_bytes([10, 98, 0, 1]);

/// Gives this machine the participants' addresses, and says which one servers are to have.
pub fn prepare() -> Result<IpAddr> {
    let of_card = getifaddrs()?.filter(|interface| interface.interface_name == CARD);
    let ips = of_card.filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip()));
    let ip = ips.into_iter().next().context("no network card of the lab: tests/lab/enter cargo bench --bench room")?;
    let added = Command::new("ip").args(["route", "replace", "local", PARTICIPANTS, "dev", CARD]).status()?;
    ensure!(added.success(), "ip route says {added}");
    Ok(ip.into())
}

/// The socket of all participants.
pub struct Network {
    listener: Listener,
    poll: Poll,
    events: Events,
    batch: ReceiveBatch,
    sender: SendBatch,
    /// Datagrams that this socket had no room for.
    pub lost: u64,
}

impl Network {
    /// Opens the socket.
    pub fn open() -> Result<Self> {
        let mut listener = listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
        if setsockopt(&listener.socket, sockopt::RcvBufForce, &BUFFER_BYTES).is_err() {
            eprintln!("not root: the receive buffer stays small, and losses may be the load's own");
        }
        let poll = Poll::new()?;
        poll.registry().register(&mut listener.socket, Token(0), Interest::READABLE)?;
        let (batch, sender) = (ReceiveBatch::default(), SendBatch::default());
        Ok(Self { listener, poll, events: Events::with_capacity(8), batch, sender, lost: 0 })
    }

    /// The address of participant number `index`.
    pub fn address(&self, index: usize) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::from(FIRST + index as u32).into(), self.listener.address.port())
    }

    /// Sends everything.
    pub fn send(&mut self, datagrams: &mut Vec<Outgoing>) -> Result<()> {
        let laid: Vec<_> = datagrams
            .iter()
            .map(|one| Datagram { to: one.to, from: Some(one.from.ip()), pieces: [&one.bytes, &[], &[]] })
            .collect();
        let sent = self.sender.send(self.listener.socket.as_fd(), &laid);
        ensure!(sent.refused == 0, "the kernel refuses to send: the server's address is not an address of this host");
        datagrams.clear();
        Ok(())
    }

    /// Waits so long at most for a datagram.
    pub fn wait(&mut self, time: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(time)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Reads a batch: who it is for, who sent it, and what. `false`: there was no more to read.
    pub fn receive(&mut self, mut take: impl FnMut(usize, SocketAddr, &[u8]) -> Result<()>) -> Result<bool> {
        self.batch.clear();
        let slots = match self.batch.receive(self.listener.socket.as_fd(), SLOTS) {
            Ok(slots) => slots,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let full = slots.len() == SLOTS;
        for slot in slots {
            let Some(received) = self.batch.received(slot) else { continue };
            self.lost = received.lost.map_or(self.lost, u64::from);
            let Some(IpAddr::V4(local)) = received.local else { continue };
            let Some(index) = u32::from(local).checked_sub(FIRST) else { continue };
            for at in received.datagrams() {
                take(index as usize, received.source, &self.batch.buffer()[at])?;
            }
        }
        Ok(full)
    }
}
