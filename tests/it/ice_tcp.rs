//! ICE-TCP on the port for TURN, whichever shard a stream comes to; and answers that leave from the address that was hit.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use roundturn::shard::mailbox::ToShard;
use roundturn_sfu::{
    Command, Event as SfuEvent, Offer, ParticipantId, Path, RoomId, SlotRequest, Source, TrackRequest,
};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::stream_link::StreamLink;
use crate::support::{Daemon, Options};
use crate::turn_client::TurnClient;

#[test]
fn media_flows_over_streams_whichever_shard_they_come_to() {
    for (shards, home) in [(1, 0), (3, 0), (3, 2)] {
        let mut daemon = Options { shards, ..Options::default() }.start();
        let door = daemon.listener;
        let speaker = Participant::new(1, Direction::SendOnly, |rtc| Way::over_tcp(rtc, door));
        let listener = Participant::new(2, Direction::RecvOnly, |rtc| Way::over_tcp(rtc, door));
        let call = call(&mut daemon, home, speaker, listener);
        assert!(call.heard.len() >= 10 && call.heard.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", call.heard);
        assert_eq!(call.paths, [Path::Tcp; 2]);
        // TURN goes on at the same port.
        let mut turn = TurnClient::over(StreamLink::tcp(door), door, "alice");
        turn.allocate().unwrap();
    }
}

#[test]
fn who_speaks_over_tcp_and_who_listens_over_udp_are_in_one_room() {
    let mut daemon = Options::default().start();
    let (door, sfu) = (daemon.listener, SocketAddr::new(daemon.listener.ip(), daemon.sfu_ports[0]));
    let speaker = Participant::new(1, Direction::SendOnly, |rtc| Way::over_tcp(rtc, door));
    let listener = Participant::new(2, Direction::RecvOnly, |rtc| Way::over_udp(rtc, sfu));
    assert!(call(&mut daemon, 0, speaker, listener).heard.len() >= 10);
}

/// Each of the two only takes what comes from the address that it has sent to.
#[test]
fn answers_leave_from_the_address_that_was_hit() {
    let mut options = Options::default();
    options.addresses.others = vec![[127, 0, 0, 2].into(), [127, 0, 0, 3].into()];
    let mut daemon = options.start();
    let port = daemon.sfu_ports[0];
    let at = |host| SocketAddr::from(([127, 0, 0, host], port));
    let speaker = Participant::new(1, Direction::SendOnly, |rtc| Way::over_udp(rtc, at(2)));
    let listener = Participant::new(2, Direction::RecvOnly, |rtc| Way::over_udp(rtc, at(1)));
    let call = call(&mut daemon, 0, speaker, listener);
    assert!(call.heard.len() >= 10);
    for host in [1, 2, 3] {
        assert!(call.answer.contains(&format!(" 127.0.0.{host} {port} typ host")), "{}", call.answer);
    }
}

#[test]
fn streams_of_strangers_end_and_reach_nobody() {
    let daemon = Options { shards: 2, ..Options::default() }.start();
    for ufrag in ["aaaaaaaabbbbbbbb", "aaabaaaabbbbbbbb", "aaazaaaabbbbbbbb", "short", ""] {
        let link = StreamLink::tcp(daemon.listener);
        link.write(&framed(&check(ufrag)));
        assert!(link.is_closed(), "{ufrag}");
    }
    for bytes in [
        // A frame that is longer than any, behind what looks like the beginning of a check.
        &[0x08, 0x01, 0, 1, 0, 80, 0x21, 0x12, 0xa4, 0x42][..],
        // A check that is cut off by its frame, and frames of nothing.
        &[0, 8, 0, 1, 0, 80, 0x21, 0x12, 0xa4, 0x42, 0, 0],
    ] {
        let link = StreamLink::tcp(daemon.listener);
        link.write(bytes);
        assert!(link.is_closed(), "{bytes:?}");
    }
}

/// What came of a call.
struct Call {
    heard: Vec<u8>,
    /// How each participant is said to reach us.
    paths: Vec<Path>,
    answer: String,
}

/// One speaks, the other listens, in a room of shard `home`, until enough is heard and something is said of both ways.
fn call(daemon: &mut Daemon, home: usize, mut speaker: Participant, mut listener: Participant) -> Call {
    for participant in [&speaker, &listener] {
        let (id, order) = (participant.id, participant.id.0);
        let (may_publish, may_subscribe) = (true, true);
        let join =
            Command::Join { room: RoomId(1), participant: id, order, may_publish, may_subscribe, may_message: true };
        for command in [join, Command::Offer(participant.offer())] {
            daemon.shards.send(home, ToShard::Sfu(command)).unwrap();
        }
    }
    let (mut connected, mut paths, mut answer) = (0, Vec::new(), String::new());
    let end = clock() + Duration::from_secs(20);
    while listener.heard.len() < 10 || paths.len() < 2 {
        assert!(clock() < end, "{connected} connected, {:?} heard, {paths:?}", listener.heard);
        while let Ok(message) = daemon.events.try_recv() {
            match message.event {
                SfuEvent::Answer { participant, sdp, .. } => {
                    if participant == speaker.id { &mut speaker } else { &mut listener }.accept(&sdp);
                    answer = sdp;
                }
                SfuEvent::Reached { stage: roundturn_sfu::Stage::Connected, .. } => connected += 1,
                SfuEvent::Quality { path, .. } => paths.push(path),
                SfuEvent::Rejected { message, .. } => panic!("{message}"),
                _ => {}
            }
        }
        if connected == 2 {
            speaker.speak();
        }
        speaker.pump();
        listener.pump();
    }
    Call { heard: listener.heard, paths, answer }
}

/// A client's only way to the SFU.
enum Way {
    Udp { socket: UdpSocket, sfu: SocketAddr },
    Tcp { stream: TcpStream, door: SocketAddr, waiting: Vec<u8> },
}

impl Way {
    fn over_udp(rtc: &mut Rtc, sfu: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap()).unwrap();
        Self::Udp { socket, sfu }
    }

    fn over_tcp(rtc: &mut Rtc, door: SocketAddr) -> Self {
        let stream = TcpStream::connect(door).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        stream.set_nodelay(true).unwrap();
        rtc.add_local_candidate(Candidate::host(stream.local_addr().unwrap(), "tcp").unwrap()).unwrap();
        Self::Tcp { stream, door, waiting: Vec::new() }
    }

    fn send(&mut self, to: SocketAddr, protocol: Protocol, bytes: &[u8]) {
        match self {
            Self::Udp { socket, sfu } if to == *sfu && protocol == Protocol::Udp => {
                socket.send_to(bytes, to).unwrap();
            }
            Self::Tcp { stream, door, .. } if to == *door && protocol == Protocol::Tcp => {
                stream.write_all(&framed(bytes)).unwrap();
            }
            // Another candidate, which this client cannot reach.
            _ => {}
        }
    }

    /// What came, from the one address that it may come from.
    fn hear(&mut self) -> Option<Vec<u8>> {
        let mut bytes = [0; 4096];
        match self {
            Self::Udp { socket, sfu } => {
                let (len, from) = socket.recv_from(&mut bytes).ok()?;
                assert_eq!(from, *sfu, "from the address that was hit");
                Some(bytes[..len].to_vec())
            }
            Self::Tcp { stream, waiting, .. } => {
                match stream.read(&mut bytes) {
                    Ok(0) => panic!("the stream was closed"),
                    Ok(len) => waiting.extend_from_slice(&bytes[..len]),
                    Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
                }
                let len = usize::from(u16::from_be_bytes(*waiting.first_chunk()?));
                let frame = waiting.get(2..2 + len)?.to_vec();
                waiting.drain(..2 + len);
                Some(frame)
            }
        }
    }

    fn ends(&self) -> (Protocol, SocketAddr, SocketAddr) {
        match self {
            Self::Udp { socket, sfu } => (Protocol::Udp, *sfu, socket.local_addr().unwrap()),
            Self::Tcp { stream, door, .. } => (Protocol::Tcp, *door, stream.local_addr().unwrap()),
        }
    }
}

/// A client of str0m with one section.
struct Participant {
    id: ParticipantId,
    way: Way,
    rtc: Rtc,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    sdp: String,
    publishes: bool,
    spoken: u8,
    next: Instant,
    heard: Vec<u8>,
}

impl Participant {
    fn new(id: u64, direction: Direction, way: impl FnOnce(&mut Rtc) -> Way) -> Self {
        let now = clock();
        let mut rtc = RtcConfig::new().set_rtp_mode(true).build(now);
        let way = way(&mut rtc);
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, direction, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let (publishes, pending) = (direction == Direction::SendOnly, Some(pending));
        let (id, sdp, heard) = (ParticipantId(id), offer.to_sdp_string(), Vec::new());
        Self { id, way, rtc, mid, pending, sdp, publishes, spoken: 0, next: now, heard }
    }

    fn offer(&self) -> Offer {
        let mid = self.mid.to_string();
        let (mut tracks, mut slots) = (Vec::new(), SlotRequest::default());
        if self.publishes {
            tracks.push(TrackRequest { mid, source: Source::Microphone, name: String::new() });
        } else {
            slots.audio.push(mid);
        }
        Offer { participant: self.id, generation: 1, sdp: self.sdp.clone(), tracks, slots }
    }

    fn accept(&mut self, sdp: &str) {
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// A packet each 20 ms.
    fn speak(&mut self) {
        let now = clock();
        if now < self.next {
            return;
        }
        self.next = now + Duration::from_millis(20);
        self.spoken = self.spoken.wrapping_add(1);
        let payload_type = self.rtc.media(self.mid).unwrap().remote_pts()[0];
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid, None).unwrap();
        let (sequence, time) = (u64::from(self.spoken), u32::from(self.spoken) * 960);
        stream.write_rtp(RtpWrite::new(payload_type, sequence.into(), time, now, vec![0xfc, 1, 2, self.spoken]));
    }

    /// Moves packets, and lets time pass.
    fn pump(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    self.way.send(transmit.destination, transmit.proto, &transmit.contents);
                }
                Output::Event(Event::RtpPacket(packet)) => self.heard.extend(packet.payload.last()),
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
        let (protocol, sfu, own) = self.way.ends();
        if let Some(bytes) = self.way.hear() {
            let received = Receive::new(protocol, sfu, own, &bytes).unwrap();
            self.rtc.handle_input(Input::Receive(clock(), received)).unwrap();
        } else {
            self.rtc.handle_input(Input::Timeout(clock())).unwrap();
        }
    }
}

/// A Binding request to `ufrag` with a wrong password.
fn check(ufrag: &str) -> Vec<u8> {
    let username = format!("{ufrag}:peer");
    let mut body = vec![0, 6, 0, username.len() as u8];
    body.extend(username.bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0, 0x24, 0, 4, 1, 2, 3, 4, 0, 0x08, 0, 20]);
    body.extend([0; 20]);
    let header = [0, 1, 0, body.len() as u8, 0x21, 0x12, 0xa4, 0x42, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
    [&header[..], &body].concat()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

#[allow(clippy::disallowed_methods)]
fn clock() -> Instant {
    Instant::now()
}
