//! What engines have to say, and taking it out of them.

use std::collections::VecDeque;
use std::time::Instant;

use str0m::net::Protocol;
use str0m::{Event, Output, Rtc};

use crate::route::{Route, Routes, Source};
use crate::{Transmit, Transport};

/// Outputs of one drain; an engine that has more than that to say is broken.
const DRAIN: usize = 10_000;
/// The first byte pair of a STUN Binding success response (RFC 8489 §5).
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
/// The least first byte of what is no STUN: DTLS, then RTP and RTCP (RFC 9443 §3).
pub(super) const DTLS: u8 = 20;

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
    /// It is gone, and with it the participant.
    Failed,
}

impl Happening {
    /// Whether a check from there was answered.
    pub(super) fn proves(&self, route: Route) -> bool {
        matches!(self, Self::Proven(source) if *source == route.source())
    }
}

/// Takes everything out of an engine until it waits. `None`: it is dead.
pub(super) fn drain(rtc: &mut Rtc, (key, routes): (usize, &mut Routes), out: &mut Outbox) -> Option<Instant> {
    let mut closed = false;
    for _ in 0..DRAIN {
        match rtc.poll_output() {
            Ok(Output::Timeout(deadline)) => return (closed || rtc.is_alive()).then_some(deadline),
            Ok(Output::Transmit(transmit)) => {
                let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
                let mut route = Route { transport, local: transmit.source, remote: transmit.destination };
                if transmit.contents.first().is_some_and(|first| *first >= DTLS) {
                    route = routes.outward(route);
                } else if transmit.contents.starts_with(&BINDING_SUCCESS) {
                    out.happenings.push_back((key, Happening::Proven(route.source())));
                }
                let Route { transport, local, remote } = route;
                out.transmits.push_back(Transmit { transport, local, remote, bytes: transmit.contents.into() });
            }
            Ok(Output::Event(event)) => {
                closed |= matches!(event, Event::Closed);
                out.happenings.push_back((key, Happening::Event(Box::new(event))));
            }
            Err(_) if rtc.is_alive() => {}
            Err(_) => return None,
        }
    }
    None
}
