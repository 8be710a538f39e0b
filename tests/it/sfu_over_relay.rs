//! A room whose participants reach the SFU only through relays of the same process.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use roundturn::shard::mailbox::ToShard;
use roundturn_sfu::{Command, Event as SfuEvent, Offer, ParticipantId, RoomId, SlotRequest, Source, TrackRequest};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::support::{Daemon, Options, behind_nat};
use crate::turn_client::{Heard, TurnClient};

#[test]
fn media_flows_over_relays_alike_with_and_without_the_shortcut() {
    for (shards, hairpin) in [(1, true), (1, false), (2, true)] {
        let daemon = Options { shards, hairpin, addresses: behind_nat(), ..Options::default() }.start();
        let heard = call(daemon);
        assert!(heard.len() >= 10, "{shards} shards, shortcut {hairpin}");
        assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "in order: {heard:?}");
    }
}

/// One speaks, the other listens: the numbers of the packets that arrived.
fn call(mut daemon: Daemon) -> Vec<u8> {
    let sfu = SocketAddr::new(behind_nat().external_v4.unwrap().into(), daemon.sfu_ports[0]);
    let mut speaker = Participant::new(&daemon, 1, sfu, Direction::SendOnly);
    let mut listener = Participant::new(&daemon, 2, sfu, Direction::RecvOnly);
    for participant in [&speaker, &listener] {
        let (id, order) = (participant.id, participant.id.0);
        let (may_publish, may_subscribe, may_message) = (true, true, true);
        send(
            &daemon,
            Command::Join { room: RoomId(1), participant: id, order, may_publish, may_subscribe, may_message },
        );
        send(&daemon, Command::Offer(participant.offer()));
    }
    let mut connected = 0;
    let end = clock() + Duration::from_secs(20);
    while listener.heard.len() < 10 {
        assert!(clock() < end, "{connected} connected, {:?} heard", listener.heard);
        while let Ok(message) = daemon.events.try_recv() {
            match message.event {
                SfuEvent::Answer { participant, sdp, .. } if participant == speaker.id => speaker.accept(&sdp),
                SfuEvent::Answer { sdp, .. } => listener.accept(&sdp),
                SfuEvent::Reached { stage: roundturn_sfu::Stage::Connected, .. } => connected += 1,
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
    listener.heard
}

fn send(daemon: &Daemon, command: Command) {
    daemon.shards.send(0, ToShard::Sfu(command)).unwrap();
}

/// A client of str0m whose only way out is its relay.
struct Participant {
    id: ParticipantId,
    turn: TurnClient,
    relay: SocketAddr,
    sfu: SocketAddr,
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
    fn new(daemon: &Daemon, id: u64, sfu: SocketAddr, direction: Direction) -> Self {
        let mut turn = TurnClient::new(daemon.listener, "participant");
        let relay = turn.allocate().unwrap();
        turn.permit(sfu).unwrap();
        turn.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let now = clock();
        let mut rtc = RtcConfig::new().set_rtp_mode(true).build(now);
        rtc.add_local_candidate(Candidate::host(relay, "udp").unwrap()).unwrap();
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, direction, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let (publishes, pending) = (direction == Direction::SendOnly, Some(pending));
        let (id, sdp, heard) = (ParticipantId(id), offer.to_sdp_string(), Vec::new());
        Self { id, turn, relay, sfu, rtc, mid, pending, sdp, publishes, spoken: 0, next: now, heard }
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
        self.spoken += 1;
        let payload_type = self.rtc.media(self.mid).unwrap().remote_pts()[0];
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid, None).unwrap();
        let (sequence, time) = (u64::from(self.spoken), u32::from(self.spoken) * 960);
        stream.write_rtp(RtpWrite::new(payload_type, sequence.into(), time, now, vec![0xfc, 1, 2, self.spoken]));
    }

    /// Moves packets between the engine and the relay, and lets time pass.
    fn pump(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    assert_eq!(transmit.destination, self.sfu, "the only candidate");
                    self.turn.send_indication(transmit.destination, &transmit.contents);
                }
                Output::Event(Event::RtpPacket(packet)) => self.heard.extend(packet.payload.last()),
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
        if let Some(heard) = self.turn.hear() {
            let Heard::Data(peer, bytes) = heard else { panic!("{heard:?}") };
            assert_eq!(peer, self.sfu, "by the name that was announced");
            let received = Receive::new(Protocol::Udp, peer, self.relay, &bytes).unwrap();
            self.rtc.handle_input(Input::Receive(clock(), received)).unwrap();
        } else {
            self.rtc.handle_input(Input::Timeout(clock())).unwrap();
        }
    }
}

#[allow(clippy::disallowed_methods)]
fn clock() -> Instant {
    Instant::now()
}
