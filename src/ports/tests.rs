//! Leases: none is given twice, none is lost.

use std::collections::HashSet;

use proptest::prelude::*;
use roundturn_turn::{Holder, Prefix};

use super::*;
use crate::config::Limits;
use crate::ledger::Ledger;

fn busy(_: u16) -> io::Result<()> {
    Err(io::ErrorKind::AddrInUse.into())
}

#[test]
fn the_sfu_gets_the_first_port_that_can_be_bound() {
    let ports = Ports::new(50_000..=50_009);
    let foreign = |port: u16| if port == 50_000 { busy(port) } else { Ok(()) };
    let (first, ()) = ports.lease_sfu(&[Family::V4, Family::V6], foreign).unwrap();
    let (second, ()) = ports.lease_sfu(&[Family::V4], foreign).unwrap();
    assert_eq!((first.port(), second.port()), (50_001, 50_002));
    assert!(ports.is_live(Family::V6, 50_001) && ports.is_live(Family::V4, 50_001));
    assert!(!ports.is_live(Family::V6, 50_002) && ports.is_live(Family::V4, 50_002));
    assert_eq!(ports.in_use(Owner::Sfu), 2);
}

#[test]
fn a_relay_passes_over_ports_of_other_programs_and_gives_up_after_a_while() {
    let ports = Ports::new(50_000..=50_099);
    let mut tried = Vec::new();
    let result = ports.lease_relay(Family::V4, |port| {
        tried.push(port);
        busy(port)
    });
    assert!(matches!(result, Err(LeaseError::Bind { .. })));
    assert_eq!(tried.len(), RELAY_ATTEMPTS);
    assert_eq!(tried.iter().collect::<HashSet<_>>().len(), tried.len(), "no port is tried twice");
    assert_eq!(ports.in_use(Owner::Turn), 0);
    assert!((50_000..=50_099).all(|port| !ports.is_live(Family::V4, port)));
}

#[test]
fn a_used_up_range_says_so_and_a_dropped_lease_serves_again() {
    let ports = Ports::new(50_000..=50_001);
    let one = ports.lease_relay(Family::V4, |_| Ok(())).unwrap();
    let _two = ports.lease_relay(Family::V6, |_| Ok(())).unwrap();
    assert!(matches!(ports.lease_relay(Family::V4, |_| Ok(())), Err(LeaseError::Exhausted(_))));
    let port = one.0.port();
    drop(one);
    assert!(!ports.is_live(Family::V4, port));
    assert_eq!(ports.lease_relay(Family::V4, |_| Ok(())).unwrap().0.port(), port);
}

#[test]
fn even_ports_are_even_and_pairs_are_neighbours() {
    let ports = Ports::new(50_001..=50_006);
    let pair = ports.lease_even(Family::V4, true, |_| Ok(())).unwrap();
    let even = ports.lease_even(Family::V6, false, |_| Ok(())).unwrap();
    let (first, next) = (pair.first.0.port(), pair.next.unwrap());
    assert_eq!((first % 2, next.port()), (0, first + 1));
    assert!(ports.is_live(Family::V4, first) && !ports.is_live(Family::V4, next.port()));
    assert!(even.first.0.port().is_multiple_of(2) && even.next.is_none());
}

#[test]
fn half_a_pair_is_given_back() {
    let ports = Ports::new(50_000..=50_001);
    let odd_is_foreign = |port: u16| if port == 50_001 { busy(port) } else { Ok(()) };
    assert!(matches!(ports.lease_even(Family::V4, true, odd_is_foreign), Err(LeaseError::Bind { .. })));
    assert_eq!((ports.in_use(Owner::Turn), ports.is_live(Family::V4, 50_000)), (0, false));
    drop(ports.lease_even(Family::V4, true, |_| Ok(())).unwrap());
    assert_eq!(ports.in_use(Owner::Turn), 0);
    assert!(matches!(Ports::new(50_001..=50_001).lease_even(Family::V4, false, busy), Err(LeaseError::Exhausted(_))));
}

#[test]
fn a_kept_port_is_claimed_once_and_counts_until_it_is_given_up() {
    let limits = Limits {
        allocations: 2,
        allocations_per_user: 2,
        allocations_per_prefix: 2,
        user_rate: 0,
        total_rate: 0,
        monthly_bytes: 0,
    };
    let (ports, ledger) = (Ports::new(50_000..=50_003), Ledger::new(limits));
    let take = || ledger.take(crate::clock::now(), Holder { user: "alice", prefix: Prefix::of([84, 1, 1, 1].into()) });
    let pair = ports.lease_even(Family::V4, true, |_| Ok(())).unwrap();
    let next = Relay { family: Family::V4, port: pair.first.0.port() + 1 };
    ports.reserve(0, Family::V4, pair.next.unwrap(), take().unwrap());
    let _first = take().unwrap();
    assert!(take().is_err() && !ports.is_live(Family::V4, next.port));
    let (lease, (), ticket) = ports.claim(next, |_| Ok(())).unwrap();
    ports.release(0, next);
    assert!(ports.is_live(Family::V4, next.port) && ports.claim(next, |_| Ok(())).is_err());
    // Reserved anew at another shard: the first one's time is over, and it is none of its business.
    ports.reserve(1, Family::V4, lease, ticket);
    ports.release(0, next);
    assert!(take().is_err());
    ports.release(1, next);
    assert!(take().is_ok() && ports.in_use(Owner::Turn) == 1);
}

#[test]
fn a_port_outside_the_range_is_never_ours() {
    let ports = Ports::new(65_000..=65_535);
    let _all: Vec<_> = (0..536).map(|_| ports.lease_relay(Family::V4, |_| Ok(())).unwrap()).collect();
    assert!(ports.is_live(Family::V4, 65_535));
    assert!(!ports.is_live(Family::V4, 64_999) && !ports.is_live(Family::V4, 0));
}

proptest! {
    /// Any order of leasing and giving back: no port twice, every count true, nothing left at the end.
    #[test]
    fn leases_are_exclusive_and_come_back(steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0usize..64), 0..200)) {
        let ports = Ports::new(40_000..=40_019);
        let mut held: Vec<Lease> = Vec::new();
        for (give_back, sfu, pick) in steps {
            if give_back && !held.is_empty() {
                held.swap_remove(pick % held.len());
            } else {
                let refuses = |port: u16| if usize::from(port) % 7 == pick % 7 { busy(port) } else { Ok(()) };
                let leased = if sfu { ports.lease_sfu(&[Family::V4], refuses) } else { ports.lease_relay(Family::V4, refuses) };
                held.extend(leased.ok().map(|(lease, ())| lease));
            }
            let distinct: HashSet<u16> = held.iter().map(Lease::port).collect();
            prop_assert_eq!(distinct.len(), held.len());
            prop_assert_eq!(ports.in_use(Owner::Turn) + ports.in_use(Owner::Sfu), held.len() as u64);
            for port in 40_000..=40_019 {
                prop_assert_eq!(ports.is_live(Family::V4, port), distinct.contains(&port));
            }
        }
        held.clear();
        let all: Vec<_> = (0..20).map_while(|_| ports.lease_relay(Family::V6, |_| Ok(())).ok()).collect();
        prop_assert_eq!(all.len(), 20);
    }
}

#[test]
fn a_tcp_relay_is_no_port_for_datagrams_and_the_other_way_round() {
    let ports = Ports::new(50_000..=50_001);
    let (tcp, ()) = ports.lease_tcp_relay(Family::V4, |_| Ok(())).unwrap();
    let (udp, ()) = ports.lease_relay(Family::V4, |_| Ok(())).unwrap();
    assert_ne!(tcp.port(), udp.port(), "one lease is one number");
    let live = |port: u16| (ports.is_live(Family::V4, port), ports.is_live_tcp(Family::V4, port));
    assert_eq!((live(tcp.port()), live(udp.port())), ((false, true), (true, false)));
    assert!(!ports.is_live_tcp(Family::V6, tcp.port()));
    let port = tcp.port();
    drop(tcp);
    assert_eq!(live(port), (false, false));
}
