//! Whose datagram is this: the ICE ufrag for STUN, the proven source address for everything else.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use str0m::ice::StunMessage;

use crate::route::Source;
use crate::secrets::{self, Secrets};

/// Addresses that are remembered for one participant; beyond them the oldest is forgotten.
const ADDRESSES: usize = 8;

/// What the first look at a datagram says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight<'a> {
    /// A STUN Binding request to the participant with this key, if it really has this ufrag.
    Check(usize, &'a str),
    /// Something else from an address that a participant has proven to be its own.
    Known(usize),
    /// Nobody's.
    Nobody,
}

/// Finds participants by what their datagrams look like.
///
/// ```text
///  ufrag:  s s s s k k k k r r r r r r r r
///          shard   key     random, new with every participant and every ICE restart
/// ```
///
/// A STUN request is always resolved by its ufrag, never by its address: a NAT may give a port to someone else. An
/// address is learnt only once the engine answered a check from it, which takes the ICE password.
pub(crate) struct Demux {
    shard: u16,
    owners: HashMap<Source, usize, RandomState>,
    owned: HashMap<usize, VecDeque<Source>, RandomState>,
}

impl Demux {
    pub(crate) fn new(shard: u16) -> Self {
        Self { shard, owners: HashMap::default(), owned: HashMap::default() }
    }

    /// A fresh ufrag for the participant with this key.
    pub(crate) fn ufrag(&self, key: usize, secrets: &mut Secrets) -> String {
        secrets::encode(usize::from(self.shard), 4) + &secrets::encode(key, 4) + &secrets.word(8)
    }

    /// Whose datagram this may be.
    pub(crate) fn look<'a>(&self, source: Source, bytes: &'a [u8]) -> Sight<'a> {
        match bytes.first() {
            Some(0..=3) => self.look_at_stun(bytes).unwrap_or(Sight::Nobody),
            Some(20..=63 | 128..=191) => self.owners.get(&source).map_or(Sight::Nobody, |key| Sight::Known(*key)),
            _ => Sight::Nobody,
        }
    }

    /// Whose source that is known to be.
    pub(crate) fn owner(&self, source: Source) -> Option<usize> {
        self.owners.get(&source).copied()
    }

    /// The engine of `key` answered a check from `source`.
    pub(crate) fn prove(&mut self, key: usize, source: Source) {
        if self.owners.insert(source, key) == Some(key) {
            return;
        }
        let owned = self.owned.entry(key).or_default();
        owned.push_back(source);
        if owned.len() > ADDRESSES
            && let Some(oldest) = owned.pop_front()
            && self.owners.get(&oldest) == Some(&key)
        {
            self.owners.remove(&oldest);
        }
    }

    /// There is nothing at `source` any more. Whose it was.
    pub(crate) fn close(&mut self, source: Source) -> Option<usize> {
        let key = self.owners.remove(&source)?;
        if let Some(owned) = self.owned.get_mut(&key) {
            owned.retain(|other| *other != source);
        }
        Some(key)
    }

    /// The participant is gone, and so is all that was learnt about it.
    pub(crate) fn forget(&mut self, key: usize) {
        for address in self.owned.remove(&key).unwrap_or_default() {
            if self.owners.get(&address) == Some(&key) {
                self.owners.remove(&address);
            }
        }
    }

    fn look_at_stun<'a>(&self, bytes: &'a [u8]) -> Option<Sight<'a>> {
        let (shard, key, ufrag) = read_check(bytes)?;
        (shard == usize::from(self.shard)).then_some(Sight::Check(key, ufrag))
    }
}

/// The number of the shard whose participant an ICE check wants to reach, if `bytes` are one.
pub fn shard_of(bytes: &[u8]) -> Option<usize> {
    read_check(bytes).map(|(shard, ..)| shard)
}

/// Shard, key, and the whole ufrag of whom a check is for.
fn read_check(bytes: &[u8]) -> Option<(usize, usize, &str)> {
    let message = StunMessage::parse(bytes).ok().filter(StunMessage::is_binding_request)?;
    let (ufrag, _) = message.username()?.split_once(':')?;
    let (shard, key) = ufrag.as_bytes().get(..8)?.split_at(4);
    Some((secrets::decode(shard)?, secrets::decode(key)?, ufrag))
}

#[cfg(test)]
mod tests;
