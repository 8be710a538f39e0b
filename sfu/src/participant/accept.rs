//! Offers: an engine answers them, and gives up the streams that leave past it.

use str0m::change::SdpOffer;
use str0m::format::PayloadParams;
use str0m::media::{Media, Mid};
use str0m::{Rtc, RtcError};

use super::{Outbox, Participant};
use crate::checks::Checks;
use crate::pulse::Pulse;
use crate::route::Routes;
use crate::sender::Sender;

impl Participant {
    /// Takes an offer with these slots, with the engine that there is.
    pub(crate) fn accept(
        &mut self,
        offer: SdpOffer,
        slots: &[Mid],
        out: &mut Outbox,
    ) -> Option<Result<String, RtcError>> {
        self.sources.clear();
        self.work.watch();
        let mut sender = self.sender.take();
        let answer = self.mutate(out, |rtc| {
            lend(&sender, rtc);
            let answer = rtc.sdp_api().accept_offer(offer);
            withdraw(&sender, rtc);
            if answer.is_ok() {
                adopt(&mut sender, rtc, slots);
            }
            (answer.map(|answer| answer.to_sdp_string()), sender)
        });
        let (answer, sender) = answer?;
        self.sender = sender;
        Some(answer)
    }

    /// Takes an offer with a new engine, which replaces the old one only if that succeeds.
    pub(crate) fn accept_with(
        &mut self,
        engine: Rtc,
        offer: SdpOffer,
        slots: &[Mid],
        out: &mut Outbox,
    ) -> Option<Result<String, RtcError>> {
        let mut discarded = Outbox::default();
        let sender = self.sender.take();
        let before = (self.engine.replace(Box::new(engine)), self.connected, self.deadline, sender);
        let answer = self.accept(offer, slots, &mut discarded);
        if !matches!(answer, Some(Ok(_))) {
            (self.engine, self.connected, self.deadline, self.sender) = before;
            return answer;
        }
        self.connected = false;
        self.channels.reset();
        self.routes = Routes::default();
        self.pulse = Pulse::default();
        out.transmits.append(&mut discarded.transmits);
        out.happenings.append(&mut discarded.happenings);
        out.touched.push(self.key);
        answer
    }

    /// Gives up the engine: the client closed its end.
    pub(crate) fn disengage(&mut self) {
        self.engine = None;
        self.connected = false;
        self.channels.reset();
        self.deadline = None;
        self.sender.take();
        self.routes = Routes::default();
        self.pulse = Pulse::default();
        self.sources.clear();
        self.sections.clear();
        self.fingerprint.clear();
        self.checks = Checks::default();
    }
}

/// Gives an engine its streams back, before it answers an offer: otherwise it would invent others.
fn lend(sender: &Sender, rtc: &mut Rtc) {
    for (mid, ssrc, again) in sender.streams() {
        if rtc.media(mid).is_some() {
            rtc.direct_api().declare_stream_tx(ssrc, again, mid, None);
        }
    }
}

/// Takes back what was lent.
fn withdraw(sender: &Sender, rtc: &mut Rtc) {
    for (_, ssrc, _) in sender.streams() {
        rtc.direct_api().remove_stream_tx(ssrc);
    }
}

/// Takes the streams of these sections out of an engine that answered, and forgets the others.
fn adopt(sender: &mut Sender, rtc: &mut Rtc, mids: &[Mid]) {
    sender.keep(mids);
    for mid in mids {
        let stream = rtc.direct_api().stream_tx_by_mid(*mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
        let (Some((ssrc, again)), Some(media)) = (stream, rtc.media(*mid)) else { continue };
        sender.add(media, ssrc, again, &accepted(rtc, media));
        rtc.direct_api().remove_stream_tx(ssrc);
    }
}

/// What the client takes on a section.
pub(super) fn accepted(rtc: &Rtc, media: &Media) -> Vec<PayloadParams> {
    let wanted = |params: &&PayloadParams| media.remote_pts().contains(&params.pt());
    rtc.codec_config().params().iter().filter(wanted).copied().collect()
}
