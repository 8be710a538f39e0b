//! Shards on the loopback, spoken to by real sockets.

use std::net::SocketAddr;
use std::sync::Arc;

use roundturn::net::udp::BindError;
use roundturn::ports::Owner;

use crate::support::{Daemon, Options, behind_nat, socket};
use crate::turn_client::{Heard, TurnClient};

fn options(shards: usize, hairpin: bool) -> Options {
    Options { shards, hairpin, ..Options::default() }
}

#[test]
fn every_shard_has_an_sfu_port_and_a_stopped_one_gives_it_back() {
    let daemon = options(3, true).start();
    let ports = Arc::clone(&daemon.ports);
    assert_eq!(ports.in_use(Owner::Sfu), 3);
    let mut distinct = daemon.sfu_ports.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 3);
    drop(daemon);
    assert_eq!(ports.in_use(Owner::Sfu), 0);
}

#[test]
fn a_second_daemon_is_told_who_listens_already() {
    let daemon = options(1, true).start();
    let error = Options::default().bind_at(daemon.listener).map(|_| ()).unwrap_err();
    let BindError::Taken { address, holder, .. } = error else { panic!("{error}") };
    assert_eq!(address, daemon.listener);
    assert!(holder.unwrap().contains(&format!("(pid {})", std::process::id())));
}

#[test]
fn binding_tells_each_client_its_address_whichever_shard_it_reaches() {
    for shards in [1, 2] {
        let daemon = options(shards, true).start();
        for _ in 0..16 {
            let mut client = TurnClient::new(daemon.listener, "alice");
            assert_eq!(client.binding(), client.address());
        }
    }
}

#[test]
fn a_client_and_a_peer_exchange_data_by_indications_and_channels() {
    for shards in [1, 2] {
        let daemon = options(shards, true).start();
        for _ in 0..8 {
            let (mut client, peer) = (TurnClient::new(daemon.listener, "alice"), socket());
            let relay = client.allocate().unwrap();
            assert!(daemon.ports.range().contains(&relay.port()));
            let peer_address = peer.local_addr().unwrap();
            client.permit(peer_address).unwrap();

            client.send_indication(peer_address, b"by indication");
            let mut bytes = [0; 2048];
            assert_eq!(peer.recv_from(&mut bytes).unwrap(), (13, relay));
            peer.send_to(b"back", relay).unwrap();
            assert_eq!(client.hear(), Some(Heard::Data(peer_address, b"back".to_vec())));

            client.bind_channel(0x4001, peer_address).unwrap();
            for size in [0, 1, 3, 4, 1000, 1452] {
                client.send_on_channel(0x4001, &vec![7; size]);
                assert_eq!(peer.recv_from(&mut bytes).unwrap(), (size, relay));
                peer.send_to(&vec![8; size], relay).unwrap();
                assert_eq!(client.hear(), Some(Heard::Channel(0x4001, vec![8; size])));
            }
        }
        assert_eq!(daemon.ports.in_use(Owner::Turn), 8);
    }
}

#[test]
fn a_burst_arrives_whole_and_in_order_both_ways() {
    let daemon = options(1, true).start();
    let (mut client, peer) = (TurnClient::new(daemon.listener, "alice"), socket());
    let (relay, peer_address) = (client.allocate().unwrap(), peer.local_addr().unwrap());
    client.bind_channel(0x4000, peer_address).unwrap();
    let payload = |number: u16| [&number.to_be_bytes()[..], &[5; 998]].concat();
    let mut bytes = [0; 2048];
    for round in 0..20u16 {
        let numbers = round * 50..(round + 1) * 50;
        numbers.clone().for_each(|number| client.send_on_channel(0x4000, &payload(number)));
        for number in numbers.clone() {
            let (len, from) = peer.recv_from(&mut bytes).unwrap();
            assert_eq!((&bytes[..len], from), (&payload(number)[..], relay));
        }
        numbers.clone().for_each(|number| assert_eq!(peer.send_to(&payload(number), relay).unwrap(), 1000));
        for number in numbers {
            assert_eq!(client.hear(), Some(Heard::Channel(0x4000, payload(number))));
        }
    }
}

#[test]
fn a_released_relay_gives_its_port_and_its_place_in_the_quota_back() {
    let daemon = Options { per_user: 1, ..options(2, true) }.start();
    let (mut first, mut second) =
        (TurnClient::new(daemon.listener, "alice"), TurnClient::new(daemon.listener, "alice"));
    first.allocate().unwrap();
    assert_eq!(second.allocate(), Err(486), "the quota holds across shards");
    first.release().unwrap();
    // The answer to the release may be on its way before the socket is closed.
    let again = std::iter::repeat_with(|| second.allocate()).take(50).find(Result::is_ok);
    assert!(again.is_some());
    assert_eq!((daemon.ports.in_use(Owner::Turn), daemon.ledger.total()), (1, 1));
}

/// Two clients behind relays, by channel one way and by indication the other: what each hears, with its own name and
/// the other's for the ports that chance chose.
fn relay_to_relay(daemon: &Daemon) -> Vec<String> {
    let (mut one, mut two) = (TurnClient::new(daemon.listener, "one"), TurnClient::new(daemon.listener, "two"));
    let (relay_one, relay_two) = (one.allocate().unwrap(), two.allocate().unwrap());
    let name = |address: SocketAddr| match address {
        _ if address == relay_one => format!("relay one of {}", address.ip()),
        _ if address == relay_two => format!("relay two of {}", address.ip()),
        _ => format!("stranger {address}"),
    };
    let heard = |client: &TurnClient| match client.hear() {
        Some(Heard::Channel(number, data)) => format!("channel {number:#x}: {data:?}"),
        Some(Heard::Data(peer, data)) => format!("data from {}: {data:?}", name(peer)),
        Some(Heard::Icmp(peer, kind, code)) => format!("icmp {kind}, {code} about {}", name(peer)),
        None => "nothing".to_owned(),
    };
    one.bind_channel(0x4001, relay_two).unwrap();
    two.permit(relay_one).unwrap();
    let mut transcript = Vec::new();
    for size in [1, 2, 3, 4, 160, 1200] {
        one.send_on_channel(0x4001, &vec![1; size]);
        transcript.push(heard(&two));
        two.send_indication(relay_one, &vec![2; size]);
        transcript.push(heard(&one));
    }
    // Oneself.
    two.permit(relay_two).unwrap();
    two.send_indication(relay_two, b"echo");
    transcript.push(heard(&two));
    // The next ones may be given the same ports, and are others.
    [one, two].iter_mut().for_each(|client| client.release().unwrap());
    transcript
}

#[test]
fn relays_reach_each_other_and_themselves_alike_with_and_without_the_shortcut() {
    for addresses in [Options::default().addresses, behind_nat()] {
        let direct = |shards, hairpin| {
            let daemon = Options { addresses: addresses.clone(), ..options(shards, hairpin) }.start();
            (0..4).map(|_| relay_to_relay(&daemon)).collect::<Vec<_>>()
        };
        let inside = direct(1, true);
        assert!(inside[0][0].starts_with("data from relay one"), "{}", inside[0][0]);
        assert_eq!(inside[0][1], "channel 0x4001: [2]");
        assert!(inside[0][12].starts_with("data from relay two"), "{}", inside[0][12]);
        assert_eq!(inside, direct(1, false), "through the kernel");
        assert_eq!(inside, direct(2, true), "some on one shard, some across");
        assert_eq!(inside, direct(2, false));
    }
}

#[test]
fn a_relay_without_permission_hears_nothing_either_way() {
    for hairpin in [true, false] {
        let daemon = options(1, hairpin).start();
        let (mut one, mut two) = (TurnClient::new(daemon.listener, "one"), TurnClient::new(daemon.listener, "two"));
        let relay_two = two.allocate().unwrap();
        one.allocate().unwrap();
        one.permit(relay_two).unwrap();
        one.send_indication(relay_two, b"knock");
        // Whatever was to come would have come before the answer.
        let me = two.address();
        assert_eq!(two.binding(), me);
        two.socket.set_nonblocking(true).unwrap();
        assert_eq!(two.hear(), None);
    }
}

#[test]
fn every_series_is_there_before_anything_happened_to_it() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let rendered = recorder.handle();
    metrics::set_global_recorder(recorder).unwrap();
    let daemon = options(1, true).start();
    let mut client = TurnClient::new(daemon.listener, "alice");
    let relay = client.allocate().unwrap();
    client.permit(relay).unwrap();
    client.send_indication(relay, b"echo");
    assert!(client.hear().is_some());
    let inside = r#"roundturn_relay_packets_total{direction="client_to_peer",path="internal"}"#;
    let value = |text: &str, series: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(series))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    // Counters come out each second; asking is what passes the time.
    let moved = std::iter::repeat_with(|| {
        client.refresh().unwrap();
        rendered.render()
    });
    let text = moved.take(1_000_000).find(|text| value(text, inside).is_some_and(|count| count > 0)).unwrap();
    for series in [
        r#"roundturn_turn_peer_denied_total{reason="#,
        r#"roundturn_stun_responses_total{transport="udp",method="allocate",code="486"}"#,
        r#"roundturn_udp_receive_queue_drops_total{socket="listener"}"#,
        r#"roundturn_sfu_rooms"#,
    ] {
        assert!(value(&text, series).is_some(), "{series} in {text}");
    }
    let every = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next());
    for name in every.filter(|name| name.starts_with("roundturn_")) {
        // A histogram is described once for its buckets, its sum and its count.
        let whole = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        let is_told = |name: &str| text.contains(&format!("# HELP {name} "));
        assert!(is_told(name) || whole.is_some_and(is_told), "{name} says what it is");
    }
}
