//! A client made of str0m: sends what looks like Opus and VP8, and writes down what it gets.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use roundturn_sfu::{ParticipantId, SlotRequest, Source, TrackRequest};
use str0m::change::{SdpAnswer, SdpApi, SdpPendingOffer};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::data::Data;

/// What a client can and wants.
#[derive(Clone, Copy)]
pub struct Setup {
    pub microphone: bool,
    pub camera: bool,
    pub audio_slots: usize,
    pub video_slots: usize,
    /// Payload types of Opus, VP8 and VP8's retransmissions.
    pub payload_types: (u8, u8, u8),
    /// VP8 where this is false, else H264 only.
    pub h264: bool,
    /// Whether the camera comes in three layers.
    pub simulcast: bool,
    /// Whether the one layer of a camera without simulcast takes 2.6 Mbit/s.
    pub heavy: bool,
    /// Over TCP in place of UDP.
    pub tcp: bool,
    /// Whether its speech comes with redundancy (RFC 2198), Opus being 111 and that 63.
    pub red: bool,
}

/// The layers of a camera: rid, height, bytes of a frame. Without simulcast there is only the one of 360 lines.
const LAYERS: [(&str, u16, usize); 3] = [("q", 180, 250), ("h", 360, 1000), ("f", 720, 3750)];
/// The payload type of redundant speech.
pub const RED: u8 = 63;
/// Two blocks of Opus: the older has three bytes, the own one follows.
pub const RED_BLOCK: [u8; 8] = [0x80 | 111, 0x0f, 0, 3, 111, 0xfc, 1, 2];
/// Bytes of a frame without layers.
const LIGHT: usize = 450;
const HEAVY: usize = 6500;
/// What one packet of a layer carries at most.
const PIECE: usize = 1000;

impl Default for Setup {
    fn default() -> Self {
        let payload_types = (111, 96, 97);
        Self {
            microphone: true,
            camera: true,
            audio_slots: 2,
            video_slots: 2,
            payload_types,
            h264: false,
            simulcast: false,
            heavy: false,
            tcp: false,
            red: false,
        }
    }
}

/// One RTP packet that reached a client.
#[derive(Debug, Clone)]
pub struct Received {
    pub at: Instant,
    pub mid: String,
    pub payload_type: u8,
    pub sequence: u64,
    pub timestamp: u32,
    /// What the last sender report said: the wall clock's time and the timestamp.
    pub wall: Option<(SystemTime, u32)>,
    pub payload: Vec<u8>,
}

impl Received {
    /// The client that sent it.
    pub fn sender(&self) -> u8 {
        self.payload[self.payload.len() - 5]
    }

    /// The sender's count of frames.
    pub fn frame(&self) -> u32 {
        u32::from_be_bytes(self.payload[self.payload.len() - 4..].try_into().unwrap())
    }

    /// The height of the layer that it is of.
    pub fn height(&self) -> u16 {
        u16::from_le_bytes([self.payload[14], self.payload[15]])
    }

    /// The VP8 picture id.
    pub fn picture(&self) -> u16 {
        u16::from_be_bytes([self.payload[2] & 0x7f, self.payload[3]])
    }

    pub fn is_keyframe(&self) -> bool {
        self.payload.len() > 6 && self.payload[6] & 1 == 0
    }
}

/// The sections of a client's peer connection.
#[derive(Default, Clone)]
pub struct Sections {
    pub microphone: Option<Mid>,
    pub camera: Option<Mid>,
    pub audio_slots: Vec<Mid>,
    pub video_slots: Vec<Mid>,
}

pub struct Client {
    pub id: ParticipantId,
    pub address: SocketAddr,
    protocol: Protocol,
    red: bool,
    heavy: bool,
    pub rtc: Rtc,
    pub deadline: Instant,
    pub generation: u64,
    pub sections: Sections,
    pub pending: Option<SdpPendingOffer>,
    pub connected: bool,
    pub received: Vec<Received>,
    pub keyframe_requests: Vec<Instant>,
    /// The same with the layers that they were for.
    pub layer_requests: Vec<(Rid, Instant)>,
    /// Which of its layers it sends.
    pub active: [bool; 3],
    pub obedient: bool,
    pub talking: bool,
    pub level: i8,
    pub audio_sequence: u64,
    pub video_sequence: u64,
    pub sdp: String,
    /// Whether it left.
    pub gone: bool,
    pub data: Data,
    frame: u32,
    keyframe_due: [bool; 3],
    layer_sequences: [u64; 3],
    next_media: Instant,
    now: Instant,
}

impl std::ops::Deref for Client {
    type Target = Sections;

    fn deref(&self) -> &Sections {
        &self.sections
    }
}

impl Client {
    pub fn new(now: Instant, number: u8, setup: Setup) -> Self {
        let address = SocketAddr::from(([10, 0, 0, number], 5000));
        let mut config = RtcConfig::new().set_rtp_mode(true).clear_codecs();
        let (opus, video, retransmission) = setup.payload_types;
        let codecs = config.codec_config();
        let format = FormatParams { min_p_time: Some(10), use_inband_fec: Some(true), ..FormatParams::default() };
        if setup.red {
            codecs.enable_opus(true, true);
        } else {
            codecs.add_config(opus.into(), None, Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2), format);
        }
        if setup.h264 {
            codecs.add_h264(video.into(), Some(retransmission.into()), true, 0x42_e01f);
        } else {
            let format = FormatParams::default();
            let rtx = Some(retransmission.into());
            codecs.add_config(video.into(), rtx, Codec::Vp8, Frequency::NINETY_KHZ, None, format);
        }
        let mut rtc = config.build(now);
        let protocol = if setup.tcp { Protocol::Tcp } else { Protocol::Udp };
        rtc.add_local_candidate(Candidate::host(address, protocol).unwrap()).unwrap();
        let mut client = Self {
            id: ParticipantId(u64::from(number)),
            address,
            protocol,
            red: setup.red,
            heavy: setup.heavy,
            rtc,
            deadline: now,
            generation: 0,
            sections: Sections::default(),
            pending: None,
            connected: false,
            received: Vec::new(),
            keyframe_requests: Vec::new(),
            layer_requests: Vec::new(),
            active: [true; 3],
            obedient: true,
            talking: true,
            level: -30,
            audio_sequence: 100 * u64::from(number),
            video_sequence: 1000 * u64::from(number),
            sdp: String::new(),
            gone: false,
            data: Data::default(),
            frame: 0,
            keyframe_due: [true; 3],
            layer_sequences: [100, 65_000, 3],
            next_media: now,
            now,
        };
        client.plan(setup);
        client
    }

    /// Changes sections and offers that.
    pub fn replan(&mut self, change: impl FnOnce(&mut SdpApi<'_>, &mut Sections)) -> roundturn_sfu::Offer {
        let mut api = self.rtc.sdp_api();
        change(&mut api, &mut self.sections);
        let (offer, pending) = api.apply().unwrap();
        self.generation += 1;
        self.pending = Some(pending);
        self.sdp = offer.to_sdp_string();
        self.offer(self.sdp.clone())
    }

    fn plan(&mut self, setup: Setup) {
        self.replan(|api, sections| {
            let mut simulcast = Simulcast::new();
            LAYERS.iter().for_each(|(rid, _, _)| simulcast.add_send_layer(SimulcastLayer::new(rid)));
            let simulcast = setup.simulcast.then_some(simulcast);
            let camera = || api.add_media(MediaKind::Video, Direction::SendOnly, None, None, simulcast);
            sections.camera = setup.camera.then(camera);
            let mut add = |kind, direction| api.add_media(kind, direction, None, None, None);
            sections.microphone = setup.microphone.then(|| add(MediaKind::Audio, Direction::SendOnly));
            let audio = (0..setup.audio_slots).map(|_| add(MediaKind::Audio, Direction::RecvOnly)).collect();
            let video = (0..setup.video_slots).map(|_| add(MediaKind::Video, Direction::RecvOnly)).collect();
            (sections.audio_slots, sections.video_slots) = (audio, video);
        });
    }

    pub fn offer(&self, sdp: String) -> roundturn_sfu::Offer {
        let source = |mid: Option<Mid>, source| {
            mid.map(|mid| TrackRequest { mid: mid.to_string(), source, name: String::new() })
        };
        let names = |mids: &[Mid]| mids.iter().map(ToString::to_string).collect();
        roundturn_sfu::Offer {
            participant: self.id,
            generation: self.generation,
            sdp,
            tracks: source(self.sections.microphone, Source::Microphone)
                .into_iter()
                .chain(source(self.sections.camera, Source::Camera))
                .collect(),
            slots: SlotRequest { audio: names(&self.sections.audio_slots), video: names(&self.sections.video_slots) },
        }
    }

    pub fn take_answer(&mut self, sdp: &str) {
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// Lets time pass, sends media that is due, and returns what is to be sent.
    pub fn tick(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        self.now = now;
        let mut out = self.drain();
        if self.next_media <= now {
            self.next_media = now + Duration::from_millis(20);
            if self.connected && self.talking {
                self.send_audio(now);
                out.extend(self.drain());
                self.send_video(now);
                out.extend(self.drain());
            }
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        out.extend(self.drain());
        out
    }

    pub fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        self.now = now;
        if let Ok(packet) = Receive::new(self.protocol, from, self.address, bytes) {
            let _ = self.rtc.handle_input(Input::Receive(now, packet));
        }
    }

    /// Is no more.
    pub fn leave(&mut self) {
        self.gone = true;
    }

    /// When something is to be done next.
    pub fn next(&self) -> Instant {
        self.deadline.min(self.next_media)
    }

    /// Packets that came into a slot.
    pub fn in_slot(&self, mid: Mid) -> Vec<&Received> {
        let name = mid.to_string();
        self.received.iter().filter(|packet| packet.mid == name).collect()
    }

    fn send_audio(&mut self, now: Instant) {
        let Some(mid) = self.sections.microphone else { return };
        let payload_type = if self.red { RED.into() } else { self.rtc.media(mid).unwrap().remote_pts()[0] };
        self.audio_sequence += 1;
        let mut payload = if self.red { RED_BLOCK.to_vec() } else { Vec::new() };
        payload.extend([0xfc, 1, 2, 3]);
        payload.push(self.id.0 as u8);
        payload.extend(self.frame.to_be_bytes());
        let values =
            ExtensionValues { audio_level: Some(self.level), voice_activity: Some(true), ..ExtensionValues::default() };
        let time = (self.audio_sequence * 960) as u32;
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None).unwrap();
        stream.write_rtp(RtpWrite::new(payload_type, self.audio_sequence.into(), time, now, payload).ext_vals(values));
    }

    fn send_video(&mut self, now: Instant) {
        let Some(mid) = self.sections.camera else { return };
        self.frame += 1;
        let is_simulcast = self.rtc.direct_api().stream_tx_by_mid(mid, Some(LAYERS[0].0.into())).is_some();
        for (layer, (rid, _, _)) in LAYERS.iter().enumerate() {
            if is_simulcast && self.active[layer] {
                self.send_frame(now, mid, layer, Some((*rid).into()));
            } else if !is_simulcast && layer == 1 {
                self.send_frame(now, mid, layer, None);
            }
        }
    }

    fn send_frame(&mut self, now: Instant, mid: Mid, layer: usize, rid: Option<Rid>) {
        let payload_type = self.rtc.media(mid).unwrap().remote_pts()[0];
        let keyframe = std::mem::take(&mut self.keyframe_due[layer]);
        let (_, height, bytes) = LAYERS[layer];
        let bytes = if rid.is_some() { bytes } else { [LIGHT, HEAVY][usize::from(self.heavy)] };
        let picture = (self.frame as u16).wrapping_add(layer as u16 * 1000) & 0x7fff;
        let (tl0, [height_low, height_high]) = (self.frame as u8, height.to_le_bytes());
        let pieces = if bytes == LIGHT { 2 } else { bytes.div_ceil(PIECE) } + usize::from(keyframe);
        for piece in 0..pieces {
            let sequence = if rid.is_some() { &mut self.layer_sequences[layer] } else { &mut self.video_sequence };
            *sequence += 1;
            let start = if piece == 0 { 0x10 } else { 0 };
            let mut payload = vec![0x80 | start, 0xe0, 0x80 | (picture >> 8) as u8, picture as u8, tl0, 0];
            payload.push(if keyframe && piece == 0 { 0x10 } else { 0x11 });
            payload.extend([0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, height_low, height_high]);
            payload.extend(vec![7; bytes / pieces - 21]);
            payload.push(self.id.0 as u8);
            payload.extend(self.frame.to_be_bytes());
            // Each layer's clock starts somewhere else.
            let time = self.frame.wrapping_mul(1800).wrapping_add(layer as u32 * 1_000_000);
            let write = RtpWrite::new(payload_type, (*sequence).into(), time, now, payload);
            let mut api = self.rtc.direct_api();
            let stream = api.stream_tx_by_mid(mid, rid).unwrap();
            stream.write_rtp(write.marker(piece + 1 == pieces).nackable(true));
        }
    }

    fn drain(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut out = Vec::new();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return out;
                }
                Output::Transmit(transmit) => out.push((transmit.destination, transmit.contents.to_vec())),
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::RtpPacket(packet) => self.note_packet(packet),
            Event::KeyframeRequest(request) => {
                self.keyframe_requests.push(self.now);
                self.layer_requests.extend(request.rid.map(|rid| (rid, self.now)));
                let layer = LAYERS.iter().position(|(rid, _, _)| request.rid == Some(Rid::from(*rid)));
                self.keyframe_due[layer.unwrap_or(1)] |= self.obedient;
            }
            other => self.data.note(other),
        }
    }

    fn note_packet(&mut self, packet: RtpPacket) {
        let mid = self.rtc.direct_api().stream_rx(&packet.header.ssrc).map(|stream| stream.mid().to_string());
        let Some(mid) = mid.filter(|_| !packet.payload.is_empty()) else { return };
        self.received.push(Received {
            at: packet.timestamp,
            mid,
            payload_type: *packet.header.payload_type,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            wall: packet.last_sender_info.map(|info| (info.ntp_time, info.rtp_time.numer() as u32)),
            payload: packet.payload.to_vec(),
        });
    }
}
