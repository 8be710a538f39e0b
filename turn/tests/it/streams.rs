//! Streams: messages are cut out of them (RFC 8489 §6.2.2), ChannelData is padded (RFC 8656 §12.5), and an allocation ends
//! with the stream that it was made over.

use proptest::prelude::*;
use roundturn_turn::framing::{Broken, LONGEST, cut, is_data};
use roundturn_turn::{CloseReason, Event, Transport};

use crate::dsl::*;

const PEER: &str = "9.9.9.9:9000";

/// A client of one address and port, whatever the transport.
fn over(world: &World, transport: Transport) -> Speaker {
    let mut speaker = world.client("84.1.1.1:4000");
    speaker.client.transport = transport;
    speaker
}

/// A message as it may come: ChannelData with its padding, or the header of some STUN method with as many bytes.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let content = prop::collection::vec(any::<u8>(), 0..300);
    (any::<bool>(), 0x4000..0x8000u16, content).prop_map(|(channel, number, mut content)| {
        let len = content.len();
        content.resize(len.next_multiple_of(4), 0);
        if channel {
            return [&number.to_be_bytes()[..], &(len as u16).to_be_bytes(), &content].concat();
        }
        let head = [&(number & 0x3FFF).to_be_bytes()[..], &(content.len() as u16).to_be_bytes()].concat();
        [&head, &[0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &content].concat()
    })
}

/// What a reader makes of a stream that comes in `pieces`.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Broken>) {
    let (mut waiting, mut messages) = (Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        loop {
            match cut(&waiting, 1000) {
                Ok(Some(len)) => messages.push(waiting.drain(..len).collect()),
                Ok(None) => break,
                Err(broken) => return (messages, Some(broken)),
            }
        }
    }
    (messages, None)
}

proptest! {
    #[test]
    fn a_stream_means_the_same_however_it_is_split(
        messages in prop::collection::vec(message(), 0..8),
        sizes in prop::collection::vec(1..40usize, 1..20),
    ) {
        let stream = messages.concat();
        let mut rest = &stream[..];
        let pieces = sizes.iter().cycle().map_while(|size| {
            let (piece, others) = rest.split_at((*size).min(rest.len()));
            rest = others;
            (!piece.is_empty()).then_some(piece)
        });
        prop_assert_eq!(read(pieces), (messages, None));
    }

    #[test]
    fn arbitrary_bytes_are_cut_or_end_the_stream_whichever_way_they_come(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let whole = read(std::iter::once(&bytes[..]));
        prop_assert_eq!(&whole, &read(bytes.chunks(1)));
        prop_assert_eq!(&whole, &read(bytes.chunks(7)));
        prop_assert!(whole.0.iter().all(|message| message.len() <= 1000 && message.len() % 4 == 0));
    }
}

#[test]
fn what_is_no_message_ends_the_stream() {
    assert_eq!(cut(b"GET / HTTP/1.1\r\n\r\n", LONGEST), Ok(None), "as ChannelData of 12,064 bytes it may yet come");
    assert_eq!(cut(b"GET / HTTP/1.1\r\n\r\n", 2048), Err(Broken::TooLong));
    assert_eq!(cut(&[0x16, 0x03, 0x01, 0x02, 0, 1, 0, 1], LONGEST), Err(Broken::Cookie));
    assert_eq!(cut(&[0x80; 4], LONGEST), Err(Broken::Garbage));
    assert_eq!(cut(&[0, 1, 0, 3, 0x21, 0x12, 0xa4, 0x42], LONGEST), Err(Broken::Length));
    assert_eq!(cut(&[0, 1, 0xFF, 0xFC, 0x21, 0x12, 0xa4, 0x42], LONGEST), Ok(None));
    assert_eq!(cut(&[], LONGEST), Ok(None));
}

#[test]
fn rfc8656_12_5_data_over_a_stream_is_padded_both_ways() {
    let world = World::new();
    let alice = over(&world, Transport::Tcp);
    let relay = alice.allocates();
    alice.says(channel_bind(0x4000, PEER)).hears(success());
    for (len, padding) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)] {
        let message = world.peer(PEER).sends(relay, &vec![9; len]).reaches(&alice);
        assert_eq!(message.len(), 4 + len + padding);
        assert_eq!(cut(&message, LONGEST), Ok(Some(message.len())));
        assert!(is_data(&message));
        alice.says_raw(&message).reaches(relay, PEER, &vec![9; len]);
    }
    world.peer("9.9.9.9:1").sends(relay, b"as an indication").reaches_as_indication(&alice, "9.9.9.9:1");
    assert!(is_data(&world.peer("9.9.9.9:1").sends(relay, b"hello").reaches(&alice)));
    assert!(!is_data(&alice.says(refresh(600)).hears(success()).bytes), "an answer is no data");
}

#[test]
fn an_allocation_ends_with_its_stream_and_no_other_does() {
    let world = World::new();
    let [udp, tcp, tls] = [Transport::Udp, Transport::Tcp, Transport::Tls].map(|transport| over(&world, transport));
    for client in [&tcp, &tls, &udp] {
        client.says(allocate()).hears(success());
    }
    world.events();
    let gone = tls.client;
    assert!(world.with_server(|server, now| server.is_allocated(now, gone)));
    world.with_server(|server, now| server.disconnect(now, gone));
    let [Event::Closed { client, reason: CloseReason::Disconnected, .. }] = world.events()[..] else { panic!() };
    assert_eq!(client, gone);
    world.with_server(|server, now| {
        assert!(!server.is_allocated(now, gone));
        assert!(server.is_allocated(now, tcp.client) && server.is_allocated(now, udp.client));
        assert_eq!(server.stats().closed.of(Transport::Tls).total(), 1);
        server.disconnect(now, gone);
    });
    assert_eq!(world.events(), []);
}
