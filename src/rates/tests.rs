//! Rates hold over shards, and can be had in full by one flow.

use proptest::prelude::*;
use roundturn_turn::Direction::{ToClient, ToPeers};

use super::*;
use crate::clock;

/// A user's meters, one on each of `shards`.
fn meters(rates: &Arc<Rates>, budget: &Arc<Budget>, shards: usize) -> Vec<Box<dyn Meter>> {
    (0..shards).map(|_| Purse::new(Arc::clone(rates)).meter(Arc::clone(budget))).collect()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Bits that pass when `meter` is offered a packet of `bytes` each millisecond for `seconds`.
fn offer(meter: &mut dyn Meter, start: Instant, seconds: u64, bytes: usize) -> u64 {
    let steps = 0..seconds * 1000;
    let passed = steps.filter(|step| meter.pass(start + millis(*step), ToPeers, bytes).is_ok()).count();
    passed as u64 * bytes as u64 * 8
}

#[test]
fn one_flow_on_one_shard_has_the_full_rate_and_no_more() {
    let start = clock::now();
    for (user, all) in [(2_000_000, 0), (0, 2_000_000), (2_000_000, 50_000_000), (50_000_000, 2_000_000)] {
        let rates = Rates::new(start, user, all, 0);
        let mut meter = meters(&rates, &Arc::default(), 1).remove(0);
        let bits = offer(&mut *meter, start, 20, 1000);
        assert!((40_000_000..=40_000_000 + 440_000).contains(&bits), "{bits} of 20 seconds at {user}, {all}");
    }
}

#[test]
fn below_the_rate_nothing_is_lost() {
    let start = clock::now();
    let rates = Rates::new(start, 1_000_000, 0, 0);
    let mut meter = meters(&rates, &Arc::default(), 1).remove(0);
    assert_eq!(offer(&mut *meter, start, 20, 125), 20_000_000);
}

#[test]
fn each_direction_has_the_rate_for_itself() {
    let start = clock::now();
    let rates = Rates::new(start, 80_000, 0, 0);
    let mut meter = meters(&rates, &Arc::default(), 1).remove(0);
    let granted =
        |meter: &mut dyn Meter, direction| (0..100).filter(|_| meter.pass(start, direction, 100).is_ok()).count();
    // 200 ms of 10,000 bytes a second, and the packet that goes beyond.
    assert_eq!((granted(&mut *meter, ToPeers), granted(&mut *meter, ToClient)), (21, 21));
    assert_eq!(meter.pass(start, ToPeers, 1), Err(Why::UserRate));
}

#[test]
fn a_stream_waits_for_its_rate_and_loses_nothing() {
    let start = clock::now();
    for (user, all) in [(800_000, 0), (0, 800_000), (8_000_000, 800_000)] {
        let rates = Rates::new(start, user, all, 0);
        let budget = Arc::default();
        let mut meter = meters(&rates, &budget, 1).remove(0);
        let (mut now, mut moved) = (start, 0);
        while now < start + Duration::from_secs(20) {
            match meter.opens(now, ToPeers) {
                Ok(open) if open > now => now = open,
                Ok(_) => {
                    meter.charge(now, ToPeers, 10_000);
                    moved += 10_000;
                }
                Err(why) => panic!("{why:?}"),
            }
        }
        // 100,000 bytes a second, what the burst allows, and a chunk that goes beyond.
        assert!((2_000_000..=2_030_000).contains(&moved), "{moved} at {user}, {all}");
        assert!(!rates.is_exceeded(now) && !rates.is_exceeded_by(&budget, now), "nothing was lost");
        assert_eq!(meter.opens(start, ToClient), Ok(start), "the other direction");
    }
}

#[test]
fn a_stream_ends_with_the_month() {
    let rates = Rates::new(clock::now(), 0, 0, 1000);
    let mut meter = meters(&rates, &Arc::default(), 1).remove(0);
    rates.month().turn(1_800_000_000);
    rates.month().add(1000);
    assert_eq!(meter.opens(clock::now(), ToPeers), Err(Why::MonthlyBytes));
}

#[test]
fn what_others_send_to_a_user_does_not_keep_it_from_allocating() {
    let start = clock::now();
    let rates = Rates::new(start, 1_000_000, 0, 0);
    let budget = Arc::default();
    let mut meter = meters(&rates, &budget, 1).remove(0);
    let lost = (0..10_000).filter(|step| meter.pass(start + millis(*step), ToClient, 1000).is_err()).count();
    assert!(lost > 5000);
    assert!(!rates.is_exceeded_by(&budget, start + Duration::from_secs(10)));
}

#[test]
fn a_user_beyond_its_rate_takes_nothing_from_others() {
    let start = clock::now();
    let rates = Rates::new(start, 1_000_000, 1_500_000, 0);
    let (mut greedy, mut modest) =
        (meters(&rates, &Arc::default(), 1).remove(0), meters(&rates, &Arc::default(), 1).remove(0));
    for step in 0..10_000 {
        let now = start + millis(step);
        for _ in 0..10 {
            let _ = greedy.pass(now, ToPeers, 1000);
        }
        if step % 20 == 0 {
            assert_eq!(modest.pass(now, ToPeers, 1000), Ok(()), "400 kbit/s of the 500 that are left, at {step} ms");
        }
    }
}

#[test]
fn all_together_lose_what_exceeds_the_total() {
    let start = clock::now();
    let rates = Rates::new(start, 0, 8_000_000, 0);
    let mut flows: Vec<_> = (0..4).map(|_| meters(&rates, &Arc::default(), 1).remove(0)).collect();
    let mut passed = 0;
    for step in 0..10_000 {
        for flow in &mut flows {
            match flow.pass(start + millis(step), ToPeers, 1000) {
                Ok(()) => passed += 8000,
                Err(why) => assert_eq!(why, Why::TotalRate),
            }
        }
    }
    // Ten seconds, the burst, and what four shards hold in advance.
    assert!((80_000_000..=80_000_000 + 1_600_000 + 5 * 8000).contains(&passed), "{passed}");
}

#[test]
fn only_who_does_not_give_way_has_exceeded_its_rate() {
    let start = clock::now();
    let rates = Rates::new(start, 1_000_000, 0, 0);
    let budget = Arc::<Budget>::default();
    let mut meter = meters(&rates, &budget, 1).remove(0);
    let mut at = 0;
    let mut send = |for_millis: u64| {
        for _ in 0..for_millis {
            let _ = meter.pass(start + millis(at), ToPeers, 1000);
            at += 1;
        }
        rates.is_exceeded_by(&budget, start + millis(at))
    };
    assert!(!send(4000), "a few seconds are a sender that finds out");
    assert!(send(1500));
    assert!(rates.is_exceeded_by(&budget, start + millis(6000)));
    assert!(!rates.is_exceeded_by(&budget, start + millis(7000)), "it has paused");
    assert!(!rates.is_exceeded(start + millis(5500)), "the server's rate is another matter");
}

#[test]
fn other_limits_hold_at_once_for_what_is_there() {
    let start = clock::now();
    let rates = Rates::new(start, 0, 0, 0);
    let budget = Arc::<Budget>::default();
    let mut meter = meters(&rates, &budget, 1).remove(0);
    assert!((0..1000).all(|_| meter.pass(start, ToPeers, 1000).is_ok()));
    rates.set(8000, 0, 0);
    assert_eq!((0..10).filter(|_| meter.pass(start, ToPeers, 1000).is_ok()).count(), 1);
    rates.set(0, 8000, 0);
    assert_eq!((0..10).filter(|_| meter.pass(start, ToPeers, 1000).is_ok()).count(), 1);
    rates.set(0, 0, 10);
    rates.month().add(10);
    assert_eq!(meter.pass(start, ToPeers, 1), Err(Why::MonthlyBytes));
    rates.set(0, 0, 11);
    assert_eq!(meter.pass(start, ToPeers, 1), Ok(()));
}

#[test]
fn threads_that_send_at_once_share_one_rate() {
    let start = clock::now();
    let rates = Rates::new(start, 8_000_000, 0, 0);
    let budget = Arc::<Budget>::default();
    let passed: usize = std::thread::scope(|scope| {
        let meters = meters(&rates, &budget, 4);
        let threads: Vec<_> = meters
            .into_iter()
            .map(|mut meter| {
                let send = move || (0..5000).filter(|_| meter.pass(start, ToPeers, 1000).is_ok()).count();
                scope.spawn(send)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 201, "200 ms at one megabyte a second, and the packet that goes beyond");
}

proptest! {
    /// Whatever is sent when on which shard: no window of a second holds more than the rate, the burst and one packet.
    #[test]
    fn in_no_second_passes_more_than_the_rate_and_its_burst(
        rate in 10_000u64..100_000_000,
        packets in proptest::collection::vec((0u64..20_000, 0usize..4, 0usize..1500), 1..2000),
    ) {
        let start = clock::now();
        let rates = Rates::new(start, rate, 0, 0);
        let mut meters = meters(&rates, &Arc::default(), 4);
        let (mut at, mut passed) = (0, Vec::new());
        for (pause, shard, bytes) in packets {
            at += pause;
            if meters[shard].pass(start + Duration::from_micros(at), ToClient, bytes).is_ok() {
                passed.push((at, bytes as u64 * 8));
            }
        }
        let most = rate + rate / 5 + 1500 * 8;
        for (index, (from, _)) in passed.iter().enumerate() {
            let second = passed[index..].iter().take_while(|(at, _)| *at < from + 1_000_000);
            let bits = second.map(|(_, bits)| bits).sum::<u64>();
            prop_assert!(bits <= most, "{} bits in a second, at most {}", bits, most);
        }
    }
}
