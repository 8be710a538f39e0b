//! Data channels of a room: who gets what, and who is cut off before media suffers.

use std::time::Duration;

use crate::support::{Setup, World};

const BOTH: [&str; 2] = ["reliable", "lossy"];

/// Three people with both channels open.
fn three() -> World {
    let mut world = World::new();
    for _ in 0..3 {
        let index = world.enter(Setup::default());
        world.run_ms(500);
        world.open_channels(index, &BOTH);
    }
    world.run_ms(1500);
    for client in &world.clients {
        assert!(BOTH.iter().all(|label| client.data.is_open(label)));
    }
    world
}

#[test]
fn a_message_reaches_everyone_else_and_says_who_sent_it() {
    let mut world = three();
    assert!(world.clients[1].say("reliable", b"hello"));
    assert!(world.clients[2].say("lossy", b"here"));
    world.run_ms(200);
    let order = |index: usize| index as u32 + 1;
    assert_eq!(world.clients[0].data.on("reliable"), [(order(1), &b"hello"[..])]);
    assert_eq!(world.clients[2].data.on("reliable"), [(order(1), &b"hello"[..])]);
    assert_eq!(world.clients[0].data.on("lossy"), [(order(2), &b"here"[..])]);
    assert_eq!(world.clients[1].data.on("lossy"), [(order(2), &b"here"[..])]);
    assert!(world.clients[1].data.on("reliable").is_empty(), "nobody hears itself");
    assert_eq!((world.sfu.stats().messages_in, world.sfu.stats().messages_out), (2, 4));
}

#[test]
fn text_stays_text() {
    let mut world = three();
    world.clients[0].write("reliable", false, "grüß".as_bytes());
    world.clients[0].write("reliable", true, &[1, 2]);
    world.run_ms(200);
    let messages = &world.clients[1].data.messages;
    let heads: Vec<_> = messages.iter().map(|message| (message.bytes[0], message.bytes.len())).collect();
    assert_eq!(heads, [(1, 11), (0, 7)]);
}

#[test]
fn loss_takes_nothing_from_the_reliable_channel_and_keeps_its_order() {
    let mut world = three();
    world.loss = 100;
    for number in 0..100_u8 {
        assert!(world.clients[0].say("reliable", &[number; 300]));
        world.run_ms(20);
    }
    world.loss = 0;
    world.run_ms(5000);
    for receiver in [1, 2] {
        let got: Vec<_> = world.clients[receiver].data.on("reliable").iter().map(|(_, bytes)| bytes[0]).collect();
        assert_eq!(got, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn whoever_has_no_grant_for_messages_is_not_heard_but_hears() {
    let mut world = World::new();
    world.grants = (true, true, false);
    let mute = world.enter(Setup::default());
    world.grants = (false, false, true);
    let other = world.enter(Setup { microphone: false, camera: false, ..Setup::default() });
    world.run_ms(500);
    world.open_channels(mute, &BOTH);
    world.open_channels(other, &BOTH);
    world.run_ms(1000);
    world.clients[mute].say("reliable", b"psst");
    world.clients[other].say("reliable", b"hi");
    world.run_ms(200);
    assert!(world.clients[other].data.messages.is_empty());
    assert_eq!(world.clients[mute].data.on("reliable"), [(2, &b"hi"[..])]);
    assert_eq!(world.sfu.stats().messages_dropped.forbidden, 1);
}

#[test]
fn other_labels_and_second_channels_are_closed() {
    let mut world = World::new();
    world.enter(Setup::default());
    world.run_ms(500);
    world.open_channels(0, &["reliable", "lossy", "chat"]);
    let first = world.clients[0].data.channels["reliable"];
    world.run_ms(1000);
    assert!(!world.clients[0].data.is_open("chat"));
    world.open_channels(0, &["reliable"]);
    world.run_ms(1000);
    assert!(!world.clients[0].data.is_open("reliable"), "the second one");
    world.clients[0].data.channels.insert("reliable", first);
    assert!(world.clients[0].data.is_open("reliable"));
}

#[test]
fn a_channel_may_be_opened_before_any_media() {
    let mut world = World::new();
    for _ in 0..2 {
        world.enter(Setup { microphone: false, camera: false, audio_slots: 1, video_slots: 0, ..Setup::default() });
    }
    world.run_ms(500);
    world.open_channels(0, &BOTH);
    world.open_channels(1, &["lossy"]);
    world.run_ms(1000);
    world.clients[0].say("lossy", b"x");
    world.clients[0].say("reliable", b"y");
    world.run_ms(100);
    assert_eq!(world.clients[1].data.messages.len(), 1);
}

#[test]
fn whoever_sends_too_much_loses_the_channel_and_may_open_it_anew() {
    let mut world = three();
    let mut sent = 0;
    while world.clients[0].data.is_open("reliable") && sent < 400 {
        world.clients[0].say("reliable", &[1; 4000]);
        sent += 1;
        world.run_ms(5);
    }
    assert!((30..200).contains(&sent), "{sent} messages of 4 kB");
    world.run_ms(3000);
    assert!(world.clients[1].data.is_open("reliable") && world.clients[2].data.is_open("reliable"));
    let before = world.clients[1].data.messages.len();
    assert!(before >= 20, "{before} messages before that");
    world.open_channels(0, &["reliable"]);
    world.run_ms(1000);
    assert!(world.clients[0].say("reliable", b"again"));
    world.run_ms(300);
    assert_eq!(world.clients[1].data.messages.len(), before + 1);
    assert_eq!(world.sfu.stats().channels_closed, 1);
}

#[test]
fn what_is_too_large_closes_the_channel_of_its_sender() {
    let mut world = three();
    assert!(world.clients[0].say("reliable", &[1; 16 * 1024]));
    world.run_ms(1000);
    assert_eq!(world.clients[1].data.on("reliable").len(), 1);
    assert!(!world.clients[0].say("reliable", &[1; 16 * 1024 + 1]), "the answer says how large it may be");
}

#[test]
fn data_does_not_starve_media() {
    let mut world = three();
    let slot = world.clients[2].video_slots[0];
    let before = world.clients[2].in_slot(slot).len();
    world.run_ms(2000);
    let quiet = world.clients[2].in_slot(slot).len() - before;
    for round in 0..400 {
        for index in [0, 1] {
            world.clients[index].say("lossy", &[round as u8; 8000]);
            world.clients[index].say("reliable", &[round as u8; 100]);
        }
        world.run_ms(5);
    }
    let busy = world.clients[2].in_slot(slot).len() - before - quiet;
    assert!(busy * 100 >= quiet * 95, "{busy} packets of a picture beside data, {quiet} without");
    let bytes: usize = world.clients[2].data.messages.iter().map(|message| message.bytes.len()).sum();
    assert!(bytes < 450_000, "{bytes} bytes of data in 2 s");
    let slots = [world.clients[2].audio_slots[0], slot];
    for slot in slots {
        let packets = world.clients[2].in_slot(slot);
        let gaps = packets.windows(2).map(|pair| pair[1].at.saturating_duration_since(pair[0].at));
        assert!(gaps.max().unwrap() < Duration::from_millis(200));
    }
}

#[test]
fn who_cannot_keep_up_loses_its_own_channel_only() {
    let mut world = three();
    // Nothing that is sent to it is acknowledged any more.
    world.clients[2].leave();
    let mut sent = 0;
    while world.sfu.stats().channels_closed == 0 && sent < 1000 {
        world.clients[0].say("reliable", &[7; 1000]);
        sent += 1;
        world.run_ms(25);
    }
    assert_eq!(world.sfu.stats().channels_closed, 1, "after {sent} kB");
    assert!((100..600).contains(&sent), "{sent} kB");
    world.run_ms(500);
    assert!(world.clients[0].data.is_open("reliable") && world.clients[1].data.is_open("reliable"));
    assert_eq!(world.clients[1].data.on("reliable").len(), sent);
}

#[test]
fn channels_end_with_the_peer_connection_and_harm_nothing() {
    let mut world = three();
    world.clients[0].rtc.close().unwrap();
    world.run_ms(1000);
    world.clients[1].say("reliable", b"who is there?");
    world.run_ms(200);
    assert_eq!(world.clients[2].data.on("reliable").len(), 1);
    assert_eq!(world.sfu.stats().failures, 0);
}

#[test]
fn whoever_opens_channel_after_channel_is_ended_and_nobody_else() {
    let mut world = three();
    for _ in 0..20 {
        world.open_channels(0, &["a", "b", "c", "d", "e"]);
        world.run_ms(100);
    }
    assert_eq!(world.sfu.stats().failures, 1);
    world.clients[0].leave();
    world.clients[1].say("reliable", b"still here");
    world.run_ms(200);
    assert_eq!(world.clients[2].data.on("reliable").len(), 1);
}

#[test]
fn what_was_lost_on_its_way_to_someone_who_waits_is_sent_again_soon() {
    // There is a moment at which it has come to the server and not left it yet.
    let mut world = (1..30).find_map(lost_on_its_way).expect("lost between the server and the other");
    world.loss = 0;
    world.run_ms(1200);
    assert_eq!(world.clients[1].data.on("reliable").len(), 1);
}

/// Two who wait, and the message of one to the other, if it was lost on its way to the other when everything was lost after
/// so many milliseconds.
fn lost_on_its_way(millis: u64) -> Option<World> {
    let mut world = World::new();
    for _ in 0..2 {
        let index = world.enter(Setup { microphone: false, camera: false, ..Setup::default() });
        world.open_channels(index, &BOTH);
    }
    // Long enough for both to be left alone.
    world.run_ms(15_000);
    world.clients[0].say("reliable", b"hello");
    world.run_ms(millis);
    world.loss = 1000;
    world.run_ms(300);
    let is_lost = world.sfu.stats().messages_out == 1 && world.clients[1].data.on("reliable").is_empty();
    is_lost.then_some(world)
}
