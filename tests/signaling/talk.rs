//! Calls: mesh, SFU, coming back.

use roundturn::shard::mailbox::{FromShard, ToShard};
use roundturn_sfu::{Command, Event, ParticipantId};
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn two_talk_in_a_mesh() {
    let house = House::new().await;
    let (mut ana, _) = house.joins("room", "mesh").await;
    let (mut bo, joined) = house.joins("room", "mesh").await;
    assert_eq!(joined["participants"][0]["participant"], "p_1");
    assert_eq!(ana.hears_a("participant_joined").await["you_offer"], true);
    ana.says(json!({"type":"signal","id":4,"to":"p_2","data":{"description":{"type":"offer","sdp":"v=0"}}})).await;
    assert_eq!(ana.hears().await, json!({"type":"ok","reply_to":4}));
    let signal = bo.hears().await;
    assert_eq!(
        signal,
        json!({"type":"signal","seq":1,"from":"p_1","data":{"description":{"type":"offer","sdp":"v=0"}}})
    );
    assert_eq!(house.health.occupancy(), (1, 2));
    bo.says(json!({"type":"leave"})).await;
    bo.is_sent_away("left", 1000).await;
    assert_eq!(ana.hears().await["reason"], "left");
    assert_eq!(house.health.occupancy(), (1, 1));
    let revoked = house.shard.try_iter().filter(|message| matches!(message, ToShard::Revoke { .. })).count();
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn an_offer_goes_to_the_shard_and_its_answer_comes_back() {
    let house = House::new().await;
    let (mut ana, _) = house.joins("room", "sfu").await;
    ana.says(json!({"type":"offer","id":5,"generation":1,"sdp":"v=0","slots":{"audio":["0"]}})).await;
    // Requests of one connection are handled in their order: after the pong the offer has been.
    ana.says(json!({"type":"ping"})).await;
    ana.hears_a("pong").await;
    let commands: Vec<_> = house.shard.try_iter().collect();
    assert!(matches!(
        &commands[..],
        [ToShard::Sfu(Command::Join { .. }), ToShard::Sfu(Command::Offer(offer))] if offer.slots.audio == ["0"]
    ));
    let answer = Event::Answer { participant: ParticipantId(1), generation: 1, sdp: "v=0a".into(), tracks: Vec::new() };
    house.events.send(FromShard { shard: 0, event: answer }).await.unwrap();
    assert_eq!(ana.hears().await, json!({"type":"answer","reply_to":5,"generation":1,"sdp":"v=0a","tracks":[]}));
}

#[tokio::test]
async fn a_lost_connection_is_taken_up_where_it_broke() {
    let house = House::new().await;
    let (ana, joined) = house.joins("room", "mesh").await;
    let (mut bo, _) = house.joins("room", "mesh").await;
    drop(ana);
    bo.says(json!({"type":"message","id":2,"to":["p_1"],"data":"while you were away"})).await;
    bo.hears_a("ok").await;
    let mut ana = house.connects().await;
    let (session, key) = (&joined["session"], &joined["resume_key"]);
    ana.says(json!({"type":"resume","id":1,"session":session,"resume_key":key,"seq":0})).await;
    assert_eq!(ana.hears().await["resumed"], true);
    assert_eq!(ana.hears().await["type"], "participant_joined");
    let message = ana.hears().await;
    assert_eq!((&message["seq"], &message["data"]), (&json!(2), &json!("while you were away")));
}

#[tokio::test]
async fn draining_says_bye_and_returns_when_everyone_knows() {
    let house = House::new().await;
    let (mut ana, _) = house.joins("room", "sfu").await;
    let mut silent = house.connects().await;
    house.signal.drain(roundturn::signal::protocol::Bye::Draining).await;
    for client in [&mut ana, &mut silent] {
        assert_eq!(client.is_sent_away("draining", 4503).await["retry_ms"], 2000);
    }
}
