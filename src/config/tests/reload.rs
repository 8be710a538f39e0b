//! Settings that are read anew: what is taken over, what waits for a restart, what is refused.

use super::*;

const LONG: &str = "a-secret-of-some-length";

/// Decides `before`, then `after` over it.
fn reloaded(before: &str, after: &str, variables: &[(&str, &str)]) -> Result<Change, ConfigError> {
    let test = format!("{:?}", std::thread::current().id());
    let file = Scratch::new(&test.replace(['(', ')'], "-"), after);
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    parse(before).unwrap().reload(Some(&file.0), variables)
}

fn secrets(settings: &Settings) -> Vec<&str> {
    settings.auth.secrets.iter().map(|secret| secret.value.expose()).collect()
}

#[test]
fn nothing_written_anew_changes_nothing_and_keeps_the_random_secret() {
    let file = Scratch::new("same", "[auth]\nrealm = \"r\"");
    let before = parse("[auth]\nrealm = \"r\"").unwrap();
    let change = before.reload(Some(&file.0), []).unwrap();
    assert_eq!((change.changed.len(), change.restart.len()), (0, 0));
    assert!(change.settings.auth.secret_is_random);
    assert_eq!(secrets(&change.settings), secrets(&before));
}

#[test]
fn what_was_signed_with_the_random_secret_stays_good_beside_a_configured_one() {
    let before = parse("").unwrap();
    let with = Scratch::new("with", &format!("[auth]\nsecret = \"{LONG}\""));
    let without = Scratch::new("without", "");
    let then = before.reload(Some(&with.0), []).unwrap();
    assert_eq!(then.changed, ["auth.secret"]);
    assert_eq!(secrets(&then.settings), [LONG, secrets(&before)[0]]);
    assert!(!then.settings.auth.secret_is_random);
    assert_eq!(then.settings.signing_secret(7).unwrap().value.expose(), LONG);
    let back = then.settings.reload(Some(&without.0), []).unwrap();
    assert_eq!((secrets(&back.settings), back.changed), (secrets(&before), vec!["auth.secret"]));
}

#[test]
fn keys_that_take_a_restart_are_named_and_the_rest_is_taken() {
    let after = "[listen]\nturn = [\"[::]:3479\"]\nproxy_protocol_from = [\"10.0.0.0/8\"]\n\
                 [ports]\nudp = \"50000-50099\"\n[peers]\ndeny = [\"9.0.0.0/8\"]\n[limits]\nallocations = 7\n\
                 [log]\nlevel = \"debug\"\nformat = \"json\"";
    let change = reloaded("[shards]\ncount = 1\n[log]\nformat = \"text\"", after, &[]).unwrap();
    assert_eq!(change.restart, ["listen.turn", "ports.udp", "shards.count", "log.format"]);
    assert_eq!(change.changed, ["listen.proxy_protocol_from", "peers.deny", "limits.allocations", "log.level"]);
    let settings = &change.settings;
    assert_eq!((settings.listen.turn.len(), settings.listen.turn[0].port()), (1, 3478));
    assert_eq!((settings.ports.clone(), settings.shards.count), (49160..=49359, 1));
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("debug", LogFormat::Text));
    assert_eq!((settings.peers.deny.len(), settings.limits.allocations), (1, 7));
    // They are told of each time, as long as they wait.
    let again = Scratch::new("again", after);
    let change = settings.reload(Some(&again.0), []).unwrap();
    assert_eq!((change.restart.len(), change.changed.len()), (4, 0));
}

#[test]
fn a_certificate_may_be_another_but_tls_neither_comes_nor_goes() {
    let tls = |name: &str| format!("[tls]\ncertificate = \"/{name}.pem\"\nkey = \"/key.pem\"");
    let other = reloaded(&tls("one"), &tls("two"), &[]).unwrap();
    assert_eq!((other.changed.as_slice(), other.restart.len()), (&["tls.certificate"][..], 0));
    let comes = reloaded("", &tls("one"), &[]).unwrap();
    assert_eq!((comes.restart.as_slice(), comes.settings.tls), (&["tls.certificate", "tls.key"][..], None));
    let goes = reloaded(&tls("one"), "", &[]).unwrap();
    assert!(goes.restart == ["tls.certificate", "tls.key"] && goes.settings.tls.is_some());
}

#[test]
fn variables_and_files_of_secrets_are_read_anew_too() {
    let change = reloaded("", "", &[("ROUNDTURN_PEERS__DENY", "9.0.0.0/8")]).unwrap();
    assert_eq!(change.changed, ["peers.deny"]);
    let secret = Scratch::new("rotated", LONG);
    let text = format!("[auth]\nsecret_file = {:?}", secret.0);
    let before = parse(&text).unwrap();
    std::fs::write(&secret.0, "another-secret-of-length").unwrap();
    let file = Scratch::new("names-a-file", &text);
    let change = before.reload(Some(&file.0), []).unwrap();
    assert_eq!(change.changed, ["auth.secret_file"]);
    assert_eq!(secrets(&change.settings), ["another-secret-of-length"]);
}

#[test]
fn one_mistake_refuses_the_whole_with_its_place() {
    let error = reloaded("", "[peers]\ndeny = [\"9.0.0.0/8\"]\nallow = [\"everybody\"]", &[]).unwrap_err();
    assert!(error.to_string().contains(":3: peers.allow = \"everybody\": must be a network"), "{error}");
    // Also one in a key that would wait for a restart.
    assert!(reloaded("", "[shards]\ncount = 1000", &[]).is_err());
}

#[test]
fn alternate_servers_are_one_of_each_family() {
    let with = |list: &str| parse(&format!("[relay]\nalternate_servers = {list}"));
    let both = with("[\"203.0.113.8:3478\", \"[2001:db8::8]:3478\"]").unwrap();
    assert_eq!(both.relay.alternate_servers.len(), 2);
    let said = |list: &str| with(list).unwrap_err().to_string();
    assert_eq!(
        said("[\"203.0.113.8:3478\", \"203.0.113.9:3478\"]"),
        "r.toml:2: relay.alternate_servers = \"203.0.113.9:3478\": must have at most one IPv4 address: a client is told \
         of one of each family"
    );
    for address in ["203.0.113.8", "0.0.0.0:3478", "203.0.113.8:0", "turn.example.org:3478"] {
        assert!(said(&format!("[\"{address}\"]")).contains("must be an IP address with a port"), "{address}");
    }
}
