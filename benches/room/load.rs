//! Everything that participants do: one thread that answers, sends what is due and counts what arrives.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use roundturn::clock;

use crate::network::Network;
use crate::peer::{At, Exit, Maker, Offer, Outgoing, Peer, Shape};
use crate::tally::Tally;

/// What is due within one tick leaves together.
const TICK: Duration = Duration::from_millis(1);
/// Batches in one turn, so that sending is never late for long.
const BATCHES: usize = 4;

/// What signaling tells the load.
pub enum Message {
    /// The server answered the offer of a peer.
    Answer(usize, String),
    /// The server offers to a peer; the answer is to be sent there.
    Offer(usize, String, Sender<String>),
    /// Signaling of a peer failed.
    Failed(usize, anyhow::Error),
}

/// All participants.
pub struct Load {
    /// Whether tracks send.
    pub sending: bool,
    /// What arrived.
    pub tally: Tally,
    /// Peer connections, by number.
    pub peers: Vec<Peer>,
    network: Network,
    maker: Maker,
    factor: u32,
    start: Instant,
    next_tick: Instant,
    datagrams: Vec<Outgoing>,
    messages: (Sender<Message>, Receiver<Message>),
}

impl Load {
    /// Nobody yet; tracks will send `factor` times as often as real ones.
    pub fn new(factor: u32) -> Result<Self> {
        let now = clock::now();
        Ok(Self {
            sending: false,
            tally: Tally::default(),
            peers: Vec::new(),
            network: Network::open()?,
            maker: Maker::new(),
            factor,
            start: now,
            next_tick: now,
            datagrams: Vec::new(),
            messages: channel(),
        })
    }

    /// A new peer connection: its number.
    pub fn add(&mut self) -> Result<usize> {
        let index = self.peers.len();
        let address: SocketAddr = self.network.address(index);
        self.peers.push(self.maker.make(clock::now(), index, address)?);
        Ok(index)
    }

    /// A new peer connection that offers: its number and the offer.
    pub fn offer(&mut self, shape: Shape) -> Result<(usize, Offer)> {
        let index = self.add()?;
        Ok((index, self.peers[index].offer(shape, self.factor)?))
    }

    /// Where signaling says what it has heard.
    pub fn sender(&self) -> Sender<Message> {
        self.messages.0.clone()
    }

    /// Nanoseconds since the start.
    pub fn nanos(&self) -> u64 {
        clock::now().saturating_duration_since(self.start).as_nanos() as u64
    }

    /// Packets that tracks have sent so far, for each peer and kind: audio, video.
    pub fn sent(&self) -> Vec<[u64; 2]> {
        let count = |peer: &Peer, video: bool| {
            let is_video = |track: &&crate::media::Track| (track.source == roundturn_sfu::Source::Camera) == video;
            peer.tracks.iter().filter(is_video).map(|track| u64::from(track.count)).sum()
        };
        self.peers.iter().map(|peer| [count(peer, false), count(peer, true)]).collect()
    }

    /// Datagrams that arrived while nobody had time to read them.
    pub fn overrun(&self) -> u64 {
        self.network.lost
    }

    /// Goes on for so long.
    pub fn run(&mut self, time: Duration) -> Result<()> {
        let end = clock::now() + time;
        while clock::now() < end {
            self.turn()?;
        }
        Ok(())
    }

    /// Goes on until everybody who is there is connected, which must not take longer than that.
    pub fn run_until_connected(&mut self, time: Duration) -> Result<()> {
        let end = clock::now() + time;
        while !self.peers.iter().all(|peer| peer.connected) {
            if clock::now() > end {
                let connected = self.peers.iter().filter(|peer| peer.connected).count();
                bail!("{connected} of {} connected in {time:?}", self.peers.len());
            }
            self.turn()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        self.hear()?;
        let now = clock::now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now)?;
        }
        self.network.wait(self.next_tick.saturating_duration_since(clock::now()))?;
        for _ in 0..BATCHES {
            let at = self.at(clock::now());
            let (peers, tally, datagrams) = (&mut self.peers, &mut self.tally, &mut self.datagrams);
            let more = self.network.receive(|index, from, bytes| match peers.get_mut(index) {
                Some(peer) => peer.receive(at, from, bytes, &mut Exit { datagrams, tally }),
                None => Ok(()),
            })?;
            if !more {
                break;
            }
        }
        self.network.send(&mut self.datagrams)
    }

    fn at(&self, now: Instant) -> At {
        At { now, nanos: now.saturating_duration_since(self.start).as_nanos() as u64 }
    }

    fn tick(&mut self, now: Instant) -> Result<()> {
        for index in 0..self.peers.len() {
            // Each packet's stamp is the time when it leaves, not when the tick began.
            let at = self.at(clock::now().max(now));
            let mut exit = Exit { datagrams: &mut self.datagrams, tally: &mut self.tally };
            self.peers[index].tick(at, self.sending, &mut exit)?;
            if self.datagrams.len() >= 6 {
                self.network.send(&mut self.datagrams)?;
            }
        }
        self.network.send(&mut self.datagrams)
    }

    fn hear(&mut self) -> Result<()> {
        while let Ok(message) = self.messages.1.try_recv() {
            match message {
                Message::Answer(index, sdp) => self.peers[index].take_answer(clock::now(), &sdp)?,
                Message::Offer(index, sdp, reply) => {
                    // Who does not wait for it any more has failed and said so.
                    let _ = reply.send(self.peers[index].answer(&sdp)?);
                }
                Message::Failed(index, error) => return Err(error.context(format!("signaling of peer {index}"))),
            }
        }
        Ok(())
    }
}
