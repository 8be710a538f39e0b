//! Every refusal names the file, the line, the key, the value and the rule.

use std::net::SocketAddr;

use super::{parse, refusal};

/// Each text is refused in exactly one line, which begins as given.
pub fn all_refused(cases: &[(&str, &str)]) {
    for (text, beginning) in cases {
        let said = refusal(text);
        assert!(said.len() == 1 && said[0].starts_with(beginning), "{text:?} is refused with {said:#?}");
    }
}

#[test]
fn unknown_keys_with_the_nearest_one() {
    all_refused(&[
        ("[rooms]\nopne = true", "r.toml:2: rooms.opne: unknown key; did you mean rooms.open?"),
        (
            "[rooms]\n\n# one\nmax_participant = 3",
            "r.toml:4: rooms.max_participant: unknown key; did you mean rooms.max_participants?",
        ),
        ("[listen]\nrealm = \"x\"", "r.toml:2: listen.realm: unknown key; did you mean auth.realm?"),
        ("[token]\nsecret = \"x\"", "r.toml:1: [token]: unknown section; did you mean [tokens]?"),
        ("[gardening]\nroses = 3", "r.toml:1: [gardening]: unknown section"),
        ("realm = \"x\"", "r.toml:1: realm: unknown key outside of all sections; did you mean realm in [auth]?"),
        ("rooms.zzzzzzzzz = 1", "r.toml:1: rooms.zzzzzzzzz: unknown key"),
    ]);
}

#[test]
fn values_of_the_wrong_form() {
    all_refused(&[
        ("[rooms]\nopen = \"yes\"", "r.toml:2: rooms.open = \"yes\": must be true or false. "),
        (
            "[listen]\nturn = \"[::]:3478\"",
            "r.toml:2: listen.turn = \"[::]:3478\": must be a list of texts in quotes. ",
        ),
        ("[listen]\nturn = [3478]", "r.toml:2: listen.turn = [3478]: must be a list of texts in quotes. "),
        ("[shards]\ncount = 1.5", "r.toml:2: shards.count = 1.5: must be a whole number. "),
        (
            "[shards]\ncount = 99999999999999999999",
            "r.toml:2: shards.count = 99999999999999999999: must be a whole number. ",
        ),
        ("[auth]\nusers = [\"alice\"]", "r.toml:2: auth.users: must be a table of names and passwords"),
        ("listen = 3", "r.toml:1: listen: unknown key outside of all sections"),
    ]);
}

#[test]
fn values_out_of_range() {
    all_refused(&[
        ("[shards]\ncount = 65", "r.toml:2: shards.count = 65: must be from 0 to 64"),
        ("[shards]\ncount = -1", "r.toml:2: shards.count = -1: must be from 0 to 64"),
        ("[limits]\nallocations = 0", "r.toml:2: limits.allocations = 0: must be from 1 to 1000000"),
        ("[rooms]\nmax_participants = 1001", "r.toml:2: rooms.max_participants = 1001: must be from 1 to 1000"),
        ("[rooms]\nttl = \"31d\"", "r.toml:2: rooms.ttl = \"31d\": must be from 1m to 30d"),
        ("[rooms]\nttl = \"4 hours\"", "r.toml:2: rooms.ttl = \"4 hours\": must be a number with a unit s, m, h or d"),
        ("[auth]\ncredential_ttl = \"61m\"", "r.toml:2: auth.credential_ttl = \"61m\": must be from 1m to 60m"),
        ("[rooms]\nmode = \"sfo\"", "r.toml:2: rooms.mode = \"sfo\": must be \"sfu\" or \"mesh\""),
        ("[log]\nlevel = \"loud\"", "r.toml:2: log.level = \"loud\": must be one of off, error"),
        ("[log]\nlevel = \"info,roundturn=loud\"", "r.toml:2: log.level = "),
        ("[log]\nformat = \"xml\"", "r.toml:2: log.format = \"xml\": must be \"auto\", \"journal\""),
        ("[auth]\nrealm = \"\"", "r.toml:2: auth.realm = \"\": must be 1 to 127 characters"),
    ]);
}

#[test]
fn port_ranges() {
    all_refused(&[
        ("[ports]\nudp = \"49160\"", "r.toml:2: ports.udp = \"49160\": must be a range of ports"),
        ("[ports]\nudp = \"49160-70000\"", "r.toml:2: ports.udp = \"49160-70000\": must be a range of ports"),
        (
            "[ports]\nudp = \"200-100\"",
            "r.toml:2: ports.udp = \"200-100\": the first port must not be above the last; write \"100-200\"",
        ),
        ("[ports]\nudp = \"80-2000\"", "r.toml:2: ports.udp = \"80-2000\": must begin at 1024 or above"),
        ("[ports]\nudp = \"50000-50001\"", "r.toml:2: ports.udp = \"50000-50001\": must have "),
        (
            "[shards]\ncount = 8\n[ports]\nudp = \"50000-50007\"",
            "r.toml:4: ports.udp = \"50000-50007\": must have 9 ports or more",
        ),
        (
            "[ports]\nudp = \"3000-4000\"",
            "r.toml:2: ports.udp = \"3000-4000\": the range must not hold port 3478 of listen.turn",
        ),
        (
            "[ports]\nudp = \"9000-9999\"",
            "r.toml:2: ports.udp = \"9000-9999\": the range must not hold port 9641 of listen.metrics",
        ),
        (
            "[listen]\nturn = [\"[::]:49200\"]",
            "r.toml:2: listen.turn = \"[::]:49200\": port 49200 lies in the range of ports.udp (49160-49359)",
        ),
    ]);
}

#[test]
fn addresses() {
    all_refused(&[
        (
            "[listen]\nturn = [\n  \"[::]:3478\",\n  \"localhost:3479\",\n]",
            "r.toml:4: listen.turn = \"localhost:3479\": must be an IP address with a port",
        ),
        ("[listen]\nturn = []", "r.toml:2: listen.turn = []: must name at least one address"),
        ("[listen]\nmetrics = \"9641\"", "r.toml:2: listen.metrics = \"9641\": must be an IP address with a port"),
        (
            "[listen]\nhttp = [\"127.0.0.1:9641\"]\n",
            "r.toml:2: listen.http = \"127.0.0.1:9641\": the same address and port as in listen.metrics",
        ),
        (
            "[listen]\nturn = [\"0.0.0.0:99\", \"[::]:99\"]",
            "r.toml:2: listen.turn = \"[::]:99\": the same port as in listen.turn, where [::] stands for both families; leave one out",
        ),
        (
            "[listen]\nmetrics = \"0.0.0.0:8080\"",
            "r.toml:2: listen.metrics = \"0.0.0.0:8080\": the same address and port as in listen.http",
        ),
        (
            "[listen]\ncontrol = \"run/control\"",
            "r.toml:2: listen.control = \"run/control\": must be a path from the root",
        ),
        ("[peers]\nallow = [\"10.0.0.0/33\"]", "r.toml:2: peers.allow = \"10.0.0.0/33\": must be a network"),
        (
            "[peers]\ndeny = [\"10.0.0.1/8\"]",
            "r.toml:2: peers.deny = \"10.0.0.1/8\": has bits set beyond its prefix; write \"10.0.0.0/8\"",
        ),
        ("[address]\nexternal = \"300.1.1.1\"", "r.toml:2: address.external = \"300.1.1.1\": must be an address like"),
        (
            "[address]\nexternal = \"0.0.0.0\"",
            "r.toml:2: address.external = \"0.0.0.0\": must be an address that one host can have",
        ),
        (
            "[address]\nexternal = [\"203.0.113.7/fd00::1\"]",
            "r.toml:2: address.external = \"203.0.113.7/fd00::1\": the external and the local address must be of one family",
        ),
        (
            "[address]\nexternal = [\"203.0.113.7\", \"203.0.113.8\"]",
            "r.toml:2: address.external = [\"203.0.113.7\", \"203.0.113.8\"]: must have one IPv4 address",
        ),
        (
            "[webhooks]\nurls = [\"https://app.example.org/hook\"]",
            "r.toml:2: webhooks.urls = [\"https://app.example.org/hook\"]: must come with webhooks.secret",
        ),
        (
            "[webhooks]\nurls = [\"app.example.org\"]\nsecret = \"0123456789abcdef\"",
            "r.toml:2: webhooks.urls = \"app.example.org\": must be a URL",
        ),
        ("[webhooks]\nsecret = \"short\"", "r.toml:2: webhooks.secret: must have 16 bytes or more, this one has 5"),
        (
            "[listen]\norigins = [\"app.example.org\"]",
            "r.toml:2: listen.origins = \"app.example.org\": must be a scheme and a host, without a path",
        ),
        (
            "[listen]\norigins = [\"https://app.example.org/\"]",
            "r.toml:2: listen.origins = \"https://app.example.org/\": must be a scheme and a host, without a path",
        ),
        (
            "[address]\nstun_servers = [\"stun.example.org\"]",
            "r.toml:2: address.stun_servers = \"stun.example.org\": must be a host and a port",
        ),
    ]);
    assert!(parse("[listen]\nturn = [\"0.0.0.0:99\", \"[::1]:99\"]").is_ok(), "families apart do not collide");
}

#[test]
fn what_this_version_cannot_do_is_not_silently_ignored() {
    all_refused(&[
        ("[tls]\nacme = \"a@example.org\"", "r.toml:2: tls.acme = \"a@example.org\": not available in this version"),
        ("[listen]\nhttps = [\"[::]:443\"]", "r.toml:2: listen.https = [\"[::]:443\"]: not available in this version"),
        (
            "[address]\nport_mapping = \"auto\"",
            "r.toml:2: address.port_mapping = \"auto\": not available in this version",
        ),
        ("[limits]\nuser_rate = -1", "r.toml:2: limits.user_rate = -1: must be from 0 to 9223372036854775807"),
        ("[limits]\nmonthly_bytes = -1", "r.toml:2: limits.monthly_bytes = -1: must be from 0 to 9223372036854775807"),
    ]);
}

#[test]
fn behaviour_discovery_needs_two_addresses_that_differ_in_all() {
    let with = |turn: &str, key: &str| format!("[listen]\nturn = [{turn}]\n[relay]\nbehavior_discovery = \"{key}\"");
    let one = "\"203.0.113.7:3478\"";
    let cases = [
        (with("\"[::]:3478\"", "203.0.113.8:3479"), "needs a first address of the same family in listen.turn"),
        (
            with(one, "[2001:db8::8]:3479"),
            "needs a first address of the same family in listen.turn, like \"[2001:db8::7]",
        ),
        (with(one, "203.0.113.7:3479"), "must differ from 203.0.113.7:3478 of listen.turn in address and port"),
        (with(one, "203.0.113.8:3478"), "must differ from 203.0.113.7:3478 of listen.turn in address and port"),
        (with(one, "203.0.113.8:49200"), "port 49200 lies in the range of ports.udp (49160-49359)"),
        (with(one, "0.0.0.0:3479"), "must be one address of this host and a port"),
        (with(one, "stun.example.org"), "must be an IP address with a port"),
    ];
    for (text, rule) in cases {
        let said = refusal(&text);
        let wanted = "r.toml:4: relay.behavior_discovery = ";
        assert!(said.len() == 1 && said[0].starts_with(wanted) && said[0].contains(rule), "{text}: {said:#?}");
    }
    let found = parse(&with(one, "203.0.113.8:3479")).unwrap().relay.behavior_discovery.unwrap();
    assert_eq!(found.primary, "203.0.113.7:3478".parse::<SocketAddr>().unwrap());
    assert_eq!(parse("").unwrap().relay.behavior_discovery, None);
}

#[test]
fn tls_needs_both_files_and_a_port_that_nobody_else_has() {
    all_refused(&[
        ("[tls]\ncertificate = \"/a.pem\"", "r.toml:2: tls.certificate = \"/a.pem\": must come with tls.key"),
        ("[tls]\nkey = \"/k.pem\"", "r.toml:2: tls.key = \"/k.pem\": must come with tls.certificate"),
        (
            "[tls]\ncertificate = \"a.pem\"\nkey = \"/k.pem\"",
            "r.toml:2: tls.certificate = \"a.pem\": must be a path from the root",
        ),
        (
            "[listen]\nhttp = [\"[::]:5349\"]\n[tls]\ncertificate = \"/a.pem\"\nkey = \"/k.pem\"",
            "r.toml:2: listen.http = \"[::]:5349\": the same address and port as in listen.turns",
        ),
        (
            "[listen]\nproxy_protocol_from = [\"10.0.0.1/8\"]",
            "r.toml:2: listen.proxy_protocol_from = \"10.0.0.1/8\": has bits set beyond its prefix",
        ),
    ]);
    assert!(parse("[listen]\nhttp = [\"[::]:5349\"]").is_ok(), "nobody listens there without a certificate");
    let settings = parse("[tls]\ncertificate = \"/a.pem\"\nkey = \"/k.pem\"").unwrap();
    assert_eq!(settings.tls.map(|tls| tls.key), Some("/k.pem".into()));
}

#[test]
fn broken_toml() {
    all_refused(&[("[rooms]\nopen = ", "r.toml:2: this is not TOML: ")]);
    assert!(refusal("[rooms]\nopen = true\nopen = false")[0].starts_with("r.toml:3: this is not TOML: "));
}

#[test]
fn all_problems_are_told_at_once_in_their_order() {
    let said = refusal("[rooms]\nopne = true\nttl = 4\n[shards]\ncount = 100\n[auth]\nsecret = \"short\"");
    let places: Vec<_> = said.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["r.toml:2", "r.toml:3", "r.toml:5", "r.toml:7"], "{said:#?}");
}

#[test]
fn api_keys_are_long_and_plain_and_never_shown() {
    all_refused(&[
        (
            "[auth]\napi_keys = [\"short\"]",
            "r.toml:2: auth.api_keys: a key must have 16 to 200 characters, this one has 5",
        ),
        ("[auth]\napi_keys = [\"0123456789 abcdef\"]", "r.toml:2: auth.api_keys: a key must be of ASCII letters"),
        ("[auth]\napi_keys = \"0123456789abcdef\"", "r.toml:2: auth.api_keys: must be a list of texts in quotes"),
    ]);
    let settings = parse("[auth]\napi_keys = [\"0123456789abcdef\", \"fedcba9876543210\"]").unwrap();
    assert_eq!(settings.auth.api_keys.len(), 2);
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
}
