//! Who speaks, and how often that is told.

use super::*;
use crate::tests::start;

/// Feeds packets of 20 ms with these levels; returns when the speaking began and ended, in ms.
fn changes(levels: impl Iterator<Item = i8>) -> Vec<u64> {
    let (begin, mut loudness, mut speaking, mut changes) = (start(), Loudness::default(), false, Vec::new());
    for (index, level) in levels.enumerate() {
        let now = begin + Duration::from_millis(20 * index as u64);
        loudness.hear(now, level);
        if loudness.speaking(now).is_some() != speaking {
            speaking = !speaking;
            changes.push(20 * index as u64);
        }
    }
    changes
}

#[test]
fn gaps_between_words_are_no_silence() {
    let words = (0..300).map(|packet| if packet % 25 < 10 { -30 } else { -127 });
    let changes = changes(words);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0] <= 200);
}

#[test]
fn who_stops_is_silent_soon() {
    let changes = changes((0..300).map(|packet| if packet < 100 { -30 } else { -127 }));
    assert!(matches!(changes[..], [_, end] if (2500..4500).contains(&end)), "{changes:?}");
}

#[test]
fn a_click_or_a_quiet_room_is_nobody_speaking() {
    assert_eq!(changes((0..300).map(|packet| if packet % 100 == 5 { -30 } else { -127 })), Vec::<u64>::new());
    assert_eq!(changes((0..300).map(|_| -70)), Vec::<u64>::new());
}

#[test]
fn a_microphone_that_ends_in_mid_word_falls_silent() {
    let begin = start();
    let mut loudness = Loudness::default();
    (0..50).for_each(|_| loudness.hear(begin, -10));
    assert!(loudness.speaking(begin).is_some());
    assert_eq!(loudness.speaking(begin + Duration::from_millis(1001)), None);
}

#[test]
fn the_same_speakers_are_told_once() {
    let mut speakers = Speakers::default();
    let (ana, bo) = (ParticipantId(1), ParticipantId(2));
    assert_eq!(speakers.update(Vec::new()), None);
    assert!(speakers.update(vec![(ana, -20), (bo, -30)]).is_some());
    assert_eq!(speakers.update(vec![(ana, -22), (bo, -27)]), None);
    assert!(speakers.update(vec![(bo, -20), (ana, -22)]).is_some());
    assert!(speakers.update(Vec::new()).is_some());
    assert!(!speakers.any());
}
