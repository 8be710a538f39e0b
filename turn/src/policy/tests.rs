//! Every address form that some TURN server has let through is denied by this one.

use std::collections::HashMap;

use super::*;
use crate::config::{Limits, PeerRules};

const DENIED: &[(&str, Rule)] = &[
    // CVE-2020-26262 and what followed it
    ("0.0.0.0:5000", Rule::SpecialPurpose),
    ("127.0.0.1:5000", Rule::SpecialPurpose),
    ("127.255.255.254:5000", Rule::SpecialPurpose),
    ("[::]:5000", Rule::SpecialPurpose),
    ("[::1]:5000", Rule::SpecialPurpose),
    // CVE-2026-27624 and its relatives
    ("[::ffff:127.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[::ffff:8.8.8.8]:5000", Rule::EmbeddedIpv4),
    ("[::ffff:0:0]:5000", Rule::EmbeddedIpv4),
    ("[::127.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[::ffff:0:127.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[64:ff9b::10.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[64:ff9b:1::10.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[2002:7f00:1::]:5000", Rule::EmbeddedIpv4),
    ("[2002:a00:1::1]:5000", Rule::EmbeddedIpv4),
    ("[2001:0:1:2:3:4:5:6]:5000", Rule::EmbeddedIpv4),
    ("[2a00:1:2:3:0:5efe:10.0.0.1]:5000", Rule::EmbeddedIpv4),
    ("[2a00:1:2:3:200:5efe:10.0.0.1]:5000", Rule::EmbeddedIpv4),
    // The registries, first and last addresses
    ("10.0.0.0:5000", Rule::SpecialPurpose),
    ("10.255.255.255:5000", Rule::SpecialPurpose),
    ("100.64.0.0:5000", Rule::SpecialPurpose),
    ("100.127.255.255:5000", Rule::SpecialPurpose),
    ("169.254.169.254:5000", Rule::SpecialPurpose),
    ("172.16.0.0:5000", Rule::SpecialPurpose),
    ("172.31.255.255:5000", Rule::SpecialPurpose),
    ("192.0.0.8:5000", Rule::SpecialPurpose),
    ("192.0.2.1:5000", Rule::SpecialPurpose),
    ("192.31.196.1:5000", Rule::SpecialPurpose),
    ("192.52.193.1:5000", Rule::SpecialPurpose),
    ("192.88.99.1:5000", Rule::SpecialPurpose),
    ("192.168.0.1:5000", Rule::SpecialPurpose),
    ("192.175.48.1:5000", Rule::SpecialPurpose),
    ("198.18.0.1:5000", Rule::SpecialPurpose),
    ("198.19.255.255:5000", Rule::SpecialPurpose),
    ("198.51.100.1:5000", Rule::SpecialPurpose),
    ("203.0.113.1:5000", Rule::SpecialPurpose),
    ("224.0.0.1:5000", Rule::SpecialPurpose),
    ("239.255.255.255:5000", Rule::SpecialPurpose),
    ("240.0.0.1:5000", Rule::SpecialPurpose),
    ("255.255.255.255:5000", Rule::SpecialPurpose),
    ("[100::1]:5000", Rule::SpecialPurpose),
    ("[100:0:0:1::1]:5000", Rule::SpecialPurpose),
    ("[2001:1ff:ffff::1]:5000", Rule::SpecialPurpose),
    ("[2001:db8::1]:5000", Rule::SpecialPurpose),
    ("[2620:4f:8000::1]:5000", Rule::SpecialPurpose),
    ("[3fff:fff::1]:5000", Rule::SpecialPurpose),
    ("[5f00::1]:5000", Rule::SpecialPurpose),
    ("[fc00::1]:5000", Rule::SpecialPurpose),
    ("[fdff::1]:5000", Rule::SpecialPurpose),
    ("[fe80::1]:5000", Rule::SpecialPurpose),
    ("[febf::1]:5000", Rule::SpecialPurpose),
    ("[fec0::1]:5000", Rule::SpecialPurpose),
    ("[ff02::1]:5000", Rule::SpecialPurpose),
    ("[4000::1]:5000", Rule::SpecialPurpose),
    // This host
    ("5.9.0.1:3478", Rule::Host),
    ("[2a01:4f8::1]:22222", Rule::Host),
    // Ports
    ("8.8.8.8:0", Rule::Port),
    ("8.8.8.8:53", Rule::Port),
    ("8.8.8.8:1023", Rule::Port),
    ("8.8.8.8:1900", Rule::Port),
    ("8.8.8.8:3702", Rule::Port),
    ("8.8.8.8:5353", Rule::Port),
    ("8.8.8.8:11211", Rule::Port),
];

fn policy(allow: &[&str], deny: &[&str]) -> Policy {
    let nets = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect();
    Policy::new(&Config {
        realm: String::new(),
        external_v4: Some([5, 9, 0, 1].into()),
        external_v6: None,
        host: vec!["2a01:4f8::1".parse().unwrap()],
        secrets: Vec::new(),
        users: HashMap::new(),
        password_algorithms: false,
        alternate_servers: Vec::new(),
        discovery: None,
        mobility: false,
        strict_expiry: false,
        peers: PeerRules { allow: nets(allow), deny: nets(deny) },
        limits: Limits {
            max_lifetime_secs: 3600,
            permissions: 32,
            channels: 32,
            tcp_connections: 0,
            stranger_answers_per_second: 10,
            stranger_answers_burst: 10,
            metered: false,
        },
    })
}

fn judge(policy: &Policy, peer: &str) -> Result<Grant, Rule> {
    policy.judge(peer.parse().unwrap(), false)
}

#[test]
fn the_built_in_rules_deny_every_known_bypass() {
    let policy = policy(&[], &[]);
    for (peer, rule) in DENIED {
        assert_eq!(judge(&policy, peer), Err(*rule), "{peer}");
    }
}

#[test]
fn the_public_internet_is_allowed() {
    let policy = policy(&[], &[]);
    let peers = [
        "8.8.8.8:1024",
        "8.8.8.8:443",
        "100.63.255.255:5000",
        "100.128.0.0:5000",
        "172.15.255.255:5000",
        "172.32.0.0:5000",
        "198.17.255.255:5000",
        "198.20.0.0:5000",
        "223.255.255.255:5000",
        "11.0.0.0:5000",
        "[2a00:1450::1]:5000",
        "[2001:200::1]:5000",
        "[2620:4f:8001::1]:5000",
        "[2001:db9::1]:5000",
    ];
    for peer in peers {
        assert_eq!(judge(&policy, peer), Ok(Grant::Default), "{peer}");
    }
}

#[test]
fn our_own_ports_are_allowed_by_identity_even_where_the_operator_denies_the_address() {
    let policy = policy(&[], &["5.9.0.0/16"]);
    let relay = "5.9.0.1:49200".parse().unwrap();
    assert_eq!(policy.judge(relay, true), Ok(Grant::OwnPort));
    assert_eq!(policy.judge(relay, false), Err(Rule::OperatorDeny));
}

#[test]
fn an_explicit_allow_overrides_the_built_in_denials() {
    let policy = policy(&["192.168.1.0/24", "127.0.0.1/32", "5.9.0.1/32", "::1/128"], &[]);
    for peer in ["192.168.1.7:53", "127.0.0.1:80", "5.9.0.1:3478", "[::1]:9"] {
        assert_eq!(judge(&policy, peer), Ok(Grant::OperatorAllow), "{peer}");
    }
    assert_eq!(judge(&policy, "192.168.2.7:5000"), Err(Rule::SpecialPurpose));
}

#[test]
fn the_longest_prefix_wins_and_deny_wins_a_tie() {
    let policy = policy(&["8.8.0.0/16", "8.8.8.8/32", "9.9.9.9/32"], &["8.0.0.0/8", "8.8.8.0/24", "9.9.9.9/32"]);
    assert_eq!(judge(&policy, "8.1.1.1:5000"), Err(Rule::OperatorDeny));
    assert_eq!(judge(&policy, "8.8.1.1:5000"), Ok(Grant::OperatorAllow));
    assert_eq!(judge(&policy, "8.8.8.1:5000"), Err(Rule::OperatorDeny));
    assert_eq!(judge(&policy, "8.8.8.8:5000"), Ok(Grant::OperatorAllow));
    assert_eq!(judge(&policy, "9.9.9.9:5000"), Err(Rule::OperatorDeny));
}

#[test]
fn no_allow_reaches_an_embedded_ipv4_address() {
    let policy = policy(&["::/0"], &[]);
    assert_eq!(judge(&policy, "[::ffff:127.0.0.1]:5000"), Err(Rule::EmbeddedIpv4));
    assert_eq!(judge(&policy, "[64:ff9b::127.0.0.1]:5000"), Err(Rule::EmbeddedIpv4));
}

#[test]
fn a_permission_ignores_the_port() {
    let policy = policy(&[], &[]);
    assert_eq!(policy.judge_address([8, 8, 8, 8].into(), false), Ok(Grant::Default));
}
