//! Whether a packet came already: whoever can copy a report must not have it count twice (RFC 3711 §3.3.2).

use std::collections::VecDeque;

/// Packets before the newest one that may still come.
const WINDOW: u32 = u64::BITS;
/// SSRCs that are remembered; beyond them the oldest is forgotten. A browser reports from one for each of its streams.
const SOURCES: usize = 64;

/// What came of each SSRC in one direction.
#[derive(Debug, Default)]
pub(super) struct Replay {
    sources: VecDeque<Source>,
}

/// The newest index, and as bits those that came: the lowest is the newest.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    newest: u32,
    came: u64,
}

impl Replay {
    /// A sound packet came. `false`: it had come before, or it is so old that nobody knows.
    pub(super) fn admit(&mut self, ssrc: u32, index: u32) -> bool {
        let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == ssrc) else {
            if self.sources.len() >= SOURCES {
                self.sources.pop_front();
            }
            self.sources.push_back(Source { ssrc, newest: index, came: 1 });
            return true;
        };
        if let Some(ahead) = index.checked_sub(source.newest).filter(|ahead| *ahead > 0) {
            source.came = source.came.checked_shl(ahead).unwrap_or(0) | 1;
            source.newest = index;
            return true;
        }
        let behind = source.newest - index;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        let is_new = behind < WINDOW && source.came & bit == 0;
        source.came |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_admitted_twice_and_nothing_of_the_window_refused(
            indices in prop::collection::vec(0_u32..300, 1..400),
        ) {
            let (mut replay, mut came, mut newest) = (Replay::default(), HashSet::new(), 0);
            for index in indices {
                newest = newest.max(index);
                let is_new = came.insert(index);
                prop_assert_eq!(replay.admit(7, index), is_new && newest - index < WINDOW);
            }
        }
    }

    #[test]
    fn sources_count_for_themselves() {
        let mut replay = Replay::default();
        assert!(replay.admit(1, 5) && replay.admit(2, 5) && !replay.admit(1, 5) && !replay.admit(2, 5));
    }

    #[test]
    fn few_sources_are_remembered() {
        let mut replay = Replay::default();
        assert!((0..=SOURCES as u32).all(|ssrc| replay.admit(ssrc, 5)));
        assert!(replay.admit(0, 5), "the oldest is forgotten");
        assert!(!replay.admit(SOURCES as u32, 5));
    }
}
