//! Other settings while rooms are open.

use super::*;

/// The rooms of the house with another wait for empty ones, and a mint that signs with `secret`.
fn configure(house: &mut House, empty_secs: u64, secret: &str) {
    let validity = roundturn_turn::Validity::default();
    let secret = NamedSecret { name: "any".into(), value: Secret::new(secret), validity };
    let rooms = Rooms { empty_timeout: seconds(empty_secs), ..house.hub.config.rooms.clone() };
    house.hub.configure(house.now, rooms, None, Mint::new(vec![secret], seconds(3600)));
    house.drain();
}

#[test]
fn everyone_gets_a_credential_of_the_secret_that_signs_now() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    configure(&mut house, 300, "north");
    house.hears_nothing(ana);
    house.later(seconds(1));
    configure(&mut house, 300, "south");
    for client in [ana, bo] {
        let servers = house.hears_a(client, "ice_servers");
        let relay = &servers["ice_servers"][1];
        let minted = roundturn_turn::mint(b"south", relay["username"].as_str().unwrap());
        assert_eq!(relay["credential"], minted);
    }
    house.says(bo, json!({"type":"leave"}));
    assert_eq!(house.revoked.len(), 2, "the old one is revoked with the new one");
}

#[test]
fn an_empty_room_waits_as_long_as_is_said_last() {
    for (secs, gone_at) in [(10, 10), (600, 600), (1, 5)] {
        let mut house = House::new();
        let (ana, _) = house.joins("room", "sfu");
        house.says(ana, json!({"type":"leave"}));
        house.later(seconds(5));
        configure(&mut house, secs, "north");
        if gone_at > 5 {
            house.later(seconds(gone_at - 6));
            assert!(house.facts("room").is_some(), "{secs}");
            house.later(seconds(1));
        } else {
            house.later(seconds(0));
        }
        assert!(house.facts("room").is_none(), "{secs}");
        assert_eq!(house.hub.poll_timeout(), None, "no deadline is left behind");
    }
}

#[test]
fn closed_rooms_let_nobody_in_and_nobody_out() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    let rooms = Rooms { open: false, ..house.hub.config.rooms.clone() };
    let mint = house.hub.config.mint.clone();
    house.hub.configure(house.now, rooms, None, mint);
    let late = house.connects();
    house.says(late, json!({"type":"join","id":1,"room":"room"}));
    house.hears_error(late, "auth_required");
    assert!(house.is_open(ana));
}
