//! Two and three people who see and hear each other.

use crate::support::{Received, Setup, World};

#[test]
fn two_people_see_and_hear_each_other() {
    let mut world = World::new();
    let ana = world.enter(Setup::default());
    let bo = world.enter(Setup::default());
    world.run_ms(3000);
    for (me, other) in [(ana, 2), (bo, 1)] {
        let client = &world.clients[me];
        let sound = client.in_slot(client.audio_slots[0]);
        let sight = client.in_slot(client.video_slots[0]);
        assert!(sound.len() > 100, "{} packets of sound", sound.len());
        assert!(sight.len() > 150, "{} packets of sight", sight.len());
        assert!(sight[0].is_keyframe());
        assert!(sound.iter().chain(&sight).all(|packet| packet.sender() == other));
        assert_contiguous(&sound);
        assert_contiguous(&sight);
    }
}

fn assert_contiguous(packets: &[&Received]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "a gap after {:?}", pair[0]);
    }
    assert!(packets[0].sequence < 65_536);
}
