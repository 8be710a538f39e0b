//! What only shows from inside: engines that fail.

use super::*;
use crate::tests::start;
use crate::{Offer, SlotRequest};

const OFFER: &str = include_str!("../../tests/it/offers/chromium.sdp");

/// A clock that stands still: engines seem to cost nothing, however slow this machine is.
fn still() -> Duration {
    Duration::ZERO
}

fn sfu(now: Instant, people: u64) -> Sfu {
    let config = Config {
        candidates: vec![SocketAddr::from(([192, 0, 2, 1], 49160))],
        tcp_candidates: Vec::new(),
        relays: (Vec::new(), 1..=2),
        shard: 0,
        audio_slots: 4,
        video_slots: 4,
        keyframe_cache: false,
        tracks: 4,
        participants: 10,
        unix: Duration::ZERO,
        clock: still,
    };
    let mut sfu = Sfu::new(now, config, [1; 32]);
    for id in 1..=people {
        let (room, participant) = (RoomId(1), ParticipantId(id));
        sfu.handle_command(
            now,
            Command::Join { room, participant, order: id, may_publish: true, may_subscribe: true, may_message: true },
        );
        sfu.handle_command(now, Command::Offer(offer(id, 1)));
    }
    sfu
}

fn offer(id: u64, generation: u64) -> Offer {
    let (participant, sdp) = (ParticipantId(id), OFFER.to_owned());
    let slots = SlotRequest { audio: vec!["2".to_owned()], video: vec!["4".to_owned()] };
    Offer { participant, generation, sdp, tracks: Vec::new(), slots }
}

fn events(sfu: &mut Sfu) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        match sfu.poll() {
            Output::Event(event) => events.push(event),
            Output::Transmit(_) => {}
            Output::Timeout(_) => return events,
        }
    }
}

#[test]
fn an_sfu_may_move_to_the_thread_of_its_shard() {
    fn send<T: Send>(thing: T) -> T {
        thing
    }
    assert_eq!(send(sfu(start(), 1)).stats.participants, 1);
}

#[test]
fn an_engine_that_panics_ends_one_participant_and_nothing_else() {
    let now = start();
    let mut sfu = sfu(now, 2);
    events(&mut sfu);
    let key = sfu.keys[&ParticipantId(1)];
    sfu.participants[key].sabotaged = true;
    sfu.handle_timeout(now + Duration::from_secs(60));
    assert_eq!(events(&mut sfu), [Event::Failed { participant: ParticipantId(1) }]);
    assert_eq!((sfu.stats.participants, sfu.stats.failures), (1, 1));
    sfu.handle_command(now, Command::Leave { participant: ParticipantId(1) });
    sfu.handle_command(now, Command::Offer(offer(2, 2)));
    assert!(matches!(events(&mut sfu)[..], [Event::Answer { generation: 2, .. }, Event::Slots { .. }]));
}

#[test]
fn an_offer_that_makes_the_engine_panic_is_refused_once() {
    let now = start();
    let mut sfu = sfu(now, 2);
    events(&mut sfu);
    let key = sfu.keys[&ParticipantId(1)];
    sfu.participants[key].sabotaged = true;
    sfu.handle_command(now, Command::Offer(offer(1, 2)));
    let events = events(&mut sfu);
    assert!(matches!(events[..], [Event::Rejected { generation: 2, .. }, Event::Failed { .. }]), "{events:?}");
}

#[test]
fn more_people_than_configured_are_not_taken_in() {
    let mut sfu = sfu(start(), 11);
    assert_eq!(sfu.stats.participants, 10);
    let last = events(&mut sfu).pop();
    assert!(matches!(last, Some(Event::Rejected { participant: ParticipantId(11), .. })));
}
