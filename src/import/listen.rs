//! `[listen]` and `[shards]`.

use std::net::{IpAddr, SocketAddr};

use super::draft::{Draft, text, texts};
use super::given::Given;
use super::note::{Kind, Notes};
use super::value;

/// The most threads that `[shards] count` takes.
const MOST_SHARDS: i64 = 64;
/// Where pages and metrics are served by default.
const HTTP: u16 = 8080;
const METRICS: u16 = 9641;

/// Writes the listeners; `tls` says whether there is a certificate. Returns the ports of all of them.
pub fn decide(given: &Given, tls: bool, draft: &mut Draft, notes: &mut Notes) -> Vec<u16> {
    let addresses = addresses(given, notes);
    let port = given.port("listening-port", notes).unwrap_or(3478);
    let mut turn: Vec<SocketAddr> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
    turn.extend(auxiliary(given, notes));
    turn.extend(proxy(given, &addresses, draft, notes));
    dedup(&mut turn);
    draft.set("listen", "turn", texts(&turn.iter().map(ToString::to_string).collect::<Vec<_>>()));
    let turns = turns(given, tls, &addresses, &turn, draft, notes);
    let mut ports: Vec<u16> = turn.iter().chain(&turns).map(SocketAddr::port).collect();
    let http = free_port(HTTP, &ports);
    if http != HTTP {
        draft.set("listen", "http", texts(&[format!("127.0.0.1:{http}")]));
    }
    ports.push(http);
    ports.push(metrics(given, &ports, draft, notes));
    shards(given, draft, notes);
    ports
}

/// `listening-ip`, or every address.
fn addresses(given: &Given, notes: &mut Notes) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for entry in given.all("listening-ip") {
        match entry.value.parse::<IpAddr>() {
            Ok(address) => addresses.push(address.to_canonical()),
            Err(_) => notes.add(
                Kind::Changed,
                entry,
                "this is no IP address; without another one every address is listened on",
            ),
        }
    }
    let everything = IpAddr::from([0_u16; 8]);
    let both = addresses.contains(&everything);
    if addresses.is_empty() || both {
        return vec![everything];
    }
    addresses
}

/// `aux-server`: further listeners.
fn auxiliary(given: &Given, notes: &mut Notes) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for entry in given.all("aux-server") {
        match entry.value.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => {
                found.push(SocketAddr::new(address.ip().to_canonical(), address.port()));
            }
            _ => notes.add(Kind::Dropped, entry, "this is no address with a port, like 203.0.113.7:3479"),
        }
    }
    found
}

/// `tcp-proxy-port`: there, PROXY protocol v2 is spoken by whoever stands in `proxy_protocol_from`.
fn proxy(given: &Given, addresses: &[IpAddr], draft: &mut Draft, notes: &mut Notes) -> Vec<SocketAddr> {
    let Some(entry) = given.last("tcp-proxy-port") else { return Vec::new() };
    let Some(port) = given.port("tcp-proxy-port", notes) else { return Vec::new() };
    draft.set("listen", "proxy_protocol_from", texts(&["127.0.0.0/8", "::1/128"]));
    notes.add(Kind::Changed, entry, "the PROXY protocol is understood on every port, but only from listen.proxy_protocol_from: this host, for now; add your balancer's network");
    addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect()
}

/// The TLS-only listeners. TLS is recognised on the plain ports as well.
fn turns(
    given: &Given,
    tls: bool,
    addresses: &[IpAddr],
    turn: &[SocketAddr],
    draft: &mut Draft,
    notes: &mut Notes,
) -> Vec<SocketAddr> {
    let written = given.port("tls-listening-port", notes);
    if !tls {
        if given.on("no-tls").is_some() {
            draft.set("listen", "turns", "[]");
        }
        if let Some(entry) = given.last("tls-listening-port") {
            notes.add(
                Kind::Dropped,
                entry,
                "without a certificate neither coturn nor this listens there; set [tls] for it",
            );
        }
        return Vec::new();
    }
    let port = written.unwrap_or(5349);
    let mut turns: Vec<SocketAddr> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
    turns.retain(|address| !turn.contains(address));
    dedup(&mut turns);
    draft.set("listen", "turns", texts(&turns.iter().map(ToString::to_string).collect::<Vec<_>>()));
    turns
}

/// The metrics listener. coturn's is reachable by everybody unless it is told an address.
fn metrics(given: &Given, ports: &[u16], draft: &mut Draft, notes: &mut Notes) -> u16 {
    let address = given.last("prometheus-address").filter(|entry| !entry.value.is_empty());
    let ip = address.map(|entry| (entry, entry.value.parse::<IpAddr>()));
    if let Some((entry, Err(_))) = &ip {
        notes.add(Kind::Changed, entry, "this is no IP address; metrics stay on 127.0.0.1");
    }
    let port = given.port("prometheus-port", notes);
    if let (Some(entry), None) = (given.on("prometheus"), &ip) {
        notes.add(Kind::Changed, entry, "coturn shows metrics to every network, this to its own host; write listen.metrics = \"[::]:9641\" if Prometheus runs elsewhere");
    }
    let ip = ip.and_then(|(_, ip)| ip.ok()).map(|ip| ip.to_canonical());
    let free = free_port(port.unwrap_or(METRICS), ports);
    if ip.is_some() || free != METRICS {
        let address = SocketAddr::new(ip.unwrap_or(IpAddr::from([127, 0, 0, 1])), free);
        draft.set("listen", "metrics", text(&address.to_string()));
    }
    free
}

/// `relay-threads` counts; `cpus` where there is none.
fn shards(given: &Given, draft: &mut Draft, notes: &mut Notes) {
    let Some(entry) = given.last("relay-threads").or_else(|| given.last("cpus")) else { return };
    let Some(written) = value::number(&entry.value) else {
        return notes.add(Kind::Dropped, entry, "this is no number; there are as many threads as cores");
    };
    let count = written.clamp(1, MOST_SHARDS);
    if count != written {
        notes.add(Kind::Changed, entry, format!("there are 1 to {MOST_SHARDS} threads"));
    }
    draft.set("shards", "count", count);
}

/// This port, or the next one that none of the listeners has.
fn free_port(wanted: u16, ports: &[u16]) -> u16 {
    (wanted..=u16::MAX).find(|port| !ports.contains(port)).unwrap_or(1024)
}

/// Without repetitions, and without addresses that a wildcard on the same port covers.
fn dedup(list: &mut Vec<SocketAddr>) {
    let covers = |wide: &SocketAddr, narrow: &SocketAddr| {
        let same_family = wide.is_ipv6() || narrow.is_ipv4();
        wide.port() == narrow.port() && wide.ip().is_unspecified() && same_family && wide != narrow
    };
    let all = list.clone();
    let mut seen = Vec::new();
    list.retain(|address| {
        let new = !seen.contains(address) && !all.iter().any(|wide| covers(wide, address));
        seen.push(*address);
        new
    });
}
