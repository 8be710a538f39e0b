//! The program as people and scripts call it: output, exit codes.
#![allow(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};

/// Runs the program with a configuration of its own and none of this process's variables.
fn roundturn(arguments: &[&str], config: &str) -> Output {
    let name = format!("roundturn-cli-{}-{:?}.toml", std::process::id(), std::thread::current().id());
    let file = std::env::temp_dir().join(name.replace(['(', ')'], "-"));
    std::fs::write(&file, config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_roundturn"))
        .args(arguments)
        .env_clear()
        .env("ROUNDTURN_CONFIG", &file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_says_what_is_decided() {
    let output = roundturn(&["check"], "[rooms]\nttl = \"2h\"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("rooms.ttl"), "{}", stdout(&output));
    assert!(stdout(&output).lines().any(|line| line.starts_with("rooms.ttl") && line.ends_with("  2h")));
}

#[test]
fn check_answers_in_json() {
    let good = roundturn(&["check", "--json"], "[rooms]\nttl = \"2h\"");
    let answer: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!((&answer["ok"], &answer["settings"]["rooms"]["ttl"]), (&true.into(), &"2h".into()));
    let bad = roundturn(&["check", "--json"], "[rooms]\nopne = true");
    assert_eq!(bad.status.code(), Some(78));
    let answer: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(answer["problems"][0]["line"], 2);
    assert_eq!(answer["problems"][0]["key"], "rooms.opne");
}

#[test]
fn a_refused_configuration_starts_nothing_and_exits_with_78() {
    for arguments in [&["run"][..], &[], &["check"], &["credentials"], &["health"]] {
        let output = roundturn(arguments, "[shards]\ncount = 1000");
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.ends_with(".toml:2: shards.count = 1000: must be from 0 to 64\n"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_missing_configuration_that_is_named_exits_with_78() {
    let output = roundturn(&["check", "--config", "/nonexistent.toml"], "");
    assert_eq!(output.status.code(), Some(78));
    let said = stderr(&output);
    assert!(said.contains("/nonexistent.toml"), "{said}");
    assert_eq!(said.matches("No such file").count(), 1, "a cause is told once: {said}");
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_eq!(roundturn(&["juggle"], "").status.code(), Some(2));
    assert_eq!(roundturn(&["check", "--loud"], "").status.code(), Some(2));
    assert_eq!(roundturn(&["credentials", "--ttl", "forever"], "").status.code(), Some(2));
}

#[test]
fn version_and_help() {
    let output = roundturn(&["--version"], "");
    assert_eq!(stdout(&output).trim(), concat!("roundturn ", env!("CARGO_PKG_VERSION")));
    let help = stdout(&roundturn(&["--help"], ""));
    for command in ["run", "check", "credentials", "health"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command} in {help}");
    }
    assert!(!help.contains('\u{1b}'), "colours are for terminals");
}

#[test]
fn a_token_is_made_with_what_the_daemon_checks_it_by() {
    let config = "[tokens]\nsecret = \"0123456789abcdef\"\nissuer = \"us\"\naudience = \"calls\"";
    let made = roundturn(&["token", "demo", "--name", "Ana", "--grants", "publish,moderate"], config);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert_eq!(stdout(&made).trim().split('.').count(), 3);
    let ec = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tokens/tests/ec");
    let config = format!("[tokens]\nkeys = [\"{ec}.pub.pem\"]");
    let made = roundturn(&["token", "*", "--key", &format!("{ec}.pem")], &config);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    for (arguments, config, words) in [
        (&["token", "demo"][..], "", "no key for tokens is configured"),
        (&["token", "a b"], config.as_str(), "a room's name is 1 to 128 characters"),
        (&["token", "demo"], &config, "--key names the private key"),
        (&["token", "demo", "--key", "/nowhere.pem"], &config, "cannot read /nowhere.pem"),
        (&["token", "demo", "--key", &format!("{ec}.pub.pem")], &config, "is no private key"),
        (&["token", "demo", "--key", &ec.replace("/ec", "/ed.pem")], &config, "the daemon would refuse this token"),
    ] {
        let output = roundturn(arguments, config);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert_eq!(roundturn(&["token", "demo", "--grants", "everything"], &config).status.code(), Some(2));
}

#[test]
fn credentials_are_made_with_the_configured_secret() {
    let config = "[auth]\nsecret = \"0123456789abcdef\"\n[address]\nexternal = \"turn.example.org\"";
    let output = roundturn(&["credentials", "alice", "--ttl", "10m", "--json"], config);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let username = answer["username"].as_str().unwrap();
    let (expiry, name) = username.split_once(':').unwrap();
    assert_eq!((name, expiry.len()), ("alice", 10));
    assert_eq!(answer["password"], roundturn_turn::mint(b"0123456789abcdef", username));
    assert_eq!(answer["ttl"], 600);
    assert_eq!(answer["urls"][0], "turn:turn.example.org:3478?transport=udp");
}

#[test]
fn credentials_are_verified_with_a_reason() {
    let config = "[auth]\nsecrets = [{ name = \"2026\", value = \"0123456789abcdef\" }]";
    let verify = |username: &str, secret: &[u8], form: &[&str]| {
        let password = roundturn_turn::mint(secret, username);
        roundturn(&[&["credentials", "--verify", username, &password], form].concat(), config)
    };
    let good = verify("4102444800:bob", b"0123456789abcdef", &["--json"]);
    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    let answer: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!((&answer["good"], &answer["secret"]), (&true.into(), &"2026".into()));
    assert_eq!(answer["expires"], "2100-01-01T00:00:00Z");
    let over = verify("1700000000:bob", b"0123456789abcdef", &[]);
    assert_eq!(over.status.code(), Some(1));
    assert!(stdout(&over).starts_with("Expired ") && stdout(&over).contains("\"2026\""), "{}", stdout(&over));
    assert!(stdout(&verify("4102444800:bob", b"another", &[])).starts_with("Signed with another secret than \"2026\""));
    assert_eq!(roundturn(&["credentials", "--verify", "only-a-name"], config).status.code(), Some(2));
}

#[test]
fn credentials_need_a_secret_that_others_know_and_last_an_hour_at_most() {
    let random = roundturn(&["credentials"], "");
    assert_eq!(random.status.code(), Some(1));
    assert!(stderr(&random).contains("set auth.secret"), "{}", stderr(&random));
    let long = roundturn(&["credentials", "--ttl", "2h"], "[auth]\nsecret = \"0123456789abcdef\"");
    assert_eq!(long.status.code(), Some(1));
    assert!(stderr(&long).contains("at most 60m"), "{}", stderr(&long));
}

/// Answers one request of `health` and tells how it ended.
fn health_hears(answer: &'static str) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 512];
        let read = stream.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET /health HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let output = roundturn(&["health"], &format!("[listen]\nhttp = [\"{address}\"]"));
    server.join().unwrap();
    output
}

#[test]
fn health_is_0_where_the_daemon_serves_and_1_where_it_does_not() {
    let serving = health_hears("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}");
    assert_eq!((serving.status.code(), stdout(&serving).trim()), (Some(0), "{\"status\":\"ok\"}"));
    assert_eq!(health_hears("HTTP/1.1 503 Service Unavailable\r\n\r\nno").status.code(), Some(1));
    assert_eq!(health_hears("nonsense").status.code(), Some(1));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = roundturn(&["health"], &format!("[listen]\nhttp = [\"{free}\"]"));
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("no answer from http://127.0.0.1:"), "{}", stderr(&nobody));
}

#[test]
fn explain_names_the_rule_and_how_to_change_it() {
    let config = "[address]\nexternal = \"127.0.0.1\"\n[peers]\nallow = [\"10.1.0.0/16\"]\ndeny = [\"198.41.0.0/24\"]";
    let said = |peer: &str| stdout(&roundturn(&["explain", peer], config)).trim().to_owned();
    assert_eq!(
        said("192.168.1.7"),
        "Relays may not send to 192.168.1.7: it is no address of the public internet but of the kind \"private\"; \
         to allow it, put \"192.168.1.7/32\" into peers.allow."
    );
    assert_eq!(said("10.1.2.3"), "Relays may send to 10.1.2.3: peers.allow holds 10.1.0.0/16.");
    assert_eq!(said("198.41.0.4:5000"), "Relays may not send to 198.41.0.4:5000: peers.deny holds 198.41.0.0/24.");
    assert_eq!(said("8.8.8.8:53"), "Relays may not send to 8.8.8.8:53: no media is sent to port 53.");
    assert_eq!(said("8.8.8.8"), "Relays may send to 8.8.8.8: it is a public address and no rule denies it.");
    assert!(said("127.0.0.1").contains("an address of this host"));
    assert!(
        said("127.0.0.1:49170").starts_with("Relays may send to 127.0.0.1:49170: it is of this daemon's own range")
    );
    assert!(said("::ffff:8.8.8.8").contains("use the IPv4 address"));
    let json = roundturn(&["explain", "192.168.1.7", "--json"], config);
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&answer["allowed"], &answer["rule"]), (&false.into(), &"special_purpose".into()));
    assert_eq!(roundturn(&["explain", "somewhere"], config).status.code(), Some(2));
}

#[test]
fn show_prints_what_this_daemon_serves() {
    let plain = "[auth]\nsecret = \"0123456789abcdef\"\napi_keys = [\"key-0123456789abcdef\"]\n\
                 [address]\nexternal = \"turn.example.org\"\n[listen]\nturn = [\"[::]:3479\"]\n";
    let synapse = stdout(&roundturn(&["show", "synapse"], plain));
    assert!(synapse.contains("turn:turn.example.org:3479?transport=tcp") && !synapse.contains("turns:"), "{synapse}");
    let tls = format!("{plain}turns = [\"[::]:443\"]\n[tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n");
    let output = roundturn(&["show", "synapse", "--json", "--hide-secret"], &tls);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = answer["blocks"][0]["lines"].as_str().unwrap();
    assert!(lines.contains("turns:turn.example.org:443?transport=tcp") && !lines.contains("0123456789"), "{lines}");
    assert_eq!(answer["title"], "Matrix Synapse");
    let shared = format!("{plain}turns = []\n[tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n");
    assert!(stdout(&roundturn(&["show", "synapse"], &shared)).contains("turns:turn.example.org:3479"));
    let janus = stdout(&roundturn(&["show", "janus"], plain));
    assert!(janus.contains("turn_rest_api = \"http://127.0.0.1:8080/turn/credentials\""), "{janus}");
    assert!(janus.contains("key-0123456789abcdef"), "{janus}");
    let names = roundturn(&["show", "--json"], "");
    assert!(serde_json::from_slice::<Vec<String>>(&names.stdout).unwrap().contains(&"janus".to_owned()));
}

#[test]
fn what_the_start_would_refuse_is_refused_by_check() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls");
    let with = |key: &str| {
        format!("[listen]\nturns = []\n[tls]\ncertificate = \"{folder}/certificate.pem\"\nkey = \"{folder}/{key}\"\n")
    };
    assert!(roundturn(&["check"], &with("key.pem")).status.success());
    for (key, words) in [("other-key.pem", "does not serve with the certificate"), ("nothing.pem", "nothing.pem")] {
        for command in [&["check"][..], &["run"]] {
            let output = roundturn(command, &with(key));
            assert_eq!(output.status.code(), Some(78), "{command:?}");
            assert!(stderr(&output).contains(words), "{}", stderr(&output));
        }
        let output = roundturn(&["check", "--json"], &with(key));
        let answer: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!((output.status.code(), &answer["ok"]), (Some(78), &false.into()));
    }
}

#[test]
fn what_is_doubtful_is_said_by_check() {
    let text = "[listen]\nturn = [\"203.0.113.9:3478\"]\n[address]\nexternal = \"203.0.113.9\"\n\
                [relay]\nalternate_servers = [\"203.0.113.9:3478\"]\n\
                [auth]\nsecrets = [{ name = \"old\", value = \"0123456789abcdef\", not_after = 100 }]\n\
                users = { bob = \"hunter2\" }\n";
    let said = stdout(&roundturn(&["check"], text));
    for words in [
        "no address of this host",
        "sent round in a circle",
        "the password of \"bob\" in auth.users is short",
        "no secret of auth.secrets is accepted",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("hunter2"));
    let shown = roundturn(&["show", "synapse"], text);
    assert!(!shown.status.success() && stderr(&shown).contains("no secret of auth.secrets is accepted"));
}
