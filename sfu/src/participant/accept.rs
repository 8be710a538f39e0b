//! Offers: an engine answers them, and gives up the streams that leave past it.

use str0m::change::SdpOffer;
use str0m::media::Mid;
use str0m::{Rtc, RtcError};

use super::{Outbox, Participant};
use crate::pulse::Pulse;
use crate::route::Routes;
use crate::voice::Voices;

impl Participant {
    /// Takes an offer, whose audio slots are `audio`, with the engine that there is.
    pub(crate) fn accept(
        &mut self,
        offer: SdpOffer,
        audio: &[Mid],
        out: &mut Outbox,
    ) -> Option<Result<String, RtcError>> {
        self.sources.clear();
        self.work.watch();
        let mut voices = self.voices.take();
        let answer = self.mutate(out, |rtc| {
            lend(&voices, rtc);
            let answer = rtc.sdp_api().accept_offer(offer);
            withdraw(&voices, rtc);
            if answer.is_ok() {
                adopt(&mut voices, rtc, audio);
            }
            (answer.map(|answer| answer.to_sdp_string()), voices)
        });
        let (answer, voices) = answer?;
        self.voices = voices;
        Some(answer)
    }

    /// Takes an offer with a new engine, which replaces the old one only if that succeeds.
    pub(crate) fn accept_with(
        &mut self,
        engine: Rtc,
        offer: SdpOffer,
        audio: &[Mid],
        out: &mut Outbox,
    ) -> Option<Result<String, RtcError>> {
        let mut discarded = Outbox::default();
        let voices = self.voices.take();
        let before = (self.engine.replace(Box::new(engine)), self.connected, self.deadline, voices);
        let answer = self.accept(offer, audio, &mut discarded);
        if !matches!(answer, Some(Ok(_))) {
            (self.engine, self.connected, self.deadline, self.voices) = before;
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
        self.voices.take();
        self.routes = Routes::default();
        self.pulse = Pulse::default();
        self.sources.clear();
        self.sections.clear();
        self.fingerprint.clear();
        self.ufrag.clear();
    }
}

/// Gives an engine its streams back, before it answers an offer: otherwise it would invent others.
fn lend(voices: &Voices, rtc: &mut Rtc) {
    for (mid, ssrc) in voices.streams() {
        if rtc.media(mid).is_some() {
            rtc.direct_api().declare_stream_tx(ssrc, None, mid, None);
        }
    }
}

/// Takes back what was lent.
fn withdraw(voices: &Voices, rtc: &mut Rtc) {
    for (_, ssrc) in voices.streams() {
        rtc.direct_api().remove_stream_tx(ssrc);
    }
}

/// Takes the streams of these sections out of an engine that answered, and forgets the others.
fn adopt(voices: &mut Voices, rtc: &mut Rtc, mids: &[Mid]) {
    voices.keep(mids);
    for mid in mids {
        let stream = rtc.direct_api().stream_tx_by_mid(*mid, None).map(|stream| stream.ssrc());
        if let (Some(ssrc), Some(media)) = (stream, rtc.media(*mid)) {
            voices.add(media, ssrc);
            rtc.direct_api().remove_stream_tx(ssrc);
        }
    }
}
