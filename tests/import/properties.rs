//! Whatever coturn's settings say, the result is TOML that the daemon takes, and nothing panics.

use std::path::Path;

use proptest::prelude::*;
use roundturn::config::{ConfigError, Settings};
use roundturn::import::{ConfigFile, Database, Imported, Input, Row, UserRow, import};

/// Names that the importer reads, and some that it leaves alone.
const NAMES: [&str; 40] = [
    "listening-port",
    "tls-listening-port",
    "listening-ip",
    "aux-server",
    "tcp-proxy-port",
    "no-tls",
    "relay-threads",
    "cpus",
    "external-ip",
    "relay-ip",
    "min-port",
    "max-port",
    "use-auth-secret",
    "static-auth-secret",
    "lt-cred-mech",
    "user",
    "realm",
    "allowed-peer-ip",
    "denied-peer-ip",
    "stun-only",
    "user-quota",
    "total-quota",
    "max-bps",
    "bps-capacity",
    "cert",
    "pkey",
    "Verbose",
    "log-min-level",
    "log-file",
    "prometheus",
    "prometheus-port",
    "prometheus-address",
    "userdb",
    "no-auth",
    "stale-nonce",
    "channel-lifetime",
    "oauth",
    "no-udp",
    "alt-listening-port",
    "nonsense",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u32>().prop_map(|number| number.to_string()),
        (0_u16..=u16::MAX).prop_map(|port| port.to_string()),
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        (any::<std::net::IpAddr>(), any::<std::net::IpAddr>()).prop_map(|(a, b)| format!("{a}-{b}")),
        (any::<std::net::IpAddr>(), any::<std::net::IpAddr>()).prop_map(|(a, b)| format!("{a}/{b}")),
        (any::<std::net::IpAddr>(), 0_u8..=130).prop_map(|(ip, length)| format!("{ip}/{length}")),
        any::<std::net::SocketAddr>().prop_map(|address| address.to_string()),
        "[a-z]{1,9}:(0x[0-9a-f]{30,70}|[ -~]{1,9})",
        "[a-z0-9.-]{1,20}",
        "\\PC{0,40}",
        ".{0,20}",
    ]
}

fn option() -> impl Strategy<Value = (&'static str, String)> {
    (prop::sample::select(NAMES.to_vec()), value())
}

/// The daemon takes it, but for what this version does not act on, and for keys of users.
fn is_taken(imported: &Imported) -> Result<(), TestCaseError> {
    match Settings::parse(Path::new("roundturn.toml"), &imported.toml, &[]) {
        Ok(_) => Ok(()),
        Err(ConfigError::Refused(problems)) => {
            let key = |key: &str| key.starts_with("auth.users") && imported.toml.contains("{ key = \"0x");
            let known = |rule: &str| rule.starts_with("not available in this version");
            let others: Vec<_> = problems.iter().filter(|p| !known(&p.rule) && !key(&p.key)).collect();
            prop_assert!(others.is_empty(), "{:#?} in\n{}", others, imported.toml);
            Ok(())
        }
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

fn from_text(text: &str) -> Imported {
    import(&Input { file: Some(ConfigFile { path: Path::new("/etc/x.conf"), text }), ..Input::default() })
}

proptest! {
    #[test]
    fn any_text_becomes_a_configuration(text in "(\\PC{0,60}\n){0,8}|(?s).{0,200}") {
        is_taken(&from_text(&text))?;
    }

    #[test]
    fn any_values_of_known_options_become_a_configuration(options in prop::collection::vec(option(), 0..12)) {
        let lines: String = options.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        is_taken(&from_text(&lines))?;
        let flags: Vec<String> = options.iter().map(|(name, value)| format!("--{name}={value}")).collect();
        is_taken(&import(&Input { flags: &flags, ..Input::default() }))?;
    }

    #[test]
    fn any_command_line_becomes_a_configuration(flags in prop::collection::vec("-{0,2}.{0,20}", 0..12)) {
        is_taken(&import(&Input { flags: &flags, ..Input::default() }))?;
    }

    #[test]
    fn any_database_becomes_a_configuration(rows in prop::collection::vec((".{0,8}", value()), 0..8)) {
        let all: Vec<Row> = rows.iter().map(|(realm, value)| Row { realm: realm.clone(), value: value.clone() }).collect();
        let user = |(realm, value): &(String, String)| UserRow { realm: realm.clone(), name: value.clone(), key: value.clone() };
        let database = Database {
            users: rows.iter().map(user).collect(),
            secrets: all.clone(),
            allowed_peers: all.clone(),
            denied_peers: all.clone(),
            realm_options: all,
            ..Database::default()
        };
        let flags = ["--use-auth-secret".to_owned()];
        is_taken(&import(&Input { flags: &flags, database: Some(&database), file: None }))?;
        is_taken(&import(&Input { database: Some(&database), ..Input::default() }))?;
    }

    #[test]
    fn every_option_leaves_a_trace((name, value) in option()) {
        let value = value.replace(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "");
        // Without a value an option asks for nothing, in coturn too.
        let empty = value.trim_matches([' ', '\t', '=', '"']).is_empty();
        let imported = from_text(&format!("{name}={value}\n"));
        let noted = imported.notes.iter().any(|note| note.option == name) || imported.same.iter().any(|same| same == name);
        let kept = imported.toml != from_text("").toml || empty;
        prop_assert!(noted || kept, "{} left no trace:\n{}", name, imported.toml);
    }
}
