//! The configurations that well-known projects ship or recommend, and the exact decisions about each.

use crate::support::{Outcome, file, flags};

fn words(fixture: &str) -> Outcome {
    flags(&fixture.lines().collect::<Vec<_>>())
}

#[test]
fn synapse() {
    let outcome = file(include_str!("fixtures/synapse.conf"));
    outcome
        .is_taken()
        .notes(&[], &["user-quota"], &[])
        .has_only(&[
            "listen.turn",
            "listen.turns",
            "address.external",
            "auth.realm",
            "auth.secret",
            "peers.allow",
            "peers.deny",
            "limits.allocations",
            "limits.allocations_per_user",
            "tls.certificate",
            "tls.key",
        ])
        .has("listen.turn", r#"["[::]:3478"]"#)
        .has("listen.turns", r#"["[::]:5349"]"#)
        .has("address.external", r#""203.0.113.40""#)
        .has("auth.realm", r#""turn.matrix.example.org""#)
        .has("auth.secret", r#""pAhzkYF7yQ0bFq1m4s2Vn0c8sW6uJt3LxE9dRk5TgHo=""#)
        .has("peers.allow", r#"["10.0.0.1"]"#)
        .has("limits.allocations", "1200")
        .has("limits.allocations_per_user", "12")
        .has("tls.certificate", r#""/etc/letsencrypt/live/turn.matrix.example.org/fullchain.pem""#)
        .has("tls.key", r#""/etc/letsencrypt/live/turn.matrix.example.org/privkey.pem""#)
        .has(
            "peers.deny",
            r#"["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "2001::/23", "2002::/16", "240.0.0.0/4",
                "64:ff9b::/96", "::1", "::ffff:0.0.0.0/96", "fc00::/7", "fe80::/10"]"#,
        );
    assert_eq!(
        outcome.imported.same,
        ["no-tcp-relay", "no-multicast-peers", "no-tlsv1", "no-tlsv1_1", "use-auth-secret"]
    );
}

#[test]
fn nextcloud_talk() {
    let outcome = file(include_str!("fixtures/nextcloud.conf"));
    outcome
        .is_taken()
        .notes(&[], &["lt-cred-mech", "total-quota"], &["stale-nonce"])
        .has_only(&["listen.turn", "listen.turns", "auth.realm", "auth.secret"])
        .has("listen.turn", r#"["[::]:443"]"#)
        .has("listen.turns", "[]")
        .has("auth.secret", r#""6d7f1c9f2be5440d96f51c2a4b3e8d07""#);
    assert!(outcome.note("lt-cred-mech").text.contains("comment"), "the sample's own comment stops coturn");
}

#[test]
fn nextcloud_high_performance_backend() {
    words(include_str!("fixtures/nextcloud-hpb.flags"))
        .is_taken()
        .notes(&[], &["external-ip"], &["tls-listening-port", "relay-ip"])
        .has_only(&["listen.turn", "listen.turns", "ports.udp", "auth.realm", "auth.secret"])
        .has("ports.udp", r#""49152-49999""#)
        .has("auth.secret", r#""Y3f2lP0ZtWm8vQb6sNxJrA4kUe7cHd1iGo9Xw5TqMzE=""#);
}

#[test]
fn jitsi_meet() {
    file(include_str!("fixtures/jitsi.conf"))
        .is_taken()
        .notes(&[], &[], &["no-tcp", "cipher-list", "dh2066"])
        .has_only(&[
            "listen.turn",
            "listen.turns",
            "auth.realm",
            "auth.secret",
            "peers.deny",
            "tls.certificate",
            "tls.key",
        ])
        .has("auth.secret", r#""kQ2vN9xYb3TfLrW7""#)
        .has("tls.key", r#""/etc/coturn/certs/meet.example.org.privkey.pem""#);
}

#[test]
fn big_blue_button() {
    let outcome = file(include_str!("fixtures/bigbluebutton.conf"));
    outcome
        .is_taken()
        .notes(&[], &["allowed-peer-ip"], &[])
        .has_only(&[
            "listen.turn",
            "address.external",
            "ports.udp",
            "auth.realm",
            "auth.secret",
            "peers.allow",
            "peers.deny",
        ])
        .has("listen.turn", r#"["198.51.100.20:3478"]"#)
        .has("address.external", r#""198.51.100.20""#)
        .has("ports.udp", r#""32769-65535""#)
        .has("peers.allow", r#"["198.51.100.20"]"#)
        .has("peers.deny", r#"["0.0.0.0/0", "::/0"]"#);
}

#[test]
fn netbird() {
    let outcome = file(include_str!("fixtures/netbird.conf"));
    outcome
        .is_taken()
        .notes(&[], &["user"], &["pidfile"])
        .has_only(&[
            "listen.turn",
            "listen.turns",
            "address.external",
            "ports.udp",
            "auth.realm",
            "auth.users",
            "limits.allocations_per_user",
            "tls.certificate",
            "tls.key",
        ])
        .has("auth.users", r#"{ self = "hC2wqZtR8nBvLx5M" }"#)
        .has("limits.allocations_per_user", "10000");
    assert!(outcome.note("user").text.contains("allocations_per_user"), "all of NetBird's peers share one user");
}

#[test]
fn snikket() {
    words(include_str!("fixtures/snikket.flags"))
        .is_taken()
        .notes(&[], &[], &["pidfile", "userdb"])
        .has_only(&[
            "listen.turn",
            "listen.turns",
            "address.external",
            "ports.udp",
            "auth.realm",
            "auth.secret",
            "peers.deny",
        ])
        .has("address.external", r#""chat.example.org""#)
        .has("auth.secret", r#""r+8Vd/2mQpZ0sYh3kXw5Tb7uJc1fNg4aLe6oRiHv9Dk=""#)
        .has("peers.deny", r#"["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]"#);
}

#[test]
fn selkies() {
    words(include_str!("fixtures/selkies.flags"))
        .is_taken()
        .notes(&["allow-loopback-peers"], &["user"], &["channel-lifetime", "cli-password", "pidfile", "userdb"])
        .has("listen.turn", r#"["[::]:3478", "0.0.0.0:3479"]"#)
        .has("address.external", r#""203.0.113.5""#)
        .has("auth.users", r#"{ selkies = "rdZ7mPq2Lw" }"#)
        .lacks("auth.secret")
        .lacks("peers.allow");
}

#[test]
fn mirotalk() {
    file(include_str!("fixtures/mirotalk.conf"))
        .is_taken()
        .notes(&[], &["user"], &["server-name", "cipher-list", "log-file", "stale-nonce"])
        .has("ports.udp", r#""10000-20000""#)
        .has("limits.allocations", "100")
        .has("limits.allocations_per_user", "100")
        .has("auth.users", r#"{ mirotalk = "Wq7Zk2pRfX" }"#)
        .has("tls.certificate", r#""/etc/letsencrypt/live/turn.example.org/fullchain.pem""#);
}

#[test]
fn pairdrop() {
    file(include_str!("fixtures/pairdrop.conf"))
        .is_taken()
        .notes(&[], &["user"], &["server-name", "log-file"])
        .has("listen.turn", r#"["0.0.0.0:3478"]"#)
        .has("listen.turns", r#"["0.0.0.0:5349"]"#)
        .has("auth.users", r#"{ user = "password" }"#)
        .lacks("address.external");
}

#[test]
fn neko() {
    words(include_str!("fixtures/neko.flags"))
        .is_taken()
        .notes(&[], &["user"], &[])
        .has_only(&[
            "listen.turn",
            "address.external",
            "ports.udp",
            "auth.realm",
            "auth.users",
            "limits.allocations_per_user",
        ])
        .has("listen.turn", r#"["0.0.0.0:3478"]"#)
        .has("address.external", r#""192.0.2.33/10.4.0.9""#)
        .has("ports.udp", r#""59000-59100""#)
        .has("auth.users", r#"{ neko = "neko" }"#);
}

#[test]
fn nixos() {
    file(include_str!("fixtures/nixos.conf"))
        .is_taken()
        .notes(
            &[],
            &[],
            &["tls-listening-port", "alt-listening-port", "alt-tls-listening-port", "secure-stun", "pidfile"],
        )
        .has("address.external", r#""2001:db8:7::5""#)
        .has("ports.udp", r#""49000-50000""#)
        .has("auth.secret", r#""d3b07384d113edec49eaa6238ad5ff00f2c41f5a""#);
}

#[test]
fn debian_as_installed() {
    let outcome = file(include_str!("fixtures/debian.conf"));
    outcome
        .is_taken()
        .notes(&[], &["authentication"], &[])
        .has_only(&["listen.turn"])
        .has("listen.turn", r#"["[::]:3478"]"#);
    assert_eq!(outcome.imported.same, ["syslog"]);
}

#[test]
fn no_note_shows_a_secret() {
    let fixtures = [
        (file(include_str!("fixtures/netbird.conf")), "hC2wqZtR8nBvLx5M"),
        (file(include_str!("fixtures/jitsi.conf")), "kQ2vN9xYb3TfLrW7"),
        (words(include_str!("fixtures/selkies.flags")), "q8JmXv5RbT2nKc"),
    ];
    for (outcome, secret) in fixtures {
        let notes: String = outcome.imported.notes.iter().map(ToString::to_string).collect();
        assert!(!notes.contains(secret), "{notes}");
        assert!(!format!("{:?}", outcome.imported).contains(secret), "Debug shows it");
    }
}
