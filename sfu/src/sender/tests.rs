//! What one end sends, and what the other asks for.

use str0m::crypto::dtls::{KeyingMaterial, SrtpProfile};
use str0m::rtp::ExtensionValues;

use super::stream::tests::leaving;
use super::*;
use crate::tests::start;

const SSRC: u32 = 7;

fn keys(is_client: bool) -> Keys {
    let material: Vec<u8> = (0..56).collect();
    Keys { profile: SrtpProfile::AEAD_AES_128_GCM, material: KeyingMaterial::new(&material), is_client }
}

/// A sender with one stream of pictures.
fn sender(resending: Option<Resending>) -> Sender {
    let mut sender = Sender::new(WallClock { at: start(), unix: Duration::ZERO });
    sender.set_keys(&keys(false));
    let ids = Ids { transport: Some(3), ..Ids::default() };
    let mut stream = Stream::new("a1".into(), SSRC.into(), "somebody".to_owned(), ids, resending);
    stream.sealed = stream.resending.is_none().then(History::default);
    sender.streams.push(stream);
    sender.bandwidth.set_measured();
    sender
}

#[test]
fn who_knows_no_stream_of_retransmissions_gets_the_very_packet_again() {
    let (mut sender, mut buffers, begin) = (sender(None), Buffers::default(), start());
    let mut client = Srtp::new(&handshake::provider(), &keys(true)).unwrap();
    let values = ExtensionValues::default();
    let sent: Vec<_> = (1..4)
        .map(|sequence| sender.seal(begin, &leaving(sequence, begin, &values), &mut buffers).0.unwrap())
        .collect();
    let nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, SSRC as u8, 0, 2, 0, 1];
    let nack = client.seal_rtcp(&nack).unwrap();
    let told = sender.hear(begin + Duration::from_millis(100), &nack, &mut buffers);
    assert_eq!((told.nacks, told.again), (1, sent[1..].to_vec()), "2, and by the bit behind it 3");
}

#[test]
fn padding_stands_on_the_stream_of_retransmissions_and_is_numbered_there() {
    let mut sender = sender(Some(Resending::new(9.into(), 97.into())));
    let (mut buffers, begin) = (Buffers::default(), start());
    let desire = crate::bandwidth::Desire { minimum: 0, desired: 3_000_000, is_held_back: false };
    sender.bandwidth.set_desire(begin, desire);
    let first = sender.pad(begin, &mut buffers);
    let more = sender.pad(begin + Duration::from_millis(10), &mut buffers);
    assert_eq!((first.len(), more.len() > 5), (1, true), "a probe begins");
    for (index, packet) in first.iter().chain(&more).enumerate() {
        let number = index as u8 + 1;
        assert_eq!(packet[..4], [0xb0, 97, 0, number]);
        assert_eq!(packet[8..12], [0, 0, 0, 9]);
        assert_eq!(packet[12..20], [0xbe, 0xde, 0, 1, 0x31, 0, number - 1, 0], "its transport-wide number");
        assert_eq!(packet.len(), 20 + PADDING + 16);
    }
}
