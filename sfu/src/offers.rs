//! An offer becomes an answer, tracks and slots.

use str0m::IceCreds;

use crate::answer::{self, Credentials};
use crate::checks::Checks;
use crate::negotiate::{self, Plan, Refusal};
use crate::sfu::Sfu;
use crate::{Event, Offer, RejectReason, TrackId};

/// Characters of an ICE password: 160 bits of randomness, of which 128 are asked for (RFC 8445 §5.3).
const PASSWORD: usize = 32;

impl Sfu {
    /// Answers or refuses an offer, exactly one of both.
    pub(crate) fn offer(&mut self, offer: Offer) {
        let (participant, generation) = (offer.participant, offer.generation);
        let Err(refusal) = self.try_offer(offer) else {
            self.stats.offers_accepted += 1;
            return;
        };
        self.stats.offers_rejected += 1;
        let Refusal { reason, message } = refusal;
        self.events.push_back(Event::Rejected { participant, generation, reason, message });
    }

    fn try_offer(&mut self, offer: Offer) -> Result<(), Refusal> {
        let unknown = || Refusal::new(RejectReason::ParticipantNotFound, "not in a room of this server");
        let key = *self.keys.get(&offer.participant).ok_or_else(unknown)?;
        let participant = self.participants.get(key).ok_or_else(unknown)?;
        if participant.generation.is_some_and(|last| offer.generation <= last) {
            return Err(Refusal::new(RejectReason::StaleOffer, "a later offer was taken already"));
        }
        if !participant.may_publish && !offer.tracks.is_empty() {
            return Err(Refusal::new(RejectReason::Forbidden, "needs the grant publish"));
        }
        let mut plan = negotiate::read(&offer, &self.config, &participant.sections);
        let mut anew = !participant.has_engine();
        if !participant.fingerprint.is_empty() {
            // Another certificate is another peer connection: nothing of the last one binds it.
            let fresh = negotiate::read(&offer, &self.config, &[]);
            if fresh.as_ref().is_ok_and(|fresh| fresh.fingerprint != participant.fingerprint) {
                (plan, anew) = (fresh, true);
            }
        }
        let answer = self.accept(key, plan?, anew, &offer)?;
        self.apply(key, &offer, answer);
        Ok(())
    }

    /// Lets the engine answer. Returns the answer to send.
    fn accept(&mut self, key: usize, plan: Plan, anew: bool, offer: &Offer) -> Result<String, Refusal> {
        let mut replaced = Vec::new();
        let ufrag = self.demux.ufrag(key, &mut self.secrets);
        let ours = IceCreds { ufrag, pass: self.secrets.word(PASSWORD) };
        let lost = || Refusal::new(RejectReason::SdpRejected, "the offer broke the engine");
        let addresses = self.addresses();
        let slots = offer.slots.audio.iter().chain(&offer.slots.video);
        let slots: Vec<_> = slots.map(|mid| mid.as_str().into()).collect();
        let out = &mut self.outbox;
        let participant = self.participants.get_mut(key).ok_or_else(lost)?;
        let answer = if anew {
            let engine = self.engines.build(self.now, ours.clone(), &addresses);
            participant.accept_with(engine, plan.offer, &slots, out)
        } else {
            participant.accept(plan.offer, &slots, out)
        };
        let answer = answer.ok_or_else(lost)?;
        let answer = answer.map_err(|error| Refusal::new(RejectReason::SdpRejected, error.to_string()))?;
        let mut current = participant.credentials(out).ok_or_else(lost)?;
        let mut renewed = Vec::new();
        if anew {
            self.demux.forget(key);
            renewed.extend(participant.published.iter().map(|(_, track)| *track));
            let slots = std::mem::take(&mut participant.slots);
            replaced.extend(slots.all.into_iter().filter_map(|slot| slot.track));
        } else if !participant.checks.are_for(&current.ufrag) {
            // An ICE restart: the engine's own credentials are not made to resist guessing.
            participant.set_credentials(ours.clone(), out);
            current = ours;
        }
        if !participant.checks.are_for(&current.ufrag) {
            participant.checks = Checks::new(current.clone());
        }
        participant.fingerprint = plan.fingerprint;
        participant.sections = plan.sections;
        participant.generation = Some(offer.generation);
        for track in replaced {
            self.unsubscribe(key, Some(track));
        }
        renewed.into_iter().for_each(|track| self.renew(track));
        let credentials = Credentials { ufrag: &current.ufrag, password: &current.pass };
        Ok(answer::finish(&offer.sdp, &answer, &offer.slots, &credentials))
    }

    /// The track comes from another peer connection: its payload types mean something else and its streams are others.
    fn renew(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        (track.codec, track.recoded) = (None, None);
        track.encodings.clear();
        for key in &track.subscribers {
            if let Some(slot) = self.participants.get_mut(*key).and_then(|subscriber| subscriber.slots.with(id)) {
                slot.restart();
            }
        }
    }

    /// Makes the tracks and slots of an accepted offer, and tells everyone.
    fn apply(&mut self, key: usize, offer: &Offer, sdp: String) {
        let tracks = self.publish(key, &offer.tracks);
        let (participant, generation) = (offer.participant, offer.generation);
        self.events.push_back(Event::Answer { participant, generation, sdp, tracks });
        self.update_slots(key, offer);
        let Some(room) = self.participants.get(key).map(|participant| participant.room) else { return };
        self.fill(key);
        self.tell_slots(key, (true, true));
        self.allocate(key);
        self.fill_slots(room);
    }

    fn update_slots(&mut self, key: usize, offer: &Offer) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let before: Vec<_> = participant.slots.all.iter().filter_map(|slot| slot.track).collect();
        participant.slots.update(&offer.slots);
        let accepted: Vec<_> = participant.slots.all.iter().map(|slot| participant.accepted_codecs(slot.mid)).collect();
        for (slot, accepted) in participant.slots.all.iter_mut().zip(accepted) {
            slot.accepted = accepted;
            slot.choice = None;
        }
        let lost: Vec<_> = before.into_iter().filter(|track| participant.slots.with(*track).is_none()).collect();
        for track in lost {
            self.unsubscribe(key, Some(track));
        }
    }
}
