//! A room neither knows nor feels which other rooms its shard has.

use std::collections::{BTreeMap, BTreeSet};

use roundturn_sfu::{Command, RoomId};

use crate::support::{Setup, World};

const ROOMS: u64 = 3;

/// What somebody received: of whom, which frame, and whether it is of a picture. People are numbered in their room.
type Received = BTreeSet<(usize, u32, bool)>;

#[test]
fn one_shard_with_three_rooms_equals_three_shards() {
    for seed in 1..=3 {
        println!("seed {seed}");
        let together = play(&[1, 2, 3], seed);
        let mut apart = BTreeMap::new();
        (1..=ROOMS).for_each(|room| apart.extend(play(&[room], seed)));
        assert_eq!(together.len(), 9);
        for (who, received) in &together {
            assert!(received.len() > 100, "{who:?} received {}", received.len());
            let differ: Vec<_> = received.symmetric_difference(&apart[who]).collect();
            println!("{who:?}: {} of {}", differ.len(), received.len());
            // Handshakes and switches take a packet more or less, as the engines' own chance has it.
            assert!(differ.len() <= received.len() / 20, "{who:?}: {differ:?}");
        }
    }
}

/// Three people come to each room one after the other, one is muted for a while, and one leaves.
fn play(rooms: &[u64], seed: u64) -> BTreeMap<(u64, usize), Received> {
    let mut world = World::with(|_| {}, seed);
    let mut people: Vec<(u64, usize)> = Vec::new();
    let index = |people: &[(u64, usize)], who| people.iter().position(|other| *other == who).unwrap();
    for step in 0..12 {
        for room in rooms {
            // Each room has a life of its own.
            match step + (room + seed) % 2 {
                1 | 3 | 5 => {
                    let number = people.iter().filter(|(other, _)| other == room).count();
                    world.room = RoomId(*room);
                    world.enter(Setup { h264: (seed + room).is_multiple_of(3), ..Setup::default() });
                    people.push((*room, number));
                }
                7 | 8 => {
                    let track = world.tracks_of(index(&people, (*room, 0)))[1];
                    world.command(Command::Mute { track, muted: step + (room + seed) % 2 == 7 });
                }
                9 => {
                    let leaver = index(&people, (*room, 1));
                    world.command(Command::Leave { participant: world.clients[leaver].id });
                    world.clients[leaver].leave();
                }
                _ => {}
            }
        }
        world.run_ms(500);
    }
    let received = |at: usize| {
        let video: BTreeSet<String> = world.clients[at].video_slots.iter().map(ToString::to_string).collect();
        let packets = world.clients[at].received.iter();
        let number = |sender: u8| people[usize::from(sender) - 1].1;
        packets.map(|packet| (number(packet.sender()), packet.frame(), video.contains(&packet.mid))).collect()
    };
    people.iter().enumerate().map(|(at, who)| (*who, received(at))).collect()
}
