//! Names and keys that nobody guesses, from one seed.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A generator: HMAC-SHA-1 of a counter under the seed.
pub struct Random {
    seed: [u8; 32],
    counter: u64,
}

/// No vowels, so that no words come out; no `l`, `0`, `1`, so that they can be read aloud. 28 letters.
const LETTERS: &[u8; 28] = b"bcdfghjkmnpqrstvwxyz23456789";

impl Random {
    /// From a seed that the kernel gave.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// `length` letters of about 4.8 bits each, at most 20.
    pub fn word(&mut self, length: usize) -> String {
        self.block().iter().take(length).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
    }

    /// A room's name that can be read aloud: `k3v9-q2xd`.
    pub fn room_name(&mut self) -> String {
        let word = self.word(8);
        let (head, tail) = word.split_at(4);
        format!("{head}-{tail}")
    }

    fn block(&mut self) -> [u8; 20] {
        self.counter += 1;
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.seed) else { return [0; 20] };
        mac.update(&self.counter.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
pub fn same_secret(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_names_again_and_no_name_twice() {
        let (mut one, mut two) = (Random::new([7; 32]), Random::new([7; 32]));
        let names: Vec<_> = (0..1000).map(|_| one.word(20)).collect();
        assert!(names.iter().all(|name| *name == two.word(20) && name.len() == 20));
        assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), 1000);
        assert_ne!(Random::new([8; 32]).word(20), names[0]);
    }

    #[test]
    fn a_room_name_can_be_read_aloud() {
        let name = Random::new([1; 32]).room_name();
        assert_eq!(name.len(), 9);
        assert_eq!(name.as_bytes()[4], b'-');
    }

    #[test]
    fn secrets_compare() {
        assert!(same_secret("rk_a", "rk_a"));
        assert!(!same_secret("rk_a", "rk_b"));
        assert!(!same_secret("rk_a", "rk_ab"));
    }
}
