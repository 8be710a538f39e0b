//! What configurations decide, and how they are refused.

mod refusals;
mod reload;
mod robustness;
mod secrets;
mod tokens;
mod users;
mod variables;

use std::net::SocketAddr;
use std::path::Path;

use roundturn_turn::StaticUser;

use super::keys::KEYS;
use super::*;

/// Settings from a text that is called `r.toml`.
fn parse(text: &str) -> Result<Settings, ConfigError> {
    Settings::parse(Path::new("r.toml"), text, &[])
}

/// What is said of a text that is refused, a line for each problem.
fn refusal(text: &str) -> Vec<String> {
    parse(text).expect_err("must be refused").to_string().lines().map(str::to_owned).collect()
}

/// A file of this test's own, gone with it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("roundturn-config-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const SHIPPED: &str = include_str!("../../conf/roundturn.toml");

#[test]
fn nothing_written_decides_the_documented_defaults() {
    let settings = parse("").unwrap();
    assert_eq!(settings.listen.turn, ["[::]:3478".parse::<SocketAddr>().unwrap()]);
    assert_eq!(settings.listen.http, ["127.0.0.1:8080".parse::<SocketAddr>().unwrap()]);
    assert_eq!(settings.listen.metrics, "127.0.0.1:9641".parse().ok());
    assert_eq!(settings.address, Address::Auto);
    assert_eq!(settings.stun_servers, ["stun.l.google.com:19302", "stun.cloudflare.com:3478"]);
    assert_eq!(settings.ports, 49160..=49359);
    assert_eq!(settings.auth.realm, "roundturn");
    assert_eq!(settings.auth.credential_ttl.as_secs(), 3600);
    assert!(!settings.auth.strict_expiry && settings.auth.users.is_empty());
    assert_eq!((settings.limits.allocations, settings.limits.allocations_per_user), (10_000, 24));
    assert_eq!(settings.limits.allocations_per_prefix, 200);
    assert!(settings.rooms.open && settings.rooms.mode == RoomMode::Sfu);
    assert_eq!(settings.rooms.max_participants, 50);
    let times = [settings.rooms.ttl, settings.rooms.empty_timeout, settings.rooms.resume];
    assert_eq!(times.map(|time| time.as_secs()), [14_400, 300, 30]);
    assert!(settings.shards.hairpin && (1..=64).contains(&settings.shards.count));
    assert_eq!(settings.log.level, "info");
}

#[test]
fn the_shipped_file_decides_exactly_the_defaults() {
    let (mut shipped, defaults) = (parse(SHIPPED).unwrap(), parse("").unwrap());
    shipped.file = defaults.file.clone();
    assert_eq!(format!("{shipped:?}"), format!("{defaults:?}"));
}

#[test]
fn the_shipped_file_shows_every_key_in_order_with_its_default_and_what_it_is_for() {
    let (mut keys, mut section, mut comments) = (KEYS.iter(), String::new(), String::new());
    for line in SHIPPED.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            comments += comment.trim_start();
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            comments.clear();
        } else if !line.is_empty() {
            let key = keys.next().unwrap();
            assert_eq!(format!("{section}.{line}"), format!("{} = {}", key.name, key.default));
            assert!(comments.starts_with(key.doc), "{}: {comments:?} should begin with {:?}", key.name, key.doc);
            let said = comments.to_lowercase().contains("not available in this version");
            assert_eq!(said, !key.available, "{}: {comments:?}", key.name);
            comments.clear();
        }
    }
    assert_eq!(keys.next().map(|key| key.name), None, "missing in the shipped file");
}

#[test]
fn every_key_has_a_default_of_its_own_form_and_belongs_to_a_section() {
    for key in KEYS {
        let value = toml::de::DeValue::parse(key.default).unwrap();
        let node = value::Node::from_toml(value.get_ref(), 0, &|_| Place::Default);
        assert!(key.form.fits(&node.value), "{}", key.name);
        assert_eq!(node.value.to_string(), key.default, "{}: written as it is shown", key.name);
        assert!(key.name.matches('.').count() == 1 && keys::is_section(key.section()));
    }
}

#[test]
fn a_full_configuration_is_decided_as_written() {
    let settings = parse(
        r#"
        [listen]
        turn = ["203.0.113.7:3478", "[2001:db8::7]:3478"]
        http = []
        metrics = ""
        [address]
        external = ["203.0.113.7/192.168.1.50", "2001:db8::7"]
        stun_servers = []
        [ports]
        udp = "50000-50099"
        [auth]
        secrets = [
            { name = "new", value = "0123456789abcdef-new" },
            { name = "old", value = "0123456789abcdef-old", not_after = 2027-01-01T00:00:00Z },
        ]
        users = { alice = "wonder" }
        credential_ttl = "10m"
        [peers]
        allow = ["192.168.1.0/24", "10.0.0.1"]
        [rooms]
        mode = "mesh"
        [shards]
        count = 3
        hairpin = false
        [log]
        level = "info,roundturn=debug"
        format = "json"
        "#,
    )
    .unwrap();
    assert_eq!(settings.listen.turn.len(), 2);
    assert!(settings.listen.http.is_empty() && settings.listen.metrics.is_none() && settings.stun_servers.is_empty());
    let external = [
        ExternalAddress { external: "203.0.113.7".parse().unwrap(), local: "192.168.1.50".parse().ok() },
        ExternalAddress { external: "2001:db8::7".parse().unwrap(), local: None },
    ];
    assert_eq!(settings.address, Address::Fixed(external.to_vec()));
    assert_eq!(settings.ports, 50000..=50099);
    let names: Vec<_> =
        settings.auth.secrets.iter().map(|secret| (secret.name.as_str(), secret.validity.not_after)).collect();
    assert_eq!(names, [("new", None), ("old", Some(1_798_761_600))]);
    assert!(!settings.auth.secret_is_random);
    assert!(settings.auth.users["alice"] == StaticUser::Password("wonder".into()));
    assert_eq!(settings.peers.allow, ["192.168.1.0/24".parse().unwrap(), "10.0.0.1/32".parse().unwrap()]);
    assert_eq!(settings.rooms.mode, RoomMode::Mesh);
    assert_eq!((settings.shards.count, settings.shards.hairpin), (3, false));
    assert_eq!(settings.log.format, LogFormat::Json);
}

#[test]
fn a_network_that_stands_for_ipv4_addresses_is_to_be_written_as_such() {
    let refused = parse("[peers]\ndeny = [\"::ffff:10.0.0.0/104\"]").unwrap_err().to_string();
    assert!(refused.contains("write \"10.0.0.0/8\""), "{refused}");
    assert!(parse("[peers]\ndeny = [\"::ffff:0:0/96\"]").is_ok(), "all of them are denied in any case");
}

#[test]
fn a_dns_name_stands_for_this_host() {
    let settings = parse("[address]\nexternal = \"turn.example.org\"").unwrap();
    assert_eq!(settings.address, Address::Name("turn.example.org".to_owned()));
}

#[test]
fn any_port_may_be_asked_for_more_than_once_but_not_for_clients_that_must_know_it() {
    let settings = parse("[listen]\nhttp = [\"127.0.0.1:0\", \"[::1]:0\"]\nmetrics = \"127.0.0.1:0\"");
    assert_eq!(settings.unwrap().listen.http.len(), 2);
    let refused = parse("[listen]\nturn = [\"127.0.0.1:0\"]").unwrap_err().to_string();
    assert!(refused.contains("which no client knows"), "{refused}");
}

#[test]
fn doubtful_settings_are_warned_of() {
    let text =
        "[listen]\nhttp = [\"[::]:8080\"]\n[peers]\nallow = [\"192.168.1.0/24\"]\n[address]\nexternal = \"10.0.0.1\"";
    let warnings = parse(text).unwrap().warnings(0).join("\n");
    for part in ["no secret is set", "192.168.1.0/24", "rooms are open", "https", "10.0.0.1 is not a public address"] {
        assert!(warnings.contains(part), "{part} in {warnings}");
    }
}

#[test]
fn doubtful_limits_are_warned_of() {
    let text = "[limits]\nuser_rate = 512\nmonthly_bytes = 1000000";
    let settings = parse(text).unwrap();
    assert!(settings.limits.is_metered());
    let warnings = settings.warnings(0).join("\n");
    assert!(warnings.contains("limits.user_rate is 512 bits") && warnings.contains("STATE_DIRECTORY"), "{warnings}");
    let kept = [("STATE_DIRECTORY".to_owned(), "/var/lib/roundturn:/var/lib/other".to_owned())];
    let settings = Settings::parse(Path::new("r.toml"), text, &kept).unwrap();
    assert_eq!(settings.state_directory.as_deref(), Some(Path::new("/var/lib/roundturn")));
    assert!(!settings.warnings(0).join("\n").contains("STATE_DIRECTORY"));
}

#[test]
fn a_missing_file_matters_only_where_it_is_named() {
    let missing = Path::new("/nonexistent/roundturn.toml");
    let error = Settings::load(Some(missing), []).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the configuration /nonexistent/roundturn.toml: "), "{error}");
    let named = ("ROUNDTURN_CONFIG".to_owned(), missing.display().to_string());
    assert!(matches!(Settings::load(None, [named]), Err(ConfigError::Read { .. })));
}

#[test]
fn the_file_on_the_command_line_goes_before_the_variable() {
    let file = Scratch::new("first.toml", "[auth]\nrealm = \"first\"");
    let named = ("ROUNDTURN_CONFIG".to_owned(), "/nonexistent/second.toml".to_owned());
    let settings = Settings::load(Some(&file.0), [named]).unwrap();
    assert_eq!(settings.auth.realm, "first");
    assert_eq!(settings.file.as_deref(), Some(file.0.as_path()));
}
