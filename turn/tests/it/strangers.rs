//! What strangers cost: no memory, and answers at a limited rate (RFC 8656 §21.1).

use roundturn_turn::{Config, Limits, Why};

use crate::dsl::*;

fn strict() -> World {
    let limits = Limits { stranger_answers_per_second: 10, stranger_answers_burst: 5, ..config().limits };
    World::with(Config { limits, ..config() })
}

#[test]
fn binding_401_438_and_400_share_the_rate_of_a_prefix() {
    let world = strict();
    let speak = |host: u8, ask: Ask| world.client(&format!("84.1.1.{host}:4000")).says_bare(ask);
    speak(1, binding()).hears(success());
    speak(2, allocate()).hears(error(401));
    speak(3, refresh(0)).hears(error(401));
    let stale = world.client("84.1.1.4:4000");
    *stale.nonce.borrow_mut() = Some(b"made up".to_vec());
    stale.says_raw(&stale.signed(&allocate())).hears(error(438));
    speak(5, binding()).hears(success());
    speak(6, binding()).nobody_hears(Why::RateLimited);
    speak(7, allocate()).nobody_hears(Why::RateLimited);
    world.client("84.1.2.1:4000").says_bare(binding()).hears(success());
    world.later(secs(1));
    speak(6, binding()).hears(success());
    let drops = world.with_server(|server, _| server.stats().drops.clone());
    assert_eq!(drops.of(Why::RateLimited), 2);
}

#[test]
fn who_has_an_allocation_does_not_suffer_from_its_neighbours() {
    let world = strict();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    for host in 2..100 {
        world.client(&format!("84.1.1.{host}:4000")).says_bare(binding());
    }
    world.client("84.1.1.100:4000").says_bare(binding()).nobody_hears(Why::RateLimited);
    for _ in 0..10 {
        alice.says_bare(binding()).hears(success());
        alice.says(refresh(600)).hears(success());
    }
}

#[test]
fn who_forges_a_clients_address_draws_few_answers_to_it() {
    let world = strict();
    let alice = world.client("84.1.1.1:4000");
    alice.allocates();
    // The forger knows the 5-tuple, and neither key nor nonce.
    let forger = world.client_as("84.1.1.1:4000", &alice.username, "a guess");
    *forger.nonce.borrow_mut() = Some(b"made up".to_vec());
    let forged = [binding(), allocate(), refresh(600), create_permission(&["9.9.9.9:1"])];
    let answers = (0..1000).filter(|round| {
        let ask = &forged[round % forged.len()];
        let heard = match round % 2 {
            0 => forger.says_raw(&forger.signed(ask)),
            _ => forger.says_bare(ask.clone()),
        };
        heard.bytes().is_some()
    });
    assert!(answers.count() <= 64);
    world.later(secs(10));
    let answers = (0..1000).filter(|_| forger.says_bare(binding()).bytes().is_some());
    assert!(answers.count() <= 100, "10 a second");

    // The client itself is heard all the while, also when its nonce has become old.
    alice.says(refresh(600)).hears(success());
    world.later(minutes(9));
    alice.says(refresh(3600)).hears(success());
    world.later(minutes(59));
    (0..1000).for_each(|_| drop(forger.says_bare(binding())));
    forger.says_bare(binding()).nobody_hears(Why::RateLimited);
    alice.says_raw(&alice.signed(&refresh(600))).hears(error(438));
    alice.says(refresh(600)).hears(success());
    // And its neighbours have their prefix's answers for themselves.
    world.client("84.1.1.2:4000").says_bare(binding()).hears(success());
}

#[test]
fn an_answer_to_a_stranger_is_small() {
    let world = World::new();
    let alice = world.client("84.1.1.1:4000");
    assert!(alice.says_bare(binding()).hears(success()).bytes.len() <= 32);
    let request = allocate().with(roundturn_turn::message::attribute::SOFTWARE, &[b'x'; 500]);
    assert!(alice.says_bare(request).hears(error(401)).bytes.len() <= 64 + 4);
}

#[test]
fn ten_thousand_strangers_leave_nothing_behind() {
    let world = strict();
    for port in 0..10_000u32 {
        let remote = format!("84.{}.{}.1:4000", port >> 8, port & 255);
        drop(world.client(&remote).says_bare(allocate()));
    }
    world.with_server(|server, _| {
        assert_eq!(server.poll_timeout(), None);
        assert_eq!(server.stats().allocations, 0);
    });
}
