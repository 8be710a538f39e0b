//! What leaves past the engine, at once.

use std::time::Instant;

use super::{Happening, Outbox, Participant};
use crate::bandwidth::Desire;
use crate::rtp;
use crate::sender::Leaving;
use crate::stages::Stage;
use crate::{Transmit, route::Route};

impl Participant {
    /// Sends a packet of a stream on the path in use.
    pub(crate) fn send(&mut self, now: Instant, leaving: &Leaving<'_>, out: &mut Outbox) {
        let (packet, report) = self.sender.seal(now, leaving, &mut out.buffers);
        if leaving.picture.is_some() {
            self.allotment.count(packet.as_ref().map_or(0, Vec::len));
        }
        self.transmit([packet, report].into_iter().flatten(), out);
        self.busy = self.busy.max(Some(now));
        self.reach(Stage::Packet, out);
    }

    /// What its link should carry, from now on.
    pub(crate) fn desire(&mut self, now: Instant, desire: Desire) {
        self.sender.bandwidth.set_desire(now, desire);
    }

    /// When padding is to leave, if none is asked for before.
    pub(crate) fn pads_at(&self, now: Instant) -> Option<Instant> {
        self.sender.bandwidth.next(now).filter(|_| self.connected)
    }

    /// Sends the padding that is due.
    pub(crate) fn pad(&mut self, now: Instant, out: &mut Outbox) {
        let packets = self.sender.pad(now, &mut out.buffers);
        self.allotment.count(packets.iter().map(Vec::len).sum());
        self.transmit(packets.into_iter(), out);
    }

    /// Takes in what the client reports.
    pub(super) fn hear(&mut self, now: Instant, bytes: &[u8], out: &mut Outbox) {
        let begun = self.work.begin();
        let told = self.sender.hear(now, bytes, &mut out.buffers);
        if !self.work.end(begun, Some(now)) {
            return self.fail(out);
        }
        self.allotment.count(told.again.iter().map(Vec::len).sum());
        self.transmit(told.again.into_iter(), out);
        let news = [
            told.lost.map(Happening::Lost),
            told.estimate.map(Happening::Estimate),
            (told.nacks > 0).then_some(Happening::Missed(told.nacks)),
        ];
        let keyframes = told.keyframes.into_iter().map(Happening::KeyframeNeeded);
        out.happenings.extend(news.into_iter().flatten().chain(keyframes).map(|one| (self.key, one)));
        if rtp::reports_reception(bytes) {
            self.reach(Stage::Report, out);
        }
    }

    /// Answers a check that says nothing new. `false`: it is for the engine.
    pub(super) fn answer(&mut self, now: Instant, route: Route, check: &[u8], out: &mut Outbox) -> bool {
        let Some(bytes) = self.checks.answer(now, route, check) else { return false };
        self.pulse.beat(now);
        self.routes.hear(now, route);
        out.happenings.push_back((self.key, Happening::Proven(route.source())));
        let Route { transport, local, remote } = route;
        out.transmits.push_back(Transmit { transport, local, remote, bytes });
        true
    }

    fn transmit(&self, packets: impl Iterator<Item = Vec<u8>>, out: &mut Outbox) {
        let Some(Route { transport, local, remote }) = self.routes.in_use() else { return };
        out.transmits.extend(packets.map(|bytes| Transmit { transport, local, remote, bytes }));
    }
}
