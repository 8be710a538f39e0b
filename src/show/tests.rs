//! Each application's lines, read by a reader of its language where there is one, and the pages that show them.

use super::*;

const SECRET: &str = "a\"b\\c'd<e>&f/g+h=";

fn facts() -> Facts {
    Facts {
        host: "turn.example.org".to_owned(),
        turn_port: 3478,
        tls_port: Some(5349),
        secret: Some(Secret::new("YOUR-SECRET")),
        user: Some(("calls".to_owned(), Secret::new("YOUR-PASSWORD"))),
        api: None,
    }
}

fn odd() -> Facts {
    let secret = Some(Secret::new(SECRET));
    Facts { host: "2001:db8::7".to_owned(), tls_port: None, secret, ..facts() }
}

fn lines(app: &str, facts: &Facts) -> String {
    show(app, facts).unwrap().blocks.into_iter().map(|block| block.lines).collect()
}

#[test]
fn every_application_is_shown_with_host_and_port() {
    for name in names() {
        let text = lines(name, &facts());
        assert!(text.contains("turn.example.org") && text.contains("3478"), "{text}");
        assert!(text.ends_with('\n') && !text.contains('\t'), "{text}");
    }
}

#[test]
fn names_are_found_by_alias_and_in_any_case() {
    for (word, title) in [("BBB", "BigBlueButton"), ("Home Assistant", "Home Assistant"), ("matrix", "Matrix Synapse")]
    {
        assert_eq!(show(word, &facts()).unwrap().title, title);
    }
}

#[test]
fn an_unknown_application_gets_the_nearest_name_and_the_list() {
    let error = show("synaps", &facts()).unwrap_err().to_string();
    assert!(error.contains("did you mean synapse?") && error.contains("mattermost"), "{error}");
    let error = show("zoom-meetings", &facts()).unwrap_err();
    assert_eq!(error.near, None);
}

#[test]
fn without_a_secret_the_first_thing_is_to_set_one() {
    let facts = Facts { secret: None, user: None, ..facts() };
    for name in names() {
        let shown = show(name, &facts).unwrap();
        let first = shown.first.clone().unwrap();
        assert!(first.contains("[auth"), "{first}");
        assert!(shown.to_string().contains(TO_CHANGE), "{shown}");
    }
    assert_eq!(show("synapse", &odd()).unwrap().first, None);
}

#[test]
fn only_what_is_served_is_offered() {
    for name in names() {
        let text = lines(name, &odd());
        assert!(!text.contains("5349") && !text.contains("turns") && !text.contains("tls"), "{text}");
    }
}

#[test]
fn an_ipv6_address_stands_in_brackets_in_uris_and_without_them_elsewhere() {
    assert!(lines("synapse", &odd()).contains("\"turn:[2001:db8::7]:3478?transport=udp\""));
    assert!(lines("jitsi", &odd()).contains("host = \"2001:db8::7\""));
}

#[test]
fn a_secret_with_odd_characters_survives_each_language() {
    let json = serde_json::Value::from(SECRET).to_string();
    for app in ["synapse", "ejabberd", "livekit", "netbird", "mattermost"] {
        assert!(lines(app, &odd()).contains(&json), "{app}");
    }
    assert!(lines("jitsi", &odd()).contains(r#""a\"b\\c'd<e>&f/g+h=""#));
    assert!(lines("prosody", &odd()).contains(r#""a\"b\\c'd<e>&f/g+h=""#));
    assert!(lines("bigbluebutton", &odd()).contains(r#""a&quot;b\c'd&lt;e>&amp;f/g+h=""#));
    assert!(lines("nextcloud", &odd()).contains(r#"--secret='a"b\c'\''d<e>&f/g+h='"#));
}

#[test]
fn netbirds_part_is_json_and_rtcds_is_toml() {
    let json = format!("{{{}}}", lines("netbird", &odd()).trim_end().trim_end_matches(','));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["TURNConfig"]["Secret"], SECRET);
    let rtcd = show("rtcd", &odd()).unwrap().blocks.remove(0).lines;
    let toml: toml::Table = rtcd.parse().unwrap();
    assert_eq!(toml["rtc"]["turn"]["static_auth_secret"].as_str(), Some(SECRET));
}

#[test]
fn with_an_api_key_janus_asks_for_credentials_itself() {
    let api = Some(("127.0.0.1:8080".parse().unwrap(), Secret::new("YOUR-API-KEY")));
    let facts = Facts { user: None, api, ..facts() };
    let shown = show("janus", &facts).unwrap();
    assert_eq!(shown.first, None);
    let lines = &shown.blocks[0].lines;
    assert!(lines.contains("turn_rest_api = \"http://127.0.0.1:8080/turn/credentials\"\n"), "{lines}");
    assert!(lines.contains("turn_rest_api_key = \"YOUR-API-KEY\"\n"), "{lines}");
    let page = format!("{}/docs/applications/janus.md", env!("CARGO_MANIFEST_DIR"));
    assert!(std::fs::read_to_string(page).unwrap().contains(lines.as_str()), "{lines}");
}

#[test]
fn the_pages_hold_what_is_shown() {
    for name in names() {
        let path = format!("{}/docs/applications/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let shown = show(name, &facts()).unwrap();
        for block in &shown.blocks {
            assert!(page.contains(&format!("\n{}", block.lines)), "{path} lacks\n{}", block.lines);
        }
        assert!(page.contains(shown.title) && page.contains(shown.then), "{path} lacks {:?}", shown.then);
    }
}
