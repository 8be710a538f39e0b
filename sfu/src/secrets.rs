//! Unpredictable words from one seed: HMAC-SHA1 in counter mode.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Letters that are allowed in an ICE ufrag and password (RFC 8839 §5.4) and worth five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A stream of random words, secret as long as the seed is.
pub(crate) struct Secrets {
    mac: Hmac<Sha1>,
    counter: u64,
}

impl Secrets {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut key = [0; 64];
        key[..32].copy_from_slice(&seed);
        Self { mac: Hmac::<Sha1>::new(&key.into()), counter: 0 }
    }

    /// A word of `len` characters with five bits of randomness in each.
    pub(crate) fn word(&mut self, len: usize) -> String {
        let mut word = String::with_capacity(len);
        while word.len() < len {
            self.counter += 1;
            let mut mac = self.mac.clone();
            mac.update(&self.counter.to_be_bytes());
            let block = mac.finalize().into_bytes();
            word.extend(block.iter().take(len - word.len()).map(|byte| digit(usize::from(*byte))));
        }
        word
    }
}

/// `value` in `len` digits of the alphabet, most significant first; what does not fit is cut.
pub(crate) fn encode(value: usize, len: usize) -> String {
    (0..len).rev().map(|position| digit(value >> (5 * position))).collect()
}

/// The number that [`encode`] wrote, or `None` where a character is not of the alphabet.
pub(crate) fn decode(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0, |value, byte| Some(value << 5 | ALPHABET.iter().position(|letter| letter == byte)?))
}

fn digit(value: usize) -> char {
    char::from(ALPHABET[value % ALPHABET.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_and_follow_from_the_seed() {
        let (mut one, mut same, mut other) = (Secrets::new([1; 32]), Secrets::new([1; 32]), Secrets::new([2; 32]));
        let word = one.word(32);
        assert_eq!(word.len(), 32);
        assert_eq!(word, same.word(32));
        assert_ne!(word, other.word(32));
        assert_ne!(word, one.word(32));
    }

    #[test]
    fn numbers_survive_encoding() {
        for value in [0, 1, 31, 32, 65_535, 1_048_575] {
            assert_eq!(decode(encode(value, 4).as_bytes()), Some(value));
        }
        assert_eq!(decode(b"ab:d"), None);
    }
}
