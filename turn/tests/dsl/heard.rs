//! What comes of what is said.

use std::net::{IpAddr, SocketAddr};

use roundturn_turn::message::{Class, Message, Method, attribute, decode_xor_address};
use roundturn_turn::{Family, Relay, Verdict, Why};

use super::{EXTERNAL_V4, EXTERNAL_V6, Speaker, addr};

/// What came of a peer's datagram.
pub struct Delivered {
    pub(super) verdict: Verdict,
    pub(super) data: Vec<u8>,
}

impl Delivered {
    pub fn nobody_hears(&self, why: Why) {
        assert_eq!(self.verdict, Verdict::Drop(why));
    }

    /// The bytes as they reach `client`.
    pub fn reaches(&self, client: &Speaker) -> Vec<u8> {
        let Verdict::ToClient { client: to, header } = &self.verdict else { panic!("{:?}", self.verdict) };
        assert_eq!(*to, client.client);
        let mut bytes = header.bytes().to_vec();
        bytes.extend_from_slice(&self.data);
        bytes.resize(bytes.len() + header.padding(), 0);
        bytes
    }

    pub fn reaches_on(&self, client: &Speaker, channel: u16) {
        let mut expected = channel.to_be_bytes().to_vec();
        expected.extend_from_slice(&(self.data.len() as u16).to_be_bytes());
        expected.extend_from_slice(&self.data);
        assert_eq!(self.reaches(client), expected);
    }

    pub fn reaches_as_indication(&self, client: &Speaker, peer: &str) {
        let bytes = self.reaches(client);
        let message = Message::decode(&bytes).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
        assert_eq!(message.xor_address(attribute::XOR_PEER_ADDRESS), Some(addr(peer)));
        assert_eq!(message.attribute(attribute::DATA), Some(&*self.data));
    }
}

/// What came of a client's datagram.
pub struct Heard {
    pub verdict: Verdict,
    pub(super) answer: Option<Vec<u8>>,
    pub(super) said: Vec<u8>,
}

impl Heard {
    pub fn hears(self, expected: Expected) -> Answer {
        let bytes = self.answer.unwrap_or_else(|| panic!("no answer but {:?}", self.verdict));
        let said = Message::decode(&self.said).unwrap();
        let message = Message::decode(&bytes).unwrap();
        assert_eq!((message.method(), message.transaction()), (said.method(), said.transaction()));
        assert_eq!(message.has_fingerprint(), said.has_fingerprint(), "a fingerprint where one came");
        let class = if expected.code.is_none() { Class::Success } else { Class::Error };
        assert_eq!((message.class(), code(&message)), (class, expected.code));
        Answer { bytes }
    }

    pub fn nobody_hears(&self, why: Why) {
        assert_eq!(self.verdict, Verdict::Drop(why));
    }

    pub fn reaches(&self, relay: Relay, peer: &str, data: &[u8]) {
        let Verdict::ToPeer { relay: through, peer: to, data: range, .. } = &self.verdict else {
            panic!("{:?}", self.verdict)
        };
        assert_eq!((*through, to.0), (relay, addr(peer)));
        assert_eq!(&self.said[range.clone()], data);
    }

    /// The answer as it is.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.answer.clone()
    }

    pub(super) fn stale(&self) -> Option<Vec<u8>> {
        let message = Message::decode(self.answer.as_ref()?).unwrap();
        if code(&message) == Some(438) { message.attribute(attribute::NONCE).map(<[u8]>::to_vec) } else { None }
    }
}

fn code(message: &Message<'_>) -> Option<u16> {
    let value = message.attribute(attribute::ERROR_CODE)?;
    Some(u16::from(value[2]) * 100 + u16::from(value[3]))
}

pub struct Expected {
    code: Option<u16>,
}

pub fn success() -> Expected {
    Expected { code: None }
}

pub fn error(code: u16) -> Expected {
    Expected { code: Some(code) }
}

/// An answer, decoded anew for each question.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn message(&self) -> Message<'_> {
        Message::decode(&self.bytes).unwrap()
    }

    pub fn attribute(&self, kind: u16) -> Option<Vec<u8>> {
        self.message().attribute(kind).map(<[u8]>::to_vec)
    }

    pub fn kinds(&self) -> Vec<u16> {
        self.message().attributes().map(|attribute| attribute.kind).collect()
    }

    pub fn address(&self, kind: u16) -> SocketAddr {
        self.message().xor_address(kind).unwrap()
    }

    pub fn relay(&self) -> Relay {
        let relays = self.relays();
        assert_eq!(relays.len(), 1);
        relays[0]
    }

    /// All relays of an answer, in its order.
    pub fn relays(&self) -> Vec<Relay> {
        let message = self.message();
        let relayed = message.attributes().filter(|attribute| attribute.kind == attribute::XOR_RELAYED_ADDRESS);
        let addresses = relayed.map(|attribute| decode_xor_address(attribute.value, message.transaction()).unwrap());
        let relay = |address: SocketAddr| {
            let external: IpAddr = if address.is_ipv4() { EXTERNAL_V4 } else { EXTERNAL_V6 }.parse().unwrap();
            assert_eq!(address.ip(), external, "relays have the external address");
            Relay { family: Family::of(address), port: address.port() }
        };
        addresses.map(relay).collect()
    }

    pub fn lifetime(&self) -> u32 {
        self.message().number(attribute::LIFETIME).unwrap()
    }

    /// The value of CONNECTION-ID.
    pub fn connection(&self) -> u32 {
        self.message().number(attribute::CONNECTION_ID).unwrap()
    }

    /// The error code, if it is an error.
    pub fn code(&self) -> Option<u16> {
        code(&self.message())
    }

    pub fn is_signed_by(&self, speaker: &Speaker) -> bool {
        self.message().verify(&speaker.key())
    }
}
