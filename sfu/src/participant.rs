//! One participant and its engine: the only owner of an `Rtc`.

mod accept;
mod channels;
mod drain;
mod pump;
mod send;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use str0m::format::PayloadParams;
use str0m::media::{KeyframeRequestKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::Ssrc;
use str0m::{IceCreds, Input, Rtc};

use crate::allotment::Allotment;
use crate::checks::Checks;
use crate::command::Wish;
use crate::guard::Guard;
use crate::pulse::Pulse;
use crate::quality::Link;
use crate::route::{Route, Routes, Source};
use crate::rtp::{self, DTLS};
use crate::sender::{Sender, WallClock};
use crate::slots::Slots;
use crate::stages::{Stage, Stages};
use crate::work::Work;
use crate::{ParticipantId, RoomId, TrackId, Transport, engine, handshake};

/// For so long after data went either way, an engine may have to acknowledge it or to send it again.
const DATA_LASTS: Duration = Duration::from_secs(10);
/// SSRCs whose section is remembered; beyond them all are looked up anew.
const SOURCES: usize = 64;
pub(crate) use channels::{Channels, Handed, Lane, MESSAGE};
pub(crate) use drain::{Happening, Outbox};
use drain::{Hold, drain};
pub(crate) use pump::TOGETHER;

/// How a participant tells the time beyond what it is told.
#[derive(Clone, Copy)]
pub(crate) struct Clocks {
    /// [`Config::clock`](crate::Config::clock).
    pub(crate) worked: fn() -> Duration,
    pub(crate) wall: WallClock,
}

/// Someone in a room.
pub(crate) struct Participant {
    pub(crate) key: usize,
    pub(crate) id: ParticipantId,
    pub(crate) room: RoomId,
    pub(crate) order: u64,
    /// When it joined, and the last track that there was.
    pub(crate) joined: (Instant, TrackId),
    /// Whether it was shown anything.
    pub(crate) pictured: bool,
    pub(crate) may_publish: bool,
    pub(crate) may_subscribe: bool,
    pub(crate) may_message: bool,
    /// The number of the last offer that was taken.
    pub(crate) generation: Option<u64>,
    /// The sections of the last offer that was taken.
    pub(crate) sections: Vec<(String, Option<crate::Kind>)>,
    pub(crate) checks: Checks,
    /// The client's certificate: another one means another peer connection.
    pub(crate) fingerprint: String,
    pub(crate) published: Vec<(Mid, TrackId)>,
    pub(crate) slots: Slots,
    /// How large it shows which track, as it said last.
    pub(crate) wishes: HashMap<TrackId, Wish, RandomState>,
    pub(crate) allotment: Allotment,
    pub(crate) link: Link,
    pub(crate) channels: Channels,
    /// What it may send.
    pub(crate) guard: Guard,
    /// What its engine may take of our time.
    work: Work,
    pub(crate) routes: Routes,
    pub(crate) pulse: Pulse,
    /// Whether media can flow: DTLS is up.
    pub(crate) connected: bool,
    /// How far its media has come.
    stages: Stages,
    pub(crate) deadline: Option<Instant>,
    /// The time that the engine was told last.
    fed: Option<Instant>,
    /// When it was given or gave something last, or how long that occupies it: media or data, no checks and no reports.
    busy: Option<Instant>,
    /// Whether it was handed something that leaves with the next [`Self::pump`].
    pub(crate) pending: bool,
    /// What leaves past the engine.
    pub(crate) sender: Sender,
    engine: Option<Box<Rtc>>,
    sources: Vec<(Ssrc, Mid, Option<Rid>)>,
    #[cfg(test)]
    pub(crate) sabotaged: bool,
}

impl Participant {
    /// Someone who just joined and has no engine yet.
    pub(crate) fn new(
        key: usize,
        id: ParticipantId,
        room: RoomId,
        order: u64,
        may: (bool, bool, bool),
        joined: (Instant, TrackId),
        clocks: Clocks,
    ) -> Self {
        Self {
            key,
            id,
            room,
            order,
            joined,
            pictured: false,
            may_publish: may.0,
            may_subscribe: may.1,
            may_message: may.2,
            generation: None,
            sections: Vec::new(),
            checks: Checks::default(),
            fingerprint: String::new(),
            published: Vec::new(),
            slots: Slots::default(),
            wishes: HashMap::default(),
            allotment: Allotment::default(),
            link: Link::default(),
            channels: Channels::default(),
            guard: Guard::default(),
            work: Work::new(clocks.worked),
            routes: Routes::default(),
            pulse: Pulse::default(),
            connected: false,
            stages: Stages::default(),
            deadline: None,
            fed: None,
            busy: None,
            pending: false,
            sender: Sender::new(clocks.wall),
            engine: None,
            sources: Vec::new(),
            #[cfg(test)]
            sabotaged: false,
        }
    }

    /// Whether an offer was taken and its engine lives.
    pub(crate) fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// The ICE credentials that the engine answers under now.
    pub(crate) fn credentials(&mut self, out: &mut Outbox) -> Option<IceCreds> {
        self.mutate(out, |rtc| rtc.direct_api().local_ice_credentials())
    }

    /// Replaces the ICE credentials.
    pub(crate) fn set_credentials(&mut self, credentials: IceCreds, out: &mut Outbox) {
        self.mutate(out, |rtc| rtc.direct_api().set_local_ice_credentials(credentials));
    }

    /// Announces other addresses from now on.
    pub(crate) fn set_addresses(&mut self, gone: &[Source], new: &[Source], out: &mut Outbox) {
        self.checks.forget();
        self.mutate(out, |rtc| {
            gone.iter().for_each(|address| engine::remove_address(rtc, *address));
            new.iter().for_each(|address| engine::add_address(rtc, *address));
        });
    }

    /// Feeds a datagram. `false`: it is nothing that an engine could read.
    pub(crate) fn receive(&mut self, now: Instant, route: Route, bytes: &[u8], out: &mut Outbox) -> bool {
        let is_rtcp = rtp::is_rtcp(bytes);
        let rests = is_rtcp && self.rests(now);
        // Feedback is about what leaves past the engine.
        if rests || self.connected && rtp::is_feedback(bytes) {
            self.pulse.beat(now);
            self.routes.hear(now, route);
            if !rests {
                self.hear(now, bytes, out);
            }
            return true;
        }
        if self.connected && rtp::is_stun(bytes) && self.answer(now, route, bytes, out) {
            return true;
        }
        let Ok(packet) = Receive::new(protocol(route.transport), route.remote, route.local, bytes) else {
            return false;
        };
        if !matches!(bytes.first(), Some(128..=191)) {
            self.work.watch();
        }
        self.fed = Some(now);
        let before = out.happenings.len();
        // What the network sends may be wrong; whether the engine still lives is seen when it is drained.
        self.mutate(out, |rtc| rtc.handle_input(Input::Receive(now, packet)).is_ok());
        let is_media = bytes.first().is_some_and(|first| *first >= DTLS);
        let is_answered = || out.happenings.iter().skip(before).any(|(_, happening)| happening.proves(route));
        if is_media {
            // A handshake is no call yet.
            if self.connected && !is_rtcp {
                let lasts = if rtp::is_rtp(bytes) { Duration::ZERO } else { DATA_LASTS };
                self.busy = self.busy.max(Some(now + lasts));
            }
            self.pulse.beat(now);
            self.routes.hear(now, route);
            if self.connected && is_rtcp {
                self.hear(now, bytes, out);
            }
        } else if is_answered() {
            self.reach(Stage::Checked, out);
            if self.checks.on_answered(now, route, bytes) {
                self.reach(Stage::Nominated, out);
                self.pulse.beat(now);
                self.routes.nominate(route);
                self.routes.hear(now, route);
            }
        }
        true
    }

    /// Its media has come so far.
    pub(crate) fn reach(&mut self, stage: Stage, out: &mut Outbox) {
        if self.stages.reach(stage) {
            out.happenings.push_back((self.key, Happening::Reached(stage)));
        }
    }

    /// Asks the client for a keyframe of an encoding that it sends. `false`: nothing came of it yet.
    pub(crate) fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>, out: &mut Outbox) -> bool {
        self.pend(out);
        self.mutate(out, |rtc| {
            let mut api = rtc.direct_api();
            let stream = api.stream_rx_by_mid(mid, rid);
            stream.map(|stream| stream.request_keyframe(KeyframeRequestKind::Pli)).is_some()
        })
        .unwrap_or(false)
    }

    /// Says goodbye; what is to be sent is in the outbox.
    pub(crate) fn close(&mut self, out: &mut Outbox) {
        self.mutate(out, |rtc| rtc.close().is_ok());
    }

    /// The section that a stream belongs to, and which of its encodings it is.
    pub(crate) fn section_of(&mut self, ssrc: Ssrc, out: &mut Outbox) -> Option<(Mid, Option<Rid>)> {
        if let Some((_, mid, rid)) = self.sources.iter().find(|(known, _, _)| *known == ssrc) {
            return Some((*mid, *rid));
        }
        let whose = |rtc: &mut Rtc| rtc.direct_api().stream_rx(&ssrc).map(|stream| (stream.mid(), stream.rid()));
        let (mid, rid) = self.mutate(out, whose)??;
        if self.sources.len() >= SOURCES {
            self.sources.clear();
        }
        self.sources.push((ssrc, mid, rid));
        Some((mid, rid))
    }

    /// The codec behind a payload type that the client sends.
    pub(crate) fn sent_codec(&self, payload_type: Pt) -> Option<PayloadParams> {
        let is = |params: &PayloadParams| params.pt() == payload_type || params.red() == Some(payload_type);
        self.engine.as_ref()?.codec_config().find(|params| is(params)).copied()
    }

    /// What the client takes on a section.
    pub(crate) fn accepted_codecs(&self, mid: Mid) -> Vec<PayloadParams> {
        let section = self.engine.as_ref().and_then(|rtc| rtc.media(mid).map(|media| (rtc, media)));
        section.map(|(rtc, media)| accept::accepted(rtc, media)).unwrap_or_default()
    }

    /// **The way to change an engine.** str0m asks for a full drain after each change, and here it is. A panic ends the
    /// engine and nothing else, and so does taking all of our time. `None`: there is no engine, or not any more.
    fn mutate<R>(&mut self, out: &mut Outbox, change: impl FnOnce(&mut Rtc) -> R) -> Option<R> {
        let mut rtc = self.engine.take()?;
        let sabotaged = self.is_sabotaged();
        let begun = self.work.begin();
        let mut hold = Hold { key: self.key, routes: &mut self.routes };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            assert!(!sabotaged, "a test wants this engine to fail");
            let value = change(&mut rtc);
            (drain(&mut rtc, &mut hold, out).map(|deadline| (value, deadline)), rtc)
        }));
        let goes_on = self.work.end(begun, self.fed);
        if !self.connected
            && let Some(keys) = handshake::take()
        {
            self.sender.set_keys(&keys);
        }
        match outcome {
            Ok((Some((value, deadline)), rtc)) if goes_on => {
                self.deadline = Some(self.postponed(deadline));
                out.touched.push(self.key);
                self.engine = Some(rtc);
                Some(value)
            }
            _ => {
                self.fail(out);
                None
            }
        }
    }

    /// Its engine is gone, or must go.
    fn fail(&mut self, out: &mut Outbox) {
        self.engine = None;
        self.deadline = None;
        out.touched.push(self.key);
        self.connected = false;
        out.happenings.push_back((self.key, Happening::Failed));
    }

    /// Has this participant pumped soon.
    fn pend(&mut self, out: &mut Outbox) {
        if !std::mem::replace(&mut self.pending, true) {
            out.pending.push(self.key);
        }
    }

    #[cfg(not(test))]
    fn is_sabotaged(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn is_sabotaged(&self) -> bool {
        self.sabotaged
    }
}

fn protocol(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}
