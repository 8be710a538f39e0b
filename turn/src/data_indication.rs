//! Data indications (RFC 8656 §11.4), as far as the payload.
//!
//! ```text
//! | STUN header, 20 | XOR-PEER-ADDRESS, 4 + 8 or 20 | DATA, 4 | payload ... | padding |
//! '------------------------- Header --------------------------'
//! ```

use crate::allocation::Token;
use crate::message::{
    Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, attribute, encode_xor_address, message_type,
};
use crate::{Header, Peer};

/// What goes before and after `len` bytes from `peer`; `None` where they do not fit into a message.
pub(crate) fn header(peer: Peer, len: usize, transaction: TransactionId) -> Option<Header> {
    let (address, address_len) = encode_xor_address(peer.0, transaction);
    let padding = len.wrapping_neg() & 3;
    let end = HEADER_LEN + 4 + address_len + 4;
    let content = u16::try_from(end - HEADER_LEN + len + padding).ok()?;

    let mut bytes = [0; Header::MAX];
    bytes[..2].copy_from_slice(&message_type(Class::Indication, Method::DATA).to_be_bytes());
    bytes[2..4].copy_from_slice(&content.to_be_bytes());
    bytes[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    bytes[8..HEADER_LEN].copy_from_slice(&transaction.0);
    bytes[20..22].copy_from_slice(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
    bytes[22..24].copy_from_slice(&(address_len as u16).to_be_bytes());
    bytes[24..24 + address_len].copy_from_slice(&address[..address_len]);
    bytes[end - 4..end - 2].copy_from_slice(&attribute::DATA.to_be_bytes());
    bytes[end - 2..end].copy_from_slice(&(len as u16).to_be_bytes());
    Some(Header::new(&bytes[..end], padding))
}

/// Transaction ids of indications: nobody answers them, they only have to differ and not to be guessed at leisure.
pub(crate) struct Transactions {
    state: u64,
}

impl Transactions {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let seeds = key.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(u64::from_le_bytes);
        Self { state: seeds.fold(0, |state, seed| state.rotate_left(7) ^ seed) }
    }

    pub(crate) fn next(&mut self) -> TransactionId {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.random().to_le_bytes());
        id[8..].copy_from_slice(&self.random().to_le_bytes()[..4]);
        TransactionId(id)
    }

    /// A RESERVATION-TOKEN: it names a port to the one user whom it was given to, and is no secret.
    pub(crate) fn token(&mut self) -> Token {
        self.random().to_le_bytes()
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}
