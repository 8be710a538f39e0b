//! One peer connection of a participant, made of str0m.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use roundturn_sfu::Source;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::crypto::from_feature_flags;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::media::{Mark, Track};
use crate::tally::Tally;

/// Outputs of one drain and timeouts of one pump, far more than there are.
const BOUND: usize = 10_000;

/// What a peer connection sends and receives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// Whether it sends speech.
    pub microphone: bool,
    /// Whether it sends a picture.
    pub camera: bool,
    /// Sections for others' speech.
    pub audio_slots: usize,
    /// Sections for others' pictures.
    pub video_slots: usize,
}

/// An offer and what its sections are for.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// The offer.
    pub sdp: String,
    /// Section and source of each track.
    pub tracks: Vec<(String, &'static str)>,
    /// Sections for others' speech.
    pub audio: Vec<String>,
    /// Sections for others' pictures.
    pub video: Vec<String>,
}

/// Makes peers that share one certificate.
pub struct Maker {
    crypto: Arc<CryptoProvider>,
    certificate: Option<DtlsCert>,
}

/// A datagram to send.
pub struct Outgoing {
    /// Where from.
    pub from: SocketAddr,
    /// Where to.
    pub to: SocketAddr,
    /// The datagram.
    pub bytes: Vec<u8>,
}

/// A peer connection.
pub struct Peer {
    /// Its number, and its number as a publisher.
    pub index: usize,
    /// Where it sends from.
    pub address: SocketAddr,
    /// Whether DTLS is up.
    pub connected: bool,
    /// What it sends.
    pub tracks: Vec<Track>,
    /// RTP packets that reached it, whoever sent them.
    pub packets: u64,
    rtc: Rtc,
    deadline: Instant,
    pending: Option<SdpPendingOffer>,
}

impl Maker {
    /// Makes the certificate.
    pub fn new() -> Self {
        let crypto = Arc::new(from_feature_flags());
        let certificate = crypto.dtls_provider.generate_certificate();
        Self { crypto, certificate }
    }

    /// A peer that has no sections yet.
    pub fn make(&self, now: Instant, index: usize, address: SocketAddr) -> Result<Peer> {
        let mut config = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        if let Some(certificate) = &self.certificate {
            config = config.set_dtls_cert(certificate.clone());
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp")?).context("its own address")?;
        Ok(Peer { index, address, connected: false, tracks: Vec::new(), packets: 0, rtc, deadline: now, pending: None })
    }
}

impl Peer {
    /// Offers sections of this shape; its tracks send `factor` times as often as real ones.
    pub fn offer(&mut self, shape: Shape, factor: u32) -> Result<Offer> {
        let mut offer = Offer::default();
        let mut api = self.rtc.sdp_api();
        let mut add = |kind, direction| api.add_media(kind, direction, None, None, None);
        let mut tracks = Vec::new();
        if shape.microphone {
            tracks.push((add(MediaKind::Audio, Direction::SendOnly), Source::Microphone, "microphone"));
        }
        if shape.camera {
            tracks.push((add(MediaKind::Video, Direction::SendOnly), Source::Camera, "camera"));
        }
        offer.audio = (0..shape.audio_slots).map(|_| add(MediaKind::Audio, Direction::RecvOnly).to_string()).collect();
        offer.video = (0..shape.video_slots).map(|_| add(MediaKind::Video, Direction::RecvOnly).to_string()).collect();
        let (sdp, pending) = api.apply().context("an offer with something in it")?;
        offer.sdp = sdp.to_sdp_string();
        offer.tracks = tracks.iter().map(|(mid, _, name)| (mid.to_string(), *name)).collect();
        let index = self.index as u16;
        self.tracks = tracks.into_iter().map(|(mid, source, _)| Track::new(mid, source, index, factor)).collect();
        self.pending = Some(pending);
        Ok(offer)
    }

    /// Takes the answer to its offer, and begins to connect.
    pub fn take_answer(&mut self, now: Instant, sdp: &str) -> Result<()> {
        self.deadline = now;
        let pending = self.pending.take().context("an answer without an offer")?;
        Ok(self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(sdp)?)?)
    }

    /// Answers an offer.
    pub fn answer(&mut self, sdp: &str) -> Result<String> {
        Ok(self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp)?)?.to_sdp_string())
    }

    /// Takes a datagram.
    pub fn receive(&mut self, at: At, from: SocketAddr, bytes: &[u8], out: &mut Exit<'_>) -> Result<()> {
        if let Ok(packet) = Receive::new(Protocol::Udp, from, self.address, bytes) {
            self.rtc.handle_input(Input::Receive(at.now, packet))?;
            self.drain(at, out)?;
        }
        Ok(())
    }

    /// Lets time pass, and sends what is due.
    pub fn tick(&mut self, at: At, sending: bool, out: &mut Exit<'_>) -> Result<()> {
        if sending && self.connected {
            let mut tracks = std::mem::take(&mut self.tracks);
            for track in &mut tracks {
                if track.is_due(at.now) {
                    self.send(at, track, out)?;
                }
            }
            self.tracks = tracks;
        }
        for _ in 0..BOUND {
            if self.deadline > at.now {
                return Ok(());
            }
            self.rtc.handle_input(Input::Timeout(at.now))?;
            self.drain(at, out)?;
        }
        Ok(())
    }

    fn send(&mut self, at: At, track: &mut Track, out: &mut Exit<'_>) -> Result<()> {
        let payload_type = self.payload_type(track.mid)?;
        for write in track.frame(at.now, at.nanos, payload_type) {
            let mut api = self.rtc.direct_api();
            api.stream_tx_by_mid(track.mid, None).context("a stream of its own")?.write_rtp(write);
            self.drain(at, out)?;
            self.rtc.handle_input(Input::Timeout(at.now))?;
            self.drain(at, out)?;
        }
        Ok(())
    }

    fn payload_type(&self, mid: Mid) -> Result<str0m::media::Pt> {
        let media = self.rtc.media(mid).context("a section of its own")?;
        media.remote_pts().first().copied().context("a codec in common")
    }

    fn drain(&mut self, at: At, out: &mut Exit<'_>) -> Result<()> {
        for _ in 0..BOUND {
            match self.rtc.poll_output()? {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return Ok(());
                }
                Output::Transmit(transmit) => out.datagrams.push(Outgoing {
                    from: self.address,
                    to: transmit.destination,
                    bytes: transmit.contents.into(),
                }),
                Output::Event(Event::RtpPacket(packet)) => {
                    self.packets += 1;
                    if let Some(mark) = Mark::of(&packet.payload) {
                        out.tally.add(self.index, at.nanos, mark);
                    }
                }
                Output::Event(Event::KeyframeRequest(request)) => {
                    let track = self.tracks.iter_mut().find(|track| track.mid == request.mid);
                    track.into_iter().for_each(|track| track.keyframe_due = true);
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(_) => {}
            }
        }
        ensure!(self.rtc.is_alive(), "a peer connection has ended");
        Ok(())
    }
}

/// The time of one turn of the load.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// As engines want it.
    pub now: Instant,
    /// Nanoseconds since the start of the load.
    pub nanos: u64,
}

/// Where a peer's outputs go.
pub struct Exit<'a> {
    /// Datagrams to send.
    pub datagrams: &'a mut Vec<Outgoing>,
    /// What arrived.
    pub tally: &'a mut Tally,
}
