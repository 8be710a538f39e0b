//! What engines have to say, and taking it out of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use str0m::media::Mid;
use str0m::net::{self, Protocol};
use str0m::rtp::RtpPacket;
use str0m::{Event, Output, Rtc};

use crate::buffers::Buffers;
use crate::route::{Route, Routes, Source};
use crate::rtp::DTLS;
use crate::stages::Stage;
use crate::{Transmit, Transport};

/// Outputs of one drain; an engine that has more than that to say is broken.
const DRAIN: usize = 10_000;
/// The first byte pair of a STUN Binding success response (RFC 8489 §5).
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

/// What engines gave while they were drained, for the SFU to work off.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) buffers: Buffers,
    pub(crate) happenings: VecDeque<(usize, Happening)>,
    /// Participants whose deadline may have moved.
    pub(crate) touched: Vec<usize>,
    /// Participants that are to be pumped before anything is awaited: once for many packets.
    pub(crate) pending: Vec<usize>,
}

/// Something that an engine did.
pub(crate) enum Happening {
    /// A packet of a stream came.
    Packet(Arc<RtpPacket>),
    /// It said something else.
    Event(Box<Event>),
    /// It answered a check from this address, which takes the password.
    Proven(Source),
    /// Its client has lost this share of what it was sent of pictures.
    Lost(f32),
    /// The link to its client carries so many bits per second.
    Estimate(u64),
    /// Its client asked so many times for packets that it missed.
    Missed(u64),
    /// Its client needs a keyframe of what is in this slot.
    KeyframeNeeded(Mid),
    /// Its media has come so far for the first time.
    Reached(Stage),
    /// It is gone, and with it the participant.
    Failed,
}

impl Happening {
    /// Whether a check from there was answered.
    pub(super) fn proves(&self, route: Route) -> bool {
        matches!(self, Self::Proven(source) if *source == route.source())
    }
}

/// Whose engine is drained, and the paths that its packets take.
pub(super) struct Hold<'a> {
    pub(super) key: usize,
    pub(super) routes: &'a mut Routes,
}

/// Takes everything out of an engine until it waits. `None`: it is dead.
pub(super) fn drain(rtc: &mut Rtc, hold: &mut Hold<'_>, out: &mut Outbox) -> Option<Instant> {
    for _ in 0..DRAIN {
        match rtc.poll_output() {
            Ok(Output::Timeout(deadline)) => return (rtc.is_alive() || was_closed(hold, out)).then_some(deadline),
            Ok(Output::Transmit(transmit)) => transmitted(transmit, hold, out),
            Ok(Output::Event(event)) => {
                let happening = match event {
                    Event::RtpPacket(packet) => Happening::Packet(Arc::new(packet)),
                    event => Happening::Event(Box::new(event)),
                };
                out.happenings.push_back((hold.key, happening));
            }
            Err(_) if rtc.is_alive() => {}
            Err(_) => return None,
        }
    }
    None
}

/// Whether its client closed it.
fn was_closed(hold: &Hold<'_>, out: &Outbox) -> bool {
    let closed = |(key, happening): &(usize, Happening)| {
        *key == hold.key && matches!(happening, Happening::Event(event) if matches!(**event, Event::Closed))
    };
    out.happenings.iter().any(closed)
}

fn transmitted(transmit: net::Transmit, hold: &mut Hold<'_>, out: &mut Outbox) {
    let bytes = transmit.contents;
    let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
    let mut route = Route { transport, local: transmit.source, remote: transmit.destination };
    if bytes.first().is_some_and(|first| *first >= DTLS) {
        route = hold.routes.outward(route);
    } else if bytes.starts_with(&BINDING_SUCCESS) {
        out.happenings.push_back((hold.key, Happening::Proven(route.source())));
    }
    let Route { transport, local, remote } = route;
    out.transmits.push_back(Transmit { transport, local, remote, bytes: bytes.into() });
}
