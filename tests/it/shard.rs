//! Shards on the loopback, spoken to by real sockets.

use std::net::SocketAddr;

use roundturn::net::udp::BindError;
use roundturn::ports::Owner;

use crate::support::Options;

#[test]
fn every_shard_has_an_sfu_port_and_a_stopped_one_gives_it_back() {
    let daemon = Options { shards: 3, ..Options::default() }.start();
    let ports = std::sync::Arc::clone(&daemon.ports);
    assert_eq!(ports.in_use(Owner::Sfu), 3);
    let mut distinct = daemon.sfu_ports.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 3);
    drop(daemon);
    assert_eq!(ports.in_use(Owner::Sfu), 0);
}

#[test]
fn a_second_daemon_is_told_who_listens_already() {
    let daemon = Options::default().start();
    let error = Options::default().bind_at(daemon.listener).map(|_| ()).unwrap_err();
    let BindError::Taken { address, holder } = error else { panic!("{error}") };
    assert_eq!(address, SocketAddr::from(daemon.listener));
    assert!(holder.unwrap().contains(&format!("(pid {})", std::process::id())));
}
