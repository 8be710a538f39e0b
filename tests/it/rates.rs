//! Quotas, rates and the month over two shards, spoken to by real sockets.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use roundturn::config::Limits;

use crate::support::{Daemon, Options, socket};
use crate::turn_client::TurnClient;

/// Enough clients that each of two shards has some, save once in 2^15 times.
const CLIENTS: usize = 16;

fn two_shards(limits: Limits) -> Daemon {
    let daemon = Options { shards: 2, ..Options::default() }.start();
    daemon.ledger.set_limits(limits);
    daemon
}

/// Limits that nothing here runs into.
pub fn limits() -> Limits {
    Limits {
        allocations: 1000,
        allocations_per_user: 1000,
        allocations_per_prefix: 1000,
        user_rate: 0,
        total_rate: 0,
        monthly_bytes: 0,
    }
}

/// What clients get that ask for an allocation one after the other, each in another name if `apart`.
fn allocate(daemon: &Daemon, apart: bool) -> Vec<Result<SocketAddr, u16>> {
    let name = |number| if apart { format!("user-{number}") } else { "alice".into() };
    (0..CLIENTS).map(|number| TurnClient::new(daemon.listener, &name(number)).allocate()).collect()
}

#[test]
fn quotas_hold_across_shards() {
    for (limits, apart, code) in [
        (Limits { allocations_per_user: 5, ..limits() }, false, 486),
        (Limits { allocations_per_prefix: 5, ..limits() }, true, 486),
        (Limits { allocations: 5, ..limits() }, true, 508),
    ] {
        let daemon = two_shards(limits);
        let results = allocate(&daemon, apart);
        assert!(results[..5].iter().all(Result::is_ok), "{results:?}");
        assert!(results[5..].iter().all(|result| *result == Err(code)), "{results:?}");
    }
}

/// Clients of one user, each with a channel to `peer`, and 50 packets of 1000 bytes from each of them.
fn flood(daemon: &Daemon, peer: &UdpSocket) -> Vec<TurnClient> {
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| TurnClient::new(daemon.listener, "alice")).collect();
    for client in &mut clients {
        client.allocate().unwrap();
        client.bind_channel(0x4000, peer.local_addr().unwrap()).unwrap();
        (0..50).for_each(|_| client.send_on_channel(0x4000, &[5; 1000]));
        // Whatever was sent before is judged when this is answered.
        client.binding();
    }
    clients
}

fn count(peer: &UdpSocket) -> usize {
    peer.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    std::iter::from_fn(|| peer.recv_from(&mut [0; 2048]).ok()).count()
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a rate is a matter of the real clock")]
fn the_rate_of_a_user_holds_across_shards() {
    // Ten packets of 1000 bytes a second.
    let daemon = two_shards(Limits { user_rate: 80_000, ..limits() });
    let (peer, begin) = (socket(), Instant::now());
    let _clients = flood(&daemon, &peer);
    let seconds = begin.elapsed().as_secs_f64();
    let count = count(&peer);
    assert!(count >= 2, "the burst passes");
    assert!(count as f64 <= seconds * 10.0 + 3.0, "{count} packets in {seconds} seconds");
}

#[test]
fn where_the_month_is_used_up_nothing_is_relayed_on_any_shard() {
    let daemon = two_shards(Limits { monthly_bytes: 1 << 40, ..limits() });
    let peer = socket();
    let clients = flood(&daemon, &peer);
    assert!(count(&peer) > 0);
    daemon.ledger.month().add(1 << 40);
    for client in clients {
        client.send_on_channel(0x4000, b"too late");
    }
    assert!(allocate(&daemon, true).iter().all(|result| *result == Err(508)));
    assert_eq!(count(&peer), 0);
}

#[test]
fn a_shard_tells_the_month_what_it_relayed() {
    let daemon = two_shards(limits());
    let (peer, ledger) = (socket(), daemon.ledger.clone());
    let _clients = flood(&daemon, &peer);
    let count = count(&peer) as u64;
    drop(daemon);
    assert!(ledger.month().used() >= count * 1000 && count > 0, "{} of {count} packets", ledger.month().used());
}
