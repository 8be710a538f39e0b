//! What must hold between people, tracks and slots after every command; looked at in debug builds only.

use crate::sfu::Sfu;

impl Sfu {
    /// Panics where two tables disagree.
    pub(crate) fn check(&self) {
        for (key, participant) in &self.participants {
            assert_eq!(self.keys.get(&participant.id), Some(&key), "who is known by a name is there");
            let room = self.rooms.get(&participant.room);
            assert!(room.is_some_and(|room| room.participants.contains(&key)), "who is there is in a room");
            for track in participant.slots.all.iter().filter_map(|slot| slot.track) {
                let track = self.tracks.get(&track).expect("what is in a slot exists");
                assert_ne!(track.publisher, key, "nobody receives itself");
                assert_eq!(track.room, participant.room, "rooms do not mix");
                let times = track.subscribers.iter().filter(|subscriber| **subscriber == key).count();
                assert_eq!(times, 1, "who has a track in a slot gets it once");
            }
            for (mid, track) in &participant.published {
                let track = self.tracks.get(track).expect("what is published exists");
                assert_eq!((track.publisher, track.mid), (key, *mid), "a track knows where it comes from");
            }
        }
        for (id, track) in &self.tracks {
            let publisher = &self.participants[track.publisher];
            assert!(publisher.published.iter().any(|(_, other)| other == id), "a track has a publisher");
            for key in &track.subscribers {
                let slots = &self.participants[*key].slots.all;
                assert!(slots.iter().any(|slot| slot.track == Some(*id)), "who gets a track has it in a slot");
            }
        }
        for room in self.rooms.values() {
            assert!(!room.participants.is_empty(), "a room ends with its last participant");
            assert!(room.tracks.iter().all(|track| self.tracks.contains_key(track)), "a room lists what exists");
        }
    }
}
