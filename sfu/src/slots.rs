//! The receive sections of one participant, and which track goes into which of them.

use std::time::Instant;

use str0m::format::PayloadParams;
use str0m::media::{Mid, Pt};

use crate::encoding::Choice;
use crate::layer::Switcher;
use crate::red::Outlet;
use crate::rewrite::Rewrite;
use crate::{Kind, SlotAssignment, SlotRequest, TrackId};

/// The slots of one participant: audio first, then video, each in the client's order.
#[derive(Default)]
pub(crate) struct Slots {
    pub(crate) all: Vec<Slot>,
}

/// One receive section.
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) mid: Mid,
    pub(crate) kind: Kind,
    pub(crate) track: Option<TrackId>,
    /// The payload types that the client takes here.
    pub(crate) accepted: Vec<PayloadParams>,
    /// How packets with the present track's payload type leave here: `None` inside, where the client cannot decode them.
    pub(crate) choice: Option<(Pt, Option<Outlet>)>,
    /// Whether the present track's codec is one that the client cannot decode.
    pub(crate) undecodable: bool,
    pub(crate) rewrite: Rewrite,
    pub(crate) switcher: Switcher,
    /// What the link has room for.
    pub(crate) allotted: Allotted,
    /// When it was given its present track's first quality.
    pub(crate) begun: Option<Instant>,
    /// Whether anything of its present track was shown since.
    pub(crate) shown: bool,
}

impl Slots {
    /// Takes over the slots of a new offer. A slot that was there keeps its track and its numbers.
    pub(crate) fn update(&mut self, request: &SlotRequest) {
        let mut before = std::mem::take(&mut self.all);
        let names = request.audio.iter().map(|name| (Kind::Audio, name));
        for (kind, name) in names.chain(request.video.iter().map(|name| (Kind::Video, name))) {
            let known = before.iter().position(|slot| slot.kind == kind && slot.name == *name);
            self.all.push(known.map_or_else(|| Slot::new(name, kind), |at| before.swap_remove(at)));
        }
    }

    /// The slots of one kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Slot> {
        self.all.iter().filter(move |slot| slot.kind == kind)
    }

    /// The slots of one kind, to be changed.
    pub(crate) fn of_mut(&mut self, kind: Kind) -> impl Iterator<Item = &mut Slot> {
        self.all.iter_mut().filter(move |slot| slot.kind == kind)
    }

    /// The slot that a track is in.
    pub(crate) fn with(&mut self, track: TrackId) -> Option<&mut Slot> {
        self.all.iter_mut().find(|slot| slot.track == Some(track))
    }
}

impl Slot {
    fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            mid: name.into(),
            kind,
            track: None,
            accepted: Vec::new(),
            choice: None,
            undecodable: false,
            rewrite: Rewrite::default(),
            switcher: Switcher::default(),
            allotted: Allotted::Fresh,
            begun: None,
            shown: false,
        }
    }

    /// Puts another track in, or none.
    pub(crate) fn put(&mut self, track: Option<TrackId>) {
        self.track = track;
        self.choice = None;
        self.undecodable = false;
        self.restart();
    }

    /// The track begins anew, with another stream.
    pub(crate) fn restart(&mut self) {
        self.rewrite.replace();
        self.switcher = Switcher::default();
        self.allotted = Allotted::Fresh;
        self.begun = None;
        self.shown = false;
    }

    /// What signaling is told.
    pub(crate) fn assignment(&self, height: Option<u16>) -> SlotAssignment {
        let paused = self.track.is_some() && (self.undecodable || self.allotted == Allotted::Paused);
        SlotAssignment { mid: self.name.clone(), track: self.track, height, paused }
    }
}

/// What a video slot was given of its subscriber's bandwidth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allotted {
    /// Nothing was decided yet.
    Fresh,
    /// There is no room for any quality of its track.
    Paused,
    /// This quality, of this height.
    Quality(Choice, u16),
}

/// Whose a track is, for the pairing of slots: a participant, and whether this is its screen.
pub(crate) type Group = (usize, bool);

/// Puts the wanted tracks into slots without moving any that may stay.
///
/// The slots of one index share a media stream, so that browsers keep lips in sync: a track goes where the other kind has
/// the same group, else where the other kind has nothing, else anywhere.
pub(crate) fn assign(
    present: &[Option<TrackId>],
    wanted: &[(TrackId, Group)],
    opposite: &[Option<Group>],
) -> Vec<Option<TrackId>> {
    let chosen = &wanted[..wanted.len().min(present.len())];
    let stays = |track: &TrackId| chosen.iter().any(|(wanted, _)| wanted == track);
    let mut slots: Vec<_> = present.iter().map(|track| track.filter(stays)).collect();
    let mut place = |fits: &dyn Fn(Option<Group>, Group) -> bool| {
        for (track, group) in chosen {
            if slots.contains(&Some(*track)) {
                continue;
            }
            let across = |index: usize| opposite.get(index).copied().flatten();
            let free = (0..slots.len()).find(|index| slots[*index].is_none() && fits(across(*index), *group));
            if let Some(index) = free {
                slots[index] = Some(*track);
            }
        }
    };
    place(&|across, group| across == Some(group));
    place(&|across, _| across.is_none());
    place(&|_, _| true);
    slots
}

#[cfg(test)]
mod tests;
