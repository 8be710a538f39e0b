//! Audio, which leaves at once and past the engine.

use std::time::Instant;

use super::{Outbox, Participant};
use crate::stages::Stage;
use crate::voice::Speech;
use crate::{Transmit, route::Route};

impl Participant {
    /// Sends a packet of audio on the path in use.
    pub(crate) fn speak(&mut self, now: Instant, speech: &Speech<'_>, out: &mut Outbox) {
        let Some(Route { transport, local, remote }) = self.routes.in_use() else { return };
        let (packet, report) = self.voices.seal(now, speech);
        let sealed = [packet, report].into_iter().flatten();
        out.transmits.extend(sealed.map(|bytes| Transmit { transport, local, remote, bytes }));
        self.busy = self.busy.max(Some(now));
        self.reach(Stage::Packet, out);
    }
}
