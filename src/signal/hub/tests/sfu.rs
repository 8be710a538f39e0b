//! Offers and answers, tracks, slots: between clients and the SFU.

use roundturn_sfu::{
    Event as SfuEvent, Path, Quality, RejectReason, RoomId, SlotAssignment, Source, TrackId, TrackInfo, TrackRequest,
    Wish,
};

use super::*;

fn offer(id: u64, generation: u64) -> Value {
    json!({"type":"offer","id":id,"generation":generation,"sdp":"v=0…",
           "tracks":[{"mid":"0","source":"microphone"},{"mid":"1","source":"camera","name":"front"}],
           "slots":{"audio":["2","3"],"video":["4","5","6"]}})
}

fn answer(participant: u64, generation: u64) -> SfuEvent {
    let tracks = vec![("0".into(), TrackId(20)), ("1".into(), TrackId(21))];
    SfuEvent::Answer { participant: ParticipantId(participant), generation, sdp: "v=0a".into(), tracks }
}

fn track(track: u64, participant: u64, muted: bool) -> TrackInfo {
    let participant = ParticipantId(participant);
    TrackInfo { track: TrackId(track), participant, source: Source::Camera, name: "front".into(), muted }
}

#[test]
fn joins_and_leaves_reach_the_shard_of_the_room() {
    let mut house = House::with(|config| config.shards = 2);
    house.joins("one", "sfu");
    house.joins("two", "sfu");
    house.joins("two", "sfu");
    house.joins("three", "sfu");
    let shards: Vec<_> = house
        .takes_commands()
        .into_iter()
        .map(|(shard, command)| match command {
            Command::Join { room, order, may_publish: true, may_subscribe: true, .. } => (shard, room.0, order),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shards, [(0, 1, 1), (1, 2, 1), (1, 2, 2), (0, 3, 1)], "a room is on one shard, the least loaded one");
}

#[test]
fn an_offer_becomes_an_answer() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.takes_commands();
    house.says(ana, offer(5, 1));
    house.hears_nothing(ana);
    let commands = house.takes_commands();
    let [(0, Command::Offer(asked))] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((asked.participant, asked.generation, asked.sdp.as_str()), (ParticipantId(1), 1, "v=0…"));
    let camera = TrackRequest { mid: "1".into(), source: Source::Camera, name: "front".into() };
    assert_eq!(asked.tracks[1], camera);
    assert_eq!((&asked.slots.audio[..], asked.slots.video.len()), (&["2".to_owned(), "3".to_owned()][..], 3));
    house.sfu_says(answer(1, 1));
    assert_eq!(
        house.hears(ana),
        json!({"type":"answer","reply_to":5,"generation":1,"sdp":"v=0a",
               "tracks":[{"mid":"0","track":"t_20"},{"mid":"1","track":"t_21"}]})
    );
}

#[test]
fn one_offer_is_in_flight_and_numbers_only_grow() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.says(ana, offer(1, 0));
    house.hears_error(ana, "stale_offer");
    house.says(ana, offer(2, 3));
    house.says(ana, offer(3, 4));
    house.hears_error(ana, "offer_pending");
    house.sfu_says(answer(1, 2));
    house.hears_nothing(ana);
    house.sfu_says(answer(1, 3));
    house.hears_a(ana, "answer");
    house.says(ana, offer(4, 3));
    house.hears_error(ana, "stale_offer");
    house.says(ana, offer(5, 4));
    let message = "no codec in common".to_owned();
    let reason = RejectReason::NoCommonCodec;
    house.sfu_says(SfuEvent::Rejected { participant: ParticipantId(1), generation: 4, reason, message });
    assert_eq!(
        house.hears(ana),
        json!({"type":"error","reply_to":5,"code":"no_common_codec","message":"no codec in common"})
    );
    // An answer that never comes does not block the next offer for ever.
    house.says(ana, offer(6, 5));
    house.later(seconds(10));
    house.says(ana, offer(7, 6));
    house.hears_nothing(ana);
}

#[test]
fn an_offer_beyond_the_limits_never_reaches_the_sfu() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.takes_commands();
    let mids = |count: usize| (0..count).map(|mid| mid.to_string()).collect::<Vec<_>>();
    let many: Vec<_> = mids(65).into_iter().map(|mid| json!({"mid":mid,"source":"camera"})).collect();
    for (change, code) in [
        (json!({"slots":{"audio":mids(5)}}), "too_many_slots"),
        (json!({"slots":{"video":mids(10)}}), "too_many_slots"),
        (json!({"tracks":many}), "too_many_tracks"),
        (json!({"tracks":[{"mid":"0","source":"telescope"}]}), "bad_message"),
        (json!({"tracks":[{"mid":"","source":"camera"}]}), "bad_message"),
        (json!({"slots":{"audio":["m".repeat(33)]}}), "bad_message"),
        (json!({"sdp":7}), "bad_message"),
        (json!({"generation":-1}), "bad_message"),
    ] {
        let mut frame = offer(1, 1);
        frame.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        house.says(ana, frame);
        house.hears_error(ana, code);
    }
    assert!(house.commands.is_empty());
}

#[test]
fn candidates_are_passed_on_and_the_end_of_them_is_fine() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.takes_commands();
    let line = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
    house.says(ana, json!({"type":"candidate","id":1,"candidate":{"candidate":line,"sdpMid":"0","sdpMLineIndex":0}}));
    house.says(ana, json!({"type":"candidate","candidate":{"candidate":""}}));
    house.says(ana, json!({"type":"candidate","candidate":null}));
    house.hears_a(ana, "ok");
    house.hears_nothing(ana);
    let commands = house.takes_commands();
    assert!(matches!(&commands[..], [(0, Command::Candidate { candidate, .. })] if candidate == line));
}

#[test]
fn tracks_come_change_and_go() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.takes_commands();
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(12, 2, false) });
    let facts =
        json!({"track":"t_12","participant":"p_2","kind":"video","source":"camera","name":"front","muted":false});
    assert_eq!(house.hears(ana), json!({"type":"track_added","seq":2,"track":facts}));
    assert_eq!(house.hears_a(bo, "track_added")["track"], facts, "the publisher is told too");
    let (_, joined) = house.joins("room", "sfu");
    assert_eq!(joined["tracks"], json!([facts]));
    house.hears_a(ana, "participant_joined");

    house.says(ana, json!({"type":"mute","id":1,"track":"t_12","muted":true}));
    house.hears_error(ana, "forbidden");
    house.says(ana, json!({"type":"unpublish","id":1,"track":"t_13"}));
    house.hears_error(ana, "track_not_found");
    house.takes_commands();
    house.says(bo, json!({"type":"mute","track":"t_12","muted":true}));
    house.says(bo, json!({"type":"unpublish","track":"t_12"}));
    let commands = house.takes_commands();
    let (mute, unpublish) = (&commands[0].1, &commands[1].1);
    assert!(matches!(mute, Command::Mute { track: TrackId(12), muted: true }));
    assert!(matches!(unpublish, Command::Unpublish { track: TrackId(12) }));

    house.sfu_says(SfuEvent::TrackChanged { room: RoomId(1), track: track(12, 2, true) });
    assert_eq!(house.hears_a(ana, "track_changed")["track"]["muted"], true);
    let removed = SfuEvent::TrackRemoved { room: RoomId(1), participant: ParticipantId(2), track: TrackId(12) };
    house.sfu_says(removed.clone());
    assert_eq!(house.hears(ana), json!({"type":"track_removed","seq":5,"track":"t_12","participant":"p_2"}));
    house.sfu_says(removed);
    house.hears_nothing(ana);
}

#[test]
fn whoever_goes_takes_the_tracks_along() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(12, 2, false) });
    house.hears_a(ana, "track_added");
    house.says(bo, json!({"type":"leave"}));
    house.hears_a(ana, "track_removed");
    house.hears_a(ana, "participant_left");
    // The shard says so later, and news of the one who is gone are nobody's.
    house.sfu_says(SfuEvent::TrackRemoved { room: RoomId(1), participant: ParticipantId(2), track: TrackId(12) });
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(13, 2, false) });
    house.sfu_says(answer(2, 1));
    house.hears_nothing(ana);
}

#[test]
fn slots_speakers_quality_and_restarts_are_told() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    let slot = |mid: &str, track: Option<u64>, height| SlotAssignment {
        mid: mid.into(),
        track: track.map(TrackId),
        height,
        paused: false,
    };
    let video = Some(vec![slot("4", Some(12), Some(360)), slot("5", None, None)]);
    let audio = Some(vec![slot("2", Some(13), None)]);
    house.sfu_says(SfuEvent::Slots { participant: ParticipantId(1), audio, video });
    assert_eq!(
        house.hears(ana),
        json!({"type":"slots","seq":2,
               "video":[{"mid":"4","track":"t_12","height":360,"paused":false},{"mid":"5","track":null}],
               "audio":[{"mid":"2","track":"t_13"}]})
    );
    let participants = vec![(ParticipantId(2), -31), (ParticipantId(1), -60), (ParticipantId(77), -90)];
    house.sfu_says(SfuEvent::Speakers { room: RoomId(1), participants });
    assert_eq!(
        house.hears(bo),
        json!({"type":"speakers","seq":1,"participants":[
            {"participant":"p_2","level_db":-31},{"participant":"p_1","level_db":-60}]})
    );
    house.sfu_says(SfuEvent::Quality {
        room: RoomId(1),
        participant: ParticipantId(1),
        up: Quality::Good,
        down: Quality::Poor,
        path: Path::Relay,
    });
    assert_eq!(
        house.hears(bo),
        json!({"type":"quality","seq":2,"participant":"p_1","up":"good","down":"poor","path":"relay"})
    );
    house.sfu_says(SfuEvent::RestartIce { participant: ParticipantId(2) });
    assert_eq!(house.hears(bo), json!({"type":"restart_ice","seq":3}));
    house.sfu_says(SfuEvent::Reached { participant: ParticipantId(2), stage: roundturn_sfu::Stage::Connected });
    house.sfu_says(SfuEvent::Reached { participant: ParticipantId(2), stage: roundturn_sfu::Stage::Connected });
    assert_eq!(house.hub.stats().join_durations.len(), 1);
}

#[test]
fn a_failed_engine_ends_that_session_only() {
    let mut house = House::new();
    let (ana, bo) = house.pair("sfu");
    house.sfu_says(SfuEvent::Failed { participant: ParticipantId(2) });
    house.is_sent_away(bo, "internal", 1011);
    assert_eq!(house.hears_a(ana, "participant_left")["reason"], "removed");
    assert!(house.is_open(ana));
}

#[test]
fn a_busy_shard_is_said_to_whoever_asked() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.takes_commands();
    house.says(ana, offer(5, 1));
    let (_, command) = house.commands.pop().unwrap();
    house.happens(Input::Refused(command));
    assert_eq!(house.hears_a(ana, "error")["code"], "internal");
    house.says(ana, offer(6, 2));
    house.hears_nothing(ana);

    let (bo, _) = house.joins("room", "sfu");
    let (_, command) = house.commands.pop().unwrap();
    house.happens(Input::Refused(command));
    house.is_sent_away(bo, "internal", 1011);
}

#[test]
fn wishes_reach_the_sfu_and_layers_reach_their_publisher() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    let (bo, _) = house.joins("room", "sfu");
    house.hears(ana);
    house.takes_commands();
    let wish = json!({"track":"t_12","height":100_000,"priority":2});
    house.says(
        bo,
        json!({"type":"view","id":8,"tracks":[wish,{"track":"nonsense","height":1},{"track":"t_15","height":0}]}),
    );
    assert_eq!(house.hears(bo), json!({"type":"ok","reply_to":8}));
    let commands = house.takes_commands();
    let [(0, Command::View { participant: ParticipantId(2), wishes })] = &commands[..] else { panic!("{commands:?}") };
    let large = Wish { track: TrackId(12), height: u16::MAX, priority: 2 };
    assert_eq!(wishes[..], [large, Wish { track: TrackId(15), height: 0, priority: 0 }]);
    house.sfu_says(SfuEvent::Layers { participant: ParticipantId(1), track: TrackId(12), heights: vec![180, 360] });
    let told = house.hears(ana);
    assert_eq!(
        (&told["type"], &told["track"], &told["heights"]),
        (&json!("layers"), &json!("t_12"), &json!([180, 360]))
    );
    house.hears_nothing(bo);
}

#[test]
fn a_view_of_more_tracks_than_a_room_has_is_refused() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    let tracks: Vec<_> = (0..200).map(|track| json!({"track":format!("t_{track}"),"height":1})).collect();
    house.says(ana, json!({"type":"view","id":8,"tracks":tracks}));
    house.hears_error(ana, "bad_message");
}

#[test]
fn a_busy_shard_is_asked_nothing_and_nobody_is_told_ok() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "sfu");
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(1, 1, false) });
    house.hears_a(ana, "track_added");
    house.takes_commands();
    let requests = [
        json!({"type":"candidate","id":1,"candidate":{"candidate":"candidate:1"}}),
        json!({"type":"mute","id":2,"track":"t_1","muted":true}),
        json!({"type":"unpublish","id":3,"track":"t_1"}),
        json!({"type":"moderate","id":4,"action":"mute","track":"t_1"}),
        json!({"type":"offer","id":5,"generation":1,"sdp":"v=0"}),
    ];
    house.hub.set_busy(0, true);
    for request in &requests {
        house.says(ana, request.clone());
        house.hears_error(ana, "internal");
    }
    assert!(house.takes_commands().is_empty());
    house.hub.set_busy(0, false);
    for request in requests {
        house.says(ana, request);
    }
    assert_eq!(house.takes_commands().len(), 5);
}

#[test]
fn whoever_has_fewer_slots_than_there_is_to_receive_is_asked_for_more() {
    let mut house = House::with(|config| config.limits.slots = SlotCounts { audio: 4, video: 3 });
    let (ana, bo) = house.pair("sfu");
    let offers = |house: &mut House, generation: u64, mids: &[&str]| {
        house.says(ana, json!({"type":"offer","id":5,"generation":generation,"sdp":"v=0","slots":{"video":mids}}));
        house.sfu_says(answer(1, generation));
        house.hears_a(ana, "answer");
    };
    offers(&mut house, 1, &["0"]);
    for number in 1..=2 {
        house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(number, 2, false) });
        house.hears_a(ana, "track_added");
    }
    let asked = house.hears_a(ana, "more_slots");
    assert_eq!((&asked["audio"], &asked["video"]), (&json!(0), &json!(2)));
    house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(3, 1, false) });
    house.hears_a(ana, "track_added");
    house.hears_nothing(ana);
    offers(&mut house, 2, &["0", "1"]);
    for number in 4..=9 {
        house.sfu_says(SfuEvent::TrackAdded { room: RoomId(1), track: track(number, 2, false) });
    }
    let said: Vec<_> = (0..7).map(|_| house.hears(ana)).filter(|frame| frame["type"] == "more_slots").collect();
    assert_eq!(said.len(), 1, "no more than the limit, and once: {said:?}");
    assert_eq!(said[0]["video"], 3);
    let _ = bo;
}
