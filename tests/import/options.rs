//! Single options, and how coturn's parser and command line are read.

use std::path::PathBuf;

use roundturn::import::{FileChoice, Kind, Place, file_choice};

use crate::support::{file, flags};

const SECRET: &str = "static-auth-secret=sixteen bytes or more\n";

#[test]
fn name_and_value_are_split_at_the_first_blank_or_equals_sign() {
    file("  realm \t= example.org  \nuse-auth-secret\nstatic-auth-secret=c2l4dGVlbiBieXRlcyE=\r\n")
        .notes(&[], &[], &[])
        .has("auth.realm", r#""example.org""#)
        .has("auth.secret", r#""c2l4dGVlbiBieXRlcyE=""#);
}

#[test]
fn a_value_may_stand_in_quotes() {
    file(&format!("{SECRET}realm=\"example org\" \n")).notes(&[], &[], &[]).has("auth.realm", r#""example org""#);
}

#[test]
fn a_comment_behind_a_secret_belongs_to_it_as_in_coturn() {
    let outcome = file("static-auth-secret=sixteen bytes # or more\n");
    outcome.notes(&[], &["static-auth-secret"], &[]).has("auth.secret", r#""sixteen bytes # or more""#);
    assert_eq!(outcome.note("static-auth-secret").place, Place::Line(1));
}

#[test]
fn booleans_are_coturns() {
    for off in ["no", "0", "off", "false", "N", "Off"] {
        file(&format!("{SECRET}no-auth={off}\n")).notes(&[], &[], &[]);
    }
    for on in ["", "=yes", "=1", "=on", " true"] {
        file(&format!("{SECRET}no-auth{on}\n")).notes(&["no-auth"], &[], &[]);
    }
    file(&format!("{SECRET}verbose=maybe\n")).notes(&[], &["verbose"], &[]);
}

#[test]
fn the_last_of_a_repeated_option_counts() {
    file(&format!("{SECRET}realm=one.example\nrealm=two.example\nlistening-port=1\nlistening-port=3479\n"))
        .notes(&[], &[], &[])
        .has("auth.realm", r#""two.example""#)
        .has("listen.turn", r#"["[::]:3479"]"#);
}

#[test]
fn several_secrets_keep_their_order() {
    let outcome = file("static-auth-secret=the first of the secrets\nstatic-auth-secret=the second of the secrets\n");
    outcome.is_taken().notes(&[], &[], &[]).lacks("auth.secret").has(
        "auth.secrets",
        r#"[{ name = "coturn-1", value = "the first of the secrets" },
            { name = "coturn-2", value = "the second of the secrets" }]"#,
    );
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    let outcome = file("use-auth-secret\nstatic-auth-secret=north\n");
    outcome.notes(&["use-auth-secret", "static-auth-secret"], &[], &[]).lacks("auth.secret");
}

#[test]
fn open_relays_are_refused() {
    file("no-auth\nrealm=example.org\n").notes(&["no-auth"], &[], &[]).has_only(&["listen.turn", "auth.realm"]);
}

#[test]
fn users_that_coturn_ignored_become_comments() {
    let outcome =
        file(&format!("{SECRET}user=alice:wonder\"land\nuser=bob:0xbc807ee29df3c9ffa736523fb2c4e8ee\nrealm=r\n"));
    outcome.is_taken().notes(&[], &["user"], &[]).has("auth.users", "{}").lacks("limits.allocations_per_user");
    assert!(outcome.imported.toml.contains("# alice = \"wonder\\\"land\"\n"), "{}", outcome.imported.toml);
}

#[test]
fn keys_of_users_are_kept_as_keys() {
    let md5 = "BC807EE29df3c9ffa736523fb2c4e8ee";
    let outcome =
        file(&format!("lt-cred-mech\nrealm=north.gov\nuser=gorst:0x{md5}\nuser=x:0x12\nuser=no colon\nuser=1234:pw\n"));
    outcome
        .notes(&["user", "user"], &["user"], &["user"])
        .has("auth.users", &format!("{{ gorst = {{ key = \"0x{}\" }} }}", md5.to_lowercase()));
    file(&format!("user=gorst:0x{md5}\n")).notes(&["user"], &["user"], &[]);
}

#[test]
fn the_last_password_of_a_user_counts() {
    file("user=alice:one\nuser=alice: two three\nuser-quota=4\n")
        .is_taken()
        .notes(&[], &["user"], &[])
        .has("auth.users", r#"{ alice = "two three" }"#)
        .has("limits.allocations_per_user", "4");
}

#[test]
fn a_server_for_stun_only_stays_closed_to_relaying() {
    file(&format!("stun-only\n{SECRET}")).is_taken().notes(&[], &["stun-only"], &[]).has_only(&["listen.turn"]);
}

#[test]
fn the_external_address_takes_its_local_side_from_the_relay_address() {
    let outcome = file(&format!("{SECRET}external-ip=203.0.113.7\nrelay-ip=192.168.1.50\nrelay-ip=192.168.1.51\n"));
    outcome.is_taken().notes(&[], &[], &["relay-ip"]).has("address.external", r#""203.0.113.7/192.168.1.50""#);
}

#[test]
fn one_external_address_of_each_family_is_kept() {
    file(&format!("{SECRET}external-ip=203.0.113.7/10.0.0.2\nexternal-ip=2001:db8::7\nexternal-ip=203.0.113.8\n"))
        .is_taken()
        .notes(&[], &[], &["external-ip"])
        .has("address.external", r#"["203.0.113.7/10.0.0.2", "2001:db8::7"]"#);
}

#[test]
fn a_host_name_as_external_address_is_kept() {
    let outcome = file(&format!("{SECRET}external-ip=turn.example.org/10.0.0.2\n"));
    outcome.is_taken().notes(&[], &[], &[]).has("address.external", r#""turn.example.org""#);
}

#[test]
fn private_and_unfilled_external_addresses_are_found_by_themselves() {
    for value in
        ["192.168.1.5", "fd00::1", "127.0.0.1", "0.0.0.0", "<your ip>", "$IP", "${EXTERNAL_IP}", "localhost", "1.2.3"]
    {
        let outcome = file(&format!("{SECRET}external-ip={value}\n"));
        outcome.is_taken().notes(&[], &["external-ip"], &[]).lacks("address.external");
    }
    file(&format!("{SECRET}external-ip=\n")).is_taken().notes(&[], &[], &[]).lacks("address.external");
}

#[test]
fn rates_become_bits() {
    file(&format!("{SECRET}max-bps=64000\nbps-capacity=3000000 # 3 MB\n"))
        .has("limits.user_rate", "512000")
        .has("limits.total_rate", "24000000");
    file("user=shared:password\nmax-bps=64000\n").notes(&[], &["user"], &["max-bps"]).lacks("limits.user_rate");
}

#[test]
fn relay_ports_keep_clear_of_listeners() {
    let ports = |text: &str, written: &str| {
        file(&format!("{SECRET}{text}")).is_taken().has("ports.udp", written);
    };
    ports("min-port=50000\n", r#""50000-65535""#);
    ports("max-port=50000\n", r#""49152-50000""#);
    ports("min-port=60000\nmax-port=50000\n", r#""50000-60000""#);
    ports("min-port=1\nmax-port=65535\n", r#""9642-65535""#);
    ports("listening-port=50000\nmin-port=49152\nmax-port=65535\n", r#""50001-65535""#);
    ports("listening-port=49200\n", r#""49360-49559""#);
    ports("min-port=65534\n", r#""65435-65535""#);
}

#[test]
fn listeners_that_collide_make_room() {
    file(&format!("{SECRET}listening-port=8080\naux-server=0.0.0.0:9641\nprometheus\n"))
        .is_taken()
        .has("listen.http", r#"["127.0.0.1:8081"]"#)
        .has("listen.metrics", r#""127.0.0.1:9642""#);
}

#[test]
fn prometheus_listens_where_it_was_told_to() {
    file(&format!("{SECRET}prometheus\nprometheus-address=10.0.0.5\nprometheus-port=9000\nprometheus-path=/metrics\n"))
        .is_taken()
        .notes(&[], &[], &[])
        .has("listen.metrics", r#""10.0.0.5:9000""#);
    file(&format!("{SECRET}prometheus\nprometheus-username-labels\nprometheus-path=/m\n"))
        .notes(&["prometheus-username-labels"], &["prometheus"], &["prometheus-path"])
        .lacks("listen.metrics");
}

#[test]
fn the_proxy_protocol_is_taken_from_this_host() {
    file(&format!("{SECRET}tcp-proxy-port=5555\n"))
        .notes(&[], &["tcp-proxy-port"], &[])
        .has("listen.turn", r#"["[::]:3478", "[::]:5555"]"#)
        .has("listen.proxy_protocol_from", r#"["127.0.0.0/8", "::1/128"]"#);
}

#[test]
fn certificates_need_their_key_and_a_path_from_the_root() {
    file(&format!("{SECRET}cert=a.pem\npkey=/b.pem\n"))
        .notes(&[], &["cert"], &[])
        .has("tls.certificate", r#""/etc/a.pem""#)
        .has("tls.key", r#""/b.pem""#);
    file(&format!("{SECRET}cert=/a.pem\n")).notes(&[], &[], &["cert"]).lacks("tls.certificate");
}

#[test]
fn a_misspelt_option_is_named_without_its_value() {
    let outcome = file("static-auth-secrt=very secret\n");
    assert_eq!(outcome.options(Kind::Unknown), ["static-auth-secrt"]);
    let text = outcome.note("static-auth-secrt").to_string();
    assert!(text.contains("static-auth-secret") && text.contains("line 1") && !text.contains("very"), "{text}");
}

#[test]
fn flags_are_read_as_getopt_reads_them() {
    let outcome = flags(&[
        "/usr/bin/turnserver",
        "-aofv",
        "-ualice:wonder",
        "-r",
        "example.org",
        "-p3479",
        "--min-p",
        "50000",
        "--max-port=50999",
        "-X",
        "203.0.113.7",
        "-c",
        "/etc/other.conf",
        "--no-tls",
        "true",
        "--frobnicate",
    ]);
    assert_eq!(outcome.options(Kind::Unknown), ["word", "frobnicate"]);
    outcome
        .has("auth.users", r#"{ alice = "wonder" }"#)
        .has("auth.realm", r#""example.org""#)
        .has("listen.turn", r#"["[::]:3479"]"#)
        .has("ports.udp", r#""50000-50999""#)
        .has("address.external", r#""203.0.113.7""#);
    assert_eq!(outcome.options(Kind::Dropped), ["daemon"]);
}

#[test]
fn a_flag_without_its_value_is_named() {
    assert_eq!(flags(&["--static-auth-secret=sixteen bytes or more", "--realm"]).options(Kind::Unknown), ["realm"]);
}

#[test]
fn the_command_line_says_which_file() {
    let choice = |words: &[&str]| file_choice(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(choice(&["-a", "-f"]), FileChoice::Default);
    assert_eq!(choice(&["-a", "-c", "/x.conf"]), FileChoice::Named(PathBuf::from("/x.conf")));
    assert_eq!(choice(&["-c", "/x.conf", "-n"]), FileChoice::None);
}

#[test]
fn what_cannot_be_kept_is_refused_with_advice() {
    for option in [
        "oauth",
        "alternate-server=192.0.2.1",
        "server-relay",
        "no-udp-relay",
        "raw-public-keys",
        "acme-redirect=http://x/",
        "psql-userdb=\"host=db password=hush\"",
        "redis-userdb=\"ip=127.0.0.1 password=hush\"",
        "pkey-pwd=hush",
    ] {
        let outcome = file(&format!("{SECRET}{option}\n"));
        let name = option.split('=').next().unwrap();
        let note = outcome.notes(&[name], &[], &[]).note(name).to_string();
        assert!(!note.contains("hush") && note.contains(';'), "{note}");
    }
}

#[test]
fn mobility_is_kept_and_what_is_off_here_is_said() {
    let outcome = file(&format!("{SECRET}mobility\n"));
    outcome.notes(&[], &[], &[]).has("relay.mobility", "true").lacks("relay.tcp_allocations");
    assert!(outcome.imported.toml.contains("\n# tcp_allocations = true\n"), "{}", outcome.imported.toml);
    assert!(outcome.imported.toml.contains("\n# allocations_per_prefix = 200\n"), "{}", outcome.imported.toml);
    let outcome = file(&format!("{SECRET}mobility=0\nno-tcp-relay\n"));
    outcome.notes(&[], &[], &[]).lacks("relay.mobility");
    assert!(!outcome.imported.toml.contains("[relay]"), "{}", outcome.imported.toml);
}
