//! `signal`: unread, in order, kept for whoever may come back.

use proptest::prelude::*;

use super::*;

#[test]
fn a_signal_is_passed_on_as_it_came() {
    let mut house = House::new();
    let (ana, bo) = house.pair("mesh");
    // Spaces, number formats, key order and escapes are the client's own.
    let data = r#"{ "z":1.00,"a":1e2,"s":"\u00e4\/","big":123456789012345678901234567890 }"#;
    house.hub.handle(house.now, Input::Frame(ana, format!(r#"{{"type":"signal","id":4,"to":"p_2","data":{data}}}"#)));
    let Some(Output::Frame(to, frame)) = house.hub.poll() else { panic!("a frame") };
    assert_eq!((to, frame), (bo, format!(r#"{{"type":"signal","seq":1,"from":"p_1","data":{data}}}"#)));
    house.drain();
    assert_eq!(house.hears(ana), json!({"type":"ok","reply_to":4}));
}

#[test]
fn nobody_is_reached_outside_the_room() {
    let mut house = House::new();
    let (ana, _) = house.pair("mesh");
    let (cy, _) = house.joins("elsewhere", "mesh");
    for to in ["p_3", "p_99", "", "*", "p_02"] {
        house.says(ana, json!({"type":"signal","id":4,"to":to,"data":1}));
        house.hears_error(ana, "participant_not_found");
    }
    house.hears_nothing(cy);
}

#[test]
fn signals_and_offers_each_have_their_kind_of_room() {
    let mut house = House::new();
    let (ana, _) = house.pair("sfu");
    house.says(ana, json!({"type":"signal","id":4,"to":"p_2","data":1}));
    house.hears_error(ana, "unsupported");
    let (cy, _) = house.joins("mesh", "mesh");
    house.says(cy, json!({"type":"offer","id":4,"generation":1,"sdp":"v=0"}));
    house.hears_error(cy, "unsupported");
}

#[test]
fn what_is_sent_to_someone_who_may_come_back_is_kept_up_to_64_frames() {
    let mut house = House::new();
    let (ana, _) = house.joins("room", "mesh");
    let (bo, joined) = house.joins("room", "mesh");
    house.hears_a(ana, "participant_joined");
    house.loses(bo);
    for number in 0..70 {
        house.says(ana, json!({"type":"signal","id":10,"to":"p_2","data":number}));
        match number {
            0..64 => drop(house.hears_a(ana, "ok")),
            _ => house.hears_error(ana, "rate_limited"),
        }
    }
    let bo = house.resumes(&joined, 0);
    assert_eq!(house.hears_a(bo, "joined")["resumed"], true);
    for number in 0..64 {
        let signal = house.hears_a(bo, "signal");
        assert_eq!((&signal["data"], &signal["seq"]), (&json!(number), &json!(number + 1)));
    }
    house.hears_nothing(bo);
}

proptest! {
    /// Between two participants the order is kept, whoever else speaks, and whatever connections do meanwhile.
    #[test]
    fn every_pair_keeps_its_order(steps in proptest::collection::vec((0..3usize, 0..3usize, 0..8u8), 1..150)) {
        let mut house = House::with(|config| config.burst = 10_000);
        let mut clients: Vec<_> = (0..3).map(|_| house.joins("room", "mesh")).collect();
        let mut seen = vec![0_u64; 3];
        let mut sent = HashMap::<(usize, usize), Vec<u64>>::new();
        let mut got = HashMap::<(usize, usize), Vec<u64>>::new();
        for (number, (from, to, what)) in (0_u64..).zip(steps) {
            if what == 0 {
                house.loses(clients[from].0);
                clients[from].0 = house.resumes(&clients[from].1, seen[from]);
            } else {
                let frame = json!({"type":"signal","id":1,"to":format!("p_{}", to + 1),"data":number});
                house.says(clients[from].0, frame);
                sent.entry((from, to)).or_default().push(number);
            }
            // Some read at once, others late: what they have not read when the connection is lost is lost with it.
            if what % 2 == 0 {
                read(&mut house, to, clients[to].0, &mut seen, &mut got);
            }
        }
        for who in 0..3 {
            let client = house.resumes(&clients[who].1, seen[who]);
            read(&mut house, who, client, &mut seen, &mut got);
        }
        prop_assert_eq!(sent, got);
    }
}

fn read(house: &mut House, to: usize, client: Client, seen: &mut [u64], got: &mut HashMap<(usize, usize), Vec<u64>>) {
    for frame in house.heard.remove(&client).unwrap_or_default() {
        let Some(seq) = frame["seq"].as_u64() else { continue };
        assert_eq!(seq, seen[to] + 1, "events come without gaps");
        seen[to] = seq;
        if frame["type"] == "signal" {
            let from = frame["from"].as_str().unwrap()[2..].parse::<usize>().unwrap() - 1;
            got.entry((from, to)).or_default().push(frame["data"].as_u64().unwrap());
        }
    }
}
