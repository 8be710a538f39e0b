//! Whatever arrives, nothing panics, and what goes out stays within the protocol.

use proptest::prelude::*;

use super::tokens::{guard, token};
use super::*;

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop_oneof![Just("p_1"), Just("p_2"), Just("t_1"), Just("*"), Just("room"), Just("camera")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(field(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "to",
        "data",
        "room",
        "create",
        "mode",
        "name",
        "meta",
        "session",
        "resume_key",
        "seq",
        "generation",
        "sdp",
        "tracks",
        "slots",
        "audio",
        "video",
        "mid",
        "source",
        "candidate",
        "track",
        "muted",
        "action",
        "participant",
        "topic",
        "keep",
        "echo",
        "sent",
        "max_participants",
        "ttl_seconds",
    ];
    prop_oneof![proptest::sample::select(KNOWN).prop_map(str::to_owned), "[a-z_]{1,8}"]
}

/// Something that looks like a message of the protocol.
fn message() -> impl Strategy<Value = String> {
    let kind = proptest::sample::select(crate::signal::stats::IN).prop_map(str::to_owned);
    let fields = proptest::collection::hash_map(field(), arbitrary_json(), 0..6);
    (kind, fields, proptest::option::of(0..5_u64)).prop_map(|(kind, fields, id)| {
        let mut frame: serde_json::Map<_, _> = fields.into_iter().collect();
        frame.insert("type".into(), kind.into());
        if let Some(id) = id {
            frame.insert("id".into(), id.into());
        }
        Value::Object(frame).to_string()
    })
}

/// Three clients; the last one has not joined.
fn crowd(mode: &str) -> (House, [Client; 3]) {
    let mut house = House::with(|config| config.burst = 100_000);
    let (ana, bo) = house.pair(mode);
    let cy = house.connects();
    (house, [ana, bo, cy])
}

/// Whatever went out is of a known type, and events are numbered without gaps.
fn check_heard(house: &mut House) -> Result<(), TestCaseError> {
    for frames in house.heard.values() {
        let mut last = None;
        for frame in frames {
            let kind = frame["type"].as_str().unwrap_or_default();
            prop_assert!(crate::signal::stats::OUT.contains(&kind), "{frame}");
            if let Some(seq) = frame["seq"].as_u64() {
                prop_assert!(last.is_none_or(|last| seq == last + 1), "{frame}");
                last = Some(seq);
            }
        }
    }
    Ok(())
}

/// A room of three, of whom the last is granted nothing.
fn room_with_a_stranger() -> (House, [Client; 2], Client) {
    let mut house = House::with(|config| {
        config.burst = 100_000;
        guard(config);
    });
    let [ana, bo, stranger] = [&["publish", "subscribe", "message"][..], &["publish"], &[]].map(|grants| {
        let token = token(json!({"grants": grants}));
        let client = house.connects();
        house.says(client, json!({"type":"join","id":1,"room":"r","token":token,"create":{"mode":"sfu"}}));
        client
    });
    house.says(ana, json!({"type":"offer","id":2,"generation":1,"sdp":"v=0","tracks":[],"slots":{}}));
    house.heard.clear();
    house.takes_commands();
    (house, [ana, bo], stranger)
}

proptest! {
    #[test]
    fn who_is_granted_nothing_moves_nothing(frames in proptest::collection::vec(message(), 1..30)) {
        let (mut house, others, stranger) = room_with_a_stranger();
        for frame in frames {
            house.says_text(stranger, &frame);
        }
        for (_, command) in house.takes_commands() {
            let harmless = match &command {
                // An offer without tracks and slots carries nothing.
                Command::Offer(offer) => {
                    offer.tracks.is_empty() && offer.slots.audio.is_empty() && offer.slots.video.is_empty()
                }
                Command::Leave { participant } | Command::View { participant, .. } | Command::Candidate { participant, .. } => {
                    participant.0 == 3
                }
                _ => false,
            };
            prop_assert!(harmless, "{command:?}");
        }
        for other in others {
            for frame in house.heard.remove(&other).unwrap_or_default() {
                let kind = frame["type"].as_str().unwrap_or_default();
                prop_assert!(["participant_updated", "participant_left"].contains(&kind), "{frame}");
                let whose = if kind == "participant_left" { &frame["participant"] } else { &frame["participant"]["participant"] };
                prop_assert_eq!(whose, "p_3", "{}", frame);
            }
        }
        prop_assert!(others.iter().all(|other| house.is_open(*other)));
    }

    #[test]
    fn any_text_is_survived(frames in proptest::collection::vec((0..3usize, ".{0,200}"), 1..20)) {
        let (mut house, clients) = crowd("mesh");
        for (who, frame) in frames {
            house.says_text(clients[who], &frame);
        }
        check_heard(&mut house)?;
    }

    #[test]
    fn any_message_is_survived(
        sfu in any::<bool>(),
        frames in proptest::collection::vec((0..3usize, message(), 0..2000_u64), 1..60),
    ) {
        let (mut house, clients) = crowd(if sfu { "sfu" } else { "mesh" });
        for (who, frame, pause) in frames {
            house.says_text(clients[who], &frame);
            house.later(Duration::from_millis(pause));
        }
        check_heard(&mut house)?;
        house.later(seconds(5 * 3600));
        prop_assert_eq!(house.hub.occupancy(), (0, 0), "every room ends");
        prop_assert!(house.hub.rooms.is_empty() && house.hub.members.is_empty());
    }

    /// A valid frame with a few bytes changed.
    #[test]
    fn damaged_messages_are_survived(frame in message(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let (mut house, clients) = crowd("sfu");
        let mut chars: Vec<char> = frame.chars().collect();
        let at = at.index(chars.len());
        chars[at] = with;
        for client in clients {
            house.says_text(client, &chars.iter().collect::<String>());
        }
        check_heard(&mut house)?;
    }
}

#[test]
fn nesting_without_end_is_no_message() {
    let (mut house, [ana, ..]) = crowd("mesh");
    let deep = "[".repeat(30_000);
    house.says_text(ana, &format!(r#"{{"type":"message","to":{deep}"#));
    house.is_sent_away(ana, "bad_message", 4400);
    // Opaque data is not looked into, however deep it goes.
    let (mut house, [ana, bo, _]) = crowd("mesh");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    house.hub.handle(house.now, Input::Frame(ana, format!(r#"{{"type":"signal","id":1,"to":"p_2","data":{deep}}}"#)));
    let Some(Output::Frame(to, _)) = house.hub.poll() else { panic!("a frame") };
    assert_eq!(to, bo);
}
