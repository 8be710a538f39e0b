//! Each way, by who the destination is.

use std::net::IpAddr;

use roundturn_turn::{Holder, OpenError, Relays};

use super::*;

const EXTERNAL: [u8; 4] = [203, 0, 113, 7];
const LOCAL: [u8; 4] = [192, 168, 1, 50];

/// Port 50001 is a relay here, 50002 one of another shard, 50000 this shard's SFU, 50003 another shard's.
struct Ours;

impl Relays for Ours {
    fn open(&mut self, _: Family, _: Holder<'_>) -> Result<Relay, OpenError> {
        Err(OpenError::NoPort)
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        address.ip() == IpAddr::from(EXTERNAL) && (50_000..=50_003).contains(&address.port())
    }
}

impl House for Ours {
    fn is_here(&self, relay: Relay) -> bool {
        relay.port == 50_001
    }

    fn close(&mut self, _: Relay) {}
}

fn hairpin(enabled: bool, allow: &[&str]) -> Hairpin {
    let addresses =
        Addresses { external_v4: Some(EXTERNAL.into()), local_v4: Some(LOCAL.into()), ..Addresses::default() };
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    Hairpin { enabled, addresses, sfu_port: 50_000, allow }
}

fn at(ip: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::from((ip, port))
}

#[test]
fn ports_of_this_shard_are_served_inside_and_others_through_the_kernel() {
    let ways: Vec<Way> = (50_000..=50_003).map(|port| hairpin(true, &[]).way(at(EXTERNAL, port), &Ours)).collect();
    let relay = Relay { family: Family::V4, port: 50_001 };
    assert_eq!(ways, [Way::Sfu, Way::Relay(relay), Way::Kernel(at(LOCAL, 50_002)), Way::Kernel(at(LOCAL, 50_003))]);
}

#[test]
fn without_the_shortcut_everything_of_ours_goes_through_the_kernel() {
    for port in 50_000..=50_003 {
        assert_eq!(hairpin(false, &[]).way(at(EXTERNAL, port), &Ours), Way::Kernel(at(LOCAL, port)));
    }
}

#[test]
fn a_port_of_this_host_that_is_not_ours_is_nowhere_unless_the_operator_opened_it() {
    let ssh = at(EXTERNAL, 22);
    assert_eq!(hairpin(true, &[]).way(ssh, &Ours), Way::Nowhere);
    assert_eq!(hairpin(true, &["198.51.100.0/24"]).way(ssh, &Ours), Way::Nowhere);
    assert_eq!(hairpin(true, &["203.0.113.7/32"]).way(ssh, &Ours), Way::Kernel(ssh));
}

#[test]
fn strangers_keep_their_addresses_both_ways() {
    let (hairpin, stranger) = (hairpin(true, &[]), at([198, 51, 100, 1], 50_001));
    assert_eq!(hairpin.way(stranger, &Ours), Way::Kernel(stranger));
    assert_eq!(hairpin.name_of(stranger, &Ours), stranger);
}

#[test]
fn what_comes_from_our_own_ports_through_the_kernel_has_their_external_names() {
    let hairpin = hairpin(true, &[]);
    assert_eq!(hairpin.name_of(at(LOCAL, 50_002), &Ours), at(EXTERNAL, 50_002));
    assert_eq!(hairpin.name_of(at(LOCAL, 5_000), &Ours), at(LOCAL, 5_000), "another program of this host");
}
