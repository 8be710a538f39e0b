//! NAT behaviour discovery (RFC 5780): four sockets, and which of them answers what.

use proptest::prelude::*;
use roundturn_turn::message::{Class, Message, TransactionId, attribute};
use roundturn_turn::{Client, Config, Discovery, Transmit, Transport, Verdict, Why};

use crate::dsl::*;

const CLIENT: &str = "84.1.1.1:4000";
const A1P1: &str = "5.9.0.1:3478";
const A1P2: &str = "5.9.0.1:3479";
const A2P1: &str = "5.9.0.2:3478";
const A2P2: &str = "5.9.0.2:3479";

const CHANGE_IP: [u8; 4] = [0, 0, 0, 4];
const CHANGE_PORT: [u8; 4] = [0, 0, 0, 2];
const CHANGE_BOTH: [u8; 4] = [0, 0, 0, 6];

fn world() -> World {
    let discovery = Some(Discovery { primary: addr(A1P1), alternate: addr(A2P2) });
    World::with(Config { discovery, ..config() })
}

fn via(world: &World, transport: Transport, local: &str, ask: &Ask) -> Result<Transmit, Why> {
    let client = Client { remote: addr(CLIENT), local: addr(local), transport };
    let bytes = ask.encode(TransactionId([7; 12]), None);
    world.with_server(|server, now| match server.handle_client(now, client, &bytes, &mut TestRelays::new()) {
        Verdict::Reply => Ok(server.poll_transmit().unwrap()),
        Verdict::Drop(why) => Err(why),
        other => panic!("{other:?}"),
    })
}

fn sent(world: &World, local: &str, ask: Ask) -> Transmit {
    via(world, Transport::Udp, local, &ask).unwrap()
}

/// An address as MAPPED-ADDRESS has it.
fn plain(message: &Message<'_>, kind: u16) -> std::net::SocketAddr {
    let value = message.attribute(kind).unwrap();
    assert_eq!(value[..2], [0, 1]);
    ([value[4], value[5], value[6], value[7]], u16::from_be_bytes([value[2], value[3]])).into()
}

fn code(transmit: &Transmit) -> Option<u16> {
    let message = Message::decode(&transmit.bytes).unwrap();
    let value = message.attribute(attribute::ERROR_CODE)?;
    Some(u16::from(value[2]) * 100 + u16::from(value[3]))
}

#[test]
fn rfc5780_6_every_change_comes_from_the_socket_that_was_asked_for() {
    let world = world();
    let changes = [[0; 4], CHANGE_PORT, CHANGE_IP, CHANGE_BOTH];
    let cases = [
        (A1P1, [A1P1, A1P2, A2P1, A2P2]),
        (A1P2, [A1P2, A1P1, A2P2, A2P1]),
        (A2P1, [A2P1, A2P2, A1P1, A1P2]),
        (A2P2, [A2P2, A2P1, A1P2, A1P1]),
    ];
    for (local, origins) in cases {
        for (change, origin) in changes.iter().zip(origins) {
            let answer = sent(&world, local, binding().with(attribute::CHANGE_REQUEST, change));
            assert_eq!((answer.to.remote, answer.to.local), (addr(CLIENT), addr(origin)));
            let message = Message::decode(&answer.bytes).unwrap();
            assert_eq!(message.class(), Class::Success);
            assert_eq!(message.xor_address(attribute::XOR_MAPPED_ADDRESS), Some(addr(CLIENT)));
            assert_eq!(plain(&message, attribute::RESPONSE_ORIGIN), addr(origin));
            assert_eq!(plain(&message, attribute::OTHER_ADDRESS), addr(origins[3]), "§7.4: both changed");
        }
    }
}

#[test]
fn rfc5780_6_1_an_answer_goes_to_the_port_that_was_asked_for() {
    for value in [&[0x13, 0x88][..], &[0x13, 0x88, 0, 0]] {
        let answer = sent(&world(), A1P1, binding().with(attribute::RESPONSE_PORT, value));
        assert_eq!((answer.to.remote, answer.to.local), (addr("84.1.1.1:5000"), addr(A1P1)));
        let message = Message::decode(&answer.bytes).unwrap();
        assert_eq!(message.xor_address(attribute::XOR_MAPPED_ADDRESS), Some(addr(CLIENT)), "what was seen");
    }
}

#[test]
fn rfc5780_7_6_padding_is_answered_by_as_much_and_no_more_than_shows_fragments() {
    for (asked, given) in [(4, 4), (1000, 1000), (1500, 1500), (9000, 1500)] {
        let answer = sent(&world(), A1P1, binding().with(attribute::PADDING, &vec![0; asked]));
        let message = Message::decode(&answer.bytes).unwrap();
        assert_eq!(message.attribute(attribute::PADDING).map(<[u8]>::len), Some(given));
        assert!(answer.bytes.len() <= 20 + 4 + asked + 36, "little more than was sent");
    }
}

#[test]
fn what_is_malformed_or_contradicts_itself_gets_400() {
    let world = world();
    let refused = |ask: Ask| assert_eq!(code(&sent(&world, A1P1, ask)), Some(400));
    let port = || binding().with(attribute::RESPONSE_PORT, &[0x13, 0x88]);
    refused(port().with(attribute::PADDING, &[0; 8]));
    refused(binding().with(attribute::RESPONSE_PORT, &[0x13]));
    refused(binding().with(attribute::RESPONSE_PORT, &[0, 0]));
    refused(binding().with(attribute::CHANGE_REQUEST, &[6]));
    assert_eq!(code(&sent(&world, A1P1, port().with(0x7001, &[]))), Some(420));
}

#[test]
fn it_is_unknown_where_it_is_off_and_at_other_sockets() {
    let ask = || binding().with(attribute::CHANGE_REQUEST, &CHANGE_IP);
    assert_eq!(code(&sent(&World::new(), A1P1, ask())), Some(420));
    let world = world();
    assert_eq!(code(&sent(&world, "[2a01:4f8::1]:3478", ask())), Some(420));
    assert_eq!(code(&via(&world, Transport::Tcp, A1P1, &ask()).unwrap()), Some(420));
    let plain = sent(&world, "5.9.0.1:3480", binding());
    let kinds: Vec<u16> = Message::decode(&plain.bytes).unwrap().attributes().map(|one| one.kind).collect();
    assert_eq!(kinds, [attribute::XOR_MAPPED_ADDRESS]);
}

#[test]
fn strangers_are_limited_here_too() {
    let limits =
        roundturn_turn::Limits { stranger_answers_per_second: 1, stranger_answers_burst: 2, ..config().limits };
    let discovery = Some(Discovery { primary: addr(A1P1), alternate: addr(A2P2) });
    let world = World::with(Config { discovery, limits, ..config() });
    let ask = |local| via(&world, Transport::Udp, local, &binding().with(attribute::RESPONSE_PORT, &[0x13, 0x88]));
    let answered: Vec<bool> = [A1P1, A1P2, A2P1, A2P2].map(|local| ask(local).is_ok()).into();
    assert_eq!(answered, [true, true, false, false]);
}

proptest! {
    /// Whatever is asked: an answer leaves from one of the four sockets, to the address that asked.
    #[test]
    fn answers_leave_from_the_four_sockets(
        local in 0usize..4,
        change in proptest::collection::vec(any::<u8>(), 0..6),
        port in proptest::collection::vec(any::<u8>(), 0..6),
        padding in 0usize..3000,
    ) {
        let sockets = [A1P1, A1P2, A2P1, A2P2];
        let ask = binding().with(attribute::CHANGE_REQUEST, &change).with(attribute::RESPONSE_PORT, &port);
        let answer = sent(&world(), sockets[local], ask.with(attribute::PADDING, &vec![1; padding]));
        prop_assert!(sockets.map(addr).contains(&answer.to.local));
        prop_assert_eq!(answer.to.remote.ip(), addr(CLIENT).ip());
        prop_assert!(answer.bytes.len() <= 60 + padding);
    }
}
