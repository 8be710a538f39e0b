//! Keys set by environment variables.

use super::*;

fn with(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let env: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::parse(Path::new("r.toml"), "[auth]\nrealm = \"file\"\n[rooms]\nttl = \"1h\"", &env)
}

#[test]
fn each_form_is_read_by_its_key() {
    let settings = with(&[
        ("ROUNDTURN_LISTEN__TURN", "[::]:3478, 192.0.2.1:3479"),
        ("ROUNDTURN_LISTEN__HTTP", "[\"127.0.0.1:80\"]"),
        ("ROUNDTURN_LISTEN__METRICS", ""),
        ("ROUNDTURN_ADDRESS__EXTERNAL", "[\"203.0.113.7\", \"2001:db8::7\"]"),
        ("ROUNDTURN_AUTH__REALM", "turn.example.org"),
        ("ROUNDTURN_AUTH__SECRET", "0123456789abcdef"),
        ("ROUNDTURN_AUTH__USERS", "{ alice = \"wonder\" }"),
        ("ROUNDTURN_AUTH__STRICT_EXPIRY", "true"),
        ("ROUNDTURN_SHARDS__COUNT", "2"),
        ("ROUNDTURN_PEERS__ALLOW", "192.168.1.0/24"),
        ("ROUNDTURN_ADDRESS__STUN_SERVERS", ""),
    ]);
    let settings = settings.unwrap();
    assert_eq!(
        settings.listen.turn,
        ["[::]:3478".parse::<SocketAddr>().unwrap(), "192.0.2.1:3479".parse::<SocketAddr>().unwrap()]
    );
    assert_eq!(settings.listen.http, ["127.0.0.1:80".parse::<SocketAddr>().unwrap()]);
    assert_eq!(settings.listen.metrics, None);
    assert!(matches!(&settings.address, Address::Fixed(addresses) if addresses.len() == 2));
    assert_eq!(settings.auth.realm, "turn.example.org");
    assert_eq!(settings.auth.secrets[0].value.expose(), "0123456789abcdef");
    assert!(settings.auth.users["alice"] == StaticUser::Password("wonder".into()));
    assert!(settings.auth.strict_expiry);
    assert_eq!(settings.shards.count, 2);
    assert_eq!(settings.peers.allow, ["192.168.1.0/24".parse().unwrap()]);
    assert!(settings.stun_servers.is_empty());
    assert_eq!(settings.rooms.ttl.as_secs(), 3600, "what no variable names stays as the file says");
}

#[test]
fn a_bare_address_is_an_address() {
    let settings =
        with(&[("ROUNDTURN_ADDRESS__EXTERNAL", "203.0.113.7"), ("ROUNDTURN_LISTEN__TURN", "[::]:3478")]).unwrap();
    assert!(matches!(&settings.address, Address::Fixed(addresses) if addresses.len() == 1));
    assert_eq!(settings.listen.turn, ["[::]:3478".parse::<SocketAddr>().unwrap()]);
}

#[test]
fn a_refusal_names_the_variable() {
    let said = |variable| with(&[variable]).unwrap_err().to_string();
    assert_eq!(
        said(("ROUNDTURN_SHARDS__COUNT", "1000")),
        "ROUNDTURN_SHARDS__COUNT: shards.count = 1000: must be from 0 to 64"
    );
    assert!(
        said(("ROUNDTURN_SHARDS__COUNT", "two"))
            .starts_with("ROUNDTURN_SHARDS__COUNT: shards.count = \"two\": must be a whole number")
    );
    assert_eq!(
        said(("ROUNDTURN_AUTH_SECRET_FILE", "/run/secret")),
        "ROUNDTURN_AUTH_SECRET_FILE: auth.secret_file: unknown variable; did you mean ROUNDTURN_AUTH__SECRET_FILE, with two \
         underscores?"
    );
    assert!(said(("ROUNDTURN_AUTH__SECRET", "")).contains("is empty"));
    assert!(said(("ROUNDTURN_ROOMS__OPEN", "yes")).contains("must be true or false"));
    assert_eq!(
        said(("ROUNDTURN_ROOMS__OPNE", "true")),
        "ROUNDTURN_ROOMS__OPNE: rooms.opne: unknown key; did you mean ROUNDTURN_ROOMS__OPEN?"
    );
    assert_eq!(
        said(("ROUNDTURN_TOKEN__SECRET", "x")),
        "ROUNDTURN_TOKEN__SECRET: token.secret: unknown key; did you mean ROUNDTURN_TOKENS__SECRET?"
    );
}

#[test]
fn other_variables_are_left_alone() {
    let settings =
        with(&[("ROUNDTURN_SERVICE_HOST", "10.0.0.1"), ("ROUNDTURN_PORT", "tcp://10.0.0.1:80"), ("HOME__X", "1")]);
    assert_eq!(settings.unwrap().auth.realm, "file");
}
