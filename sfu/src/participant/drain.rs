//! What engines have to say, and taking it out of them.

use std::collections::VecDeque;
use std::time::Instant;

use str0m::net::{self, Protocol};
use str0m::{Event, Output, Rtc};

use crate::route::{Route, Routes, Source};
use crate::rtp::{self, DTLS};
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
    pub(crate) happenings: VecDeque<(usize, Happening)>,
    /// Participants whose deadline may have moved.
    pub(crate) touched: Vec<usize>,
    /// Participants that are to be pumped before anything is awaited: once for many packets.
    pub(crate) pending: Vec<usize>,
}

/// Something that an engine did.
pub(crate) enum Happening {
    /// It said so.
    Event(Box<Event>),
    /// It answered a check from this address, which takes the password.
    Proven(Source),
    /// Its client has lost this share of what it was sent of pictures.
    Lost(f32),
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
    /// Whether nothing flows, so that there is nothing to report.
    pub(super) is_idle: bool,
    /// Bytes of packets of streams that came out.
    pub(super) sent: usize,
}

/// What came out of an engine.
pub(super) enum Drained {
    /// A packet of a stream: RTP, neither DTLS nor STUN nor RTCP.
    Packet,
    /// Something else, and there may be more.
    Other,
    /// It waits for this time.
    Until(Instant),
}

/// Takes everything out of an engine until it waits. `None`: it is dead.
pub(super) fn drain(rtc: &mut Rtc, hold: &mut Hold<'_>, out: &mut Outbox) -> Option<Instant> {
    for _ in 0..DRAIN {
        if let Drained::Until(deadline) = drain_once(rtc, hold, out)? {
            return Some(deadline);
        }
    }
    None
}

/// Takes one thing out of an engine. `None`: it is dead.
pub(super) fn drain_once(rtc: &mut Rtc, hold: &mut Hold<'_>, out: &mut Outbox) -> Option<Drained> {
    match rtc.poll_output() {
        Ok(Output::Timeout(deadline)) => {
            let was_closed = || {
                let closed = |(key, happening): &(usize, Happening)| {
                    *key == hold.key && matches!(happening, Happening::Event(event) if matches!(**event, Event::Closed))
                };
                out.happenings.iter().any(closed)
            };
            (rtc.is_alive() || was_closed()).then_some(Drained::Until(deadline))
        }
        Ok(Output::Transmit(transmit)) => Some(transmitted(transmit, hold, out)),
        Ok(Output::Event(event)) => {
            out.happenings.push_back((hold.key, Happening::Event(Box::new(event))));
            Some(Drained::Other)
        }
        Err(_) if rtc.is_alive() => Some(Drained::Other),
        Err(_) => None,
    }
}

fn transmitted(transmit: net::Transmit, hold: &mut Hold<'_>, out: &mut Outbox) -> Drained {
    let bytes = transmit.contents;
    let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
    let mut route = Route { transport, local: transmit.source, remote: transmit.destination };
    if bytes.first().is_some_and(|first| *first >= DTLS) {
        route = hold.routes.outward(route);
    } else if bytes.starts_with(&BINDING_SUCCESS) {
        out.happenings.push_back((hold.key, Happening::Proven(route.source())));
    }
    // An engine reports of streams that it never sent; every report is answered, and that by hundreds who wait.
    if hold.is_idle && rtp::is_sender_report(&bytes) {
        return Drained::Other;
    }
    let is_packet = rtp::is_rtp(&bytes);
    hold.sent += if is_packet { bytes.len() } else { 0 };
    let Route { transport, local, remote } = route;
    out.transmits.push_back(Transmit { transport, local, remote, bytes: bytes.into() });
    if is_packet { Drained::Packet } else { Drained::Other }
}
