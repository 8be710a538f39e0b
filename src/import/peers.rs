//! `[peers]`: coturn's rule is that an allowed address is allowed; ours is that the longest prefix wins.

use std::net::IpAddr;

use ipnet::IpNet;

use super::draft::{Draft, texts};
use super::given::{Entry, Given};
use super::note::{Kind, Notes};
use super::ranges::{self, RangeError};

/// The most networks of one list: a range of IPv6 addresses can need 250.
const MOST_NETWORKS: usize = 5000;

/// Writes the networks that relays may and may not reach.
pub fn decide(given: &Given, draft: &mut Draft, notes: &mut Notes) {
    let allowed = networks(given, "allowed-peer-ip", notes);
    let denied = networks(given, "denied-peer-ip", notes);
    let own = own_addresses(given);
    let mut deny = Vec::new();
    for (entry, network) in &denied {
        if allowed.iter().any(|(_, allow)| allow.contains(network)) {
            notes.add(Kind::Changed, entry, "it lies within an allowed-peer-ip, and in coturn that one wins; left out");
        } else {
            deny.push(ranges::written(network));
        }
    }
    let mut allow = Vec::new();
    for (entry, network) in &allowed {
        if is_everything(network) {
            notes.add(
                Kind::Changed,
                entry,
                "public peers are allowed anyway; to allow private networks too, name each of them in peers.allow",
            );
        } else if is_loopback(network) {
            notes.add(Kind::Dropped, entry, "coturn denies this host's loopback whatever is allowed; so does this");
        } else {
            if own.iter().any(|ip| network.contains(ip)) {
                notes.add(Kind::Changed, entry, "kept, and it opens every port of this host to relays. Relays and rooms of this daemon are reached without it: remove it unless another media server runs here");
            }
            allow.push(ranges::written(network));
        }
    }
    for (key, mut list) in [("allow", allow), ("deny", deny)] {
        list.sort_unstable();
        list.dedup();
        if !list.is_empty() {
            draft.set("peers", key, texts(&list));
        }
    }
}

/// The entries of one list as networks.
fn networks<'a>(given: &'a Given, name: &'a str, notes: &mut Notes) -> Vec<(&'a Entry, IpNet)> {
    let mut found: Vec<(&Entry, IpNet)> = Vec::new();
    for entry in given.all(name) {
        match ranges::networks(&entry.value) {
            Ok(networks) if found.len() + networks.len() <= MOST_NETWORKS => {
                if entry.value.contains('/') {
                    notes.add(
                        Kind::Changed,
                        entry,
                        "coturn does not understand networks with a slash, this does: the rule begins to work",
                    );
                }
                found.extend(networks.into_iter().map(|network| (entry, network)));
            }
            Ok(_) => notes.add(
                Kind::Refused,
                entry,
                "there are more networks than a list takes; write them as fewer, larger ones",
            ),
            Err(error) => notes.add(Kind::Refused, entry, why(error)),
        }
    }
    found
}

fn why(error: RangeError) -> &'static str {
    match error {
        RangeError::NoAddress => {
            "this is neither an IP address nor two of them; names are not looked up: write the address in peers.allow or peers.deny"
        }
        RangeError::MixedFamilies => "a range cannot begin with IPv4 and end with IPv6; write two networks",
        RangeError::Reversed => "this range ends before it begins; write it in order",
    }
}

/// The addresses that coturn was told are this host's.
fn own_addresses(given: &Given) -> Vec<IpAddr> {
    let options = ["external-ip", "relay-ip", "listening-ip"];
    let values = options.into_iter().flat_map(|name| given.all(name).flat_map(|entry| entry.value.split('/')));
    values.filter_map(|text| text.trim().parse().ok()).collect()
}

/// Whether a network is so wide that nobody can have meant it as an exception.
fn is_everything(network: &IpNet) -> bool {
    network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 7 }
}

fn is_loopback(network: &IpNet) -> bool {
    network.addr().is_loopback() || network.addr().is_unspecified()
}
