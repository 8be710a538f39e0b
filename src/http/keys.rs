//! API keys, replaceable while requests are served.

use std::sync::{Arc, PoisonError, RwLock};

use sha1::{Digest, Sha1};

use crate::config::Secret;
use crate::signal::same_secret;

/// The keys of programs that may ask for credentials. Clones share them.
#[derive(Clone, Default)]
pub struct ApiKeys(Arc<RwLock<Vec<Fingerprint>>>);

type Fingerprint = [u8; 20];

impl ApiKeys {
    /// These keys.
    pub fn new(keys: &[Secret]) -> Self {
        let this = Self::default();
        this.replace(keys);
        this
    }

    /// These keys from now on.
    pub fn replace(&self, keys: &[Secret]) {
        let fingerprints = keys.iter().map(|key| fingerprint(key.expose())).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fingerprints;
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The number of a key, where it is one of them. Fingerprints are compared, all of them and to their ends, so that
    /// the time tells nothing of the keys.
    pub fn find(&self, key: &str) -> Option<usize> {
        let wanted = fingerprint(key);
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().enumerate().fold(None, |found, (number, known)| {
            let same = same_secret(known, wanted);
            if same { Some(number) } else { found }
        })
    }
}

fn fingerprint(key: &str) -> Fingerprint {
    Sha1::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_whole_and_may_be_replaced() {
        let keys = ApiKeys::new(&[Secret::new("0123456789abcdef"), Secret::new("fedcba9876543210")]);
        assert_eq!(keys.find("fedcba9876543210"), Some(1));
        assert_eq!((keys.find("fedcba987654321"), keys.find("")), (None, None));
        let shared = keys.clone();
        keys.replace(&[Secret::new("another key, long")]);
        assert_eq!((shared.find("fedcba9876543210"), shared.find("another key, long")), (None, Some(0)));
        keys.replace(&[]);
        assert!(shared.is_empty());
    }
}
