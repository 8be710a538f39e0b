//! Shares each subscriber's bandwidth among its video slots, and tells publishers which layers that leaves in use.

use std::time::{Duration, Instant};

use crate::bandwidth::Desire;
use crate::budget::{Current, Demand, share};
use crate::encoding::Rung;
use crate::sfu::Sfu;
use crate::slots::{Allotted, Slot};
use crate::timers::Owner;
use crate::{Command, Event, Kind, ParticipantId, TrackId, Wish};

/// How long there must have been room before a picture is made better.
const PATIENCE: Duration = Duration::from_secs(1);
/// A picture may be so much larger than it is shown, in percent: a layer just above the wish is better than half of it.
const GENEROSITY: u32 = 125;
/// What is sustained and asked of the bandwidth estimation beyond the cost, in percent: a raise needs a margin.
const HEADROOM: u64 = 125;
/// Less is never desired, in bits per second, so that links are probed for that much at least: a few pictures that are small now
/// may be large in a moment.
const LEAST_DESIRED: u64 = 2_500_000;
/// The same for somebody who just came to a small room: what is found then decides how soon all pictures are there. Where many
/// come together, their probes would be in each other's way.
const LEAST_AT_FIRST: u64 = 5_000_000;
const SMALL_ROOM: usize = 12;
/// For so long after somebody came, pictures are expected: its link is better known then.
const SETTLING: Duration = Duration::from_secs(5);
/// Simulcast layers that a publisher may have.
const LAYERS: usize = 3;
/// How many times more than the estimate the smallest version of the most important picture may cost before it is paused.
const TOLERANCE: u64 = 2;
/// More is never asked for.
const CEILING: u64 = 50_000_000;
/// A track's layers appear one after the other: for so long they are taken as if they had been there from the start.
const YOUTH: Duration = Duration::from_secs(2);
/// A layer that nobody watches any more is kept for so long: someone may come back to it.
const LINGER: Duration = Duration::from_secs(2);

/// One slot that wants a share.
struct Claim {
    slot: usize,
    track: TrackId,
    rungs: Vec<Rung>,
    /// How many of the rungs fit the wish.
    limit: usize,
    rank: u32,
}

impl Sfu {
    /// A participant says how large it shows what.
    pub(crate) fn view(&mut self, id: ParticipantId, wishes: Vec<Wish>) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.wishes = wishes.into_iter().take(Command::WISHES).map(|wish| (wish.track, wish)).collect();
        // Who asks for more where there is room gets it at once.
        participant.allotment.room_since = self.now.checked_sub(PATIENCE);
        let changed = self.fill(key);
        self.tell_slots(key, changed);
        self.allocate(key);
        let shown =
            self.participants.get(key).map(|one| one.slots.of(Kind::Video).filter_map(|slot| slot.track).collect());
        let shown: Vec<_> = shown.unwrap_or_default();
        shown.into_iter().for_each(|track| self.review_layers(track));
    }

    /// A subscriber's link carries so many bits per second.
    pub(crate) fn on_estimate(&mut self, key: usize, estimate: u64) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.channels.measured(self.now, estimate);
        self.allocate(key);
    }

    /// A subscriber's link is to be padded.
    pub(crate) fn pad(&mut self, key: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.pad(self.now, &mut self.outbox);
        self.timers.set(Owner::Padding(key), participant.pads_at(self.now));
    }

    /// A subscriber reports that it lost this share of the pictures.
    pub(crate) fn on_losses(&mut self, key: usize, share: f32) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        if participant.allotment.lose(self.now, share) {
            self.allocate(key);
        }
    }

    /// A track has other qualities than before: whoever has it in a slot may be better served.
    pub(crate) fn allocate_track(&mut self, id: TrackId) {
        let Some(subscribers) = self.tracks.get(&id).map(|track| track.subscribers.clone()) else { return };
        for key in subscribers {
            self.allocate(key);
        }
    }

    /// Decides what each video slot of a subscriber gets. Less at once; more once there was room for a while.
    pub(crate) fn allocate(&mut self, key: usize) {
        let now = self.now;
        if !self.participants.get(key).is_some_and(|participant| participant.connected) {
            return;
        }
        let claims = self.claims(key);
        let room = self.participants.get(key).and_then(|participant| self.rooms.get(&participant.room));
        let is_small = room.is_some_and(|room| room.participants.len() <= SMALL_ROOM);
        let Some(participant) = self.participants.get_mut(key) else { return };
        let is_settled = now.saturating_duration_since(participant.joined.0) >= SETTLING;
        if participant.allotment.is_asleep != (claims.is_empty() && is_settled) {
            participant.allotment.is_asleep ^= true;
            match participant.allotment.is_asleep {
                true => participant.desire(now, Desire::default()),
                false => participant.sender.bandwidth.begin(),
            }
        }
        if participant.allotment.is_asleep {
            self.timers.set(Owner::Padding(key), None);
            return;
        }
        let least = if is_settled || !is_small { LEAST_DESIRED } else { LEAST_AT_FIRST };
        let demands: Vec<_> = claims
            .iter()
            .filter_map(|claim| Some(demand(claim, participant.slots.all.get(claim.slot)?, now)))
            .collect();
        let ceiling = participant.allotment.ceiling(now).unwrap_or(CEILING);
        let available = participant.sender.bandwidth.estimate().unwrap_or(CEILING).min(ceiling);
        let mut plan = share(with_tolerance(available, &demands), &demands);
        let ask = |cost: u64| (cost * HEADROOM / 100).min(CEILING);
        let minimum = plan.next.map_or(0, |next| ask(next).min(ask(plan.preferred)));
        let minimum = participant.allotment.to_sustain(now, minimum);
        let desired = ask(plan.preferred).max(least);
        participant.desire(now, Desire { minimum, desired, is_held_back: plan.next.is_some() });
        self.timers.set(Owner::Padding(key), participant.pads_at(now));
        if plan.raises(&demands) {
            let since = *participant.allotment.room_since.get_or_insert(now);
            if now.saturating_duration_since(since) < PATIENCE {
                plan = plan.without_raises(&demands);
                self.timers.set(Owner::Raise(key), Some(since + PATIENCE));
            } else {
                participant.allotment.room_since = None;
            }
        } else {
            participant.allotment.room_since = None;
        }
        let mut changed = false;
        for (claim, choice) in claims.iter().zip(plan.choices) {
            changed |= self.give(key, claim, choice);
        }
        self.tell_slots(key, (false, changed));
    }

    /// The video slots that something can be sent on, the most important first.
    fn claims(&self, key: usize) -> Vec<Claim> {
        let Some(participant) = self.participants.get(key) else { return Vec::new() };
        let order = self.wanted(participant.room, key, Kind::Video);
        let place = |id: TrackId| order.iter().position(|(track, _)| *track == id).unwrap_or(usize::MAX);
        let mut claims = Vec::new();
        for (slot, state) in participant.slots.all.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Video) {
            let Some(track) = state.track.and_then(|id| self.tracks.get(&id)) else { continue };
            let rungs = track.ladder();
            if rungs.is_empty() || track.info.muted || state.undecodable {
                continue;
            }
            let wish = participant.wishes.get(&track.info.track);
            let fits = |rung: &&Rung| wish.is_none_or(|wish| is_fitting(rung.height, wish.height));
            let limit = rungs.iter().take_while(fits).count().max(1);
            let priority = wish.map_or(0, |wish| u32::from(wish.priority));
            let rank = if track.is_screen() { 0 } else { 256 - priority };
            claims.push(Claim { slot, track: track.info.track, rungs, limit, rank });
        }
        claims.sort_by_key(|claim| (claim.rank, place(claim.track)));
        claims
    }

    /// Gives a slot a quality, or none. Whether that is news to its subscriber.
    fn give(&mut self, key: usize, claim: &Claim, choice: Option<usize>) -> bool {
        let Some(slot) = self.participants.get_mut(key).and_then(|one| one.slots.all.get_mut(claim.slot)) else {
            return false;
        };
        let rung = choice.and_then(|step| claim.rungs.get(step));
        let allotted = rung.map_or(Allotted::Paused, |rung| Allotted::Quality(rung.choice, rung.height));
        let before = std::mem::replace(&mut slot.allotted, allotted);
        slot.begun.get_or_insert(self.now);
        let had = slot.switcher.target();
        slot.switcher.aim(choice.and_then(|step| sending(&claim.rungs, step)).map(|rung| rung.choice));
        let target = slot.switcher.target();
        if target.is_some() && slot.switcher.is_waiting() && (target != had || slot.switcher.current().is_none()) {
            let encoding = target.map_or(0, |target| target.encoding);
            self.want_keyframe(claim.track, encoding);
        }
        if before != allotted || had != target {
            self.review_layers(claim.track);
        }
        (before == Allotted::Paused) != (allotted == Allotted::Paused)
    }

    /// Someone watches other layers of a track: its publisher is told, of more at once, of less after a while.
    pub(crate) fn review_layers(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get(&id).filter(|track| track.encodings.len() > 1) else { return };
        let (now, watched) = (self.now, self.watched(id));
        let told = track.watched.as_deref();
        if told == Some(&watched) {
            self.timers.set(Owner::Layers(id), None);
        } else if told.is_some_and(|told| watched.iter().any(|height| !told.contains(height))) {
            self.tell_layers(id);
        } else if !self.timers.is_set(Owner::Layers(id)) {
            self.timers.set(Owner::Layers(id), Some(now + LINGER));
        }
    }

    /// Tells a publisher which heights of a track are watched.
    pub(crate) fn tell_layers(&mut self, id: TrackId) {
        let heights = self.watched(id);
        self.timers.set(Owner::Layers(id), None);
        let Some(track) = self.tracks.get_mut(&id).filter(|track| track.watched.as_ref() != Some(&heights)) else {
            return;
        };
        track.watched = Some(heights.clone());
        let participant = track.info.participant;
        self.events.push_back(Event::Layers { participant, track: id, heights });
    }

    /// The heights of a track that are shown somewhere or should be. A publisher begins with its smaller layers: whoever
    /// has the largest that came and shows it larger wants the next one, too.
    fn watched(&self, id: TrackId) -> Vec<u16> {
        let Some(track) = self.tracks.get(&id) else { return Vec::new() };
        let rungs = track.ladder();
        let height = |choice| rungs.iter().find(|rung| rung.choice == choice).map(|rung| rung.height);
        let wish = |key: usize| self.participants.get(key)?.wishes.get(&id);
        let mut heights = Vec::new();
        for key in &track.subscribers {
            let Some(slot) =
                self.participants.get(*key).and_then(|one| one.slots.all.iter().find(|slot| slot.track == Some(id)))
            else {
                continue;
            };
            if let Allotted::Quality(choice, height) = slot.allotted {
                heights.push(height);
                let larger = height.saturating_mul(2);
                let is_top = rungs.last().is_some_and(|top| top.choice == choice) && track.encodings.len() < LAYERS;
                if is_top && wish(*key).is_none_or(|wish| is_fitting(larger, wish.height)) {
                    heights.push(larger);
                }
            }
            heights.extend(slot.switcher.current().and_then(height));
        }
        heights.sort_unstable();
        heights.dedup();
        heights
    }
}

/// The quality nearest to a step whose encoding sends at present: below it rather than above.
fn sending(rungs: &[Rung], step: usize) -> Option<&Rung> {
    let below = rungs.iter().take(step + 1).rev().find(|rung| rung.live);
    below.or_else(|| rungs.iter().skip(step).find(|rung| rung.live)).or_else(|| rungs.get(step))
}

/// The most important picture is not taken away for an estimate that losses have made too pessimistic.
fn with_tolerance(available: u64, demands: &[Demand]) -> u64 {
    let shown = demands.first().filter(|first| first.current != Current::Paused);
    let least = shown.and_then(|first| first.steps.first()).copied().unwrap_or(0);
    if least <= available.saturating_mul(TOLERANCE) { available.max(least) } else { available }
}

fn is_fitting(height: u16, shown: u16) -> bool {
    u32::from(height) * 100 <= u32::from(shown) * GENEROSITY
}

fn demand(claim: &Claim, slot: &Slot, now: Instant) -> Demand {
    let rungs = &claim.rungs[..claim.limit];
    let is_young = slot.begun.is_none_or(|begun| now.saturating_duration_since(begun) < YOUTH);
    let current = match slot.allotted {
        _ if is_young => Current::Fresh,
        Allotted::Fresh => Current::Fresh,
        Allotted::Paused => Current::Paused,
        // Where the very quality is gone, what its encoding has is as good.
        Allotted::Quality(choice, _) => {
            let same = claim.rungs.iter().position(|rung| rung.choice == choice);
            let like = || claim.rungs.iter().rposition(|rung| rung.choice.encoding == choice.encoding);
            same.or_else(like).map_or(Current::Fresh, Current::Step)
        }
    };
    Demand { steps: rungs.iter().map(|rung| rung.cost).collect(), current, rank: claim.rank }
}
