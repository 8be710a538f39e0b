//! Our codec beside the packages `stun` and `stun-types`: what one writes the others read, and they agree on what is
//! malformed.

use std::net::SocketAddr;

use proptest::prelude::*;
use roundturn_turn::channel_data;
use roundturn_turn::message::{
    Class, DecodeError, Encoder, Key, Message, Method, PasswordAlgorithm, TransactionId, attribute, decode_xor_address,
    encode_xor_address,
};
use stun::message::{Getter, Setter};
use stun_types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, MessageWrite, MessageWriteExt, MessageWriteVec, ShortTermCredentials,
};

const SPECIAL: [u16; 4] = [attribute::MESSAGE_INTEGRITY, 0x001C, attribute::FINGERPRINT, 0x8020];

#[derive(Debug, Clone)]
struct Sample {
    class: Class,
    method: u16,
    transaction: [u8; 12],
    attributes: Vec<(u16, Vec<u8>)>,
    integrity: bool,
    fingerprint: bool,
}

fn sample() -> impl Strategy<Value = Sample> {
    let class = prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)];
    let kind = any::<u16>().prop_filter("not a special one", |kind| !SPECIAL.contains(kind));
    let attributes = prop::collection::vec((kind, prop::collection::vec(any::<u8>(), 0..40)), 0..8);
    (class, 0..0x1000u16, any::<[u8; 12]>(), attributes, any::<bool>(), any::<bool>()).prop_map(
        |(class, method, transaction, attributes, integrity, fingerprint)| Sample {
            class,
            method,
            transaction,
            attributes,
            integrity,
            fingerprint,
        },
    )
}

fn key() -> Key {
    Key::long_term("alice", "example.org", "wonder")
}

fn stun_key() -> stun::integrity::MessageIntegrity {
    stun::integrity::MessageIntegrity::new_long_term_integrity("alice".into(), "example.org".into(), "wonder".into())
}

fn stun_types_key() -> stun_types::message::MessageIntegrityCredentials {
    LongTermKeyCredentials::new("alice".into(), "wonder".into(), "example.org".into()).into()
}

impl Sample {
    fn ours(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let transaction = TransactionId(self.transaction);
        let mut encoder = Encoder::new(&mut bytes, self.class, Method(self.method), transaction);
        for (kind, value) in &self.attributes {
            encoder = encoder.attribute(*kind, value);
        }
        if self.integrity {
            encoder = encoder.integrity(&key());
        }
        if self.fingerprint {
            encoder.fingerprint();
        }
        bytes
    }

    fn stun(&self) -> Vec<u8> {
        let mut message = stun::message::Message::new();
        // Its methods cannot be made from numbers, only read; `stun-types` checks those.
        let mut kind = stun::message::MessageType::default();
        kind.read_value(u16::from_be_bytes([self.ours()[0], self.ours()[1]]));
        message.set_type(kind);
        message.transaction_id.0 = self.transaction;
        message.write_header();
        for (kind, value) in &self.attributes {
            message.add(stun::attributes::AttrType(*kind), value);
        }
        if self.integrity {
            stun_key().add_to(&mut message).unwrap();
        }
        if self.fingerprint {
            stun::fingerprint::FINGERPRINT.add_to(&mut message).unwrap();
        }
        message.raw
    }

    fn stun_types(&self) -> Vec<u8> {
        use stun_types::attribute::RawAttribute;
        use stun_types::message::{Message, MessageClass, MessageType, Method};
        let class = match self.class {
            Class::Request => MessageClass::Request,
            Class::Indication => MessageClass::Indication,
            Class::Success => MessageClass::Success,
            Class::Error => MessageClass::Error,
        };
        let mut transaction = [0; 16];
        transaction[4..].copy_from_slice(&self.transaction);
        let kind = MessageType::from_class_method(class, Method::new(self.method));
        let mut message = Message::builder(kind, u128::from_be_bytes(transaction).into(), MessageWriteVec::new());
        for (kind, value) in &self.attributes {
            message.push_attribute_unchecked(&RawAttribute::new((*kind).into(), value));
        }
        if self.integrity {
            message.add_message_integrity(&stun_types_key(), IntegrityAlgorithm::Sha1).unwrap();
        }
        if self.fingerprint {
            message.add_fingerprint().unwrap();
        }
        message.finish()
    }
}

fn stun_decode(bytes: &[u8]) -> Option<stun::message::Message> {
    let mut message = stun::message::Message::new();
    message.unmarshal_binary(bytes).ok().map(|()| message)
}

proptest! {
    #[test]
    fn all_three_write_the_same_bytes(sample in sample()) {
        prop_assert_eq!(sample.ours(), sample.stun());
        prop_assert_eq!(sample.ours(), sample.stun_types());
    }

    #[test]
    fn what_others_write_we_read(sample in sample()) {
        let bytes = sample.stun();
        let message = Message::decode(&bytes).unwrap();
        prop_assert_eq!(message.class(), sample.class);
        prop_assert_eq!(message.method(), Method(sample.method));
        prop_assert_eq!(message.transaction(), TransactionId(sample.transaction));
        let attributes: Vec<_> = message.attributes().map(|a| (a.kind, a.value.to_vec())).collect();
        prop_assert_eq!(&attributes, &sample.attributes);
        for (kind, value) in &sample.attributes {
            let first = &attributes.iter().find(|(other, _)| other == kind).unwrap().1;
            prop_assert_eq!(&bytes[message.range(*kind).unwrap()], &first[..]);
            prop_assert!(message.attribute(*kind).is_some() && value.len() < 40);
        }
        prop_assert_eq!((message.has_integrity(), message.verify(&key())), (sample.integrity, sample.integrity));
        prop_assert_eq!(message.has_fingerprint(), sample.fingerprint);
    }

    #[test]
    fn what_we_write_others_read(sample in sample()) {
        let bytes = sample.ours();
        let mut message = stun_decode(&bytes).unwrap();
        prop_assert_eq!(message.typ.class == stun::message::CLASS_REQUEST, sample.class == Class::Request);
        prop_assert_eq!(message.typ.value().to_be_bytes(), [bytes[0], bytes[1]]);
        prop_assert_eq!(stun_key().check(&mut message).is_ok(), sample.integrity);
        prop_assert_eq!(stun::fingerprint::FINGERPRINT.check(&message).is_ok(), sample.fingerprint);
        let message = stun_types::message::Message::from_bytes(&bytes).unwrap();
        prop_assert_eq!(message.validate_integrity(&stun_types_key()).is_ok(), sample.integrity);
    }

    #[test]
    fn sha256_proofs_are_written_as_another_does(sample in sample(), short: bool) {
        let (bytes, key) = (sample.ours(), Key::derive(PasswordAlgorithm::Sha256, "alice", "example.org", "wonder"));
        prop_assume!(!sample.integrity && !sample.fingerprint);
        let (key, theirs) = match short {
            true => (Key::short_term("wonder"), ShortTermCredentials::new("wonder".into()).into()),
            false => (key, stun_types_key()),
        };
        let mut ours = Vec::new();
        let message = Message::decode(&bytes).unwrap();
        let encoder = Encoder::new(&mut ours, sample.class, Method(sample.method), message.transaction());
        let encoder = sample.attributes.iter().fold(encoder, |encoder, (kind, value)| encoder.attribute(*kind, value));
        encoder.integrity_sha256(&key);
        let message = stun_types::message::Message::from_bytes(&ours).unwrap();
        prop_assert_eq!(message.validate_integrity(&theirs).ok(), Some(IntegrityAlgorithm::Sha256));
    }

    #[test]
    fn addresses_are_written_and_read_as_others_do(address: SocketAddr, transaction: [u8; 12]) {
        let address = SocketAddr::new(address.ip(), address.port());
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, Class::Success, Method::BINDING, TransactionId(transaction))
            .xor_address(attribute::XOR_MAPPED_ADDRESS, address);
        let mut theirs = stun::xoraddr::XorMappedAddress::default();
        theirs.get_from(&stun_decode(&bytes).unwrap()).unwrap();
        prop_assert_eq!(SocketAddr::new(theirs.ip, theirs.port), address);
        prop_assert_eq!(Message::decode(&bytes).unwrap().xor_address(attribute::XOR_MAPPED_ADDRESS), Some(address));
        let (value, len) = encode_xor_address(address, TransactionId(transaction));
        prop_assert_eq!(decode_xor_address(&value[..len], TransactionId(transaction)), Some(address));
        prop_assert_eq!(decode_xor_address(&value[..len - 1], TransactionId(transaction)), None);
    }

    #[test]
    fn others_agree_on_what_is_malformed(content in prop::collection::vec(any::<u8>(), 0..64), short in 0..8usize) {
        let mut bytes = vec![0, 1, 0, (content.len() - content.len() % 4) as u8, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend_from_slice(&[7; 12]);
        bytes.extend(content.iter().map(|byte| if byte % 3 == 0 { byte % 8 } else { *byte }));
        bytes.truncate(bytes.len() - short.min(bytes.len()));
        agree(&bytes)?;
    }

    #[test]
    fn others_agree_on_damaged_messages(sample in sample(), at: prop::sample::Index, to: u8) {
        let mut bytes = sample.ours();
        let at = at.index(bytes.len());
        bytes[at] = to;
        agree(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        agree(&bytes)?;
        if let Some((number, data)) = channel_data::decode(&bytes) {
            prop_assert!(channel_data::is_channel_number(number) && data.end <= bytes.len());
            prop_assert_eq!(&channel_data::header(number, data.len() as u16)[..], &bytes[..4]);
        }
    }
}

fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = stun_decode(bytes);
    match Message::decode(bytes) {
        Ok(message) => {
            let theirs = theirs.expect("we are the stricter");
            prop_assert!(stun_types::message::Message::from_bytes(bytes).is_ok());
            for (ours, theirs) in message.attributes().zip(&theirs.attributes.0) {
                prop_assert!(ours.kind == theirs.typ.0 || ours.kind == 0x8020);
                prop_assert_eq!(ours.value, &theirs.value[..]);
            }
        }
        Err(DecodeError::Attribute) => {
            let has_broken_integrity = |message: &stun::message::Message| {
                let mut attributes = message.attributes.0.iter();
                attributes.any(|a| match a.typ.0 {
                    attribute::MESSAGE_INTEGRITY => a.value.len() != 20,
                    attribute::MESSAGE_INTEGRITY_SHA256 => a.value.len() != 32,
                    _ => false,
                })
            };
            prop_assert!(theirs.is_none_or(|message| has_broken_integrity(&message)));
        }
        Err(DecodeError::Fingerprint) => {
            prop_assert!(bytes.windows(2).any(|kind| kind == attribute::FINGERPRINT.to_be_bytes()));
        }
        Err(DecodeError::Length) => {
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            prop_assert!(length + 20 != bytes.len() || length % 4 != 0);
        }
        Err(DecodeError::NotStun | DecodeError::Cookie) => {
            prop_assert!(bytes.len() < 20 || bytes[0] >= 0x40 || bytes[4..8] != [0x21, 0x12, 0xA4, 0x42]);
        }
    }
    Ok(())
}

#[test]
fn an_attribute_that_does_not_fit_is_left_out() {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12]))
        .attribute(attribute::SOFTWARE, &[0; 65_000])
        .attribute(attribute::DATA, &[0; 600])
        .attribute(attribute::REALM, b"fits");
    let message = Message::decode(&bytes).unwrap();
    let kinds: Vec<u16> = message.attributes().map(|attribute| attribute.kind).collect();
    assert_eq!(kinds, [attribute::SOFTWARE, attribute::REALM]);
}

#[test]
fn a_message_is_written_after_what_the_buffer_holds() {
    let mut bytes = b"before".to_vec();
    Encoder::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12])).integrity(&key()).fingerprint();
    let message = Message::decode(&bytes[6..]).unwrap();
    assert!(message.verify(&key()) && message.has_fingerprint());
}
