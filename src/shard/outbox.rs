//! What is to leave, collected for a batch and sent sorted: sockets together, destinations together.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use roundturn_sfu::framing;
use roundturn_turn::{Family, Header, Relay};

/// A socket of the shard that datagrams leave from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// The listener of this number.
    Listener(u8),
    /// A relay.
    Relay(Relay),
    /// The same, for datagrams that nobody may fragment (RFC 8656 §14).
    RelayWhole(Relay),
    /// The SFU's socket of this family.
    Sfu(Family),
    /// The stream of this number.
    Stream(u16),
}

/// One datagram to send, in up to three pieces that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Where to.
    pub to: SocketAddr,
    /// The address of ours that it leaves from, where the socket is bound to all of them.
    pub from: Option<IpAddr>,
    /// Header, payload, padding; any may be empty, the first only if all are.
    pub pieces: [&'a [u8]; 3],
}

impl Datagram<'_> {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where an outbox is emptied into.
pub trait Wire {
    /// Sends `datagrams` from `exit`, in their order. What cannot be sent at once is lost, and counted there.
    fn send(&mut self, exit: Exit, datagrams: &[Datagram<'_>]);
}

/// A batch of datagrams to send. Payloads stay where they were received until the batch is flushed; only what the cores
/// made themselves is owned.
#[derive(Default)]
pub struct Outbox {
    entries: Vec<Entry>,
    owned: Vec<Vec<u8>>,
    /// What was owned and has left.
    spent: Vec<Vec<u8>>,
    order: Vec<u64>,
}

struct Entry {
    exit: Exit,
    to: SocketAddr,
    from: Option<IpAddr>,
    lead: Lead,
    payload: Payload,
}

/// What goes before a payload.
enum Lead {
    Nothing,
    Header(Header),
    Length([u8; framing::HEADER_LEN]),
}

enum Payload {
    Received { start: u32, end: u32 },
    Owned(u32),
}

/// The longest padding of a header.
const PADDING: [u8; 3] = [0; 3];

impl Outbox {
    /// How many datagrams wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sends `payload`, a range of the receive buffer, as it is.
    pub fn forward(&mut self, exit: Exit, to: SocketAddr, payload: Range<usize>) {
        let payload = Payload::received(payload);
        self.entries.push(Entry { exit, to, from: None, lead: Lead::Nothing, payload });
    }

    /// Sends `payload`, a range of the receive buffer, behind `header`.
    pub fn wrap(&mut self, exit: Exit, to: SocketAddr, from: Option<IpAddr>, header: Header, payload: Range<usize>) {
        let payload = Payload::received(payload);
        self.entries.push(Entry { exit, to, from, lead: Lead::Header(header), payload });
    }

    /// Sends `bytes`, behind `header` if there is one.
    pub fn push(&mut self, exit: Exit, to: SocketAddr, from: Option<IpAddr>, header: Option<Header>, bytes: Vec<u8>) {
        let payload = Payload::Owned(self.owned.len() as u32);
        self.owned.push(bytes);
        let lead = header.map_or(Lead::Nothing, Lead::Header);
        self.entries.push(Entry { exit, to, from, lead, payload });
    }

    /// Sends `bytes` as one frame of a stream (RFC 4571). What no length can tell is lost.
    pub fn frame(&mut self, exit: Exit, to: SocketAddr, bytes: Vec<u8>) {
        let Some(length) = framing::header(bytes.len()) else { return };
        let payload = Payload::Owned(self.owned.len() as u32);
        self.owned.push(bytes);
        self.entries.push(Entry { exit, to, from: None, lead: Lead::Length(length), payload });
    }

    /// Sends everything; `buffer` is the one that the payloads were received in. What goes from one socket to one
    /// destination keeps its order.
    pub fn flush(&mut self, buffer: &[u8], wire: &mut impl Wire) {
        self.order.clear();
        self.order.extend(self.entries.iter().enumerate().map(|(index, entry)| entry.sort_key(index)));
        self.order.sort_unstable();
        let mut datagrams: Vec<Datagram<'_>> = Vec::with_capacity(self.entries.len());
        let mut exit = None;
        for key in &self.order {
            let entry = &self.entries[*key as usize & INDEX_MASK];
            if exit != Some(entry.exit) {
                if let Some(exit) = exit {
                    wire.send(exit, &datagrams);
                }
                datagrams.clear();
                exit = Some(entry.exit);
            }
            datagrams.push(entry.datagram(buffer, &self.owned));
        }
        if let Some(exit) = exit {
            wire.send(exit, &datagrams);
        }
        self.entries.clear();
        self.spent.clear();
        std::mem::swap(&mut self.owned, &mut self.spent);
    }

    /// The memory of what left with the last flush.
    pub fn spent(&mut self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.spent.drain(..)
    }
}

/// The low bits of a sort key: the entry's place, so that sorting keeps the order of what is alike.
const INDEX_MASK: usize = (1 << 20) - 1;

impl Entry {
    /// Relays' datagrams that must stay whole come last: a socket is switched over once for all of them, and nothing keeps
    /// them in order with the others anyway.
    /// Socket (20 bits), destination (24 bits, a mere hash: to be near each other is enough), place.
    fn sort_key(&self, index: usize) -> u64 {
        let exit = match self.exit {
            Exit::Listener(number) => u64::from(number),
            Exit::Sfu(family) => 1 << 8 | family as u64,
            Exit::Stream(number) => 1 << 18 | u64::from(number),
            Exit::Relay(relay) => 1 << 17 | (relay.family as u64) << 16 | u64::from(relay.port),
            Exit::RelayWhole(relay) => 1 << 19 | (relay.family as u64) << 16 | u64::from(relay.port),
        };
        let ip = match self.to.ip() {
            IpAddr::V4(ip) => u32::from(ip),
            IpAddr::V6(ip) => (u128::from(ip) ^ u128::from(ip) >> 64) as u32,
        };
        let destination = (ip ^ u32::from(self.to.port()).rotate_left(16)).wrapping_mul(0x9E37_79B1) >> 8;
        exit << 44 | u64::from(destination) << 20 | (index & INDEX_MASK) as u64
    }

    fn datagram<'a>(&'a self, buffer: &'a [u8], owned: &'a [Vec<u8>]) -> Datagram<'a> {
        let payload: &[u8] = match self.payload {
            Payload::Received { start, end } => buffer.get(start as usize..end as usize).unwrap_or_default(),
            Payload::Owned(index) => owned.get(index as usize).map(Vec::as_slice).unwrap_or_default(),
        };
        let pieces = match &self.lead {
            Lead::Nothing => [payload, &[], &[]],
            Lead::Length(length) => [length, payload, &[]],
            Lead::Header(header) => [header.bytes(), payload, &PADDING[..header.padding().min(PADDING.len())]],
        };
        Datagram { to: self.to, from: self.from, pieces }
    }
}

impl Payload {
    fn received(range: Range<usize>) -> Self {
        Self::Received { start: range.start as u32, end: range.end as u32 }
    }
}

#[cfg(test)]
mod tests;
