//! What one published video packet costs, from the datagram in to the datagrams out, by the number of subscribers.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use roundturn_sfu::{
    Command, Config, Event, Offer, Output as SfuOutput, ParticipantId, RoomId, Sfu, SlotRequest, Source, TrackRequest,
};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Input, Output, Rtc, RtcConfig};

const PAYLOAD: usize = 1100;

criterion_group!(benches, forward);
criterion_main!(benches);

fn forward(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sfu/forward");
    for subscribers in [1_u8, 9, 25] {
        let mut room = Room::new(subscribers);
        group.throughput(Throughput::Elements(u64::from(subscribers)));
        group.bench_function(BenchmarkId::from_parameter(subscribers), |bencher| {
            bencher.iter_custom(|packets| (0..packets).map(|_| room.publish()).sum());
        });
        let (sent, due) = (room.sfu.stats().video_packets_out, room.published * u64::from(subscribers));
        assert!(sent * 100 >= due * 99, "of {due} packets {sent} were forwarded");
    }
}

/// One publisher and its subscribers, all in one virtual network without delay.
struct Room {
    now: Instant,
    sfu: Sfu,
    address: SocketAddr,
    peers: Vec<Peer>,
    sequence: u64,
    published: u64,
}

struct Peer {
    address: SocketAddr,
    rtc: Rtc,
    section: Mid,
}

impl Room {
    fn new(subscribers: u8) -> Self {
        let (now, address) = (Instant::now(), SocketAddr::from(([192, 0, 2, 1], 49160)));
        let config = Config {
            candidates: vec![address],
            tcp_candidates: Vec::new(),
            relays: (Vec::new(), 1..=1),
            shard: 0,
            audio_slots: 0,
            video_slots: 1,
            keyframe_cache: false,
            tracks: 1,
            participants: 100,
            unix: std::time::Duration::ZERO,
            clock: || std::time::Duration::ZERO,
        };
        let sfu = Sfu::new(now, config, [1; 32]);
        let mut room = Self { now, sfu, address, peers: Vec::new(), sequence: 0, published: 0 };
        (0..=subscribers).for_each(|number| room.enter(number));
        for _ in 0..200 {
            room.step();
        }
        room.publish();
        room.published = 0;
        assert_eq!(room.sfu.stats().connected, u64::from(subscribers) + 1);
        room
    }

    /// Someone joins; the first publishes, the others subscribe.
    fn enter(&mut self, number: u8) {
        let address = SocketAddr::from(([10, 0, 0, number], 5000));
        let mut rtc = RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_vp8(true).build(self.now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap()).unwrap();
        let direction = if number == 0 { Direction::SendOnly } else { Direction::RecvOnly };
        let mut api = rtc.sdp_api();
        let section = api.add_media(MediaKind::Video, direction, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let (room, participant, order) = (RoomId(1), ParticipantId(u64::from(number)), u64::from(number));
        let join =
            Command::Join { room, participant, order, may_publish: true, may_subscribe: true, may_message: true };
        self.sfu.handle_command(self.now, join);
        let track = TrackRequest { mid: section.to_string(), source: Source::Camera, name: String::new() };
        let (tracks, video) = if number == 0 { (vec![track], vec![]) } else { (vec![], vec![section.to_string()]) };
        let slots = SlotRequest { audio: Vec::new(), video };
        let sdp = offer.to_sdp_string();
        self.sfu.handle_command(self.now, Command::Offer(Offer { participant, generation: 1, sdp, tracks, slots }));
        let mut events = Vec::new();
        drain(&mut self.sfu, &mut events, &mut Vec::new());
        let answer = events.iter().find_map(|event| match event {
            Event::Answer { sdp, .. } => Some(SdpAnswer::from_sdp_string(sdp).unwrap()),
            _ => None,
        });
        rtc.sdp_api().accept_answer(pending, answer.unwrap()).unwrap();
        self.peers.push(Peer { address, rtc, section });
    }

    /// The time that the SFU takes for the next packet of the publisher.
    fn publish(&mut self) -> Duration {
        self.step();
        let publisher = &mut self.peers[0];
        let mut payload = vec![0x90, 0x80, 0x80, 0, 0x10];
        payload.resize(PAYLOAD, 0);
        self.sequence += 1;
        self.published += 1;
        let payload_type = publisher.rtc.media(publisher.section).unwrap().remote_pts()[0];
        let time = (self.sequence * 90) as u32;
        let write = RtpWrite::new(payload_type, self.sequence.into(), time, self.now, payload).marker(true);
        publisher.rtc.direct_api().stream_tx_by_mid(publisher.section, None).unwrap().write_rtp(write.nackable(true));
        let from = publisher.address;
        let datagrams = publisher.tick(self.now);
        let (mut spent, mut sent) = (Duration::ZERO, Vec::new());
        for bytes in datagrams {
            let begin = Instant::now();
            self.sfu.handle_datagram(self.now, self.address, from, &bytes);
            drain(&mut self.sfu, &mut Vec::new(), &mut sent);
            spent += begin.elapsed();
        }
        self.deliver(sent);
        spent
    }

    /// Five milliseconds pass for everyone: packets come at 1.8 Mbit/s, which no estimate holds back.
    fn step(&mut self) {
        self.now += Duration::from_millis(5);
        let mut sent = Vec::new();
        self.sfu.handle_timeout(self.now);
        drain(&mut self.sfu, &mut Vec::new(), &mut sent);
        for peer in &mut self.peers {
            for bytes in peer.tick(self.now) {
                self.sfu.handle_datagram(self.now, self.address, peer.address, &bytes);
            }
        }
        drain(&mut self.sfu, &mut Vec::new(), &mut sent);
        self.deliver(sent);
    }

    fn deliver(&mut self, sent: Vec<(SocketAddr, Vec<u8>)>) {
        for (to, bytes) in sent {
            let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == to) else { continue };
            if let Ok(packet) = Receive::new(Protocol::Udp, self.address, to, &bytes) {
                peer.rtc.handle_input(Input::Receive(self.now, packet)).unwrap();
                for reply in peer.drain() {
                    self.sfu.handle_datagram(self.now, self.address, to, &reply);
                }
            }
        }
    }
}

impl Peer {
    fn tick(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut out = self.drain();
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        out.extend(self.drain());
        out
    }

    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return out,
                Output::Transmit(transmit) => out.push(transmit.contents.to_vec()),
                Output::Event(_) => {}
            }
        }
    }
}

fn drain(sfu: &mut Sfu, events: &mut Vec<Event>, sent: &mut Vec<(SocketAddr, Vec<u8>)>) {
    loop {
        match sfu.poll() {
            SfuOutput::Timeout(_) => return,
            SfuOutput::Event(event) => events.push(event),
            SfuOutput::Transmit(transmit) => sent.push((transmit.remote, transmit.bytes)),
        }
    }
}
