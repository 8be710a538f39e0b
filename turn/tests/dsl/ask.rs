//! What clients say.

use std::net::SocketAddr;

use roundturn_turn::message::{Class, Encoder, Integrity, Key, Method, TransactionId, attribute};

use super::addr;

/// A message in the making.
#[derive(Clone)]
pub struct Ask {
    class: Class,
    method: Method,
    attributes: Vec<Content>,
    trailing: Vec<(u16, Vec<u8>)>,
    transaction: Option<TransactionId>,
    fingerprint: bool,
}

#[derive(Clone)]
enum Content {
    Bytes(u16, Vec<u8>),
    Address(u16, SocketAddr),
}

/// A client's proof: what it names, and what it signs with.
pub struct Proof {
    pub attributes: Vec<(u16, Vec<u8>)>,
    pub key: Key,
    pub integrity: Integrity,
}

pub fn ask(class: Class, method: Method) -> Ask {
    Ask { class, method, attributes: Vec::new(), trailing: Vec::new(), transaction: None, fingerprint: false }
}

pub fn binding() -> Ask {
    ask(Class::Request, Method::BINDING)
}

/// Allocate for UDP.
pub fn allocate() -> Ask {
    bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
}

pub fn bare_allocate() -> Ask {
    ask(Class::Request, Method::ALLOCATE)
}

/// Allocate for TCP.
pub fn allocate_tcp() -> Ask {
    bare_allocate().with(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])
}

pub fn connect(peer: &str) -> Ask {
    ask(Class::Request, Method::CONNECT).with_peer(peer)
}

pub fn connection_bind(id: u32) -> Ask {
    ask(Class::Request, Method::CONNECTION_BIND).with(attribute::CONNECTION_ID, &id.to_be_bytes())
}

pub fn refresh(lifetime_secs: u32) -> Ask {
    ask(Class::Request, Method::REFRESH).with(attribute::LIFETIME, &lifetime_secs.to_be_bytes())
}

pub fn create_permission(peers: &[&str]) -> Ask {
    peers.iter().fold(ask(Class::Request, Method::CREATE_PERMISSION), |ask, peer| ask.with_peer(peer))
}

pub fn channel_bind(number: u16, peer: &str) -> Ask {
    let [high, low] = number.to_be_bytes();
    ask(Class::Request, Method::CHANNEL_BIND).with(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]).with_peer(peer)
}

pub fn send(peer: &str, data: &[u8]) -> Ask {
    ask(Class::Indication, Method::SEND).with_peer(peer).with(attribute::DATA, data)
}

impl Ask {
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.attributes.push(Content::Bytes(kind, value.to_vec()));
        self
    }

    pub fn with_peer(mut self, peer: &str) -> Self {
        self.attributes.push(Content::Address(attribute::XOR_PEER_ADDRESS, addr(peer)));
        self
    }

    /// An attribute after MESSAGE-INTEGRITY.
    pub fn trailed_by(mut self, kind: u16, value: &[u8]) -> Self {
        self.trailing.push((kind, value.to_vec()));
        self
    }

    pub fn fingerprinted(mut self) -> Self {
        self.fingerprint = true;
        self
    }

    pub fn in_transaction(mut self, number: u8) -> Self {
        self.transaction = Some(TransactionId([number; 12]));
        self
    }

    pub fn encode(&self, transaction: TransactionId, proof: Option<&Proof>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let transaction = self.transaction.unwrap_or(transaction);
        let mut encoder = Encoder::new(&mut bytes, self.class, self.method, transaction);
        for content in &self.attributes {
            encoder = match content {
                Content::Bytes(kind, value) => encoder.attribute(*kind, value),
                Content::Address(kind, address) => encoder.xor_address(*kind, *address),
            };
        }
        if let Some(proof) = proof {
            for (kind, value) in &proof.attributes {
                encoder = encoder.attribute(*kind, value);
            }
            encoder = match proof.integrity {
                Integrity::Sha1 => encoder.integrity(&proof.key),
                Integrity::Sha256 => encoder.integrity_sha256(&proof.key),
            };
        }
        for (kind, value) in &self.trailing {
            encoder = encoder.attribute(*kind, value);
        }
        if self.fingerprint {
            encoder.fingerprint();
        }
        bytes
    }
}
