//! Peer lists: in coturn an allowed address is allowed; here the longest prefix wins, and deny wins a tie.

use crate::support::file;

const SECRET: &str = "static-auth-secret=sixteen bytes or more\n";

#[test]
fn a_range_becomes_the_networks_that_hold_exactly_it() {
    file(&format!("{SECRET}denied-peer-ip=192.168.1.10-192.168.1.20\ndenied-peer-ip=2001:db8::1-2001:db8::2\n"))
        .is_taken()
        .notes(&[], &[], &[])
        .has(
            "peers.deny",
            r#"["192.168.1.10/31", "192.168.1.12/30", "192.168.1.16/30", "192.168.1.20",
                "2001:db8::1", "2001:db8::2"]"#,
        );
}

#[test]
fn an_exception_in_a_denied_range_stays_one() {
    file(&format!("{SECRET}denied-peer-ip=83.166.64.0-83.166.95.255\nallowed-peer-ip=83.166.68.45\n"))
        .notes(&[], &[], &[])
        .has("peers.deny", r#"["83.166.64.0/19"]"#)
        .has("peers.allow", r#"["83.166.68.45"]"#);
}

#[test]
fn a_denied_range_within_an_allowed_one_has_no_effect_in_coturn_and_none_here() {
    file(&format!("{SECRET}allowed-peer-ip=10.0.0.0-10.255.255.255\ndenied-peer-ip=10.1.0.0-10.1.255.255\n"))
        .notes(&[], &["denied-peer-ip"], &[])
        .has("peers.allow", r#"["10.0.0.0/8"]"#)
        .lacks("peers.deny");
    file(&format!("{SECRET}allowed-peer-ip=10.0.0.1\ndenied-peer-ip=10.0.0.1\n"))
        .notes(&[], &["denied-peer-ip"], &[])
        .has("peers.allow", r#"["10.0.0.1"]"#)
        .lacks("peers.deny");
}

#[test]
fn allowing_everything_opens_no_private_network() {
    file(&format!("{SECRET}allowed-peer-ip=0.0.0.0-255.255.255.255\ndenied-peer-ip=10.0.0.0-10.255.255.255\n"))
        .notes(&[], &["allowed-peer-ip", "denied-peer-ip"], &[])
        .lacks("peers.allow")
        .lacks("peers.deny");
}

#[test]
fn loopback_cannot_be_allowed() {
    file(&format!("{SECRET}allowed-peer-ip=127.0.0.1\nallowed-peer-ip=::1\n"))
        .notes(&[], &[], &["allowed-peer-ip"])
        .lacks("peers.allow");
}

#[test]
fn an_own_address_is_kept_with_a_warning() {
    file(&format!("{SECRET}external-ip=203.0.113.7/10.0.0.9\nallowed-peer-ip=10.0.0.9\n"))
        .notes(&[], &["allowed-peer-ip"], &[])
        .has("peers.allow", r#"["10.0.0.9"]"#);
}

#[test]
fn what_is_no_range_is_refused() {
    for range in ["db.internal", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "10.0.0", "10.0.0.1-", "1.2.3.4-5.6.7.8-9.9.9.9"]
    {
        file(&format!("{SECRET}denied-peer-ip={range}\n")).notes(&["denied-peer-ip"], &[], &[]).lacks("peers.deny");
    }
}

#[test]
fn a_network_with_a_slash_begins_to_work() {
    file(&format!("{SECRET}denied-peer-ip=10.1.2.3/8\n"))
        .is_taken()
        .notes(&[], &["denied-peer-ip"], &[])
        .has("peers.deny", r#"["10.0.0.0/8"]"#);
}

#[test]
fn what_stands_for_ipv4_is_written_as_ipv4() {
    file(&format!("{SECRET}denied-peer-ip=::ffff:10.0.0.0-::ffff:10.255.255.255\ndenied-peer-ip=::ffff:192.0.2.7\n"))
        .is_taken()
        .has("peers.deny", r#"["10.0.0.0/8", "192.0.2.7"]"#);
}
