//! Credentials over HTTP, and how often anybody may ask for what costs.

use super::*;
use crate::signal::protocol::ErrorCode;
use crate::signal::stats::Api;

fn order(name: Option<&str>) -> Order {
    Order { from: HOME, proof: Proof::Key(Some(0)), name: name.map(str::to_owned), api: Api::TurnCredentials }
}

fn few() -> House {
    House::with(|config| config.asks = Rate { per_second: 1, burst: 3 })
}

#[test]
fn a_credential_is_signed_as_at_join_for_the_name_that_is_given() {
    let mut house = House::new();
    let issued = house.hub.issue(house.now, &order(Some("@ana:example.org"))).unwrap();
    assert_eq!((issued.ttl_secs, issued.expires_at_secs), (3600, NOON_MS / 1000 + 3600));
    let (_, joined) = house.joins("room", "mesh");
    let servers = serde_json::to_value(&issued.ice_servers).unwrap();
    assert_eq!(servers[1]["urls"], joined["ice_servers"][1]["urls"]);
    let username = format!("{}:@ana:example.org", issued.expires_at_secs);
    assert_eq!(servers[1]["username"], username);
    assert_eq!(servers[1]["credential"], roundturn_turn::mint(b"north", &username));
}

#[test]
fn without_a_name_each_asker_is_somebody_else_to_the_quotas() {
    let mut house = House::new();
    let mut name = || house.hub.issue(house.now, &order(None)).unwrap().ice_servers[1].username.clone().unwrap();
    let (one, other) = (name(), name());
    assert_ne!(one, other);
    assert_eq!(one.split_once(':').unwrap().1.len(), 16);
}

#[test]
fn names_that_no_log_should_hold_are_refused() {
    let mut house = House::new();
    for name in ["a\nb", "a\u{0}b", "\u{fffd}", &"x".repeat(257)] {
        let refused = house.hub.issue(house.now, &order(Some(name))).unwrap_err();
        assert_eq!(refused.code, ErrorCode::BadMessage, "{name:?}");
    }
    assert!(house.hub.issue(house.now, &order(Some(&"x".repeat(256)))).is_ok());
}

#[test]
fn a_host_without_an_address_offers_nothing() {
    let mut house = House::with(|config| config.urls = IceUrls::default());
    assert_eq!(house.hub.issue(house.now, &order(None)).unwrap_err().code, ErrorCode::Internal);
}

#[test]
fn whoever_asks_too_often_waits_whatever_they_ask_for() {
    let mut house = few();
    house.joins("room", "mesh");
    house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap();
    house.hub.issue(house.now, &order(None)).unwrap();
    let refused = house.hub.issue(house.now, &order(None)).unwrap_err();
    assert_eq!((refused.code, refused.retry), (ErrorCode::RateLimited, Some(seconds(1))));
    assert_eq!(
        house.hub.create_room(house.now, &visitor(None), &Create::default()).unwrap_err().code,
        ErrorCode::RateLimited
    );
    let late = house.connects();
    house.says(late, json!({"type":"join","id":1,"room":"room"}));
    house.hears_error(late, "rate_limited");
    house.is_sent_away(late, "rate_limited", 4429);
    house.later(seconds(4));
    house.joins("room", "mesh");
}

#[test]
fn one_address_and_one_key_do_not_spend_what_others_have() {
    let mut house = few();
    let from = |last: u8| IpAddr::from([192, 0, 2, last]);
    for last in 1..=3 {
        house.hub.issue(house.now, &Order { from: from(last), ..order(None) }).unwrap();
    }
    let spent = house.hub.issue(house.now, &Order { from: from(4), ..order(None) });
    assert_eq!(spent.unwrap_err().code, ErrorCode::RateLimited, "the key is counted over all addresses");
    house.hub.issue(house.now, &Order { from: from(4), proof: Proof::Key(Some(1)), ..order(None) }).unwrap();
}

#[test]
fn wrong_keys_are_counted_for_their_source_and_this_host_is_not_limited() {
    let mut house = few();
    let wrong = Order { proof: Proof::Key(None), ..order(None) };
    for code in [ErrorCode::AuthInvalid, ErrorCode::AuthInvalid, ErrorCode::AuthInvalid, ErrorCode::RateLimited] {
        assert_eq!(house.hub.issue(house.now, &wrong).unwrap_err().code, code);
    }
    for address in ["127.0.0.1", "::1"] {
        let own = Order { from: address.parse().unwrap(), ..wrong.clone() };
        assert!((0..9).all(|_| house.hub.issue(house.now, &own).unwrap_err().code == ErrorCode::AuthInvalid));
    }
}

#[test]
fn where_no_secret_is_accepted_the_operator_is_missed() {
    let mut house = House::with(|config| config.mint = Mint::new(vec![], Duration::from_secs(600)));
    let refused = house.hub.issue(house.now, &order(None)).unwrap_err();
    assert!(refused.code == ErrorCode::Internal && refused.message.contains("auth.secrets"), "{}", refused.message);
    let (_, joined) = house.joins("room", "mesh");
    assert_eq!(joined["ice_servers"].as_array().unwrap().len(), 1, "STUN needs none");
}
